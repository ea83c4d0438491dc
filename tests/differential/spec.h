/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rules as the generator makes them: only what both the rule language and nftables can say. A spec
 * is printed as text in each of the two languages by its own printer, so that the parser is judged
 * too. Nothing here comes from the parser's model but the names of the matches.
 */
#ifndef DIFFERENTIAL_SPEC_H
#define DIFFERENTIAL_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "random.h"
#include "language/model.h"

#define SPEC_ELEMENTS	  5
#define SPEC_SET_ELEMENTS 12
#define SPEC_MATCHES	  8
#define SPEC_SETS	  3
#define SPEC_COUNT_RULES  12 /* per block: each needs a bit of the packet's mark */

/* A number, a range, an address, a prefix, a span, a set or the name of an interface. */
struct spec_element {
	const char *name; /* INTERFACE: a name, or a pattern that ends with '*' */
	int set;	  /* index of a set, or -1 */
	uint8_t family;	  /* of an address */
	uint8_t length;	  /* of a prefix; 255: a span */
	uint32_t first[4];
	uint32_t last[4];
	uint64_t low; /* numbers; for FLAGS the set and the mask */
	uint64_t high;
};

struct spec_match {
	enum match_kind kind;
	bool negated;
	uint8_t count;
	struct spec_element elements[SPEC_ELEMENTS];
};

struct spec_rule {
	enum fw_action action;
	uint8_t family; /* `inet` or `inet6` is written; else FW_OTHER */
	bool labelled;
	uint16_t number; /* in its label; kept while rules around it are dropped */
	uint8_t match_count;
	struct spec_match matches[SPEC_MATCHES];
};

struct spec_block {
	enum fw_action default_action;
	struct spec_rule *rules; /* owned */
	size_t count;
};

struct spec_set {
	uint8_t count;
	struct spec_element elements[SPEC_SET_ELEMENTS];
};

struct spec {
	struct spec_set sets[SPEC_SETS];
	struct spec_block blocks[FW_HOOKS];
	bool malformed_pass;
	bool essential; /* built-in rules stand before a block whose default is drop */
};

/* Names of the two interfaces that rules speak of and frames come in by, one a hook. */
extern const char *const spec_interfaces[FW_HOOKS];

/* Random rules: about `size` a block. Free with spec_free(). */
void spec_generate(struct spec *spec, struct random *random, size_t size);
void spec_free(struct spec *spec);
void spec_copy(const struct spec *from, struct spec *ret_spec);

/* The spec as a rule file. */
void spec_print(const struct spec *spec, struct buffer *buffer);
void spec_print_rule(const struct spec_rule *rule, struct buffer *buffer);

/* Families that the rule can match, FAMILY_*; 0 if its matches exclude each other. */
unsigned spec_rule_families(const struct spec *spec, const struct spec_rule *rule);

const struct spec_match *spec_find_match(const struct spec_rule *rule, enum match_kind kind);

/* Adds the literal elements of a match and those of its sets, one family only, to `ret`. */
size_t spec_addresses(const struct spec *spec, const struct spec_match *match, uint8_t family,
		      const struct spec_element **ret, size_t size);

#endif
