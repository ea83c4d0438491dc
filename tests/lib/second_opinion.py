#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""second_opinion.py CAPTURE: what scapy makes of each frame, to compare with `fwctl explain`.

Standard input has the lines of `fwctl explain --json` about the same capture. Family, protocol and
ports of each packet that is not malformed have to be those that scapy finds; exits 1 if not, and
prints how many were compared.
"""

import json
import sys

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment
from scapy.layers.ipsec import AH
from scapy.layers.l2 import Dot1AD, Dot1Q, Ether
from scapy.utils import RawPcapReader

PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp6", 47: "gre", 50: "esp", 51: "ah",
             4: "ipip", 132: "sctp"}


def words(protocol, packet, transport):
    """The beginning of the packet's text, up to the destination."""
    source, destination = packet.src, packet.dst
    if isinstance(transport, (TCP, UDP)):
        if isinstance(packet, IPv6):
            source, destination = f"[{source}]", f"[{destination}]"
        source += f":{transport.sport}"
        destination += f":{transport.dport}"
    return f"{PROTOCOLS.get(protocol, protocol)} {source} > {destination}"


def opinion(data):
    """None if scapy cannot tell."""
    packet = Ether(data).payload
    if data[12:14] == b"\x91\x00":  # QinQ of old, which scapy does not know
        return None
    while isinstance(packet, (Dot1Q, Dot1AD)):
        packet = packet.payload
    if isinstance(packet, IP):
        transport = None if packet.frag else packet.payload
        if packet.proto in (33, 132, 136) or (packet.proto in (6, 17) and not packet.frag and
                                              not isinstance(transport, (TCP, UDP))):
            return None
        return words(packet.proto, packet, transport)
    if isinstance(packet, IPv6):
        header = packet.payload
        while header.__class__.__name__.startswith("IPv6ExtHdr") or isinstance(header, AH):
            if isinstance(header, IPv6ExtHdrFragment) and header.offset:
                return words(header.nh, packet, None)
            header = header.payload
        if not isinstance(header, (TCP, UDP)):
            return None
        return words(6 if isinstance(header, TCP) else 17, packet, header)
    return "ethertype" if packet else None


def main():
    compared = wrong = 0
    frames = RawPcapReader(sys.argv[1])
    for line, (data, _) in zip(sys.stdin, frames):
        answer = json.loads(line)
        expected = None if answer["reason"] else opinion(data)
        if expected is None:
            continue
        compared += 1
        text = answer["text"].removeprefix("in ").replace("arp", "ethertype", 1)
        if text.split()[0] != expected if expected == "ethertype" else \
                not (text + " ").startswith(expected + " "):
            wrong += 1
            print(f"packet {answer['packet']}: '{answer['text']}', scapy: '{expected}'")
    print(f"{compared} compared, {wrong} different")
    sys.exit(1 if wrong or not compared else 0)


main()
