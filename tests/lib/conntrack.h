/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A router with nftables and conntrack, for frames of a talk (talk.h): what conntrack takes each of
 * them for. The client's packets pass, whatever they are; the server's if they are established or
 * related.
 */
#ifndef TESTS_CONNTRACK_H
#define TESTS_CONNTRACK_H

#include "talk.h"

enum conntrack_state {
	CONNTRACK_DROPPED,
	CONNTRACK_NEW,
	CONNTRACK_ESTABLISHED,
	CONNTRACK_RELATED,
	CONNTRACK_INVALID, /* of the client: passed, but not recorded */
};

/* Moves the process into a network namespace of its own, on one CPU. 0 or -errno. */
int conntrack_start(void);

/* Fails the running test if the router does not answer. */
enum conntrack_state conntrack_judge(const struct talk_frame *frame, bool from_server);

#endif
