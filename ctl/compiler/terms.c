/* SPDX-License-Identifier: GPL-2.0-only */
#include "compiler/terms.h"

#include "base/memory.h"
#include "compiler/predicates.h"
#include "fw/packet.h"

static const enum axis axis_of[MATCH_KINDS] = {
	[MATCH_INTERFACE] = AXIS_SMALL + FW_SMALL_INTERFACE,
	[MATCH_PROTOCOL] = AXIS_PROTOCOL,
	[MATCH_SOURCE] = AXIS_SOURCE,
	[MATCH_SOURCE_PORT] = AXIS_SOURCE_PORT,
	[MATCH_DESTINATION] = AXIS_DESTINATION,
	[MATCH_DESTINATION_PORT] = AXIS_DESTINATION_PORT,
	[MATCH_FLAGS] = AXIS_SMALL + FW_SMALL_FLAGS,
	[MATCH_ICMP_TYPE] = AXIS_SMALL + FW_SMALL_ICMP_TYPE,
	[MATCH_ICMP_CODE] = AXIS_SMALL + FW_SMALL_ICMP_CODE,
	[MATCH_STATE] = AXIS_SMALL + FW_SMALL_STATE,
	[MATCH_FRAGMENT] = AXIS_SMALL + FW_SMALL_FRAGMENT,
	[MATCH_LENGTH] = AXIS_SMALL + FW_SMALL_LENGTH,
	[MATCH_TTL] = AXIS_SMALL + FW_SMALL_TTL,
	[MATCH_DSCP] = AXIS_SMALL + FW_SMALL_DSCP,
	[MATCH_VLAN] = AXIS_SMALL + FW_SMALL_VLAN,
	[MATCH_ETHERTYPE] = AXIS_SMALL + FW_SMALL_ETHERTYPE,
	[MATCH_SOURCE_MAC] = AXIS_SMALL + FW_SMALL_SOURCE_MAC,
	[MATCH_DESTINATION_MAC] = AXIS_SMALL + FW_SMALL_DESTINATION_MAC,
};

static void term_restrict(struct terms *terms, struct term *term, enum axis axis,
			  const struct match *match, uint64_t sets)
{
	struct predicate predicate = { .match = match, .sets = sets };

	term->predicate[axis] = predicates_intern(&terms->predicates[axis], &predicate);
}

static void terms_add(struct terms *terms, const struct term *term)
{
	const struct rule *rule = &terms->block->rules[term->rule];

	if (rule_goes_on(rule)) {
		terms->counted = memory_reserve(terms->counted, &terms->counted_capacity,
						terms->counted_count + 1, sizeof(*term));
		terms->counted[terms->counted_count++] = *term;
		return;
	}
	terms->items =
		memory_reserve(terms->items, &terms->capacity, terms->count + 1, sizeof(*term));
	terms->items[terms->count++] = *term;
}

/* Where the alternatives of a rule's two address lists are tried one after the other. */
struct address_choice {
	const struct match *matches[2]; /* source, destination; NULL: any */
	struct terms *terms;
};

static void choose_addresses(const struct address_choice *choice, int side,
			     const struct term *term);

/* `not` of all: outside of the static part and in none of the live sets. */
static void choose_negated(const struct address_choice *choice, int side, const struct term *term)
{
	const struct match *match = choice->matches[side];
	uint64_t live = list_live_sets(&match->addresses);
	struct term copy = *term;

	if (list_has_static(&match->addresses, choice->terms->family))
		term_restrict(choice->terms, &copy, AXIS_SOURCE + side, match, 0);
	if (live)
		term_restrict(choice->terms, &copy, AXIS_SOURCE_SETS + side, match, live);
	choose_addresses(choice, side + 1, &copy);
}

static void choose_addresses(const struct address_choice *choice, int side, const struct term *term)
{
	const struct match *match = side < 2 ? choice->matches[side] : NULL;
	uint64_t live;

	if (side == 2) {
		terms_add(choice->terms, term);
		return;
	}
	if (!match || match->addresses.any) {
		if (!match || !match->negated)
			choose_addresses(choice, side + 1, term);
		return;
	}
	if (match->negated) {
		choose_negated(choice, side, term);
		return;
	}
	if (list_has_static(&match->addresses, choice->terms->family)) {
		struct term copy = *term;

		term_restrict(choice->terms, &copy, AXIS_SOURCE + side, match, 0);
		choose_addresses(choice, side + 1, &copy);
	}
	live = list_live_sets(&match->addresses);
	if (live) {
		struct term copy = *term;

		term_restrict(choice->terms, &copy, AXIS_SOURCE_SETS + side, match, live);
		choose_addresses(choice, side + 1, &copy);
	}
}

static bool ethertype_holds(const struct match *match, uint16_t ethertype)
{
	return ranges_hold(match, ethertype) != match->negated;
}

/* All packets of a family but "other" have one ethertype, so the match says all or nothing. */
static bool add_ethertype(struct terms *terms, struct term *term, const struct match *match)
{
	if (terms->family != FW_OTHER)
		return ethertype_holds(match, terms->family == FW_INET ? FW_ETHERTYPE_IPV4
								       : FW_ETHERTYPE_IPV6);
	for (size_t i = 0; i < match->ranges.count; i++) {
		struct range range = match->ranges.items[i];

		if (match->negated || range.low != range.high ||
		    (range.low != FW_ETHERTYPE_IPV4 && range.low != FW_ETHERTYPE_IPV6)) {
			term_restrict(terms, term, axis_of[match->kind], match, 0);
			return true;
		}
	}
	return false;
}

static void terms_add_rule(struct terms *terms, uint32_t number)
{
	const struct rule *rule = &terms->block->rules[number];
	struct address_choice choice = { .terms = terms };
	struct term term = { .rule = number };

	for (size_t i = 0; i < rule->match_count; i++) {
		const struct match *match = &rule->matches[i];

		switch (match->kind) {
		case MATCH_FAMILY:
			if ((match->family == terms->family) == match->negated)
				return;
			break;
		case MATCH_ETHERTYPE:
			if (!add_ethertype(terms, &term, match))
				return;
			break;
		case MATCH_SOURCE:
		case MATCH_DESTINATION:
			choice.matches[match->kind == MATCH_DESTINATION] = match;
			break;
		default:
			term_restrict(terms, &term, axis_of[match->kind], match, 0);
		}
	}
	choose_addresses(&choice, 0, &term);
}

void terms_make(const struct block *block, enum fw_family family, struct terms *ret_terms)
{
	struct terms terms = { .family = family, .block = block };

	for (int axis = 0; axis < AXES; axis++)
		predicates_init(&terms.predicates[axis]);
	for (size_t i = 0; i < block->count; i++)
		if (block->rules[i].families & FAMILY_BIT(family))
			terms_add_rule(&terms, i);
	*ret_terms = terms;
}

void terms_free(struct terms *terms)
{
	for (int axis = 0; axis < AXES; axis++)
		predicates_free(&terms->predicates[axis]);
	free(terms->items);
	free(terms->counted);
	while (terms->made) {
		struct made_match *next = terms->made->next;

		free(terms->made);
		terms->made = next;
	}
	*terms = (struct terms){ 0 };
}
