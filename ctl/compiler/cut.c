/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Of ranges of one key only the first that holds a port matters. They become disjoint ranges, and
 * each stands in the table where the bits of a port that its ends have in common are part of the
 * key: two disjoint ranges never have all of those bits in common, as both would hold the middle.
 * (Like an interval tree with a hash table for each level.) Levels are LEVEL_STEP bits apart: more
 * records with one key, but fewer tables to ask.
 */
#include "base/memory.h"
#include "compiler/arrange.h"

#define LEVEL_STEP 4

struct cells {
	uint32_t *edges; /* sorted; a cell lies between two */
	size_t count;
	uint32_t *owner; /* piece; UINT32_MAX: none */
	uint32_t *free;	 /* by cell: a cell at or behind it, before the next that has no owner */
};

static int compare_edges(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void cells_make(const struct pieces *pieces, const uint32_t *numbers, size_t count, int side,
		       struct cells *cells)
{
	size_t kept = 0;

	cells->edges = memory_new(2 * count, sizeof(uint32_t));
	for (size_t i = 0; i < count; i++) {
		const uint16_t *ports = &pieces->items[numbers[i]].ports[2 * side];

		cells->edges[2 * i] = ports[0];
		cells->edges[2 * i + 1] = ports[1] + 1U;
	}
	qsort(cells->edges, 2 * count, sizeof(uint32_t), compare_edges);
	for (size_t i = 0; i < 2 * count; i++)
		if (!i || cells->edges[i] != cells->edges[kept - 1])
			cells->edges[kept++] = cells->edges[i];
	cells->count = kept - 1;
	cells->owner = memory_new(kept, sizeof(uint32_t));
	cells->free = memory_new(kept, sizeof(uint32_t));
	for (size_t i = 0; i < kept; i++) {
		cells->owner[i] = UINT32_MAX;
		cells->free[i] = i;
	}
}

static size_t cells_find(const struct cells *cells, uint32_t edge)
{
	size_t low = 0, high = cells->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (cells->edges[middle] < edge)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t next_free(struct cells *cells, size_t cell)
{
	while (cells->free[cell] != cell) {
		cells->free[cell] = cells->free[cells->free[cell]];
		cell = cells->free[cell];
	}
	return cell;
}

static void cells_own(struct cells *cells, const uint16_t *ports, uint32_t piece)
{
	size_t cell = next_free(cells, cells_find(cells, ports[0]));

	for (; cell < cells->count && cells->edges[cell] <= ports[1];
	     cell = next_free(cells, cell + 1)) {
		cells->owner[cell] = piece;
		cells->free[cell] = cell + 1;
	}
}

/* Bits that all ports of a range have in common. */
static uint8_t common_bits(uint16_t low, uint16_t high)
{
	uint8_t bits = low == high ? 16 : __builtin_clz(low ^ high) - 16;

	return bits / LEVEL_STEP * LEVEL_STEP;
}

static void add_piece(struct pieces *pieces, const struct piece *piece)
{
	pieces->items =
		memory_reserve(pieces->items, &pieces->capacity, pieces->count + 1, sizeof(*piece));
	pieces->items[pieces->count++] = *piece;
}

static void add_range(struct pieces *pieces, uint32_t owner, int side, uint32_t low, uint32_t high)
{
	struct piece piece = pieces->items[owner];
	uint16_t *ports = &piece.ports[2 * side];

	piece.cut[side] = ports[0] != low || ports[1] != high;
	piece.bits[side] = common_bits(low, high);
	ports[0] = low;
	ports[1] = high;
	add_piece(pieces, &piece);
}

static void cut_ranges(struct pieces *pieces, const uint32_t *numbers, size_t count, int side)
{
	struct cells cells;

	cells_make(pieces, numbers, count, side, &cells);
	for (size_t i = 0; i < count; i++)
		cells_own(&cells, &pieces->items[numbers[i]].ports[2 * side], numbers[i]);
	for (size_t i = 0, end; i < cells.count; i = end) {
		for (end = i + 1; end < cells.count && cells.owner[end] == cells.owner[i];)
			end++;
		if (cells.owner[i] != UINT32_MAX)
			add_range(pieces, cells.owner[i], side, cells.edges[i],
				  cells.edges[end] - 1);
	}
	free(cells.edges);
	free(cells.owner);
	free(cells.free);
}

static bool is_any(const struct piece *piece, int side)
{
	return !piece->ports[2 * side] && piece->ports[2 * side + 1] == UINT16_MAX;
}

/* One that takes all ports stays whole, as it is for packets without ports too, and is the last. */
void pieces_cut(struct pieces *pieces, const uint32_t *numbers, size_t count, int side,
		uint32_t share)
{
	size_t ranges = 0;

	while (ranges < count && !is_any(&pieces->items[numbers[ranges]], side))
		ranges++;
	for (size_t i = 0; i < count; i++)
		pieces->items[numbers[i]].share = share;
	if (ranges)
		cut_ranges(pieces, numbers, ranges, side);
	if (ranges < count) {
		struct piece any = pieces->items[numbers[ranges]];

		add_piece(pieces, &any);
	}
	for (size_t i = 0; i < count; i++)
		pieces->items[numbers[i]].share = PIECE_DROPPED;
}
