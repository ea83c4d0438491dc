/* SPDX-License-Identifier: GPL-2.0-only */
#include "compiler/events.h"

#include <string.h>

#include "base/memory.h"

static void events_add(struct events *events, uint64_t high, uint64_t low, uint32_t atom,
		       int32_t change)
{
	events->items = memory_reserve(events->items, &events->capacity, events->count + 1,
				       sizeof(*events->items));
	events->items[events->count++] = (struct event){ high, low, atom, change };
}

static void add_inet(struct events *events, const struct address_ranges *ranges, uint32_t atom)
{
	for (size_t i = 0; i < ranges->inet_count; i++) {
		events_add(events, (uint64_t)ranges->inet[i].low << 32, 0, atom, 1);
		if (ranges->inet[i].high != UINT32_MAX)
			events_add(events, (uint64_t)(ranges->inet[i].high + 1) << 32, 0, atom, -1);
	}
}

static uint64_t word_pair(const uint32_t *words)
{
	return (uint64_t)words[0] << 32 | words[1];
}

static void add_inet6(struct events *events, const struct address_ranges *ranges, uint32_t atom)
{
	for (size_t i = 0; i < ranges->inet6_count; i++) {
		const struct range6 *range = &ranges->inet6[i];
		uint64_t high = word_pair(range->high), low = word_pair(range->high + 2) + 1;

		events_add(events, word_pair(range->low), word_pair(range->low + 2), atom, 1);
		if (!low && !++high)
			continue; /* the range ends where the addresses end */
		events_add(events, high, low, atom, -1);
	}
}

static void add_addresses(struct events *events, const struct address_ranges *ranges,
			  enum fw_family family, uint32_t atom)
{
	if (family == FW_INET)
		add_inet(events, ranges, atom);
	else
		add_inet6(events, ranges, atom);
}

/* How far the values of an axis are shifted up in a key, and the first that no predicate holds. */
struct value_axis {
	unsigned shift;
	uint64_t limit; /* 0: all values up to the top can hold */
};

static struct value_axis value_axis(enum axis axis)
{
	switch ((int)axis - AXIS_SMALL) {
	case FW_SMALL_VLAN:
		return (struct value_axis){ 48, FW_NO_VLAN };
	case FW_SMALL_LENGTH:
		return (struct value_axis){ 32, 0 };
	case FW_SMALL_SOURCE_MAC:
	case FW_SMALL_DESTINATION_MAC:
		return (struct value_axis){ 15, FW_VALUE_ABSENT };
	default:
		return (struct value_axis){ 48, 0 };
	}
}

/* A negated predicate is an atom that holds from 0 to `limit` but in the ranges. */
static void add_values(struct events *events, const struct match *match, struct value_axis axis,
		       uint32_t atom)
{
	uint64_t top = axis.limit ? axis.limit - 1 : UINT64_MAX >> axis.shift;
	int32_t change = match->negated ? -1 : 1;

	if (match->negated)
		events_add(events, 0, 0, atom, 1);
	for (size_t i = 0; i < match->ranges.count; i++) {
		struct range range = match->ranges.items[i];

		if (range.low > top)
			break;
		events_add(events, range.low << axis.shift, 0, atom, change);
		if (range.high < top)
			events_add(events, (range.high + 1) << axis.shift, 0, atom, -change);
		else if (axis.limit && !match->negated)
			events_add(events, axis.limit << axis.shift, 0, atom, -1);
	}
	if (match->negated && axis.limit)
		events_add(events, axis.limit << axis.shift, 0, atom,
			   match->ranges.count &&
					   match->ranges.items[match->ranges.count - 1].high >= top
				   ? 0
				   : -1);
}

struct usage {
	uint32_t atom;
	uint32_t predicate;
};

struct atom_builder {
	const struct terms *terms;
	enum axis axis;
	struct events events;
	struct usage *usages;
	size_t count;
	size_t capacity;
	uint32_t next_atom;
	const struct set **sets; /* that have an atom; few */
	uint32_t *set_atoms;
	size_t set_count;
	size_t set_capacity;
	size_t set_atom_capacity;
};

static void builder_use(struct atom_builder *builder, uint32_t atom, uint32_t predicate)
{
	builder->usages = memory_reserve(builder->usages, &builder->capacity, builder->count + 1,
					 sizeof(*builder->usages));
	builder->usages[builder->count++] = (struct usage){ atom, predicate };
}

/* The atom of a set, whose events are made when it is met first. */
static uint32_t builder_set_atom(struct atom_builder *builder, const struct set *set)
{
	uint32_t atom;

	for (size_t i = 0; i < builder->set_count; i++)
		if (builder->sets[i] == set)
			return builder->set_atoms[i];
	atom = builder->next_atom++;
	builder->sets = memory_reserve(builder->sets, &builder->set_capacity,
				       builder->set_count + 1, sizeof(struct set *));
	builder->set_atoms = memory_reserve(builder->set_atoms, &builder->set_atom_capacity,
					    builder->set_count + 1, sizeof(uint32_t));
	builder->sets[builder->set_count] = set;
	builder->set_atoms[builder->set_count++] = atom;
	add_addresses(&builder->events, &set->ranges, builder->terms->family, atom);
	return atom;
}

static void builder_add_list(struct atom_builder *builder, const struct address_list *list,
			     uint32_t predicate)
{
	if (list->ranges.inet_count || list->ranges.inet6_count) {
		builder_use(builder, builder->next_atom, predicate);
		add_addresses(&builder->events, &list->ranges, builder->terms->family,
			      builder->next_atom++);
	}
	for (size_t i = 0; i < list->set_count; i++)
		if (list->sets[i]->kind != SET_LIVE)
			builder_use(builder, builder_set_atom(builder, list->sets[i]), predicate);
}

static void atoms_finish(const struct atom_builder *builder, struct atoms *ret_atoms)
{
	struct atoms atoms = {
		.first = memory_new(builder->next_atom + 1, sizeof(uint32_t)),
		.users = memory_new(builder->count, sizeof(uint32_t)),
		.count = builder->next_atom,
	};
	uint32_t *next = memory_new(builder->next_atom + 1, sizeof(uint32_t));

	for (size_t i = 0; i < builder->count; i++)
		atoms.first[builder->usages[i].atom + 1]++;
	for (size_t i = 0; i < atoms.count; i++)
		atoms.first[i + 1] += atoms.first[i];
	memcpy(next, atoms.first, (atoms.count + 1) * sizeof(uint32_t));
	for (size_t i = 0; i < builder->count; i++)
		atoms.users[next[builder->usages[i].atom]++] = builder->usages[i].predicate;
	free(next);
	*ret_atoms = atoms;
}

void events_make(const struct terms *terms, enum axis axis, struct events *ret_events,
		 struct atoms *ret_atoms)
{
	struct atom_builder builder = { .terms = terms, .axis = axis };
	const struct predicates *predicates = &terms->predicates[axis];

	for (uint32_t i = 1; i < predicates->count; i++) {
		const struct match *match = predicates->items[i].match;

		if (axis <= AXIS_DESTINATION) {
			builder_add_list(&builder, &match->addresses, i);
		} else {
			builder_use(&builder, builder.next_atom, i);
			add_values(&builder.events, match, value_axis(axis), builder.next_atom++);
		}
	}
	atoms_finish(&builder, ret_atoms);
	events_sort(&builder.events);
	*ret_events = builder.events;
	free(builder.usages);
	free(builder.sets);
	free(builder.set_atoms);
}

struct run {
	size_t begin;
	size_t end;
};

static void merge_runs(struct event *items, struct run left, struct run right,
		       struct event *scratch)
{
	size_t a = 0, b = right.begin, at = left.begin, count = left.end - left.begin;

	memcpy(scratch, items + left.begin, count * sizeof(*items));
	while (a < count && b < right.end)
		items[at++] = event_is_before(&items[b], &scratch[a]) ? items[b++] : scratch[a++];
	memcpy(items + at, scratch + a, (count - a) * sizeof(*items));
}

/* Merges neighbours while the older of the last two is not twice as long as the newer. */
static void collapse(struct event *items, struct run *runs, size_t *depth, bool all,
		     struct event *scratch)
{
	while (*depth > 1) {
		struct run *left = &runs[*depth - 2], *right = &runs[*depth - 1];

		if (!all && left->end - left->begin > 2 * (right->end - right->begin))
			break;
		merge_runs(items, *left, *right, scratch);
		left->end = right->end;
		--*depth;
	}
}

void events_sort(struct events *events)
{
	struct event *scratch = memory_new(events->count, sizeof(*scratch));
	struct run runs[96]; /* each more than twice as long as the next but the last */
	size_t depth = 0;

	for (size_t begin = 0, end; begin < events->count; begin = end) {
		end = begin + 1;
		while (end < events->count &&
		       !event_is_before(&events->items[end], &events->items[end - 1]))
			end++;
		runs[depth++] = (struct run){ begin, end };
		collapse(events->items, runs, &depth, false, scratch);
	}
	collapse(events->items, runs, &depth, true, scratch);
	free(scratch);
}
