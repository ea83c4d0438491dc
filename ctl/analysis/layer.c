/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rules as regions, one family at a time. Follows the meaning that evaluate.c gives to each match;
 * a unit test compares the two on random rules and packets.
 */
#include "analysis/space.h"
#include "base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A rule with more alternatives than this is not told apart. */
#define ALTERNATIVES_MAX 64

/* The alternatives of the rule at hand. */
struct draft {
	struct space *space;
	size_t ruleset;
	enum fw_family family;
	struct region regions[ALTERNATIVES_MAX];
	size_t count; /* 0: the rule matches nothing of this family */
	bool opaque;
};

/* One way in which a match can be true: values of one field, or an answer to a question. */
struct alternative {
	const struct spans *values; /* NULL: any */
	enum region_word word;
	uint64_t one;
};

static void work_add(struct space *space, u128 low, u128 high)
{
	space->work = memory_reserve(space->work, &space->work_capacity, space->work_count + 1,
				     sizeof(space->work[0]));
	space->work[space->work_count++] = (struct span){ low, high };
}

/*
 * What was added, or all but that, as a shared list within the values that the field can have.
 * False if nothing is left; *ret_values is NULL if everything is.
 */
static bool work_finish(struct draft *draft, enum region_field field, bool negated,
			const struct spans **ret_values)
{
	struct space *space = draft->space;
	const struct spans *full = space->families[draft->family].full[field];
	struct spans added = { .items = space->work };
	struct span *out;

	added.count = spans_normalise(space->work, space->work_count);
	space->work_count = 0;
	*ret_values = NULL;
	if (!added.count)
		return negated;
	out = memory_new(added.count + full->count, sizeof(*out));
	added.count =
		negated ? spans_subtract(full, &added, out) : spans_intersect(full, &added, out);
	if (added.count)
		*ret_values = space_share(space, out, added.count);
	free(out);
	if (*ret_values == full)
		*ret_values = NULL;
	return added.count;
}

/* Every alternative so far with every one of these. */
static void draft_multiply(struct draft *draft, enum region_field field,
			   const struct alternative *ways, size_t count)
{
	size_t before = draft->count;

	if (before * count > ALTERNATIVES_MAX) {
		draft->opaque = true;
		return;
	}
	for (size_t i = count; i-- > 0;) {
		for (size_t j = 0; j < before; j++) {
			struct region *region = &draft->regions[i * before + j];

			*region = draft->regions[j];
			if (ways[i].values)
				region->field[field] = ways[i].values;
			region->one[ways[i].word] |= ways[i].one;
		}
	}
	draft->count = before * count;
}

static void draft_limit(struct draft *draft, enum region_field field, const struct spans *values)
{
	for (size_t i = 0; values && i < draft->count; i++)
		draft->regions[i].field[field] = values;
}

static void draft_deny(struct draft *draft, enum region_word word, uint64_t bits)
{
	for (size_t i = 0; i < draft->count; i++)
		draft->regions[i].zero[word] |= bits;
}

static u128 join(const uint32_t word[4])
{
	return (u128)word[0] << 96 | (u128)word[1] << 64 | (u128)word[2] << 32 | word[3];
}

static void work_add_addresses(struct space *space, const struct address_ranges *ranges,
			       enum fw_family family)
{
	if (family == FW_INET)
		for (size_t i = 0; i < ranges->inet_count; i++)
			work_add(space, ranges->inet[i].low, ranges->inet[i].high);
	else
		for (size_t i = 0; i < ranges->inet6_count; i++)
			work_add(space, join(ranges->inet6[i].low), join(ranges->inet6[i].high));
}

/* Literal addresses and static sets. A set that stands alone is made into a list only once. */
static bool find_addresses(struct draft *draft, const struct match *match, enum region_field field,
			   const struct spans **ret_values)
{
	const struct address_list *list = &match->addresses;
	const struct spans **cache = NULL;
	bool is_alone = list->set_count == 1 && !list->ranges.inet_count &&
			!list->ranges.inet6_count && list->sets[0]->kind != SET_LIVE;

	if (is_alone) {
		struct set_cache *sets = draft->space->sets[draft->ruleset];

		cache = &sets[list->sets[0]->index].spans[draft->family][match->negated];
		*ret_values = *cache;
		if (*cache)
			return true;
	}
	work_add_addresses(draft->space, &list->ranges, draft->family);
	for (size_t i = 0; i < list->set_count; i++)
		if (list->sets[i]->kind != SET_LIVE)
			work_add_addresses(draft->space, &list->sets[i]->ranges, draft->family);
	if (!work_finish(draft, field, match->negated, ret_values))
		return false;
	if (cache)
		*cache = *ret_values;
	return true;
}

/* Bits of the live sets of a list. False if there are more sets than bits. */
static bool find_live(const struct draft *draft, const struct address_list *list,
		      uint64_t *ret_bits)
{
	*ret_bits = 0;
	for (size_t i = 0; i < list->set_count; i++) {
		const char *name = list->sets[i]->name;
		const uint32_t *bit = table_find(&draft->space->live, name, strlen(name));

		if (list->sets[i]->kind != SET_LIVE)
			continue;
		if (!bit || *bit >= 64)
			return false;
		*ret_bits |= 1ULL << *bit;
	}
	return true;
}

static void draft_addresses(struct draft *draft, const struct match *match)
{
	bool is_source = match->kind == MATCH_SOURCE;
	enum region_field field = is_source ? REGION_SOURCE : REGION_DESTINATION;
	enum region_word word = is_source ? REGION_SOURCE_SETS : REGION_DESTINATION_SETS;
	struct alternative ways[65];
	const struct spans *values;
	size_t count = 0;
	uint64_t bits;
	bool is_some;

	if (match->addresses.any) {
		draft->count = match->negated ? 0 : draft->count;
		return;
	}
	if (!find_live(draft, &match->addresses, &bits)) {
		draft->opaque = true;
		return;
	}
	is_some = find_addresses(draft, match, field, &values);
	if (match->negated) {
		draft->count = is_some ? draft->count : 0;
		draft_limit(draft, field, values);
		draft_deny(draft, word, bits);
		return;
	}
	if (is_some)
		ways[count++] = (struct alternative){ .values = values, .word = word };
	for (; bits; bits &= bits - 1)
		ways[count++] = (struct alternative){ .word = word, .one = bits & -bits };
	draft_multiply(draft, field, ways, count);
}

static void draft_interfaces(struct draft *draft, const struct match *match)
{
	struct alternative ways[INTERFACE_PATTERNS_MAX + 2];
	const struct spans *values;
	uint64_t bits = 0;
	size_t count = 0;
	bool is_some;

	for (size_t i = 0; i < match->names.count; i++) {
		uint32_t low, high;
		int bit = interfaces_find(&draft->space->interfaces, match->names.patterns[i], &low,
					  &high);

		if (bit < 0)
			draft->opaque = true;
		else if (bit > 0)
			bits |= 1ULL << bit;
		else
			work_add(draft->space, low, high);
	}
	is_some = work_finish(draft, REGION_INTERFACE, match->negated, &values);
	if (match->negated) {
		draft->count = is_some ? draft->count : 0;
		draft_limit(draft, REGION_INTERFACE, values);
		draft_deny(draft, REGION_FACTS, bits);
		return;
	}
	if (is_some)
		ways[count++] = (struct alternative){ .values = values, .word = REGION_FACTS };
	for (; bits; bits &= bits - 1)
		ways[count++] = (struct alternative){ .word = REGION_FACTS, .one = bits & -bits };
	draft_multiply(draft, REGION_INTERFACE, ways, count);
}

static void draft_keep_kinds(struct draft *draft, const uint64_t kinds[REGION_KIND_WORDS])
{
	uint64_t left = 0;

	for (size_t i = 0; i < draft->count; i++)
		for (int j = 0; j < REGION_KIND_WORDS; j++)
			left |= draft->regions[i].kinds[j] &= kinds[j];
	if (!left)
		draft->count = 0;
}

static bool ranges_hold(const struct match *match, uint64_t value)
{
	for (size_t i = 0; i < match->ranges.count; i++)
		if (match->ranges.items[i].low <= value && value <= match->ranges.items[i].high)
			return true;
	return false;
}

static void draft_protocol(struct draft *draft, const struct match *match)
{
	struct region allowed = { 0 };

	for (unsigned protocol = 0; protocol < 256; protocol++) {
		if (ranges_hold(match, protocol) == match->negated)
			continue;
		region_add_kind(&allowed, REGION_KIND(protocol, false));
		region_add_kind(&allowed, REGION_KIND(protocol, true));
	}
	draft_keep_kinds(draft, allowed.kinds);
}

static void draft_fragment(struct draft *draft, const struct match *match)
{
	struct region allowed = { 0 };

	for (unsigned protocol = 0; protocol < 256; protocol++)
		region_add_kind(&allowed, REGION_KIND(protocol, !match->negated));
	draft_keep_kinds(draft, allowed.kinds);
}

/* Only packets of these protocols, and no fragments after the first, have what is asked for. */
static void draft_need(struct draft *draft, const uint8_t *protocols, size_t count)
{
	struct region allowed = { 0 };

	for (size_t i = 0; i < count; i++)
		region_add_kind(&allowed, REGION_KIND(protocols[i], false));
	draft_keep_kinds(draft, allowed.kinds);
}

static void draft_need_ports(struct draft *draft)
{
	static const uint8_t protocols[] = { FW_PROTOCOL_TCP, FW_PROTOCOL_UDP, FW_PROTOCOL_DCCP,
					     FW_PROTOCOL_SCTP, FW_PROTOCOL_UDPLITE };

	draft_need(draft, protocols, sizeof(protocols));
}

static void draft_need_icmp(struct draft *draft)
{
	uint8_t protocol = draft->family == FW_INET ? FW_PROTOCOL_ICMP : FW_PROTOCOL_ICMP6;

	draft_need(draft, &protocol, 1);
}

static void draft_finish(struct draft *draft, enum region_field field, bool negated)
{
	const struct spans *values;

	if (!work_finish(draft, field, negated, &values))
		draft->count = 0;
	draft_limit(draft, field, values);
}

static void draft_ranges(struct draft *draft, const struct match *match, enum region_field field)
{
	for (size_t i = 0; i < match->ranges.count; i++)
		work_add(draft->space, match->ranges.items[i].low, match->ranges.items[i].high);
	draft_finish(draft, field, match->negated);
}

static void draft_flags(struct draft *draft, const struct match *match)
{
	static const uint8_t tcp = FW_PROTOCOL_TCP;

	draft_need(draft, &tcp, 1);
	for (unsigned flags = 0; flags < 256; flags++)
		if ((flags & match->flags.mask) == match->flags.set)
			work_add(draft->space, flags, flags);
	draft_finish(draft, REGION_FLAGS, match->negated);
}

static void draft_state(struct draft *draft, const struct match *match)
{
	for (unsigned state = 0; state < 3; state++)
		if (match->states >> state & 1)
			work_add(draft->space, state, state);
	draft_finish(draft, REGION_STATE, match->negated);
}

static void draft_mac(struct draft *draft, const struct match *match, enum region_field field)
{
	for (size_t i = 0; i < draft->count; i++)
		draft->regions[i].one[REGION_FACTS] |= REGION_FACT_MAC;
	draft_ranges(draft, match, field);
}

/* A packet without a tag is no packet of another VLAN: `not` leaves it out, too. */
static void draft_vlan(struct draft *draft, const struct match *match)
{
	if (match->negated)
		work_add(draft->space, FW_NO_VLAN, FW_NO_VLAN);
	draft_ranges(draft, match, REGION_VLAN);
}

static void draft_ports(struct draft *draft, const struct match *match)
{
	bool is_source = match->kind == MATCH_SOURCE_PORT;

	draft_need_ports(draft);
	draft_ranges(draft, match, is_source ? REGION_SOURCE_PORT : REGION_DESTINATION_PORT);
}

static void draft_icmp(struct draft *draft, const struct match *match)
{
	bool is_type = match->kind == MATCH_ICMP_TYPE;

	draft_need_icmp(draft);
	draft_ranges(draft, match, is_type ? REGION_ICMP_TYPE : REGION_ICMP_CODE);
}

static void draft_match(struct draft *draft, const struct match *match)
{
	switch (match->kind) {
	case MATCH_INTERFACE:
		return draft_interfaces(draft, match);
	case MATCH_PROTOCOL:
		return draft_protocol(draft, match);
	case MATCH_SOURCE:
	case MATCH_DESTINATION:
		return draft_addresses(draft, match);
	case MATCH_SOURCE_PORT:
	case MATCH_DESTINATION_PORT:
		return draft_ports(draft, match);
	case MATCH_FLAGS:
		return draft_flags(draft, match);
	case MATCH_ICMP_TYPE:
	case MATCH_ICMP_CODE:
		return draft_icmp(draft, match);
	case MATCH_STATE:
		return draft_state(draft, match);
	case MATCH_FRAGMENT:
		return draft_fragment(draft, match);
	case MATCH_LENGTH:
		return draft_ranges(draft, match, REGION_LENGTH);
	case MATCH_TTL:
		return draft_ranges(draft, match, REGION_TTL);
	case MATCH_DSCP:
		return draft_ranges(draft, match, REGION_DSCP);
	case MATCH_VLAN:
		return draft_vlan(draft, match);
	case MATCH_ETHERTYPE:
		return draft_ranges(draft, match, REGION_ETHERTYPE);
	case MATCH_SOURCE_MAC:
		return draft_mac(draft, match, REGION_SOURCE_MAC);
	case MATCH_DESTINATION_MAC:
		return draft_mac(draft, match, REGION_DESTINATION_MAC);
	case MATCH_FAMILY: /* told by rule.families */
	case MATCH_KINDS:
		return;
	}
}

static void draft_rule(struct draft *draft, const struct rule *rule)
{
	draft->opaque = false;
	draft->count = 0;
	if (!(rule->families & FAMILY_BIT(draft->family)))
		return;
	draft->regions[0] = draft->space->families[draft->family].all;
	draft->count = 1;
	for (size_t i = 0; i < rule->match_count && draft->count; i++)
		draft_match(draft, &rule->matches[i]);
	if (draft->opaque && draft->count)
		draft->count = 1;
	if (draft->opaque)
		draft->regions[0] = draft->space->families[draft->family].all;
}

bool rule_is_empty(struct space *space, size_t ruleset, const struct rule *rule)
{
	struct draft draft = { .space = space, .ruleset = ruleset };

	for (int family = 0; family < FW_FAMILIES; family++) {
		draft.family = (enum fw_family)family;
		draft_rule(&draft, rule);
		for (size_t i = 0; i < draft.count; i++)
			if (space_is_real(draft.family, &draft.regions[i]))
				return false;
	}
	return true;
}

static void layer_add(struct layer *layer, const struct region *region, size_t rule)
{
	size_t capacity = layer->capacity;

	layer->rules =
		memory_reserve(layer->rules, &capacity, layer->count + 1, sizeof(layer->rules[0]));
	layer->regions = memory_reserve(layer->regions, &layer->capacity, layer->count + 1,
					sizeof(layer->regions[0]));
	layer->rules[layer->count] = (uint32_t)rule;
	layer->regions[layer->count++] = *region;
}

void layer_build(struct space *space, size_t ruleset, enum fw_hook hook, enum fw_family family,
		 struct layer *ret_layer)
{
	const struct block *block = &space->rulesets[ruleset]->blocks[hook];
	struct draft draft = { .space = space, .ruleset = ruleset, .family = family };
	struct layer layer = {
		.block = block,
		.first = memory_new(block->count + 1, sizeof(layer.first[0])),
		.opaque = memory_new(block->count + 1, sizeof(layer.opaque[0])),
	};

	for (size_t i = 0; i < block->count; i++) {
		draft_rule(&draft, &block->rules[i]);
		layer.opaque[i] = draft.opaque;
		for (size_t j = 0; j < draft.count; j++)
			if (space_is_real(family, &draft.regions[j]))
				layer_add(&layer, &draft.regions[j], i);
		layer.first[i + 1] = (uint32_t)layer.count;
	}
	*ret_layer = layer;
}

void layer_free(struct layer *layer)
{
	free(layer->regions);
	free(layer->rules);
	free(layer->first);
	free(layer->opaque);
	*layer = (struct layer){ 0 };
}
