/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A node tells one chunk's values apart: its pieces are runs of values with one entry. Few make a
 * line, more a line below one or two levels of inner keys, many a table indexed by the chunk. It
 * costs 256 KB and one load, so it is taken for few at the root, and for many deeper down. Between
 * them, trees of rules have tables by the bytes of the chunk: two loads, where inner keys and a
 * line are five times as much to wait for. IPv4 trees that this makes not too large are of tables
 * only. Trees of large lists are kept small instead: most of their nodes have two entries in turn.
 */
#include "compiler/tree.h"

#include "base/memory.h"
#include "fw/image.h"

#define LINE_PIECES	(FW_TREE_LINE_KEYS + 1)
#define INNER2_PIECES	(LINE_PIECES * (FW_TREE_INNER_KEYS + 1))
#define INNER3_PIECES	(INNER2_PIECES * (FW_TREE_INNER_KEYS + 1))
#define PAIRS_LINE	(FW_TREE_PAIRS_KEYS + 1)
#define PAIRS_BLOCK	(PAIRS_LINE * (FW_TREE_INNER_KEYS + 1))
#define PREFIX_CHUNKS	3
#define DIRECT_AT_ROOT	10
#define DIRECT_BELOW	1024
#define TABLE_BYTES	(256 * sizeof(uint32_t))
#define TABLES_MAX	4096 /* of a tree, where it is not for a large set: */
#define LARGE		(1U << 17)
#define ONLY_TABLES_MAX 2048

struct piece {
	uint32_t first; /* chunk value */
	uint32_t entry;
};

struct pieces {
	struct piece *items;
	size_t count;
	size_t capacity;
};

struct tree {
	struct writer *writer;
	const struct interval *intervals;
	const uint32_t *entries;
	int chunks;
	int root;      /* depth of the first node: chunks that all keys share */
	size_t tables; /* of 256 entries */
	bool only_tables;
};

static uint32_t interval_chunk(const struct interval *interval, int depth)
{
	uint64_t word = depth < 4 ? interval->high : interval->low;

	return word >> (48 - 16 * (depth % 4)) & 0xffff;
}

/* Are all bits of the key behind chunk `depth` 0? */
static bool starts_chunk(const struct interval *interval, int depth)
{
	unsigned bits = 48 - 16 * (depth % 4);
	uint64_t word = depth < 4 ? interval->high : interval->low;

	return !(word & ((1ULL << bits) - 1)) && (depth >= 4 || !interval->low);
}

static void pieces_add(struct pieces *pieces, uint32_t first, uint32_t entry)
{
	struct piece *last = pieces->count ? &pieces->items[pieces->count - 1] : NULL;

	if (last && last->first == first) {
		last->entry = entry;
		if (pieces->count > 1 && last[-1].entry == entry)
			pieces->count--;
		return;
	}
	if (last && last->entry == entry)
		return;
	pieces->items = memory_reserve(pieces->items, &pieces->capacity, pieces->count + 1,
				       sizeof(*pieces->items));
	pieces->items[pieces->count++] = (struct piece){ first, entry };
}

static void put_key(__u64 *keys, size_t number, uint32_t key)
{
	keys[number / 3] |= (__u64)key << (21 * (number % 3));
}

static void write_line(struct tree *tree, uint32_t offset, const struct piece *pieces, size_t count)
{
	struct fw_tree_line *line = writer_at(tree->writer, offset);

	for (size_t i = 0; i < LINE_PIECES; i++) {
		size_t from = i < count ? i : count - 1;

		line->entries[i] = pieces[from].entry;
		if (i)
			put_key(line->keys, i - 1, i < count ? pieces[i].first : FW_TREE_KEY_NONE);
	}
}

/* A block of `levels` levels of inner keys above lines. */
static void write_block(struct tree *tree, uint32_t offset, const struct piece *pieces,
			size_t count, int levels)
{
	size_t share = levels == 1 ? LINE_PIECES : INNER2_PIECES;
	size_t stride = levels == 1 ? 1 : FW_TREE_INNER2_LINES;
	struct fw_tree_inner *inner = writer_at(tree->writer, offset);

	for (size_t i = 0; i < FW_TREE_INNER_KEYS; i++) {
		size_t first = (i + 1) * share;

		put_key(inner->keys, i, first < count ? pieces[first].first : FW_TREE_KEY_NONE);
	}
	for (size_t i = 0; i * share < count; i++) {
		size_t rest = count - i * share, at = offset + FW_LINE * (1 + i * stride);

		rest = rest < share ? rest : share;
		if (levels == 1)
			write_line(tree, at, pieces + i * share, rest);
		else
			write_block(tree, at, pieces + i * share, rest, levels - 1);
	}
}

static size_t block_lines(size_t count)
{
	size_t full = count / INNER2_PIECES, rest = count % INNER2_PIECES;
	size_t lines = 1 + full * FW_TREE_INNER2_LINES;

	return lines + (rest ? 1 + (rest + LINE_PIECES - 1) / LINE_PIECES : 0);
}

static uint32_t write_direct(struct tree *tree, const struct pieces *pieces)
{
	uint32_t offset = writer_add(tree->writer, 65536 * sizeof(uint32_t), FW_LINE);
	uint32_t *table = writer_at(tree->writer, offset);

	if (!offset)
		return 0;
	for (size_t i = 0; i < pieces->count; i++) {
		uint32_t end = i + 1 < pieces->count ? pieces->items[i + 1].first : 65536;

		for (uint32_t chunk = pieces->items[i].first; chunk < end; chunk++)
			table[chunk] = pieces->items[i].entry;
	}
	return FW_ENTRY_AT(tree->only_tables ? FW_ENTRY_TABLE : FW_ENTRY_DIRECT, offset);
}

/* Fills a table with entries of chunks from `first` on, 1 << shift apart; `*at` is the piece that
 * holds the first, or one before it. 0 also if it is one more than the tree may have. */
static uint32_t write_table(struct tree *tree, const struct pieces *pieces, uint32_t first,
			    unsigned shift, size_t *at)
{
	uint32_t offset, *table;

	if (++tree->tables > ONLY_TABLES_MAX && tree->only_tables)
		return 0;
	offset = writer_add(tree->writer, TABLE_BYTES, FW_LINE);
	table = writer_at(tree->writer, offset);
	for (uint32_t i = 0; offset && i < 256;) {
		uint32_t end = 256;

		for (; *at + 1 < pieces->count; ++*at) {
			uint32_t next = pieces->items[*at + 1].first;

			if (next <= first + (i << shift))
				continue;
			if (next - first < 256U << shift)
				end = (next - first + (1U << shift) - 1) >> shift;
			break;
		}
		for (; i < end; i++)
			table[i] = pieces->items[*at].entry;
	}
	return offset;
}

/* One table for the chunk's high byte, and one for the low byte of those that need it. */
static uint32_t write_bytes(struct tree *tree, const struct pieces *pieces)
{
	size_t at = 0;
	uint32_t offset = write_table(tree, pieces, 0, 8, &at);

	at = 0;
	while (offset && at + 1 < pieces->count) {
		uint32_t first = pieces->items[at + 1].first, byte = first >> 8, below;

		if (!(first & 0xff) &&
		    (at + 2 == pieces->count || pieces->items[at + 2].first >> 8 != byte)) {
			at++;
			continue;
		}
		below = write_table(tree, pieces, byte << 8, 0, &at);
		if (!below)
			return 0;
		((uint32_t *)writer_at(tree->writer, offset))[byte] =
			FW_ENTRY_AT(tree->only_tables ? FW_ENTRY_TABLE : FW_ENTRY_BYTE, below);
	}
	return FW_ENTRY_AT(tree->only_tables ? FW_ENTRY_TABLE : FW_ENTRY_BYTES, offset);
}

/* Have the pieces two entries in turn? */
static bool are_pairs(const struct pieces *pieces)
{
	for (size_t i = 2; i < pieces->count; i++)
		if (pieces->items[i].entry != pieces->items[i - 2].entry)
			return false;
	return pieces->count > 1;
}

static void write_pairs(struct tree *tree, uint32_t offset, const struct piece *pieces,
			size_t count)
{
	struct fw_tree_pairs *line = writer_at(tree->writer, offset);

	for (size_t i = 1; i < PAIRS_LINE; i++)
		put_key(line->keys, i - 1, i < count ? pieces[i].first : FW_TREE_KEY_NONE);
	line->entries[0] = pieces[0].entry;
	line->entries[1] = pieces[count > 1].entry;
}

static uint32_t write_bits(struct tree *tree, const struct pieces *pieces)
{
	uint32_t offset = writer_add(tree->writer, sizeof(struct fw_tree_bits), FW_LINE);
	struct fw_tree_bits *bits = writer_at(tree->writer, offset);

	if (!offset)
		return 0;
	bits->entries[0] = pieces->items[0].entry;
	bits->entries[1] = pieces->items[1].entry;
	for (size_t i = 1; i < pieces->count; i += 2) {
		uint32_t end = i + 1 < pieces->count ? pieces->items[i + 1].first : 65536;

		for (uint32_t chunk = pieces->items[i].first; chunk < end; chunk++)
			bits->bits[chunk / 32] |= 1U << chunk % 32;
	}
	return FW_ENTRY_AT(FW_ENTRY_DIRECT | FW_ENTRY_PAIRS, offset);
}

static uint32_t write_pairs_node(struct tree *tree, const struct pieces *pieces)
{
	size_t count = pieces->count, lines = (count + PAIRS_LINE - 1) / PAIRS_LINE;
	struct fw_tree_inner *inner;
	uint32_t offset;

	if (count > PAIRS_BLOCK)
		return write_bits(tree, pieces);
	offset = writer_add(tree->writer, (1 + lines) * FW_LINE, FW_LINE);
	if (!offset)
		return 0;
	inner = writer_at(tree->writer, offset);
	for (size_t i = 1; i <= FW_TREE_INNER_KEYS; i++)
		put_key(inner->keys, i - 1,
			i < lines ? pieces->items[i * PAIRS_LINE].first : FW_TREE_KEY_NONE);
	for (size_t i = 0; i < lines; i++) {
		size_t rest = count - i * PAIRS_LINE;

		write_pairs(tree, offset + (1 + i) * FW_LINE, pieces->items + i * PAIRS_LINE,
			    rest < PAIRS_LINE ? rest : PAIRS_LINE);
	}
	return FW_ENTRY_AT(FW_ENTRY_INNER2 | FW_ENTRY_PAIRS, offset);
}

static uint32_t write_pieces(struct tree *tree, const struct pieces *pieces, int depth)
{
	size_t count = pieces->count, lines;
	uint32_t offset, kind;

	if (count == 1 && FW_ENTRY_KIND(pieces->items[0].entry) == FW_ENTRY_VALUE)
		return pieces->items[0].entry;
	if (tree->only_tables)
		return depth ? write_bytes(tree, pieces) : write_direct(tree, pieces);
	if (depth > tree->root && count > LINE_PIECES && tree->tables >= TABLES_MAX &&
	    are_pairs(pieces))
		return write_pairs_node(tree, pieces);
	if (count > (depth > tree->root ? DIRECT_BELOW : DIRECT_AT_ROOT))
		return write_direct(tree, pieces);
	if (depth > tree->root && count > LINE_PIECES && tree->tables < TABLES_MAX)
		return write_bytes(tree, pieces);
	kind = count <= LINE_PIECES	? FW_ENTRY_LINE
	       : count <= INNER2_PIECES ? FW_ENTRY_INNER2
					: FW_ENTRY_INNER3;
	lines = kind == FW_ENTRY_LINE	  ? 1
		: kind == FW_ENTRY_INNER2 ? 1 + (count + LINE_PIECES - 1) / LINE_PIECES
					  : block_lines(count);
	offset = writer_add(tree->writer, lines * FW_LINE, FW_LINE);
	if (!offset)
		return 0;
	if (kind == FW_ENTRY_LINE)
		write_line(tree, offset, pieces->items, count);
	else
		write_block(tree, offset, pieces->items, count, kind == FW_ENTRY_INNER2 ? 1 : 2);
	return FW_ENTRY_AT(kind, offset);
}

/* What is inside a node: intervals first to end - 1 start there. */
struct part {
	size_t first;
	size_t end;
	uint32_t before; /* the entry that holds at its start, unless the first interval does */
	int depth;	 /* chunks that led to it */
};

/* Leads over so many chunks, which all intervals share, to `match`; outside is what was before. */
static uint32_t write_skip(struct tree *tree, const struct part *part, int chunks, uint32_t match)
{
	const struct interval *inside = &tree->intervals[part->first];
	uint32_t offset = writer_add(tree->writer, FW_LINE, FW_LINE);
	struct fw_tree_skip *skip = writer_at(tree->writer, offset);
	uint32_t shift = 64 - 16 * chunks;
	uint64_t key = 0;

	if (!offset)
		return 0;
	for (int i = 0; i < 4; i++)
		key = key << 16 | (i < chunks ? interval_chunk(inside, part->depth + i) : 0);
	skip->key = key >> shift << shift;
	skip->shift = shift;
	skip->match = match;
	skip->miss = part->before;
	return FW_ENTRY_AT(FW_ENTRY_SKIP, offset);
}

static uint32_t write_node(struct tree *tree, struct part part);

/* How many chunks, up to 4, can be skipped: all intervals lie inside one value of each of them, and
 * behind the last is again what was before the first. */
static int common_chunks(const struct tree *tree, const struct part *part)
{
	const struct interval *low = &tree->intervals[part->first];
	const struct interval *high = &tree->intervals[part->end - 1];
	int chunks = 0;

	if (tree->entries[high->class] != part->before || part->end - part->first < 2)
		return 0;
	while (chunks < 4 && part->depth + chunks < tree->chunks) {
		uint32_t chunk = interval_chunk(low, part->depth + chunks);
		uint32_t last = interval_chunk(high, part->depth + chunks);
		bool closes = last == chunk + 1 && starts_chunk(high, part->depth + chunks);

		if (last == chunk) {
			chunks++;
			continue;
		}
		/* The last interval only says where the chunk ends. */
		if (closes && interval_chunk(high - 1, part->depth + chunks) == chunk)
			return chunks + 1;
		break;
	}
	return chunks;
}

/* What lies behind so many chunks, which all intervals share. */
static struct part part_behind(const struct tree *tree, const struct part *part, int chunks)
{
	const struct interval *high = &tree->intervals[part->end - 1];
	const struct interval *low = &tree->intervals[part->first];
	struct part inside = *part;
	int last = part->depth + chunks - 1;

	inside.depth += chunks;
	if (interval_chunk(high, last) != interval_chunk(low, last))
		inside.end--; /* where the chunk ends */
	return inside;
}

static uint32_t write_shared(struct tree *tree, const struct part *part, int chunks)
{
	return write_skip(tree, part, chunks, write_node(tree, part_behind(tree, part, chunks)));
}

/* The pieces of a node: one for each chunk value with intervals inside, and those between. */
static void node_pieces(struct tree *tree, const struct part *part, struct pieces *pieces)
{
	struct part child = { part->first, part->first, part->before, part->depth + 1 };

	pieces_add(pieces, 0, part->before);
	while (child.first < part->end) {
		const struct interval *interval = &tree->intervals[child.first];
		uint32_t chunk = interval_chunk(interval, part->depth);
		bool is_one;

		child.end = child.first;
		while (child.end < part->end &&
		       interval_chunk(&tree->intervals[child.end], part->depth) == chunk)
			child.end++;
		is_one = child.end == child.first + 1 && starts_chunk(interval, part->depth);
		pieces_add(pieces, chunk,
			   is_one ? tree->entries[interval->class] : write_node(tree, child));
		child.before = tree->entries[tree->intervals[child.end - 1].class];
		if (!is_one && chunk < 0xffff)
			pieces_add(pieces, chunk + 1, child.before);
		child.first = child.end;
	}
}

static uint32_t write_node(struct tree *tree, struct part part)
{
	struct pieces pieces = { 0 };
	uint32_t entry;
	int common;

	/* What begins where the node does is what was before all others in it. */
	if (part.first < part.end && part.depth &&
	    starts_chunk(&tree->intervals[part.first], part.depth - 1))
		part.before = tree->entries[tree->intervals[part.first++].class];
	if (part.first == part.end)
		return part.before;
	if (part.depth == tree->chunks) /* a whole key was skipped: one value is left */
		return tree->entries[tree->intervals[part.end - 1].class];
	common = tree->chunks > 4 ? common_chunks(tree, &part) : 0;
	if (common > 1)
		return write_shared(tree, &part, common);
	node_pieces(tree, &part, &pieces);
	entry = write_pieces(tree, &pieces, part.depth);
	free(pieces.items);
	return entry;
}

/* Begins the tree behind what all its keys share. */
static struct part skip_prefix(struct tree *tree, const struct part *part,
			       struct fw_tree_prefix *ret_prefix)
{
	const struct interval *first = &tree->intervals[part->first];
	int chunks = part->first < part->end ? common_chunks(tree, part) : 0;

	if (!chunks)
		return *part;
	chunks = chunks < PREFIX_CHUNKS ? chunks : PREFIX_CHUNKS;
	ret_prefix->bits = 16 * chunks;
	ret_prefix->mask = ~(~0ULL >> ret_prefix->bits);
	ret_prefix->key = first->high & ret_prefix->mask;
	ret_prefix->miss = part->before;
	tree->root = chunks;
	return part_behind(tree, part, chunks);
}

static struct tree tree_of(struct writer *writer, const struct axis_classes *classes,
			   const uint32_t *entries, int chunks)
{
	return (struct tree){
		.writer = writer,
		.intervals = classes->intervals,
		.entries = entries,
		.chunks = chunks,
		.tables = classes->interval_count > LARGE ? TABLES_MAX : 0,
	};
}

static struct part whole_tree(const struct axis_classes *classes, const uint32_t *entries)
{
	return (struct part){
		.first = 1,
		.end = classes->interval_count,
		.before = entries[classes->intervals[0].class],
	};
}

/* Nodes below the root: values of the first chunk that hold more than one entry. */
static size_t count_nodes(const struct axis_classes *classes)
{
	size_t nodes = 0;

	for (size_t i = 1, end; i < classes->interval_count; i = end) {
		const struct interval *first = &classes->intervals[i];

		for (end = i + 1; end < classes->interval_count; end++)
			if (interval_chunk(&classes->intervals[end], 0) != interval_chunk(first, 0))
				break;
		nodes += end > i + 1 || !starts_chunk(first, 0);
	}
	return nodes;
}

uint32_t tree_write_tables(struct writer *writer, const struct axis_classes *classes,
			   const uint32_t *entries)
{
	struct tree tree = tree_of(writer, classes, entries, 2);
	size_t size = writer->size;
	uint32_t root;

	if (classes->interval_count <= DIRECT_AT_ROOT || classes->interval_count > LARGE ||
	    2 * count_nodes(classes) > ONLY_TABLES_MAX) /* few need only one */
		return 0;
	tree.only_tables = true;
	root = write_node(&tree, whole_tree(classes, entries));
	if (tree.tables > ONLY_TABLES_MAX)
		writer->size = size;
	return tree.tables > ONLY_TABLES_MAX ? 0 : root;
}

uint32_t tree_write(struct writer *writer, const struct axis_classes *classes,
		    const uint32_t *entries, int chunks, struct fw_tree_prefix *ret_prefix)
{
	struct tree tree = tree_of(writer, classes, entries, chunks);
	struct part part = whole_tree(classes, entries);

	if (ret_prefix)
		part = skip_prefix(&tree, &part, ret_prefix);
	return write_node(&tree, part);
}
