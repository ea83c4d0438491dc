#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Sends packets that a firewall rejects and looks at every field of its answers.

    answers.py LINK MAC      from the namespace of LINK, to the firewall's MAC on 192.0.2.2 and
                             2001:db8::2; it must reject everything

Prints how many packets were sent that must have no answer. What is expected is written down here,
and never taken from the answer.
"""

import sys
import time

from scapy.arch import get_if_hwaddr
from scapy.config import conf
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_NOP
from scapy.layers.inet6 import (
    ICMPv6DestUnreach, ICMPv6EchoRequest, ICMPv6PacketTooBig, ICMPv6TimeExceeded, IPv6,
    IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, ICMPv6ND_Redirect)
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether
from scapy.packet import Raw

# Not the addresses of this host: its own stack must not meddle.
HERE, THERE = "192.0.2.77", "192.0.2.2"
HERE6, THERE6 = "2001:db8::77", "2001:db8::2"
SECONDS = 5


def frames(socket, seconds):
    """What comes in from the firewall until then."""
    end = time.time() + seconds
    while time.time() < end:
        frame = socket.recv() if socket.select([socket], 0.05)[0] else None
        if frame is not None and frame.src == OTHER:
            yield bytes(frame)


def answer(socket, packet):
    """The next frame from the firewall after the packet was sent."""
    socket.send(packet)
    for frame in frames(socket, SECONDS):
        return frame
    sys.exit(f"no answer to {packet.summary()}")


def expect(name, got, wanted):
    """Byte for byte. Lengths and checksums of `wanted` are scapy's."""
    wanted = bytes(wanted)
    got = got[:len(wanted)] if len(got) == 60 else got  # the rest is padding
    if got != wanted:
        sys.exit(f"{name}:\n{Ether(got).show(dump=True)}\nexpected:\n"
                 f"{Ether(wanted).show(dump=True)}{got.hex()}\n{wanted.hex()}")


def resets(socket, link_there, link_here):
    """TCP over both families, behind the link-layer headers given."""
    ports = {"sport": 5555, "dport": 113}
    back = {"sport": 113, "dport": 5555, "window": 0}
    over = [(IP(src=HERE, dst=THERE), IP(src=THERE, dst=HERE, id=0, flags="DF", ttl=64)),
            (IPv6(src=HERE6, dst=THERE6), IPv6(src=THERE6, dst=HERE6, hlim=64))]
    data = Raw(b"x" * 10)
    cases = [
        ("SYN", TCP(flags="S", seq=1000, **ports), TCP(flags="RA", seq=0, ack=1001, **back)),
        ("SYN with options and data",
         TCP(flags="S", seq=0xFFFFFFFF, options=[("MSS", 1460), ("SAckOK", b"")], **ports) / data,
         TCP(flags="RA", seq=0, ack=10, **back)),
        ("SYN-ACK", TCP(flags="SA", seq=5, ack=777, **ports), TCP(flags="R", seq=777, **back)),
        ("data", TCP(flags="PA", seq=5, ack=0x80000001, **ports) / data,
         TCP(flags="R", seq=0x80000001, **back)),
        ("FIN", TCP(flags="F", seq=1000, **ports), TCP(flags="RA", seq=0, ack=1001, **back)),
        ("no flag", TCP(flags="", seq=1000, **ports) / data,
         TCP(flags="RA", seq=0, ack=1010, **back)),
    ]
    for there, here in over:
        for name, segment, reset in cases:
            expect(name, answer(socket, link_there / there / segment), link_here / here / reset)
    expect("IP options", answer(socket, link_there / IP(
        src=HERE, dst=THERE, options=[IPOption_NOP()] * 8) / cases[0][1]),
        link_here / over[0][1] / cases[0][2])
    expect("extension header", answer(socket, link_there / over[1][0] /
                                      IPv6ExtHdrDestOpt(options=[]) / cases[0][1]),
           link_here / over[1][1] / cases[0][2])


def unreachables(socket, link_there, link_here):
    """UDP and others over both families: how much is quoted, and that it is what was sent."""
    back = IP(src=THERE, dst=HERE, id=0, flags="DF", ttl=64) / ICMP(type=3, code=3)
    back6 = IPv6(src=THERE6, dst=HERE6, hlim=64) / ICMPv6DestUnreach(code=4)
    for payload in (b"", b"x", b"y" * 519, b"y" * 520, b"y" * 521, b"z" * 1182, b"z" * 1400):
        datagram = UDP(sport=5555, dport=9) / Raw(payload)
        packet = IP(src=HERE, dst=THERE, id=4242, tos=0x48, ttl=9) / datagram
        expect(f"UDP of {len(payload)}", answer(socket, link_there / packet),
               link_here / back / Raw(bytes(packet)[:548]))
        packet = IPv6(src=HERE6, dst=THERE6, fl=0xABCDE, tc=0x48, hlim=9) / datagram
        expect(f"UDP over IPv6 of {len(payload)}", answer(socket, link_there / packet),
               link_here / back6 / Raw(bytes(packet)[:1232]))
    others = [ICMP(type=8, id=7, seq=3) / b"ping", Raw(b"anything")]
    for inner in others:
        packet = IP(src=HERE, dst=THERE, proto=1 if ICMP in inner else 50) / inner
        expect("another protocol", answer(socket, link_there / packet),
               link_here / back / Raw(bytes(packet)))
    packet = IPv6(src=HERE6, dst=THERE6) / ICMPv6EchoRequest(id=7, seq=3)
    expect("ICMPv6 echo", answer(socket, link_there / packet), link_here / back6 / Raw(bytes(packet)))


def without_answer():
    """Nothing of this may be answered (RFC 1122, 3.2.2; RFC 4443, 2.4)."""
    syn, datagram = TCP(sport=5555, dport=113), UDP(sport=5555, dport=9)
    to, to6 = IP(src=HERE, dst=THERE), IPv6(src=HERE6, dst=THERE6)
    link = Ether(src=MINE, dst=OTHER)
    yield link / to / TCP(sport=5555, dport=113, flags="R")
    yield link / to6 / TCP(sport=5555, dport=113, flags="RA")
    for kind in (3, 4, 5, 11, 12, 9, 30, 200):
        yield link / to / ICMP(type=kind) / bytes(to / datagram)
    yield link / to6 / ICMPv6DestUnreach() / bytes(to6 / datagram)
    yield link / to6 / ICMPv6PacketTooBig() / bytes(to6 / datagram)
    yield link / to6 / ICMPv6TimeExceeded() / bytes(to6 / datagram)
    yield link / to6 / ICMPv6ND_Redirect()
    yield link / IP(src=HERE, dst=THERE, frag=100) / Raw(b"x" * 32)
    yield link / IP(src=HERE, dst=THERE, flags="MF") / datagram / Raw(b"x" * 32)
    yield link / to6 / IPv6ExtHdrFragment(offset=100, nh=17) / Raw(b"x" * 32)
    yield link / to6 / IPv6ExtHdrFragment(m=1, nh=17) / datagram / Raw(b"x" * 32)
    for source in ("0.0.0.0", "127.0.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"):
        yield link / IP(src=source, dst=THERE) / syn
    for target in ("255.255.255.255", "224.0.0.1", "127.0.0.1"):
        yield link / IP(src=HERE, dst=target) / datagram
    for source in ("::", "::1", "ff02::1", "::ffff:192.0.2.77"):
        yield link / IPv6(src=source, dst=THERE6) / syn
    yield link / IPv6(src=HERE6, dst="ff02::1") / datagram
    yield Ether(src=MINE, dst="ff:ff:ff:ff:ff:ff") / to / syn
    yield Ether(src=MINE, dst="01:00:5e:00:00:01") / to / datagram
    yield Ether(src="01:00:5e:00:00:01", dst=OTHER) / to / datagram
    yield link / ARP(psrc=HERE, pdst=THERE)
    yield Ether(src=MINE, dst=OTHER, type=0x88B5) / Raw(b"x" * 46)


def main():
    socket = conf.L2socket(iface=LINK)
    there, here = Ether(src=MINE, dst=OTHER), Ether(src=OTHER, dst=MINE)
    tags = [(), (Dot1Q(vlan=5, prio=3),), (Dot1AD(vlan=7), Dot1Q(vlan=5, prio=6))]
    for chain in tags:
        tagged_there, tagged_here = there, here
        for tag in chain:
            tagged_there, tagged_here = tagged_there / tag.copy(), tagged_here / tag.copy()
        resets(socket, tagged_there, tagged_here)
        unreachables(socket, tagged_there, tagged_here)
    count = 0
    for packet in without_answer():
        socket.send(packet)
        count += 1
    # What comes now may only be the answer to the last one.
    last = TCP(sport=5556, dport=113, flags="S", seq=0)
    expect("the last one", answer(socket, there / IP(src=HERE, dst=THERE) / last),
           here / IP(src=THERE, dst=HERE, id=0, flags="DF", ttl=64) /
           TCP(sport=113, dport=5556, flags="RA", seq=0, ack=1, window=0))
    print(count)


if __name__ == "__main__":
    LINK, OTHER = sys.argv[1:]
    conf.verb = 0
    MINE = get_if_hwaddr(LINK)
    main()
