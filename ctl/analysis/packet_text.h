/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A packet as people write it, in one line:
 *
 *	in eth0 tcp 192.0.2.1:1234 > 198.51.100.1:22 flags S
 *	out eth0 icmp6 2001:db8::1 > 2001:db8::2 type echo-request
 *	in eth0 udp [2001:db8::1]:53 > [2001:db8::2]:1234 length 512 vlan 5
 *	in eth0 tcp 192.0.2.1 > 198.51.100.1 fragment
 *	in eth0 ethertype 0x88cc
 *
 *	packet = ( in | out ) [ INTERFACE ] ( ip | other ) { item }
 *	ip     = PROTOCOL ADDRESS [ ":" PORT ] ">" ADDRESS [ ":" PORT ]
 *	other  = arp | "ethertype" VALUE
 *	item   = "flags" LETTERS|none | "type" TYPE [ "code" CODE ] | "fragment" | "state" STATE
 *	       | "length" N | "ttl" N | "dscp" VALUE | "vlan" VID | "smac" MAC | "dmac" MAC |
 *"layer3"
 *
 * What a rule may ask about and the text does not say is: flags S, type echo-request, code 0,
 * state new, ttl 64, dscp 0, no VLAN, addresses for documentation (RFC 7042) as MACs, and the
 * smallest length that holds the headers. `layer3` is a packet without a link-layer header, as
 * tunnel devices have them. Printed is what differs from that, and flags and types always.
 */
#ifndef FWCTL_ANALYSIS_PACKET_TEXT_H
#define FWCTL_ANALYSIS_PACKET_TEXT_H

#include <net/if.h>

#include "base/buffer.h"
#include "fw/layout.h"
#include "fw/packet.h"

/* A packet and where it is met. */
struct met_packet {
	enum fw_hook hook;
	char interface[IF_NAMESIZE]; /* "" if none was named */
	struct fw_packet packet;
};

/*
 * 0, or -EINVAL and one line in `error` that says what is wrong. The packet is one that a frame
 * can be made of (packet_frame()).
 */
int packet_text_parse(const char *text, struct met_packet *ret_met, struct buffer *error);

/* Adds the text of any packet, also of one whose headers contradict each other. */
void packet_text_print(const struct met_packet *met, struct buffer *buffer);

#endif
