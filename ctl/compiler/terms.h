/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rules as the classifier sees them: a term is one condition an axis (a field of the packet), and
 * conditions that are the same are one predicate. A rule is one term, or two: an address list that
 * mixes static elements and live sets is an alternative of two fields.
 */
#ifndef FWCTL_COMPILER_TERMS_H
#define FWCTL_COMPILER_TERMS_H

#include "compiler/compile.h"
#include "fw/image.h"

enum axis {
	AXIS_SOURCE,
	AXIS_DESTINATION,
	AXIS_PROTOCOL,
	AXIS_SOURCE_PORT,
	AXIS_DESTINATION_PORT,
	AXIS_SMALL, /* + enum fw_small_field */
	AXIS_SOURCE_SETS = AXIS_SMALL + FW_SMALL_FIELDS,
	AXIS_DESTINATION_SETS,
	AXES,
};

struct predicate {
	const struct match *match;
	uint64_t sets; /* of an axis of live sets: in any of them, or, negated, in none */
};

/* Predicate 0 is "any", also for a packet that has no such field. */
struct predicates {
	struct predicate *items;
	uint64_t *hashes;
	size_t count;
	size_t capacity;
	size_t hash_capacity;
	uint32_t *slots;
	size_t slot_count;
};

struct term {
	uint32_t rule; /* index in its block */
	uint32_t bit;  /* in its space */
	uint32_t predicate[AXES];
};

struct made_match {
	struct made_match *next;
	struct match match;
	struct range range; /* the one that it has: of ports */
	struct range6 addresses;
};

/* The terms of one instance (hook and family), in rule order. */
struct terms {
	enum fw_family family;
	const struct block *block;
	struct term *items; /* of rules that decide */
	size_t count;
	size_t capacity;
	struct term *counted; /* of rules that count and go on */
	size_t counted_count;
	size_t counted_capacity;
	struct predicates predicates[AXES];
	struct made_match *made; /* of predicates that no rule has: parts of ranges and of lists */
};

void terms_make(const struct block *block, enum fw_family family, struct terms *ret_terms);
void terms_free(struct terms *terms);

static inline bool axis_is_used(const struct terms *terms, enum axis axis)
{
	return terms->predicates[axis].count > 1;
}

/* `drop ... limit` drops what is over the limit; the rest goes on, as after `count`. */
static inline bool rule_goes_on(const struct rule *rule)
{
	return rule->action == FW_COUNT || (rule->action != FW_PASS && rule->limit);
}

#endif
