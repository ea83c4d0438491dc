/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interface names as numbers. Names that all patterns of the rules treat alike are one class.
 * Plain names and `prefix*` patterns make classes; any other pattern is a question of its own
 * with a yes or no, a bit, taken to be independent of the rest. So no name is forgotten, and a
 * rule is never held to be hidden that some name could reach.
 */
#ifndef FWCTL_ANALYSIS_INTERFACES_H
#define FWCTL_ANALYSIS_INTERFACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/table.h"
#include "language/model.h"

struct interface_class;

#define INTERFACE_PATTERNS_MAX 63

struct interfaces {
	struct arena *arena; /* not owned */
	const struct interface_class
		*classes; /* in order of text: those of a prefix stand together */
	size_t class_count;
	const char *patterns[INTERFACE_PATTERNS_MAX]; /* pattern i is bit i + 1 */
	size_t pattern_count;
	const char **preferred; /* names to use in examples */
	uint32_t *preferred_classes;
	size_t preferred_count;
	struct table seen;
};

/* Call for each ruleset, then interfaces_finish() once. Texts stay those of the rulesets. */
void interfaces_add(struct interfaces *interfaces, const struct ruleset *ruleset);
void interfaces_finish(struct interfaces *interfaces);
void interfaces_free(struct interfaces *interfaces);

/* Classes are numbered from 0; the last is that of all names that no class is for. */
static inline uint32_t interfaces_last(const struct interfaces *interfaces)
{
	return (uint32_t)interfaces->class_count;
}

/*
 * What a pattern matches: 0 and the classes *ret_low to *ret_high; a bit from 1 on; or -E2BIG if
 * there are more patterns than bits.
 */
int interfaces_find(const struct interfaces *interfaces, const char *pattern, uint32_t *ret_low,
		    uint32_t *ret_high);

/* A name of the class that answers the bits of `one` with yes and of `zero` with no, or NULL. */
const char *interfaces_sample(const struct interfaces *interfaces, uint32_t number, uint64_t one,
			      uint64_t zero);

/* The bits of all patterns that match the name. */
uint64_t interfaces_answers(const struct interfaces *interfaces, const char *name);

#endif
