/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One pass along an axis. Which predicates hold is followed by a sum of one random number each, so
 * that a combination seen before costs one look-up, whatever the number of rules: a million
 * prefixes of one set are two combinations. Rows are only worked out for new combinations, from
 * the predicates that changed since the last new one.
 */
#include "base/memory.h"
#include "compiler/axis.h"
#include "compiler/events.h"
#include "compiler/hash.h"

/* 128 bits: two combinations out of 2^40 share a sum with a chance of 2^-48. */
struct sum {
	uint64_t a;
	uint64_t b;
};

struct combination {
	struct sum sum;
	uint32_t class;
	bool used;
};

struct combinations {
	struct combination *slots;
	size_t slot_count;
	size_t count;
};

struct sweep {
	const struct predicates *predicates;
	struct atoms atoms;
	struct predicate_bits bits;
	struct row_cursor cursor;
	uint32_t *holding; /* by predicate: atoms that hold */
	bool *applied;	   /* is it in the cursor's row? */
	bool *pending;	   /* is it in `changed`? */
	uint32_t *changed;
	size_t changed_count;
	bool negates; /* addresses: negation is of the whole list */
	struct sum sum;
	struct combinations combinations;
	struct axis_classes *classes;
	size_t interval_capacity;
};

static struct sum predicate_sum(uint32_t predicate)
{
	return (struct sum){ hash_mix(predicate * 2ULL + 0x5851f42d4c957f2dULL),
			     hash_mix(predicate * 2ULL + 0x14057b7ef767814fULL) };
}

static struct combination *combination_find(struct combinations *combinations, struct sum sum)
{
	size_t slot = sum.a & (combinations->slot_count - 1);

	while (combinations->slots[slot].used && (combinations->slots[slot].sum.a != sum.a ||
						  combinations->slots[slot].sum.b != sum.b))
		slot = (slot + 1) & (combinations->slot_count - 1);
	return &combinations->slots[slot];
}

static void combinations_grow(struct combinations *combinations)
{
	struct combinations larger = {
		.slot_count = combinations->slot_count ? combinations->slot_count * 4 : 64,
		.count = combinations->count,
	};

	larger.slots = memory_new(larger.slot_count, sizeof(*larger.slots));
	for (size_t i = 0; i < combinations->slot_count; i++)
		if (combinations->slots[i].used)
			*combination_find(&larger, combinations->slots[i].sum) =
				combinations->slots[i];
	free(combinations->slots);
	*combinations = larger;
}

static bool sweep_negated(const struct sweep *sweep, uint32_t predicate)
{
	return sweep->negates && sweep->predicates->items[predicate].match->negated;
}

static void sweep_mark(struct sweep *sweep, uint32_t predicate)
{
	if (sweep->pending[predicate])
		return;
	sweep->pending[predicate] = true;
	sweep->changed[sweep->changed_count++] = predicate;
}

static void sweep_apply(struct sweep *sweep, const struct event *event)
{
	const struct atoms *atoms = &sweep->atoms;

	if (!event->change)
		return;
	for (uint32_t i = atoms->first[event->atom]; i < atoms->first[event->atom + 1]; i++) {
		uint32_t predicate = atoms->users[i];
		bool held = sweep->holding[predicate];
		struct sum sum = predicate_sum(predicate);

		sweep->holding[predicate] += event->change;
		if (held == !!sweep->holding[predicate])
			continue;
		sweep->sum.a += held ? -sum.a : sum.a;
		sweep->sum.b += held ? -sum.b : sum.b;
		sweep_mark(sweep, predicate);
	}
}

/* The class of the predicates that hold now. */
static uint32_t sweep_class(struct sweep *sweep)
{
	struct combination *combination = combination_find(&sweep->combinations, sweep->sum);

	if (combination->used)
		return combination->class;
	for (size_t i = 0; i < sweep->changed_count; i++) {
		uint32_t predicate = sweep->changed[i];
		bool holds = !!sweep->holding[predicate] != sweep_negated(sweep, predicate);

		sweep->pending[predicate] = false;
		if (holds != sweep->applied[predicate])
			row_cursor_toggle(&sweep->cursor, predicate, holds);
		sweep->applied[predicate] = holds;
	}
	sweep->changed_count = 0;
	*combination = (struct combination){
		.sum = sweep->sum,
		.class = rows_intern(&sweep->classes->rows, sweep->cursor.row, sweep->cursor.hash),
		.used = true,
	};
	if (++sweep->combinations.count * 2 > sweep->combinations.slot_count)
		combinations_grow(&sweep->combinations);
	return combination_find(&sweep->combinations, sweep->sum)->class;
}

static void sweep_emit(struct sweep *sweep, uint64_t high, uint64_t low)
{
	struct axis_classes *classes = sweep->classes;
	uint32_t class = sweep_class(sweep);
	size_t count = classes->interval_count;

	if (count && classes->intervals[count - 1].class == class)
		return;
	classes->intervals = memory_reserve(classes->intervals, &sweep->interval_capacity,
					    count + 1, sizeof(*classes->intervals));
	classes->intervals[count] = (struct interval){ high, low, class };
	classes->interval_count++;
}

static void sweep_init(struct sweep *sweep, const struct terms *terms, enum axis axis,
		       const struct space *space)
{
	size_t count = terms->predicates[axis].count;

	sweep->predicates = &terms->predicates[axis];
	sweep->negates = axis <= AXIS_DESTINATION;
	predicate_bits_make(terms, axis, space, &sweep->bits);
	sweep->holding = memory_new(count, sizeof(*sweep->holding));
	sweep->applied = memory_new(count, sizeof(*sweep->applied));
	sweep->pending = memory_new(count, sizeof(*sweep->pending));
	sweep->changed = memory_new(count, sizeof(*sweep->changed));
	row_cursor_init(&sweep->cursor, &sweep->bits, space_words(space));
	rows_init(&sweep->classes->rows, space_words(space));
	rows_intern(&sweep->classes->rows, sweep->cursor.row, sweep->cursor.hash);
	combinations_grow(&sweep->combinations);
	for (uint32_t i = 1; i < count; i++)
		if (sweep_negated(sweep, i))
			sweep_mark(sweep, i);
}

static void sweep_free(struct sweep *sweep)
{
	row_cursor_free(&sweep->cursor);
	predicate_bits_free(&sweep->bits);
	free(sweep->atoms.first);
	free(sweep->atoms.users);
	free(sweep->holding);
	free(sweep->applied);
	free(sweep->pending);
	free(sweep->changed);
	free(sweep->combinations.slots);
}

void axis_classify_ranges(const struct terms *terms, enum axis axis, const struct space *space,
			  struct axis_classes *ret_classes)
{
	struct axis_classes classes = { 0 };
	struct sweep sweep = { .classes = &classes };
	struct events events;
	size_t i = 0;

	sweep_init(&sweep, terms, axis, space);
	events_make(terms, axis, &events, &sweep.atoms);
	for (; i < events.count && !events.items[i].high && !events.items[i].low; i++)
		sweep_apply(&sweep, &events.items[i]);
	sweep_emit(&sweep, 0, 0);
	while (i < events.count) {
		const struct event *first = &events.items[i];

		for (; i < events.count && !event_is_before(first, &events.items[i]); i++)
			sweep_apply(&sweep, &events.items[i]);
		sweep_emit(&sweep, first->high, first->low);
	}
	free(events.items);
	sweep_free(&sweep);
	*ret_classes = classes;
}
