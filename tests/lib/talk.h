/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets of two hosts that talk: what tests of flows send. Made into frames with right checksums,
 * by code that shares nothing with the parser.
 */
#ifndef TESTS_TALK_H
#define TESTS_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TALK_FRAME_MAX 2048
#define TALK_NO_SCALE  255

#define TALK_FIN 0x01
#define TALK_SYN 0x02
#define TALK_RST 0x04
#define TALK_PSH 0x08
#define TALK_ACK 0x10

struct talk_frame {
	size_t length;
	uint8_t bytes[TALK_FRAME_MAX];
};

struct talk_packet {
	bool inet6;
	uint8_t protocol;
	uint32_t source; /* the last word of the address: 10.0.0.0/8, 2001:db8::/96 */
	uint32_t destination;
	uint16_t source_port;
	uint16_t destination_port;
	uint16_t payload; /* bytes of zeros */
	/* TCP */
	uint8_t flags;
	uint8_t scale; /* of a SYN; TALK_NO_SCALE: no options at all */
	uint16_t window;
	uint32_t sequence;
	uint32_t acknowledgement;
	/* ICMP */
	uint8_t type;
	uint8_t code;
	uint16_t id;
	const struct talk_frame *inner; /* the packet that an error is about */
	/* Fragments: `offset` in bytes; a later one has payload only. */
	bool more;
	uint16_t offset;
	uint32_t fragment_id;
};

void talk_build(const struct talk_packet *packet, struct talk_frame *ret_frame);

#endif
