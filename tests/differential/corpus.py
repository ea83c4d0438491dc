#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Writes a capture of all kinds of frames: corpus.py FILE [SEED]

Protocols that the hand-made generator knows nothing of, each as it is meant and with its fields
filled at random by scapy, some of them in tunnels and behind tags.
"""

import random
import sys

from scapy.config import conf
from scapy.contrib.igmp import IGMP
from scapy.contrib.mpls import MPLS
from scapy.contrib.ospf import OSPF_Hdr, OSPF_Hello
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.dhcp6 import DHCP6_Solicit
from scapy.layers.dns import DNS, DNSQR
from scapy.layers.eap import EAPOL
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_RR, IPOption_Timestamp, fragment
from scapy.layers.inet6 import (
    ICMPv6DestUnreach, ICMPv6EchoRequest, ICMPv6MLReport2, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA,
    ICMPv6ND_RS, ICMPv6PacketTooBig, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, fragment6)
from scapy.layers.ipsec import AH, ESP
from scapy.layers.l2 import ARP, GRE, LLC, SNAP, STP, Dot1AD, Dot1Q, Dot3, Ether
from scapy.layers.ppp import PPPoE, PPPoED
from scapy.layers.sctp import SCTP, SCTPChunkData, SCTPChunkInit
from scapy.layers.vrrp import VRRP
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw, fuzz
from scapy.utils import wrpcap


SOURCE_MAC, DESTINATION_MAC = "00:00:5e:00:53:01", "00:00:5e:00:53:02"


def eth(**fields):
    """With addresses: else scapy asks the network for them."""
    return Ether(src=SOURCE_MAC, dst=DESTINATION_MAC, **fields)


def inet():
    return IP(src="192.0.2.1", dst="198.51.100.1")


def inet6():
    return IPv6(src="2001:db8::1", dst="2001:db8:1::1")


def transports():
    """Payloads of either family."""
    yield TCP(dport=443, flags="S", options=[("MSS", 1460), ("SAckOK", b""), ("WScale", 7)])
    yield TCP(dport=22, flags="FPU") / Raw(b"x" * 100)
    yield UDP(dport=53) / DNS(qd=DNSQR(qname="example.org"))
    yield UDP(sport=4500, dport=4500) / Raw(bytes(4) + b"ike")
    yield UDP(dport=4789) / VXLAN(vni=7) / eth() / IP() / TCP()
    yield SCTP(dport=9899) / SCTPChunkInit()
    yield SCTP(dport=9899) / SCTPChunkData(data=b"hello")
    yield GRE() / IP() / UDP()
    yield GRE(key_present=1, key=5) / eth() / IP()
    yield ESP(spi=1, seq=1, data=b"secret secret se")
    yield AH(nh=6, spi=1) / TCP()


def inet_packets():
    for payload in transports():
        yield inet() / payload
        yield inet() / fuzz(payload.copy())
        yield IP(src="192.0.2.1", dst="198.51.100.1", options=[IPOption_RR()]) / payload
        yield IP(src="192.0.2.1", dst="198.51.100.1", tos=184, ttl=1,
                 options=[IPOption_Timestamp()]) / payload
    for kind in (0, 3, 4, 5, 8, 11, 12, 13, 17, 30):
        yield inet() / ICMP(type=kind) / inet() / UDP()
    yield inet() / IGMP()
    yield inet() / VRRP()
    yield inet() / OSPF_Hdr() / OSPF_Hello()
    yield inet() / IP() / TCP()
    yield inet() / IPv6() / TCP()
    yield IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) / BOOTP() / DHCP(
        options=[("message-type", "discover"), "end"])
    yield from fragment(inet() / UDP(dport=53) / Raw(b"y" * 3000), 576)
    yield from fragment(inet() / TCP(dport=80) / Raw(b"y" * 200), 24)
    yield from fragment(inet() / ICMP() / Raw(b"y" * 100), 8)


def inet6_packets():
    for payload in transports():
        yield inet6() / payload
        yield inet6() / fuzz(payload.copy())
        yield inet6() / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / payload
        yield inet6() / IPv6ExtHdrRouting(addresses=["2001:db8::9"]) / payload
        yield inet6() / IPv6ExtHdrFragment() / payload
    for message in (ICMPv6EchoRequest(), ICMPv6ND_NS(), ICMPv6ND_NA(), ICMPv6ND_RA(),
                    ICMPv6ND_RS(), ICMPv6PacketTooBig() / inet6() / TCP(),
                    ICMPv6DestUnreach() / inet6() / UDP(), ICMPv6MLReport2()):
        yield inet6() / message
        yield inet6() / fuzz(message.copy())
    yield inet6() / UDP(sport=546, dport=547) / DHCP6_Solicit()
    yield inet6() / IPv6() / UDP()
    yield inet6() / IP() / UDP()
    yield from fragment6(inet6() / IPv6ExtHdrFragment(id=1) / UDP() / Raw(b"z" * 3000), 600)


def other_frames():
    yield eth() / ARP()
    yield eth() / fuzz(ARP())
    yield eth(type=0x888E) / EAPOL()
    yield eth(type=0x8847) / MPLS(label=17) / inet() / TCP()
    yield eth(type=0x8863) / PPPoED() / Raw(bytes(8))
    yield eth(type=0x8864) / PPPoE() / Raw(b"\x00\x21" + bytes(inet() / TCP()))
    yield eth(type=0x88F7) / Raw(bytes(34))
    yield eth(type=0x9000) / Raw(bytes(46))
    yield Dot3(src=SOURCE_MAC, dst="01:80:c2:00:00:00") / LLC() / STP()
    yield Dot3(src=SOURCE_MAC, dst="01:80:c2:00:00:00") / LLC() / SNAP() / Raw(bytes(20))


def frames():
    yield from other_frames()
    for make in (inet_packets, inet6_packets):
        for packet in make():
            yield eth() / packet
            yield eth() / Dot1Q(vlan=random.choice((0, 1, 5, 100))) / packet
            if random.random() < 0.3:
                yield eth() / Dot1AD(vlan=100) / Dot1Q(vlan=5) / packet
            if random.random() < 0.3:
                yield bytes(eth() / packet)[:random.randrange(14, 60)]


def main():
    conf.verb = 0
    random.seed(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    wrpcap(sys.argv[1], [Ether(bytes(frame)) for frame in frames()])


main()
