/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A client and a server whose packets cross the hooks of the real programs, whichever of the two is
 * the machine itself. Which rule decides tells what a packet was taken for.
 */
#ifndef TESTS_TALK_RUN_H
#define TESTS_TALK_RUN_H

#include "prog_run.h"

#include "dataplane/flows.h"
#include "talk.h"

#define TALK_CLIENT 0x0a010001U /* 10.1.0.1, 2001:db8::a01:1 */
#define TALK_SERVER 0x0a020001U

/* Who the packet comes from decides: all of the client's may open, none of the server's. */
#define TALK_RULES                                                                          \
	"{\n pass state related label related\n pass state established label established\n" \
	" pass from { 10.1.0.0/16, 2001:db8::a01:0/112 } keep state label kept\n}\n"
#define TALK_BLOCKS "ingress default drop " TALK_RULES "egress default drop " TALK_RULES

enum taken_for {
	DROPPED, /* new, and the server's */
	KEPT,	 /* new, and the client's */
	ESTABLISHED,
	RELATED,
};

/* A connection, as the test plays it. */
struct talk {
	struct filter *filter;
	enum fw_hook client_hook; /* where the client's packets are seen */
	bool inet6;
	uint8_t protocol;
	uint16_t port; /* the client's */
};

/* Every test runs for both families, the client on this side and on the other. */
#define FOR_ALL_TALKS(talk)                        \
	for (int round_ = 0; round_ < 4; round_++) \
		for (bool once_ = talk_start(talk, *state, round_); once_; once_ = false)

/* Another client's port each time; always true. */
bool talk_start(struct talk *talk, struct filter *filter, int round);

enum taken_for talk_run(struct filter *filter, enum fw_hook hook, const struct talk_packet *packet);
struct talk_packet talk_packet_of(const struct talk *talk, bool from_server);

/* 'C' is a packet of the client, 'S' of the server. */
enum taken_for talk_say(const struct talk *talk, char who, const struct talk_packet *packet);

/* `numbers`: sequence, acknowledgement, bytes of payload. */
enum taken_for talk_segment(const struct talk *talk, char who, uint8_t flags,
			    const uint32_t numbers[3]);
#define SEGMENT(who, flags, ...) talk_segment(&talk, who, flags, (const uint32_t[3]){ __VA_ARGS__ })
#define SYN			 TALK_SYN
#define ACK			 TALK_ACK
#define FIN			 (TALK_FIN | TALK_ACK)
#define RST			 TALK_RST

/* The client begins at 100, the server at 5000. */
void talk_shake_hands(const struct talk *open);

struct flow_totals talk_totals(struct filter *filter);

#endif
