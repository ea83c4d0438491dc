/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rules are compared by what they mean: their regions, whose lists are shared, and their effect.
 * Each meaning has a number; the longest rising sequence of positions is what stayed in order.
 */
#include "analysis/align.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/effect.h"
#include "base/memory.h"

#define NONE UINT32_MAX

struct meaning {
	const struct layer *layers; /* of its side */
	uint32_t rule;
};

/* A hash table of the old rules by meaning; slots hold rule numbers. */
struct meanings {
	const struct layer *layers;
	uint32_t *slots;
	size_t capacity;
};

static const struct rule *rule_of(const struct meaning *meaning)
{
	return &meaning->layers[0].block->rules[meaning->rule];
}

static uint64_t meaning_hash(const struct meaning *meaning)
{
	uint64_t hash = (uint64_t)rule_of(meaning)->action;

	for (int i = 0; i < FW_FAMILIES; i++) {
		const struct layer *layer = &meaning->layers[i];

		for (size_t at = layer->first[meaning->rule]; at < layer->first[meaning->rule + 1];
		     at++) {
			const uint64_t *words = (const uint64_t *)&layer->regions[at];

			for (size_t j = 0; j < sizeof(struct region) / sizeof(*words); j++) {
				hash = (hash ^ words[j]) * 0xff51afd7ed558ccdULL;
				hash ^= hash >> 32;
			}
		}
	}
	return hash;
}

static bool meanings_equal(const struct meaning *a, const struct meaning *b)
{
	if (!effects_equal(rule_of(a), rule_of(b)))
		return false;
	for (int i = 0; i < FW_FAMILIES; i++) {
		const struct layer *x = &a->layers[i], *y = &b->layers[i];
		size_t from_x = x->first[a->rule], from_y = y->first[b->rule];
		size_t count = x->first[a->rule + 1] - from_x;

		if (x->opaque[a->rule] || y->opaque[b->rule] ||
		    count != y->first[b->rule + 1] - from_y ||
		    (count && memcmp(x->regions + from_x, y->regions + from_y,
				     count * sizeof(struct region)) != 0))
			return false;
	}
	return true;
}

/* The slot of the rule with this meaning, or the free one where it belongs. */
static uint32_t *meanings_slot(const struct meanings *meanings, const struct meaning *wanted)
{
	size_t at = meaning_hash(wanted) & (meanings->capacity - 1);

	while (meanings->slots[at] != NONE) {
		const struct meaning here = { meanings->layers, meanings->slots[at] };

		if (meanings_equal(&here, wanted))
			break;
		at = (at + 1) & (meanings->capacity - 1);
	}
	return &meanings->slots[at];
}

/* For each new rule the first old rule of the same meaning, or NONE. */
static uint32_t *find_counterparts(const struct layer layers[DIFF_SIDES][FW_FAMILIES])
{
	size_t old_count = layers[DIFF_OLD][0].block->count;
	size_t new_count = layers[DIFF_NEW][0].block->count;
	uint32_t *counterparts = memory_new(new_count, sizeof(*counterparts));
	struct meanings meanings = { .layers = layers[DIFF_OLD], .capacity = 16 };

	while (meanings.capacity < 2 * old_count)
		meanings.capacity *= 2;
	meanings.slots = memory_new(meanings.capacity, sizeof(meanings.slots[0]));
	memset(meanings.slots, 0xff, meanings.capacity * sizeof(meanings.slots[0]));
	for (uint32_t i = 0; i < old_count; i++) {
		const struct meaning meaning = { layers[DIFF_OLD], i };
		uint32_t *slot = meanings_slot(&meanings, &meaning);

		if (*slot == NONE)
			*slot = i;
	}
	for (uint32_t i = 0; i < new_count; i++) {
		const struct meaning meaning = { layers[DIFF_NEW], i };

		counterparts[i] = *meanings_slot(&meanings, &meaning);
	}
	free(meanings.slots);
	return counterparts;
}

/*
 * The longest rising sequence, by patience: tails[n] is the new rule at which a sequence of n + 1
 * ends lowest, before[] leads back along it.
 */
static void keep_longest(const uint32_t *counterparts, size_t new_count,
			 bool *const ret_changed[DIFF_SIDES])
{
	uint32_t *tails = memory_new(new_count, sizeof(*tails));
	uint32_t *before = memory_new(new_count, sizeof(*before));
	size_t length = 0;
	uint32_t at;

	for (uint32_t i = 0; i < new_count; i++) {
		size_t low = 0, high = length;

		if (counterparts[i] == NONE)
			continue;
		while (low < high) {
			size_t middle = low + (high - low) / 2;

			if (counterparts[tails[middle]] < counterparts[i])
				low = middle + 1;
			else
				high = middle;
		}
		before[i] = low ? tails[low - 1] : NONE;
		tails[low] = i;
		length += low == length;
	}
	for (at = length ? tails[length - 1] : NONE; at != NONE; at = before[at]) {
		ret_changed[DIFF_NEW][at] = false;
		ret_changed[DIFF_OLD][counterparts[at]] = false;
	}
	free(tails);
	free(before);
}

void blocks_align(const struct layer layers[DIFF_SIDES][FW_FAMILIES],
		  bool *const ret_changed[DIFF_SIDES])
{
	uint32_t *counterparts = find_counterparts(layers);
	size_t new_count = layers[DIFF_NEW][0].block->count;

	memset(ret_changed[DIFF_OLD], true, layers[DIFF_OLD][0].block->count);
	memset(ret_changed[DIFF_NEW], true, new_count);
	keep_longest(counterparts, new_count, ret_changed);
	free(counterparts);
}
