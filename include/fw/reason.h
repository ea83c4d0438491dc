/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why a packet ended without a rule deciding it. The list is the one place where a reason is
 * named: counters, `fwctl stats`, `fwctl explain` and the tests are all made from it.
 *
 * The numbers index pinned counters: add at the end of a group only together with a new
 * FW_LAYOUT_VERSION.
 */
#ifndef FW_REASON_H
#define FW_REASON_H

/* Malformed: the headers cannot be read, or contradict each other. See fw/packet.h. */
#define FW_MALFORMED_REASONS(X)                                                                  \
	X(ETHERNET_TRUNCATED, "ethernet-truncated", "the frame ends within the Ethernet header") \
	X(VLAN_TRUNCATED, "vlan-truncated", "the frame ends within a VLAN tag")                  \
	X(VLAN_TOO_MANY, "vlan-too-many", "more than two VLAN tags")                             \
	X(IPV4_TRUNCATED, "ipv4-truncated", "the frame ends within the IPv4 header")             \
	X(IPV4_VERSION, "ipv4-version", "the version of an IPv4 packet is not 4")                \
	X(IPV4_HEADER_LENGTH, "ipv4-header-length", "an IPv4 header length below 20")            \
	X(IPV4_TOTAL_LENGTH, "ipv4-total-length",                                                \
	  "the IPv4 total length is below the header length or above what the frame holds")      \
	X(IPV4_TINY_FRAGMENT, "ipv4-tiny-fragment",                                              \
	  "an IPv4 fragment that splits the transport header")                                   \
	X(IPV4_FRAGMENT_OVERFLOW, "ipv4-fragment-overflow",                                      \
	  "an IPv4 fragment that ends beyond 65535 bytes")                                       \
	X(IPV6_TRUNCATED, "ipv6-truncated", "the frame ends within the IPv6 header")             \
	X(IPV6_VERSION, "ipv6-version", "the version of an IPv6 packet is not 6")                \
	X(IPV6_PAYLOAD_LENGTH, "ipv6-payload-length",                                            \
	  "the IPv6 payload length is above what the frame holds")                               \
	X(IPV6_EXTENSION_TRUNCATED, "ipv6-extension-truncated",                                  \
	  "the IPv6 packet ends within an extension header")                                     \
	X(IPV6_EXTENSION_LIMIT, "ipv6-extension-limit", "more than 8 IPv6 extension headers")    \
	X(IPV6_TINY_FRAGMENT, "ipv6-tiny-fragment",                                              \
	  "an IPv6 fragment that splits the header chain")                                       \
	X(IPV6_FRAGMENT_OVERFLOW, "ipv6-fragment-overflow",                                      \
	  "an IPv6 fragment that ends beyond 65535 bytes")                                       \
	X(TCP_TRUNCATED, "tcp-truncated", "the packet ends within the TCP header")               \
	X(TCP_HEADER_LENGTH, "tcp-header-length",                                                \
	  "a TCP header length below 20 or beyond the packet")                                   \
	X(UDP_TRUNCATED, "udp-truncated", "the packet ends within the UDP or UDP-Lite header")   \
	X(UDP_LENGTH, "udp-length", "a UDP length below 8 or beyond the packet")                 \
	X(SCTP_TRUNCATED, "sctp-truncated", "the packet ends within the SCTP header")            \
	X(DCCP_TRUNCATED, "dccp-truncated", "the packet ends within the DCCP header")            \
	X(ICMP_TRUNCATED, "icmp-truncated", "the packet ends within the ICMP header")            \
	X(ICMP6_TRUNCATED, "icmp6-truncated", "the packet ends within the ICMPv6 header")        \
	X(HEADER_NOT_LINEAR, "header-not-linear",                                                \
	  "the frame holds a header that the program cannot reach")

/* The data plane could not judge the packet: what becomes of it is said by `fail-policy`. */
#define FW_UNJUDGED_REASONS(X)                                   \
	X(NO_GENERATION, "no-generation", "no rules are loaded") \
	X(NO_IMAGE, "no-image", "the tables of the active generation are missing or damaged")

#define FW_REASON_ENUM(name, text, meaning) FW_REASON_##name,

enum fw_reason {
	FW_OK, /* a rule or a default decided */
	FW_MALFORMED_REASONS(FW_REASON_ENUM) FW_UNJUDGED_REASONS(FW_REASON_ENUM) FW_REASONS,
};

#undef FW_REASON_ENUM

#define FW_LAST_MALFORMED FW_REASON_HEADER_NOT_LINEAR

#ifndef __bpf__

/* "ok", "ipv4-truncated", ...; "unknown" for a number that is not in the list. */
static inline const char *fw_reason_name(unsigned int reason)
{
#define FW_REASON_NAME(name, text, meaning) [FW_REASON_##name] = text,
	static const char *const names[FW_REASONS] = {
		[FW_OK] = "ok",
		FW_MALFORMED_REASONS(FW_REASON_NAME) FW_UNJUDGED_REASONS(FW_REASON_NAME)
	};
#undef FW_REASON_NAME

	return reason < FW_REASONS ? names[reason] : "unknown";
}

/* One clause for people: "the frame ends within the IPv4 header". */
static inline const char *fw_reason_meaning(unsigned int reason)
{
#define FW_REASON_MEANING(name, text, meaning) [FW_REASON_##name] = meaning,
	static const char *const meanings[FW_REASONS] = {
		[FW_OK] = "decided by a rule",
		FW_MALFORMED_REASONS(FW_REASON_MEANING) FW_UNJUDGED_REASONS(FW_REASON_MEANING)
	};
#undef FW_REASON_MEANING

	return reason < FW_REASONS ? meanings[reason] : "unknown";
}

#endif

#endif
