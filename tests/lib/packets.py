#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Packets with names, and what the parser has to say of each.

    packets.py            prints a C header: named_packets[], see there
    packets.py FILE.pcap  writes them all into one capture
    packets.py DIRECTORY  writes each into a file there, as seeds for tests/fuzz/fuzz_packet.c

Each is defined once, by scapy, with addresses for documentation (RFC 5737, 3849, 7042). What is
expected stands beside the packet and is never computed from its bytes.
"""

import os
import sys

from scapy.config import conf
from scapy.contrib.mpls import MPLS
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_RR
from scapy.layers.inet6 import (
    ICMPv6EchoRequest, ICMPv6MLReport2, ICMPv6ND_NS, ICMPv6PacketTooBig, IPv6, IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, Jumbo, RouterAlert)
from scapy.layers.ipsec import AH, ESP
from scapy.layers.l2 import ARP, GRE, LLC, STP, Dot1AD, Dot1Q, Dot3, Ether
from scapy.layers.sctp import SCTP, SCTPChunkInit
from scapy.packet import Raw
from scapy.utils import RawPcapWriter

SOURCE_MAC, DESTINATION_MAC = "00:00:5e:00:53:01", "00:00:5e:00:53:02"
SOURCE, DESTINATION = "192.0.2.1", "198.51.100.1"
SOURCE6, DESTINATION6 = "2001:db8::1", "2001:db8:1::1"

PORTS, FLAGS, IS_ICMP, MAC, FRAGMENT, FIRST_FRAGMENT = 1, 2, 4, 8, 16, 32
UDPLITE, DCCP, MOBILITY, HIP, SHIM6, NO_NEXT = 136, 33, 135, 139, 140, 59

PACKETS = []


def packet(name, frame, reason="OK", **fields):
    """Adds a packet. `has` gets FW_HAS_MAC by itself: all of these have a link-layer header."""
    fields["has"] = fields.get("has", 0) | MAC
    PACKETS.append((name, bytes(frame), reason, fields))


def inet(protocol, length, **fields):
    """What is expected of an IPv4 packet from SOURCE to DESTINATION."""
    return {"family": 1, "ethertype": 0x0800, "protocol": protocol, "length": length, "ttl": 64,
            "source": (0xC0000201, 0, 0, 0), "destination": (0xC6336401, 0, 0, 0), **fields}


def inet6(protocol, length, **fields):
    """The same for IPv6; `length` is that of the payload."""
    return {"family": 2, "ethertype": 0x86DD, "protocol": protocol, "length": length + 40,
            "ttl": 64, "source": (0x20010DB8, 0, 0, 1),
            "destination": (0x20010DB8, 0x00010000, 0, 1), **fields}


def tcp(flags=2):
    return {"has": PORTS | FLAGS, "source_port": 1234, "destination_port": 22, "tcp_flags": flags}


def udp():
    return {"has": PORTS, "source_port": 1234, "destination_port": 53}


def icmp(kind, code=0):
    return {"has": IS_ICMP, "icmp_type": kind, "icmp_code": code}


def first(fields):
    """The same in a first fragment."""
    return {**fields, "has": fields["has"] | FIRST_FRAGMENT}


def eth():
    return Ether(src=SOURCE_MAC, dst=DESTINATION_MAC)


def ip(**fields):
    return IP(src=SOURCE, dst=DESTINATION, **fields)


def ip6(**fields):
    return IPv6(src=SOURCE6, dst=DESTINATION6, hlim=64, **fields)


def segment(**fields):
    return TCP(sport=1234, dport=22, **{"flags": "S", **fields})


def datagram(**fields):
    return UDP(sport=1234, dport=53, **fields)


def cut(frame, count):
    """The frame without its last bytes."""
    return bytes(frame)[:-count]


def extension(following, body=bytes(6), length=0):
    """A generic extension header: next header, length, body."""
    return bytes([following, length]) + body


def link_layer():
    arp = ARP(hwsrc=SOURCE_MAC, psrc=SOURCE, pdst=DESTINATION)
    packet("arp", eth() / arp, ethertype=0x0806)
    packet("arp_truncated_is_not_our_matter", cut(eth() / arp, 20), ethertype=0x0806)
    packet("lldp", Ether(src=SOURCE_MAC, dst="01:80:c2:00:00:0e", type=0x88CC) / bytes(20),
           ethertype=0x88CC, destination_mac=0x0180C200000E)
    packet("stp_in_802_3", Dot3(src=SOURCE_MAC, dst="01:80:c2:00:00:00") / LLC() / STP(),
           ethertype=38, destination_mac=0x0180C2000000)
    packet("mpls_hides_ip", eth() / MPLS(label=16) / ip() / segment(), ethertype=0x8847)
    packet("ethernet_header_only", Ether(src=SOURCE_MAC, dst=DESTINATION_MAC, type=0x88CC),
           ethertype=0x88CC)
    packet("ethernet_truncated", cut(eth(), 1), "ETHERNET_TRUNCATED")
    packet("empty", b"", "ETHERNET_TRUNCATED")


def vlan():
    payload = ip() / segment()
    packet("vlan", eth() / Dot1Q(vlan=5) / payload, **inet(6, 40, vlan=5), **tcp())
    packet("vlan_priority_and_dei_are_not_vid", eth() / Dot1Q(vlan=5, prio=7, id=1) / payload,
           **inet(6, 40, vlan=5), **tcp())
    packet("vlan_4094", eth() / Dot1Q(vlan=4094) / payload, **inet(6, 40, vlan=4094), **tcp())
    packet("vlan_ipv6", eth() / Dot1Q(vlan=5) / ip6() / datagram(),
           **inet6(17, 8, vlan=5), **udp())
    packet("vlan_0_is_untagged", eth() / Dot1Q(vlan=0, prio=3) / payload, **inet(6, 40), **tcp())
    packet("vlan_0_before_5_is_5", eth() / Dot1Q(vlan=0) / Dot1Q(vlan=5) / payload,
           **inet(6, 40, vlan=5), **tcp())
    packet("qinq_8100", eth() / Dot1Q(vlan=7) / Dot1Q(vlan=5) / payload,
           **inet(6, 40, vlan=7), **tcp())
    packet("qinq_88a8", eth() / Dot1AD(vlan=7) / Dot1Q(vlan=5) / payload,
           **inet(6, 40, vlan=7), **tcp())
    packet("qinq_9100", Ether(src=SOURCE_MAC, dst=DESTINATION_MAC, type=0x9100) /
           Dot1Q(vlan=7) / Dot1Q(vlan=5) / payload, **inet(6, 40, vlan=7), **tcp())
    packet("vlan_arp", eth() / Dot1Q(vlan=5) / ARP(), ethertype=0x0806, vlan=5)
    packet("vlan_three_tags", eth() / Dot1AD(vlan=7) / Dot1Q(vlan=6) / Dot1Q(vlan=5) / payload,
           "VLAN_TOO_MANY")
    packet("vlan_truncated", cut(eth() / Dot1Q(vlan=5), 1), "VLAN_TRUNCATED")
    packet("qinq_truncated", cut(eth() / Dot1Q(vlan=5) / Dot1Q(vlan=6), 2), "VLAN_TRUNCATED")


def ipv4():
    packet("tcp_syn", eth() / ip() / segment(), **inet(6, 40), **tcp())
    packet("tcp_padded_to_60", bytes(eth() / ip() / segment()) + bytes(6), **inet(6, 40), **tcp())
    packet("ipv4_options", eth() / ip(options=[IPOption_RR()]) / segment(),
           **inet(6, 44), **tcp())
    packet("ipv4_dscp", eth() / ip(tos=0xB9) / segment(), **inet(6, 40, dscp=46), **tcp())
    packet("ipv4_ttl_1", eth() / ip(ttl=1) / segment(), **inet(6, 40, ttl=1), **tcp())
    packet("ipv4_no_payload", eth() / ip(proto=99), **inet(99, 20))
    packet("ipip", eth() / ip(proto=4) / ip() / segment(), **inet(4, 60))
    packet("ipv6_in_ipv4", eth() / ip(proto=41) / ip6() / segment(), **inet(41, 80))
    packet("gre", eth() / ip() / GRE() / ip() / segment(), **inet(47, 64))
    packet("esp", eth() / ip() / ESP(spi=1, seq=1, data=b"12345678"), **inet(50, 36))
    packet("ah_over_ipv4_is_its_own_protocol", eth() / ip(proto=51) / AH(nh=6, spi=1) / segment(),
           **inet(51, 52))
    packet("ipv4_truncated", cut(eth() / ip(), 1), "IPV4_TRUNCATED")
    packet("ipv4_without_header", Ether(src=SOURCE_MAC, dst=DESTINATION_MAC, type=0x0800),
           "IPV4_TRUNCATED")
    packet("ipv4_version_6", eth() / ip(version=6) / segment(), "IPV4_VERSION")
    packet("ipv4_header_length_16", eth() / ip(ihl=4) / segment(), "IPV4_HEADER_LENGTH")
    packet("ipv4_options_beyond_packet", eth() / ip(ihl=15, len=40) / segment(),
           "IPV4_TOTAL_LENGTH")
    packet("ipv4_total_length_below_header", eth() / ip(len=19) / segment(), "IPV4_TOTAL_LENGTH")
    packet("ipv4_total_length_0", eth() / ip(len=0) / segment(), "IPV4_TOTAL_LENGTH")
    packet("ipv4_total_length_beyond_frame", eth() / ip(len=41) / segment(), "IPV4_TOTAL_LENGTH")


def ipv4_fragments():
    syn = bytes(segment())
    packet("ipv4_first_fragment", eth() / ip(flags="MF", proto=6) / Raw(syn + bytes(4)),
           **inet(6, 44), **first(tcp()))
    packet("ipv4_first_fragment_of_udp", eth() / ip(flags="MF", proto=17) /
           Raw(bytes(datagram(len=4000)) + bytes(16)), **inet(17, 44), **first(udp()))
    packet("ipv4_later_fragment", eth() / ip(frag=185, flags="MF", proto=6) / Raw(syn),
           **inet(6, 40, has=FRAGMENT))
    packet("ipv4_last_fragment", eth() / ip(frag=185, proto=17) / Raw(b"\x00\x16\x00\x16"),
           **inet(17, 24, has=FRAGMENT))
    packet("ipv4_fragment_offset_4096", eth() / ip(frag=512, proto=17) / Raw(bytes(8)),
           **inet(17, 28, has=FRAGMENT))
    packet("ipv4_udp_fragment_at_8", eth() / ip(frag=1, proto=17) / Raw(bytes(8)),
           **inet(17, 28, has=FRAGMENT))
    packet("ipv4_dont_fragment", eth() / ip(flags="DF") / segment(), **inet(6, 40), **tcp())
    packet("ipv4_evil_bit", eth() / ip(flags="evil") / segment(), **inet(6, 40), **tcp())
    packet("ipv4_first_fragment_splits_tcp", eth() / ip(flags="MF", proto=6) / Raw(syn[:16]),
           "IPV4_TINY_FRAGMENT")
    packet("ipv4_first_fragment_splits_udp", eth() / ip(flags="MF", proto=17) / Raw(bytes(4)),
           "IPV4_TINY_FRAGMENT")
    packet("ipv4_first_fragment_splits_icmp", eth() / ip(flags="MF", proto=1) / Raw(b"\x08\x00"),
           "IPV4_TINY_FRAGMENT")
    packet("ipv4_first_fragment_splits_sctp", eth() / ip(flags="MF", proto=132) / Raw(bytes(8)),
           "IPV4_TINY_FRAGMENT")
    packet("ipv4_tcp_fragment_at_8", eth() / ip(frag=1, proto=6) / Raw(syn[8:]),
           "IPV4_TINY_FRAGMENT")
    packet("ipv4_fragment_beyond_65535", eth() / ip(frag=8191, proto=1) / Raw(bytes(16)),
           "IPV4_FRAGMENT_OVERFLOW")


def ipv6():
    packet("ipv6_tcp_syn", eth() / ip6() / segment(), **inet6(6, 20), **tcp())
    packet("ipv6_padded", bytes(eth() / ip6() / datagram()) + bytes(2), **inet6(17, 8), **udp())
    packet("ipv6_dscp", eth() / ip6(tc=0xB9, fl=0xFFFFF) / segment(),
           **inet6(6, 20, dscp=46), **tcp())
    packet("ipv6_no_next", eth() / ip6(nh=NO_NEXT) / Raw(bytes(4)), **inet6(NO_NEXT, 4))
    packet("ipv6_empty", eth() / ip6(nh=NO_NEXT, plen=0), **inet6(NO_NEXT, 0))
    packet("ipv6_esp_ends_the_walk", eth() / ip6() / ESP(spi=1, seq=1, data=b"12345678"),
           **inet6(50, 16))
    packet("ipv4_in_ipv6", eth() / ip6(nh=4) / ip() / segment(), **inet6(4, 40))
    packet("ipv6_truncated", cut(eth() / ip6(), 1), "IPV6_TRUNCATED")
    packet("ipv6_version_4", eth() / ip6(version=4) / segment(), "IPV6_VERSION")
    packet("ipv6_payload_length_beyond_frame", eth() / ip6(plen=21) / segment(),
           "IPV6_PAYLOAD_LENGTH")
    packet("ipv6_payload_length_0", eth() / ip6(plen=0) / segment(), "TCP_TRUNCATED")
    packet("ipv6_small_jumbogram", eth() / ip6(plen=0) /
           IPv6ExtHdrHopByHop(options=[Jumbo(jumboplen=70000)]) / segment(),
           "IPV6_EXTENSION_TRUNCATED")


def ipv6_extensions():
    syn, query = bytes(segment()), bytes(datagram())
    packet("ipv6_hop_by_hop", eth() / ip6() / IPv6ExtHdrHopByHop() / segment(),
           **inet6(6, 28), **tcp())
    packet("ipv6_long_options", eth() / ip6(nh=60) / Raw(extension(17, bytes(30), 3) + query),
           **inet6(17, 40), **udp())
    packet("ipv6_routing", eth() / ip6() / IPv6ExtHdrRouting(addresses=["2001:db8:2::1"]) /
           datagram(), **inet6(17, 32), **udp())
    packet("ipv6_chain", eth() / ip6() / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() /
           IPv6ExtHdrRouting() / IPv6ExtHdrDestOpt() / segment(), **inet6(6, 52), **tcp())
    packet("ipv6_ah_counts_words_of_4", eth() / ip6(nh=51) /
           Raw(extension(6, bytes(22), 4) + syn), **inet6(6, 44), **tcp())
    for name, number in (("mobility", MOBILITY), ("hip", HIP), ("shim6", SHIM6)):
        packet(f"ipv6_{name}_is_walked", eth() / ip6(nh=number) / Raw(extension(17) + query),
               **inet6(17, 16), **udp())
    packet("ipv6_8_extensions", eth() / ip6(nh=60) /
           Raw(extension(60) * 7 + extension(17) + query), **inet6(17, 72), **udp())
    packet("ipv6_9_extensions", eth() / ip6(nh=60) /
           Raw(extension(60) * 8 + extension(17) + query), "IPV6_EXTENSION_LIMIT")
    packet("ipv6_unknown_header_is_a_protocol", eth() / ip6(nh=253) / Raw(extension(17) + query),
           **inet6(253, 16))
    packet("ipv6_extension_truncated", eth() / ip6(nh=0) / Raw(extension(6)[:7]),
           "IPV6_EXTENSION_TRUNCATED")
    packet("ipv6_extension_beyond_packet", eth() / ip6(nh=0) / Raw(extension(6, bytes(6), 1)),
           "IPV6_EXTENSION_TRUNCATED")
    packet("ipv6_ah_truncated", eth() / ip6(nh=51) / Raw(extension(6, bytes(6), 1)),
           "IPV6_EXTENSION_TRUNCATED")


def ipv6_fragments():
    syn, query = bytes(segment()), bytes(datagram())
    fragment = IPv6ExtHdrFragment
    packet("ipv6_atomic_fragment", eth() / ip6() / fragment() / segment(),
           **inet6(6, 28), **tcp())
    packet("ipv6_first_fragment", eth() / ip6() / fragment(m=1, nh=6) / Raw(syn + bytes(4)),
           **inet6(6, 32), **first(tcp()))
    packet("ipv6_fragment_reserved_is_no_length", eth() / ip6() / fragment(nh=17, res1=255) /
           Raw(query), **inet6(17, 16), **udp())
    packet("ipv6_later_fragment", eth() / ip6() / fragment(offset=181, m=1, nh=6) / Raw(syn),
           **inet6(6, 28, has=FRAGMENT))
    packet("ipv6_last_fragment", eth() / ip6() / fragment(offset=181, nh=17) / Raw(bytes(3)),
           **inet6(17, 11, has=FRAGMENT))
    packet("ipv6_later_fragment_of_options", eth() / ip6() / fragment(offset=2, nh=60) /
           Raw(bytes(8)), **inet6(60, 16, has=FRAGMENT))
    packet("ipv6_fragment_behind_routing", eth() / ip6() / IPv6ExtHdrRouting() /
           fragment(offset=181, nh=17) / Raw(bytes(8)), **inet6(17, 24, has=FRAGMENT))
    packet("ipv6_first_fragment_splits_tcp", eth() / ip6() / fragment(m=1, nh=6) / Raw(syn[:16]),
           "IPV6_TINY_FRAGMENT")
    packet("ipv6_first_fragment_splits_options", eth() / ip6() / fragment(m=1, nh=60) /
           Raw(extension(6, bytes(6), 1)), "IPV6_TINY_FRAGMENT")
    packet("ipv6_tcp_fragment_at_8", eth() / ip6() / fragment(offset=1, nh=6) / Raw(syn[8:]),
           "IPV6_TINY_FRAGMENT")
    packet("ipv6_fragment_beyond_65535", eth() / ip6() / fragment(offset=8191, nh=17) /
           Raw(bytes(16)), "IPV6_FRAGMENT_OVERFLOW")
    packet("ipv6_fragment_header_truncated", eth() / ip6(nh=44) / Raw(bytes(7)),
           "IPV6_EXTENSION_TRUNCATED")


def transport():
    packet("tcp_options", eth() / ip() / segment(options=[("MSS", 1460), ("NOP", None)] * 2),
           **inet(6, 52), **tcp())
    packet("tcp_all_flags", eth() / ip() / segment(flags=0xFF), **inet(6, 40), **tcp(0xFF))
    packet("tcp_no_flags", eth() / ip() / segment(flags=0), **inet(6, 40), **tcp(0))
    packet("tcp_truncated", eth() / ip(proto=6) / Raw(bytes(segment())[:19]), "TCP_TRUNCATED")
    packet("tcp_padding_is_no_header", bytes(eth() / ip(len=39) / segment()), "TCP_TRUNCATED")
    packet("tcp_header_length_16", eth() / ip() / segment(dataofs=4), "TCP_HEADER_LENGTH")
    packet("tcp_options_beyond_packet", eth() / ip() / segment(dataofs=6), "TCP_HEADER_LENGTH")
    packet("tcp_options_in_next_fragment", eth() / ip(flags="MF") / segment(dataofs=8) /
           Raw(bytes(4)), **inet(6, 44), **first(tcp()))
    packet("udp", eth() / ip() / datagram() / Raw(b"hello"), **inet(17, 33), **udp())
    packet("dhcp_discover", eth() / IP(src="0.0.0.0", dst="255.255.255.255") /
           UDP(sport=68, dport=67) / BOOTP() / DHCP(options=[("message-type", 1), "end"]),
           **inet(17, 272, source=(0, 0, 0, 0), destination=(0xFFFFFFFF, 0, 0, 0), has=PORTS,
                  source_port=68, destination_port=67))
    packet("udp_length_below_packet", eth() / ip() / datagram(len=8) / Raw(b"hello"),
           **inet(17, 33), **udp())
    packet("udp_truncated", eth() / ip(proto=17) / Raw(bytes(7)), "UDP_TRUNCATED")
    packet("udp_length_7", eth() / ip() / datagram(len=7), "UDP_LENGTH")
    packet("udp_length_beyond_packet", eth() / ip() / datagram(len=9), "UDP_LENGTH")
    packet("udp_length_7_in_fragment", eth() / ip(flags="MF") / datagram(len=7), "UDP_LENGTH")
    packet("udplite", eth() / ip(proto=UDPLITE) / datagram(len=0), **inet(UDPLITE, 28), **udp())
    packet("udplite_truncated", eth() / ip(proto=UDPLITE) / Raw(bytes(7)), "UDP_TRUNCATED")
    packet("sctp", eth() / ip() / SCTP(sport=1234, dport=53) / SCTPChunkInit(),
           **inet(132, 52), **udp())
    packet("sctp_truncated", eth() / ip(proto=132) / Raw(bytes(11)), "SCTP_TRUNCATED")
    packet("dccp", eth() / ip(proto=DCCP) / Raw(b"\x04\xd2\x00\x35" + bytes(12)),
           **inet(DCCP, 36), **udp())
    packet("dccp_truncated", eth() / ip6(nh=DCCP) / Raw(bytes(11)), "DCCP_TRUNCATED")


def icmps():
    packet("icmp_echo", eth() / ip() / ICMP(), **inet(1, 28), **icmp(8))
    packet("icmp_fragmentation_needed", eth() / ip() / ICMP(type=3, code=4, nexthopmtu=1280) /
           IP(src=DESTINATION, dst=SOURCE) / segment(), **inet(1, 68), **icmp(3, 4))
    packet("icmp_truncated", eth() / ip(proto=1) / Raw(bytes(7)), "ICMP_TRUNCATED")
    packet("icmp_over_ipv6_has_no_type", eth() / ip6(nh=1) / Raw(b"\x08" + bytes(7)),
           **inet6(1, 8))
    packet("icmp6_echo", eth() / ip6() / ICMPv6EchoRequest(), **inet6(58, 8), **icmp(128))
    packet("icmp6_packet_too_big", eth() / ip6() / ICMPv6PacketTooBig() / ip6() / segment(),
           **inet6(58, 68), **icmp(2))
    packet("icmp6_neighbour_solicitation", eth() / ip6() / ICMPv6ND_NS(tgt=DESTINATION6),
           **inet6(58, 24), **icmp(135))
    packet("icmp6_multicast_report", eth() / ip6() /
           IPv6ExtHdrHopByHop(options=[RouterAlert()]) / ICMPv6MLReport2(),
           **inet6(58, 16), **icmp(143))
    packet("icmp6_truncated", eth() / ip6(nh=58) / Raw(bytes(3)), "ICMP6_TRUNCATED")
    packet("icmp6_over_ipv4_has_no_type", eth() / ip(proto=58) / Raw(b"\x80" + bytes(7)),
           **inet(58, 28))


DEFAULTS = {"vlan": 0xFFFF, "source_mac": 0x00005E005301, "destination_mac": 0x00005E005302}


def print_header():
    print("/* Made by tests/lib/packets.py. */")
    print('#include "fw/packet.h"\n')
    print("struct named_packet {\n\tconst char *name;\n\tconst char *bytes;\n\t__u32 length;")
    print("\tenum fw_reason reason;\n\tstruct fw_packet packet; /* if the reason is FW_OK */\n};\n")
    print("static const struct named_packet named_packets[] = {")
    for name, data, reason, fields in PACKETS:
        text = "".join(f"\\x{byte:02x}" for byte in data)
        print(f'\t{{ .name = "{name}", .length = {len(data)}, .bytes = "{text}",')
        print(f"\t  .reason = {'FW_OK' if reason == 'OK' else 'FW_REASON_' + reason},")
        values = {**DEFAULTS, **fields} if reason == "OK" else {}
        for key, value in values.items():
            if isinstance(value, tuple):
                value = "{ " + ", ".join(map(str, value)) + " }"
            print(f"\t  .packet.{key} = {value},")
        print("\t},")
    print("};\n\n#define NAMED_PACKETS (sizeof(named_packets) / sizeof(named_packets[0]))")


def main():
    conf.verb = 0
    for group in (link_layer, vlan, ipv4, ipv4_fragments, ipv6, ipv6_extensions, ipv6_fragments,
                  transport, icmps):
        group()
    if len(sys.argv) < 2:
        print_header()
        return
    if sys.argv[1].endswith(".pcap"):
        with RawPcapWriter(sys.argv[1], linktype=1) as capture:
            for _, data, _, _ in PACKETS:
                capture.write(data)
        return
    os.makedirs(sys.argv[1], exist_ok=True)
    for name, data, _, _ in PACKETS:
        with open(os.path.join(sys.argv[1], name), "wb") as file:
            file.write(bytes(4) + data)  # four bytes say how the frame is handed over


main()
