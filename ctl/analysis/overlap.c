/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tree is halved where halves are smallest, in the number of rules that begin or end within: by
 * where regions begin, where they end, or their kinds. To part them by both ends is what keeps the
 * few that are wide from making all nodes wide. A look-up passes the nodes in the order in which
 * they lie in memory, and skips those below a node that the box does not meet.
 */
#include "analysis/overlap.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define LEAF_MAX 8
#define SAMPLES	 32
#define WAYS	 (2 * OVERLAP_FIELDS + 1) /* to halve: by low ends, high ends, kinds */

/* --- Numbers for values ------------------------------------------------------------------- */

static int compare_values(const void *a, const void *b)
{
	const u128 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static const struct spans *values_of(const struct space_family *family, const struct region *region,
				     int field)
{
	return region->field[field] ? region->field[field] : family->full[field];
}

static u128 highest_of(const struct spans *values)
{
	return values->items[values->count - 1].high;
}

static void ends_build(const struct space_family *family, const struct layer *layer, int field,
		       struct overlap_ends *ret_ends)
{
	u128 *values = memory_new(2 * layer->count, sizeof(*values));
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < layer->count; i++) {
		const struct spans *list = values_of(family, &layer->regions[i], field);

		values[count++] = list->items[0].low;
		if (highest_of(list) != ~(u128)0)
			values[count++] = highest_of(list) + 1;
	}
	qsort(values, count, sizeof(*values), compare_values);
	for (size_t i = 0; i < count; i++)
		if (!kept || values[i] != values[kept - 1])
			values[kept++] = values[i];
	*ret_ends = (struct overlap_ends){ values, kept };
}

/* How many ends there are up to the value: two values with no end between them are alike. */
static uint32_t end_number(const struct overlap_ends *ends, u128 value)
{
	size_t low = 0, high = ends->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ends->values[middle] <= value)
			low = middle + 1;
		else
			high = middle;
	}
	return (uint32_t)low;
}

/* --- Kinds -------------------------------------------------------------------------------- */

static bool kinds_meet(const uint64_t *a, const uint64_t *b)
{
	for (int i = 0; i < REGION_KIND_WORDS; i++)
		if (a[i] & b[i])
			return true;
	return false;
}

/* Which of the kinds that are known meet these; all if there are too many to know. */
static uint64_t kinds_meeting(const struct overlap *overlap, const uint64_t *kinds)
{
	uint64_t meeting = 0;

	if (!overlap->kinds_known)
		return ~0ULL;
	for (size_t i = 0; i < overlap->kinds_count; i++)
		if (kinds_meet(overlap->kinds[i], kinds))
			meeting |= 1ULL << i;
	return meeting;
}

/* The number of the kinds, which are added if they are new. */
static size_t kinds_add(struct overlap *overlap, const uint64_t *kinds)
{
	size_t at = 0;

	while (at < overlap->kinds_count &&
	       memcmp(overlap->kinds[at], kinds, REGION_KIND_WORDS * sizeof(*kinds)) != 0)
		at++;
	if (at == OVERLAP_KINDS)
		overlap->kinds_known = false;
	else if (at == overlap->kinds_count)
		overlap->kinds[overlap->kinds_count++] = kinds;
	return at % OVERLAP_KINDS;
}

/* --- The tree ----------------------------------------------------------------------------- */

static void boxes_build(const struct space_family *family, const struct layer *layer,
			struct overlap *overlap)
{
	overlap->boxes = memory_new(layer->count, sizeof(overlap->boxes[0]));
	overlap->order = memory_new(layer->count, sizeof(overlap->order[0]));
	overlap->kinds_known = true;
	for (int field = 0; field < OVERLAP_FIELDS; field++) {
		struct overlap_ends *ends = &overlap->ends[field];

		ends_build(family, layer, field, ends);
		for (size_t i = 0; i < layer->count; i++) {
			const struct spans *list = values_of(family, &layer->regions[i], field);

			overlap->boxes[i].low[field] = end_number(ends, list->items[0].low);
			overlap->boxes[i].high[field] = end_number(ends, highest_of(list));
		}
	}
	for (size_t i = 0; i < layer->count; i++) {
		overlap->boxes[i].kinds = 1ULL << kinds_add(overlap, layer->regions[i].kinds);
		overlap->order[i] = (uint32_t)i;
	}
}

static void box_include(struct overlap_box *box, const struct overlap_box *other)
{
	for (int i = 0; i < OVERLAP_FIELDS; i++) {
		box->low[i] = other->low[i] < box->low[i] ? other->low[i] : box->low[i];
		box->high[i] = other->high[i] > box->high[i] ? other->high[i] : box->high[i];
	}
	box->kinds |= other->kinds;
}

/* How likely it is that a packet is in the box, if they lie where rules begin and end. */
static double box_share(const struct overlap *overlap, const struct overlap_box *box)
{
	double share = (double)__builtin_popcountll(box->kinds);

	for (int i = 0; i < OVERLAP_FIELDS; i++)
		share *= (double)(box->high[i] - box->low[i] + 1) /
			 (double)(overlap->ends[i].count + 1);
	return share;
}

static uint64_t way_value(const struct overlap_box *box, int way)
{
	if (way < OVERLAP_FIELDS)
		return box->low[way];
	if (way < 2 * OVERLAP_FIELDS)
		return box->high[way - OVERLAP_FIELDS];
	return box->kinds;
}

/* A way to halve: those whose value is below the pivot go first. */
struct halving {
	int way;
	uint64_t pivot;
	double cost;
};

static int compare_words(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* At the median of some, if there are values on both sides of it. */
static void halving_try(const struct overlap *overlap, const struct overlap_box *const *samples,
			size_t count, int way, struct halving *best)
{
	struct halving tried = { .way = way };
	uint64_t values[SAMPLES];
	struct overlap_box halves[2];
	size_t counts[2] = { 0 };

	for (size_t i = 0; i < count; i++)
		values[i] = way_value(samples[i], way);
	qsort(values, count, sizeof(values[0]), compare_words);
	tried.pivot = values[count / 2];
	for (size_t i = count / 2; tried.pivot == values[0] && i < count; i++)
		tried.pivot = values[i];
	if (tried.pivot == values[0])
		return;
	for (size_t i = 0; i < count; i++) {
		int half = way_value(samples[i], way) >= tried.pivot;

		if (!counts[half]++)
			halves[half] = *samples[i];
		box_include(&halves[half], samples[i]);
	}
	for (int half = 0; half < 2; half++)
		tried.cost += (double)counts[half] * box_share(overlap, &halves[half]);
	if (best->way < 0 || tried.cost < best->cost)
		*best = tried;
}

/* Sorts the regions into two parts and returns how many are in the first. */
static size_t halve(struct overlap *overlap, uint32_t *order, size_t count)
{
	const struct overlap_box *samples[SAMPLES];
	size_t sampled = count < SAMPLES ? count : SAMPLES, first = 0;
	struct halving best = { .way = -1 };

	for (size_t i = 0; i < sampled; i++)
		samples[i] = &overlap->boxes[order[i * count / sampled]];
	for (int way = 0; way < WAYS; way++)
		halving_try(overlap, samples, sampled, way, &best);
	if (best.way < 0)
		return count / 2;
	for (size_t i = 0; i < count; i++) {
		uint32_t region = order[i];

		if (way_value(&overlap->boxes[region], best.way) >= best.pivot)
			continue;
		order[i] = order[first];
		order[first++] = region;
	}
	return first;
}

static void node_add(struct overlap *overlap, size_t first, size_t count)
{
	size_t number = overlap->node_count++;
	struct overlap_node *node = &overlap->nodes[number];
	const uint32_t *order = overlap->order + first;
	size_t half;

	*node = (struct overlap_node){ .box = overlap->boxes[order[0]], .lowest = UINT32_MAX };
	for (size_t i = 0; i < count; i++) {
		box_include(&node->box, &overlap->boxes[order[i]]);
		node->lowest = order[i] < node->lowest ? order[i] : node->lowest;
		node->highest = order[i] > node->highest ? order[i] : node->highest;
	}
	if (count <= LEAF_MAX) {
		node->first = (uint32_t)first;
		node->count = (uint32_t)count;
	} else {
		half = halve(overlap, overlap->order + first, count);
		node_add(overlap, first, half);
		node_add(overlap, first + half, count - half);
	}
	node->next = (uint32_t)overlap->node_count;
}

void overlap_build(const struct space_family *family, const struct layer *layer,
		   struct overlap *ret_overlap)
{
	struct overlap overlap = { .count = layer->count };

	boxes_build(family, layer, &overlap);
	overlap.nodes = memory_new(2 * layer->count, sizeof(overlap.nodes[0]));
	if (layer->count)
		node_add(&overlap, 0, layer->count);
	*ret_overlap = overlap;
}

void overlap_free(struct overlap *overlap)
{
	for (int field = 0; field < OVERLAP_FIELDS; field++)
		free(overlap->ends[field].values);
	free(overlap->boxes);
	free(overlap->order);
	free(overlap->nodes);
	*overlap = (struct overlap){ 0 };
}

/* --- Looking up --------------------------------------------------------------------------- */

static size_t words_for(size_t bits)
{
	return bits / 64 + 1;
}

void overlap_found_new(size_t regions, struct overlap_found *ret_found)
{
	ret_found->bits = memory_new(words_for(regions), sizeof(uint64_t));
	ret_found->words = memory_new(words_for(words_for(regions)), sizeof(uint64_t));
}

void overlap_found_free(struct overlap_found *found)
{
	free(found->bits);
	free(found->words);
	*found = (struct overlap_found){ 0 };
}

static void found_add(struct overlap_found *found, uint32_t region)
{
	uint32_t word = region / 64;

	if (!(found->words[word / 64] >> (word % 64) & 1))
		found->bits[word] = 0;
	found->words[word / 64] |= 1ULL << (word % 64);
	found->bits[word] |= 1ULL << (region % 64);
}

static bool boxes_meet(const struct overlap_box *a, const struct overlap_box *b)
{
	uint32_t apart = 0;

	for (int i = 0; i < OVERLAP_FIELDS; i++)
		apart |= (a->low[i] > b->high[i]) | (b->low[i] > a->high[i]);
	return !apart && (a->kinds & b->kinds);
}

/* A node is about a quarter of a comparison of regions. */
#define NODES_PER_WORK 4

static uint64_t find(const struct overlap *overlap, const struct overlap_box *box, size_t from,
		     size_t to, struct overlap_found *found)
{
	uint64_t visits = 0;

	memset(found->words, 0, words_for(words_for(overlap->count)) * sizeof(uint64_t));
	for (size_t at = 0; at < overlap->node_count; visits++) {
		const struct overlap_node *node = &overlap->nodes[at];

		if (node->lowest >= to || node->highest < from || !boxes_meet(&node->box, box)) {
			at = node->next;
			continue;
		}
		for (uint32_t i = 0; i < node->count; i++) {
			uint32_t region = overlap->order[node->first + i];

			if (region >= from && region < to &&
			    boxes_meet(&overlap->boxes[region], box))
				found_add(found, region);
		}
		visits += node->count;
		at++;
	}
	return 1 + visits / NODES_PER_WORK;
}

uint64_t overlap_find(const struct overlap *overlap, const struct region *box, size_t from,
		      size_t to, struct overlap_found *found)
{
	struct overlap_box looked = { .kinds = kinds_meeting(overlap, box->kinds) };

	for (int field = 0; field < OVERLAP_FIELDS; field++) {
		const struct spans *values = box->field[field];

		if (!values) {
			looked.high[field] = UINT32_MAX;
			continue;
		}
		looked.low[field] = end_number(&overlap->ends[field], values->items[0].low);
		looked.high[field] = end_number(&overlap->ends[field], highest_of(values));
	}
	return find(overlap, &looked, from, to, found);
}

uint64_t overlap_find_point(const struct overlap *overlap, const struct point *point, size_t from,
			    size_t to, struct overlap_found *found)
{
	struct region kind = { 0 };
	struct overlap_box looked;

	region_add_kind(&kind, point->kind);
	looked.kinds = kinds_meeting(overlap, kind.kinds);
	for (int field = 0; field < OVERLAP_FIELDS; field++)
		looked.low[field] = looked.high[field] =
			end_number(&overlap->ends[field], point->field[field]);
	return find(overlap, &looked, from, to, found);
}

size_t overlap_next(const struct overlap *overlap, const struct overlap_found *found, size_t from)
{
	size_t word = from / 64;
	uint64_t left = ~0ULL << (from % 64);

	if (from >= overlap->count)
		return overlap->count;
	left &= found->words[word / 64] >> (word % 64) & 1 ? found->bits[word] : 0;
	if (left)
		return word * 64 + (unsigned)__builtin_ctzll(left);
	for (word++; word < words_for(overlap->count);) {
		left = found->words[word / 64] & ~0ULL << (word % 64);
		if (left) {
			word = word / 64 * 64 + (unsigned)__builtin_ctzll(left);
			return word * 64 + (unsigned)__builtin_ctzll(found->bits[word]);
		}
		word = (word / 64 + 1) * 64;
	}
	return overlap->count;
}
