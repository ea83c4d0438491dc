/* SPDX-License-Identifier: GPL-2.0-only */
/* What a packet costs, from what is done with it: constants that were measured, and a sum. */
#ifndef FWCTL_COMPILER_COST_H
#define FWCTL_COMPILER_COST_H

#include <stdbool.h>
#include <stddef.h>

struct cost {
	bool grouped;	   /* bits of rows are groups, not terms */
	bool wide;	   /* IPv6 */
	size_t words;	   /* of rows that are looked at; grouped: told by candidates */
	size_t candidates; /* grouped: hash tables that are probed */
	size_t counted;	   /* rules that go on which it meets */
	size_t limits;	   /* of those and of the rule that decides */
	size_t sets;	   /* live ones that its addresses are looked up in */
	size_t full_sets;  /* more of them, whose elements lie in memory, not in the cache */
	bool sets_row;	   /* several may hold it: what they leave of the rules is made for it */
	bool state;	   /* its flow is looked up */
	bool new_flow;	   /* and recorded, as it is the first packet */
	bool cookie;	   /* XDP answers it in the host's place */
	size_t image_bytes;
};

/* Nanoseconds over parsing and counting, on the machine of docs/classifier.md. */
double cost_ns(const struct cost *cost);

#endif
