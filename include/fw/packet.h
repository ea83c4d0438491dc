/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A frame as it lies in memory (struct fw_frame), the packet that rules speak of (struct
 * fw_packet), and the one parser between them. Pure: no BPF helper is called, so the same source
 * runs in the kernel, under sanitizers, in fuzzers and in `fwctl explain`.
 */
#ifndef FW_PACKET_H
#define FW_PACKET_H

#include <linux/types.h>

enum fw_family {
	FW_OTHER, /* anything that is not IP: ARP, LLDP, ... */
	FW_INET,
	FW_INET6,
	FW_FAMILIES,
};

#define FW_NO_VLAN 0xffff

/* What the packet carries that a rule may ask about (struct fw_packet `has`). */
#define FW_HAS_PORTS	(1 << 0) /* source_port and destination_port: TCP, UDP, SCTP, ... */
#define FW_HAS_FLAGS	(1 << 1) /* tcp_flags */
#define FW_HAS_ICMP	(1 << 2) /* icmp_type and icmp_code, of ICMP over IPv4 or ICMPv6 over IPv6 */
#define FW_HAS_MAC	(1 << 3) /* source_mac and destination_mac: a link-layer header */
#define FW_IS_FRAGMENT	(1 << 4) /* a fragment after the first: no ports, flags or ICMP type */

/* How the packet stands to recorded flows; a bit each, so that `state a, b` is one test. */
#define FW_STATE_NEW	     (1 << 0)
#define FW_STATE_ESTABLISHED (1 << 1)
#define FW_STATE_RELATED     (1 << 2)

/* Where a frame lies and what the hook knows of it besides its bytes. */
struct fw_frame {
	const void *data;      /* first byte of the link-layer header (or of IP if `layer3`) */
	const void *data_end;  /* one past the last byte that may be read directly */
	__u32 length;	       /* bytes of the whole frame, also those beyond data_end */
	__u32 interface;       /* ifindex */
	__u16 stripped_vlan;   /* host order VID of a tag that hardware removed, or FW_NO_VLAN */
	__u16 layer3;	       /* host order ethertype if there is no link-layer header, else 0 */
};

/* Addresses, ports and lengths are in host order; unset fields are 0. */
struct fw_packet {
	__u32 source[4]; /* most significant word first; IPv4 stands in word 0 */
	__u32 destination[4];
	__u64 source_mac; /* 48 bits */
	__u64 destination_mac;
	__u64 source_sets; /* bit n: the address is in live set n */
	__u64 destination_sets;
	__u32 interface; /* ifindex */
	__u32 length;	 /* of the network packet: IPv4 total length, IPv6 payload length + 40 */
	__u16 source_port;
	__u16 destination_port;
	__u16 ethertype; /* behind all VLAN tags; the 802.3 length field of LLC frames is below 1536 */
	__u16 vlan;	 /* VID of the outermost tag; FW_NO_VLAN also for priority tags (VID 0) */
	__u8 family;	 /* enum fw_family */
	__u8 protocol;	 /* of the payload behind all extension headers */
	__u8 has;	 /* FW_HAS_*, FW_IS_FRAGMENT */
	__u8 tcp_flags;
	__u8 icmp_type;
	__u8 icmp_code;
	__u8 ttl; /* or hop limit */
	__u8 dscp;
	__u8 state; /* one of FW_STATE_* */
	__u8 pad[3];
};

#endif
