/* SPDX-License-Identifier: GPL-2.0-only */
/* What a packet costs, from what is done with it: constants that were measured, and a sum. */
#ifndef FWCTL_COMPILER_COST_H
#define FWCTL_COMPILER_COST_H

#include <stdbool.h>
#include <stddef.h>

struct cost {
	bool grouped;	    /* bits of rows are groups, not terms */
	bool wide;	    /* IPv6 */
	size_t words;	    /* of rows that are looked at; grouped: told by candidates */
	size_t candidates;  /* grouped: hash tables that are probed */
	size_t counted;	    /* rules that go on which it meets */
	size_t limits;	    /* of those and of the rule that decides */
	size_t set_sides;   /* source, destination: looked up in live sets */
	bool sets_are_full; /* their elements lie in memory, not in the cache */
	bool state;	    /* its flow is looked up */
	bool new_flow;	    /* and recorded, as it is the first packet */
	size_t image_bytes;
};

/* Nanoseconds over parsing and counting, on the machine of docs/classifier.md. */
double cost_ns(const struct cost *cost);

#endif
