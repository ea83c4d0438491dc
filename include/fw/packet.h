/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A frame as it lies in memory (struct fw_frame), the packet that rules speak of (struct
 * fw_packet), and the numbers of protocols. The parser between them is fw/parse.h.
 */
#ifndef FW_PACKET_H
#define FW_PACKET_H

#include <linux/types.h>

#include "fw/reason.h"

enum fw_family {
	FW_OTHER, /* anything that is not IP: ARP, LLDP, ... */
	FW_INET,
	FW_INET6,
	FW_FAMILIES,
};

#define FW_NO_VLAN 0xffff

/* What the packet carries that a rule may ask about (struct fw_packet `has`). */
#define FW_HAS_PORTS	     (1 << 0) /* source_port and destination_port: TCP, UDP, SCTP, ... */
#define FW_HAS_FLAGS	     (1 << 1) /* tcp_flags */
#define FW_HAS_ICMP	     (1 << 2) /* icmp_type and icmp_code, of ICMP over IPv4 or ICMPv6 over IPv6 */
#define FW_HAS_MAC	     (1 << 3) /* source_mac and destination_mac: a link-layer header */
#define FW_IS_FRAGMENT	     (1 << 4) /* a fragment after the first: no ports, flags or ICMP type */
#define FW_IS_FIRST_FRAGMENT (1 << 5) /* others follow */

/* How the packet stands to recorded flows; a bit each, so that `state a, b` is one test. */
#define FW_STATE_NEW	     (1 << 0)
#define FW_STATE_ESTABLISHED (1 << 1)
#define FW_STATE_RELATED     (1 << 2)

/* Where a frame lies and what the hook knows of it besides its bytes. */
struct fw_frame {
	const void *data;     /* first byte of the link-layer header (or of IP if `layer3`) */
	const void *data_end; /* one past the last byte that may be read directly */
	__u32 length;	      /* bytes of the whole frame, also those beyond data_end */
	__u32 interface;      /* ifindex */
	__u16 stripped_vlan;  /* host order VID of a tag that hardware removed, or FW_NO_VLAN */
	__u16 layer3;	      /* host order ethertype if there is no link-layer header, else 0 */
};

/* Addresses, ports and lengths are in host order; unset fields are 0. */
struct fw_packet {
	__u32 source[4]; /* most significant word first; IPv4 stands in word 0 */
	__u32 destination[4];
	__u64 source_mac; /* 48 bits */
	__u64 destination_mac;
	union {
		struct {
			__u64 source_sets; /* bit n: the address is in live set n */
			__u64 destination_sets;
		};
		__u64 sets_row; /* what both lead to, for fw_classify(): fw/set_rows.h */
	};
	__u32 interface; /* ifindex */
	__u32 length;	 /* of the network packet: IPv4 total length, IPv6 payload length + 40 */
	__u16 source_port;
	__u16 destination_port;
	__u16 ethertype; /* behind all VLAN tags; the 802.3 length field of LLC frames is below 1536
			  */
	__u16 vlan;	 /* VID of the outermost tag; FW_NO_VLAN also for priority tags (VID 0) */
	__u8 family;	 /* enum fw_family */
	__u8 protocol;	 /* of the payload behind all extension headers */
	__u8 has;	 /* FW_HAS_*, FW_IS_FRAGMENT */
	__u8 tcp_flags;
	__u8 icmp_type;
	__u8 icmp_code;
	__u8 ttl; /* or hop limit */
	__u8 dscp;
	__u8 state;	   /* one of FW_STATE_* */
	__u8 network;	   /* offset of the IP header in the frame */
	__u16 transport;   /* offset of what is behind all extension headers */
	__u32 fragment_id; /* of fragments; IPv4 has one in every packet */
};

#define FW_ETHERNET_HEADER 14
#define FW_VLAN_TAG	   4
#define FW_MAX_VLAN_TAGS   2
#define FW_IPV4_HEADER	   20
#define FW_IPV6_HEADER	   40
#define FW_MAX_EXTENSIONS  8
#define FW_TCP_HEADER	   20
#define FW_UDP_HEADER	   8
#define FW_PORTS_HEADER	   12 /* SCTP common header, smallest DCCP header */
#define FW_ICMP_HEADER	   8
#define FW_ICMP6_HEADER	   4

#define FW_TCP_FIN 0x01
#define FW_TCP_SYN 0x02
#define FW_TCP_RST 0x04
#define FW_TCP_ACK 0x10

#define FW_ETHERTYPE_IPV4 0x0800
#define FW_ETHERTYPE_IPV6 0x86dd
#define FW_ETHERTYPE_ARP  0x0806

/* Tags: 802.1Q, 802.1ad, and the type that was used for QinQ before that. */
#define FW_ETHERTYPE_VLAN     0x8100
#define FW_ETHERTYPE_QINQ     0x88a8
#define FW_ETHERTYPE_QINQ_OLD 0x9100

#define FW_PROTOCOL_ICMP     1
#define FW_PROTOCOL_TCP	     6
#define FW_PROTOCOL_UDP	     17
#define FW_PROTOCOL_DCCP     33
#define FW_PROTOCOL_FRAGMENT 44
#define FW_PROTOCOL_AH	     51
#define FW_PROTOCOL_ICMP6    58
#define FW_PROTOCOL_SCTP     132
#define FW_PROTOCOL_UDPLITE  136

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

#ifdef __clang__
#define FW_ROLLED _Pragma("clang loop unroll(disable)")
#else
#define FW_ROLLED
#endif

/* Words in a frame stand at any address. x86-64 and arm64, and their BPF, read them there. */
typedef __u16 __attribute__((may_alias)) fw_raw16;
typedef __u32 __attribute__((may_alias)) fw_raw32;
typedef __u64 __attribute__((may_alias)) fw_raw64;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FW_SWAP16(value) __builtin_bswap16(value)
#define FW_SWAP32(value) __builtin_bswap32(value)
#define FW_SWAP64(value) __builtin_bswap64(value)
#else
#define FW_SWAP16(value) (value)
#define FW_SWAP32(value) (value)
#define FW_SWAP64(value) (value)
#endif

/* Network order at `at` to host order. */
static __always_inline __u16 fw_load16(const __u8 *at)
{
	return FW_SWAP16(*(const fw_raw16 *)at);
}

static __always_inline __u32 fw_load32(const __u8 *at)
{
	return FW_SWAP32(*(const fw_raw32 *)at);
}

static __always_inline __u64 fw_load64(const __u8 *at)
{
	return FW_SWAP64(*(const fw_raw64 *)at);
}

#endif
