/* SPDX-License-Identifier: GPL-2.0-only */
#include "compiler/predicates.h"

#include <fnmatch.h>
#include <string.h>

#include "base/memory.h"
#include "compiler/axis.h"
#include "compiler/hash.h"

void predicates_init(struct predicates *predicates)
{
	*predicates = (struct predicates){ .slot_count = 16 };
	predicates->slots = memory_new(predicates->slot_count, sizeof(*predicates->slots));
	predicates->items =
		memory_reserve(NULL, &predicates->capacity, 1, sizeof(*predicates->items));
	predicates->hashes =
		memory_reserve(NULL, &predicates->hash_capacity, 1, sizeof(*predicates->hashes));
	predicates->items[0] = (struct predicate){ 0 };
	predicates->hashes[0] = 0;
	predicates->count = 1;
}

void predicates_free(struct predicates *predicates)
{
	free(predicates->items);
	free(predicates->hashes);
	free(predicates->slots);
	*predicates = (struct predicates){ 0 };
}

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size)
{
	const uint8_t *byte = bytes;
	uint64_t word;

	for (; size >= sizeof(word); byte += sizeof(word), size -= sizeof(word)) {
		memcpy(&word, byte, sizeof(word));
		hash = hash_mix(hash ^ word) + 1;
	}
	for (; size; byte++, size--)
		hash = hash_mix(hash ^ *byte) + 1;
	return hash;
}

static uint64_t hash_addresses(uint64_t hash, const struct address_list *list)
{
	hash = hash_bytes(hash, list->ranges.inet,
			  list->ranges.inet_count * sizeof(*list->ranges.inet));
	hash = hash_bytes(hash, list->ranges.inet6,
			  list->ranges.inet6_count * sizeof(*list->ranges.inet6));
	return hash_bytes(hash, list->sets, list->set_count * sizeof(const struct set *));
}

static uint64_t predicate_hash(const struct predicate *predicate)
{
	const struct match *match = predicate->match;
	uint64_t hash = match->kind | match->negated << 8;

	switch (match->kind) {
	case MATCH_SOURCE:
	case MATCH_DESTINATION:
		return predicate->sets ? hash_mix(hash ^ predicate->sets)
				       : hash_addresses(hash, &match->addresses);
	case MATCH_INTERFACE:
		for (size_t i = 0; i < match->names.count; i++)
			hash = hash_bytes(hash, match->names.patterns[i],
					  strlen(match->names.patterns[i]) + 1);
		return hash;
	case MATCH_FLAGS:
		return hash | (uint64_t)match->flags.set << 24 | (uint64_t)match->flags.mask << 32;
	case MATCH_STATE:
		return hash | (uint64_t)match->states << 24;
	case MATCH_FRAGMENT:
	case MATCH_FAMILY:
		return hash;
	default:
		return hash_bytes(hash, match->ranges.items,
				  match->ranges.count * sizeof(*match->ranges.items));
	}
}

static bool same_bytes(const void *a, size_t a_count, const void *b, size_t b_count, size_t size)
{
	return a_count == b_count && (!a_count || !memcmp(a, b, a_count * size));
}

static bool addresses_equal(const struct address_list *a, const struct address_list *b)
{
	return same_bytes(a->ranges.inet, a->ranges.inet_count, b->ranges.inet,
			  b->ranges.inet_count, sizeof(*a->ranges.inet)) &&
	       same_bytes(a->ranges.inet6, a->ranges.inet6_count, b->ranges.inet6,
			  b->ranges.inet6_count, sizeof(*a->ranges.inet6)) &&
	       same_bytes(a->sets, a->set_count, b->sets, b->set_count, sizeof(struct set *));
}

static bool names_equal(const struct match *a, const struct match *b)
{
	if (a->names.count != b->names.count)
		return false;
	for (size_t i = 0; i < a->names.count; i++)
		if (strcmp(a->names.patterns[i], b->names.patterns[i]))
			return false;
	return true;
}

static bool predicate_equal(const struct predicate *a, const struct predicate *b)
{
	const struct match *x = a->match, *y = b->match;

	if (x->kind != y->kind || x->negated != y->negated || a->sets != b->sets)
		return false;
	switch (x->kind) {
	case MATCH_SOURCE:
	case MATCH_DESTINATION:
		return a->sets || addresses_equal(&x->addresses, &y->addresses);
	case MATCH_INTERFACE:
		return names_equal(x, y);
	case MATCH_FLAGS:
		return x->flags.set == y->flags.set && x->flags.mask == y->flags.mask;
	case MATCH_STATE:
		return x->states == y->states;
	case MATCH_FRAGMENT:
	case MATCH_FAMILY:
		return true;
	default:
		return same_bytes(x->ranges.items, x->ranges.count, y->ranges.items,
				  y->ranges.count, sizeof(*x->ranges.items));
	}
}

static void put_slot(struct predicates *predicates, uint32_t number)
{
	size_t slot = hash_mix(predicates->hashes[number]) & (predicates->slot_count - 1);

	while (predicates->slots[slot])
		slot = (slot + 1) & (predicates->slot_count - 1);
	predicates->slots[slot] = number;
}

static uint32_t predicates_add(struct predicates *predicates, const struct predicate *predicate,
			       uint64_t hash)
{
	uint32_t number = predicates->count;

	predicates->items = memory_reserve(predicates->items, &predicates->capacity, number + 1,
					   sizeof(*predicates->items));
	predicates->hashes = memory_reserve(predicates->hashes, &predicates->hash_capacity,
					    number + 1, sizeof(*predicates->hashes));
	predicates->items[number] = *predicate;
	predicates->hashes[number] = hash;
	predicates->count++;
	if (predicates->count * 2 > predicates->slot_count) {
		free(predicates->slots);
		predicates->slot_count *= 4;
		predicates->slots = memory_new(predicates->slot_count, sizeof(uint32_t));
		for (uint32_t i = 1; i < predicates->count; i++)
			put_slot(predicates, i);
	} else {
		put_slot(predicates, number);
	}
	return number;
}

uint32_t predicates_intern(struct predicates *predicates, const struct predicate *predicate)
{
	uint64_t hash = predicate_hash(predicate);
	size_t slot = hash_mix(hash) & (predicates->slot_count - 1);

	for (; predicates->slots[slot]; slot = (slot + 1) & (predicates->slot_count - 1)) {
		uint32_t number = predicates->slots[slot];

		if (predicates->hashes[number] == hash &&
		    predicate_equal(&predicates->items[number], predicate))
			return number;
	}
	return predicates_add(predicates, predicate, hash);
}

bool list_has_static(const struct address_list *list, enum fw_family family)
{
	if (family == FW_INET ? list->ranges.inet_count : list->ranges.inet6_count)
		return true;
	for (size_t i = 0; i < list->set_count; i++)
		if (list->sets[i]->kind != SET_LIVE)
			return true;
	return false;
}

uint64_t list_live_sets(const struct address_list *list)
{
	uint64_t sets = 0;

	for (size_t i = 0; i < list->set_count; i++)
		if (list->sets[i]->kind == SET_LIVE)
			sets |= 1ULL << (list->sets[i]->live_index % 64);
	return sets;
}

bool ranges_hold(const struct match *match, uint64_t value)
{
	for (size_t i = 0; i < match->ranges.count; i++)
		if (value >= match->ranges.items[i].low && value <= match->ranges.items[i].high)
			return true;
	return false;
}

static bool names_hold(const struct match *match, const char *name)
{
	for (size_t i = 0; i < match->names.count; i++)
		if (!fnmatch(match->names.patterns[i], name, 0))
			return true;
	return false;
}

/* What `on` calls the link. */
static const char *link_name(const struct link *link, enum fw_hook hook)
{
	return hook == FW_INGRESS && link->whole ? link->whole : link->name;
}

bool predicate_holds(const struct predicate *predicate, uint32_t value,
		     const struct axis_values *values)
{
	const struct match *match = predicate->match;
	bool holds;

	switch (match->kind) {
	case MATCH_INTERFACE:
		if (!value)
			return false;
		holds = names_hold(match, link_name(&values->links[value - 1], values->hook));
		break;
	case MATCH_FRAGMENT:
		holds = value;
		break;
	case MATCH_STATE:
		if (!value)
			return false;
		holds = value & match->states;
		break;
	case MATCH_FLAGS:
		if (value >= FW_SMALL_ABSENT)
			return false;
		holds = (value & match->flags.mask) == match->flags.set;
		break;
	default: /* numbers up to 255 */
		if (value >= FW_SMALL_ABSENT)
			return false;
		holds = ranges_hold(match, value);
	}
	return holds != match->negated;
}
