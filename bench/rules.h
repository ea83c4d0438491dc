/* SPDX-License-Identifier: GPL-2.0-only */
/* Rule sets to measure with: read from ClassBench's format, or made from a seed. */
#ifndef FWBENCH_RULES_H
#define FWBENCH_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "header.h"
#include "language/model.h"

/* IPv4 as ClassBench has it; `six` prints and matches it moved below 2001:db8::/32. */
struct bench_rule {
	uint32_t address[2];
	uint8_t length[2];
	uint16_t low[2]; /* ports */
	uint16_t high[2];
	uint8_t protocol;
	bool any_protocol;
};

struct bench_set {
	char *name;
	struct bench_rule *rules;
	size_t count;
	struct ruleset *ruleset; /* of a rule file: then there are no `rules` */
	bool six;
	struct bench_header *headers; /* BENCH_HEADERS of each kind */
	struct bench_header *shuffled;
	struct bench_header *random;
};

/* 0 or -errno. */
int bench_set_read(const char *rules, const char *trace, struct bench_set *ret_set);
void bench_set_generate(uint64_t seed, size_t count, bool six, struct bench_set *ret_set);
void bench_set_rename(struct bench_set *set, const char *suffix);
void bench_set_free(struct bench_set *set);

/* Headers drawn from the rules, their columns shuffled apart, and random ones. */
void bench_set_fill(struct bench_set *set, uint64_t seed);

/* The rules alone, and the whole rule file. */
void bench_set_print_rules(const struct bench_set *set, struct buffer *buffer);
void bench_set_print(const struct bench_set *set, struct buffer *buffer);

/* The next of a sequence that begins with a seed. */
uint64_t bench_random(uint64_t *state);

/* The linear reference: the first rule that matches, or the number of rules. */
size_t bench_set_match(const struct bench_set *set, const struct bench_header *header);

#endif
