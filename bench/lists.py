#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Lists of addresses to measure with, and packets that they hold and do not hold.

    lists.py DIRECTORY LIST [HOSTS.gz]

LIST: hosts (552,293, those of the file if there is one), prefixes (1,000,000, disjoint), both,
million (hosts), or routes (902,000 networks one in the other, as in a table of routes, and the hosts;
not for nft, which takes no overlaps). Writes `list`, `hits` and `misses` (65,536 packets each) and `list2`, which differs
from the list in one of a hundred. Always the same: the seed is fixed.
"""
import gzip
import os
import random
import sys

HOSTS, PREFIXES, MILLION, ROUTES, PACKETS = 552293, 1000000, 1000000, 902000, 65536


def text(address):
    return ".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0))


def number(host):
    a, b, c, d = host.split(".")
    return int(a) << 24 | int(b) << 16 | int(c) << 8 | int(d)


def is_usable(address):
    """What hosts send from; not where the set-up's own addresses lie."""
    first = address >> 24
    return 0 < first < 224 and first not in (10, 127) and address >> 17 != 198 << 7 | 9


def draw(randomly):
    while True:
        address = randomly.getrandbits(32)
        if is_usable(address):
            return address


def some_hosts(randomly, path, count):
    hosts = set()
    if path and os.path.exists(path):
        with gzip.open(path, "rt") as file:
            hosts = {number(line.strip()) for line in file if line.count(".") == 3}
        hosts = {host for host in hosts if is_usable(host)}
    while len(hosts) < count:
        hosts.add(draw(randomly))
    return [(host, 32) for host in sorted(hosts)]


def some_prefixes(randomly, taken):
    """Networks as feeds list them, mostly /24. Disjoint, and none where a host is: nft takes no
    overlaps."""
    prefixes = []
    lengths = [24] * 10 + [23, 23, 22, 22, 21, 20, 25, 26, 28, 30]
    while len(prefixes) < PREFIXES:
        length = randomly.choice(lengths)
        address = draw(randomly) & 0xffffffff << (32 - length)
        networks = range(address >> 8, (address >> 8) + (1 << max(24 - length, 0)))
        if not any(network in taken for network in networks):
            taken.update(networks)
            prefixes.append((address, length))
    return sorted(prefixes)


def some_routes(randomly):
    lengths = [24] * 12 + [23, 23, 22, 22, 21, 20, 19, 16]
    routes = set()
    while len(routes) < ROUTES:
        length = randomly.choice(lengths)
        routes.add((draw(randomly) & 0xffffffff << (32 - length), length))
    return sorted(routes)


def make(randomly, which, path):
    hosts, prefixes = [], []
    if which == "million":
        hosts = some_hosts(randomly, None, MILLION)
    elif which != "prefixes":
        hosts = some_hosts(randomly, path, HOSTS)
    if which in ("prefixes", "both"):
        prefixes = some_prefixes(randomly, {host >> 8 for host, _ in hosts})
    if which == "routes":
        prefixes = some_routes(randomly)
    return hosts + prefixes


def hit(randomly, element):
    address, length = element
    return address | randomly.getrandbits(32) & 0xffffffff >> length if length < 32 else address


def misses(randomly, elements):
    networks = {network for address, length in elements
                for network in range(address >> 8, (address >> 8) + (1 << max(24 - length, 0)))}
    while True:
        address = draw(randomly)
        if address >> 8 not in networks:
            yield address


def write(name, lines):
    with open(os.path.join(sys.argv[1], name), "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")


def element_text(element):
    address, length = element
    return text(address) if length == 32 else f"{text(address)}/{length}"


def main():
    randomly = random.Random(1)
    elements = make(randomly, sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None)
    missing = misses(randomly, elements)
    port = randomly.randrange
    write("list", map(element_text, elements))
    write("hits", (f"{text(hit(randomly, randomly.choice(elements)))} {port(65536)}"
                   for _ in range(PACKETS)))
    write("misses", (f"{text(next(missing))} {port(65536)}" for _ in range(PACKETS)))
    changed = elements[len(elements) // 100:]
    changed += [(next(missing), 32) for _ in range(len(elements) // 100)]
    write("list2", map(element_text, sorted(changed)))


main()
