/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A packet before it is bytes: what the generator chooses, and what rules ask about. Made into a
 * frame by its own builder, which shares nothing with the parser under test.
 */
#ifndef DIFFERENTIAL_SKETCH_H
#define DIFFERENTIAL_SKETCH_H

#include "spec.h"

#define FRAME_MAX	  3400 /* the kernel's test run takes a page, less room for its own */
#define SKETCH_EXTENSIONS 4

enum sketch_fragment {
	SKETCH_WHOLE,
	SKETCH_FIRST_FRAGMENT,
	SKETCH_LATER_FRAGMENT,
	SKETCH_ATOMIC_FRAGMENT, /* IPv6: a fragment header, but nothing else follows */
};

struct sketch {
	uint64_t source_mac;
	uint64_t destination_mac;
	uint8_t tag_count;
	uint16_t tag_types[3];
	uint16_t tags[3];   /* priority, DEI, VID */
	uint16_t ethertype; /* of FW_OTHER */
	uint8_t family;
	uint8_t protocol;
	uint8_t dscp;
	uint8_t ttl;
	uint8_t tcp_flags;
	uint8_t icmp_type;
	uint8_t icmp_code;
	uint8_t fragment;	  /* enum sketch_fragment */
	uint16_t fragment_offset; /* of 8 bytes */
	uint16_t source_port;
	uint16_t destination_port;
	uint8_t option_words; /* IPv4 */
	uint8_t extension_count;
	uint8_t extensions[SKETCH_EXTENSIONS]; /* IPv6: protocol numbers */
	uint16_t payload;		       /* bytes behind the transport header */
	uint8_t padding;		       /* bytes behind the packet */
	uint32_t source[4];
	uint32_t destination[4];
};

struct frame {
	size_t length;
	uint8_t bytes[FRAME_MAX];
};

/* A packet that some rule of the block is likely to match, or just not to match. */
void sketch_generate(const struct spec *spec, enum fw_hook hook, struct random *random,
		     struct sketch *ret_sketch);

void frame_build(const struct sketch *sketch, struct random *random, struct frame *ret_frame);

/* Breaks a frame: bytes flipped, cut off, put in, lengths changed. */
void frame_mutate(struct random *random, struct frame *frame);

#endif
