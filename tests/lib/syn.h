/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SYNs of every shape, and other segments of who sends them: frames made byte by byte, by code that
 * shares nothing with the parser.
 */
#ifndef TESTS_SYN_H
#define TESTS_SYN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPEN_PORT   80 /* somebody listens */
#define CLOSED_PORT 81
#define CLIENT_PORT 40000U
#define SEQUENCE    0x11223344U
#define FRAME_MAX   512

#define FIN 0x01
#define SYN 0x02
#define RST 0x04
#define ACK 0x10

/* What a client sends: a SYN if nothing else is said. */
struct shape {
	bool inet6;
	uint8_t tags;	    /* VLAN tags */
	uint8_t ip_options; /* bytes; of IPv6: of an extension header */
	const char *options;
	uint8_t option_bytes;
	uint8_t behind; /* bytes of payload */
	uint8_t padding;
	uint8_t flags;
	bool more_fragments;
	bool group;	/* the frame is for all */
	bool other_mac; /* or for another host */
	uint16_t port;
	uint32_t sequence;
	uint32_t acknowledgement;
	uint32_t client; /* the last byte of its address */
};

struct bytes {
	size_t length;
	uint8_t at[FRAME_MAX];
};

#define LINUX_OPTIONS "\2\4\5\xb4\4\2\10\12\1\2\3\4\0\0\0\0\1\3\3\7"
#define MOST_OPTIONS  LINUX_OPTIONS "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1"

/* `value` in network order. */
void bytes_put(struct bytes *to, uint32_t value, unsigned bytes);

/* The sum of RFC 1071 over bytes, onto `sum`; 0xffff if they hold a right checksum. */
uint32_t bytes_sum(const uint8_t *at, size_t bytes, uint32_t sum);

/* Source and destination address. */
void shape_put_ends(struct bytes *to, const struct shape *shape);

struct bytes shape_frame(const struct shape *shape);

#endif
