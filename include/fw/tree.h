/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading an image, and its trees: from a number of 16 to 128 bits to the value of the interval
 * that holds it. Pure: every access is a load at base + (offset & mask).
 *
 * Compares are arithmetic and loops have constant bounds: with branches inside the loops the
 * verifier walks a multiple of the instructions, and the CPU mispredicts them.
 */
#ifndef FW_TREE_H
#define FW_TREE_H

#include "fw/image.h"

#ifndef __always_inline
#define __always_inline inline __attribute__((__always_inline__))
#endif

static __always_inline const struct fw_image_header *fw_image_header(const __u8 *base)
{
	return (const struct fw_image_header *)base;
}

/* An image as its readers hold it. */
struct fw_view {
	const __u8 *base;
	__u32 mask; /* size class - 1 */
	/*
	 * 0, read from the image, so that the verifier takes it for any number. It prunes a path
	 * where it joins another whose registers have the same bounds: what is constant or narrow
	 * on one path only is added to this first. Without it 1 walk takes 60,000 instructions
	 * and not 10,000, or never ends.
	 */
	__u32 zero;
};

static __always_inline __u32 fw_view16(struct fw_view view, __u32 offset)
{
	return *(const __u16 *)(view.base + (offset & (view.mask & ~1U)));
}

static __always_inline __u32 fw_view32(struct fw_view view, __u32 offset)
{
	return *(const __u32 *)(view.base + (offset & (view.mask & ~3U)));
}

static __always_inline __u64 fw_view64(struct fw_view view, __u32 offset)
{
	return *(const __u64 *)(view.base + (offset & (view.mask & ~7U)));
}

/* The line that begins at `offset`, or around it. */
static __always_inline const void *fw_line_at(struct fw_view view, __u32 offset)
{
	return view.base + (offset & (view.mask & ~(FW_LINE - 1U)));
}

static __always_inline const void *fw_line(struct fw_view view, __u32 number)
{
	return view.base + ((number << 6) & (view.mask & ~(FW_LINE - 1U)));
}

/*
 * The place of the lowest bit that is set, by a de Bruijn sequence: another number below 64 for
 * each bit. What is indexed by bits is in the order of places, which saves the load that leads
 * from places to numbers.
 */
static __always_inline __u32 fw_bit_place(__u64 bits)
{
	return ((bits & -bits) * FW_DE_BRUIJN) >> 58;
}

/* The number of the lowest bit. */
static __always_inline __u32 fw_lowest_bit(struct fw_view view, __u64 bits)
{
	return view.base[FW_BIT_NUMBERS + fw_bit_place(bits)];
}

/*
 * Three 16-bit keys in the lanes of a word, each with room above it. With a guard bit above the
 * chunk in each lane, one subtraction compares it with all three: the guard stays where the chunk
 * is not below the key. The guards of up to 8 words are added up before they are counted.
 */
#define FW_LANES  (1ULL | 1ULL << 21 | 1ULL << 42)
#define FW_GUARDS (FW_LANES << 16)

static __always_inline __u64 fw_lanes_reached(__u64 keys, __u64 guarded)
{
	return (guarded - keys) & FW_GUARDS;
}

static __always_inline __u32 fw_lanes_sum(__u64 guards)
{
	return (guards * FW_LANES) >> 58;
}

/* How many of an inner line's keys the chunk reaches: the number of the child. */
static __always_inline __u32 fw_tree_child(struct fw_view view, __u32 at, __u64 guarded)
{
	const struct fw_tree_inner *inner = fw_line_at(view, at);
	__u64 sum = 0;

#pragma GCC unroll 8
	for (int i = 0; i < FW_TREE_INNER_KEYS / 3; i++)
		sum += fw_lanes_reached(inner->keys[i], guarded);
	return fw_lanes_sum(sum);
}

static __always_inline __u32 fw_tree_line_find(struct fw_view view, __u32 at, __u64 guarded)
{
	const struct fw_tree_line *line = fw_line_at(view, at);
	__u32 count = fw_lanes_sum(fw_lanes_reached(line->keys[0], guarded) +
				   fw_lanes_reached(line->keys[1], guarded) +
				   fw_lanes_reached(line->keys[2], guarded));

	return fw_view32(view, at + (__u32)sizeof(line->keys) + 4 * count);
}

static __always_inline __u32 fw_tree_pairs_find(struct fw_view view, __u32 at, __u64 guarded)
{
	const struct fw_tree_pairs *line = fw_line_at(view, at);
	__u64 sum = 0;

#pragma GCC unroll 7
	for (int i = 0; i < FW_TREE_PAIRS_KEYS / 3; i++)
		sum += fw_lanes_reached(line->keys[i], guarded);
	return line->entries[fw_lanes_sum(sum) & 1];
}

/*
 * `index`, in bytes, of the table that `entry` leads to; of a row, the row. XORed with 0, as kernel
 * 6.1 walks over a million instructions where what is loaded has nothing of what led to it, and
 * 541,000 so.
 */
static __always_inline __u32 fw_tables_step(struct fw_view view, __u32 entry, __u32 index)
{
	__s32 mask = (__s32)entry >> 31;

	asm volatile("" : "+r"(mask));
	return fw_view32(view, entry + (index & mask)) ^ (entry & view.zero);
}

/* The row of an IPv4 address in a tree of tables only. */
static __always_inline __u32 fw_tables_find(struct fw_view view, __u32 entry, __u32 address)
{
	entry = fw_tables_step(view, entry, address >> 14 & 0x3fffc);
	entry = fw_tables_step(view, entry, address >> 6 & 0x3fc);
	return fw_tables_step(view, entry, address << 2 & 0x3fc);
}

/* The bits of a key that are still to be looked at, from the top. */
struct fw_key {
	__u64 high;
	__u64 low;
};

static __always_inline __u32 fw_tree_skip(struct fw_view view, __u32 at, struct fw_key *key)
{
	const struct fw_tree_skip *skip = fw_line_at(view, at);
	__u32 shift = skip->shift & 63, half = (64 - shift) >> 1; /* whole bytes are skipped */
	__u64 differ = (key->high ^ skip->key) >> shift;
	__u32 missed = -(__u32)((differ | -differ) >> 63);

	/* In two steps, as 64 bits may go. */
	key->high = key->high << half << half | key->low >> shift;
	key->low = key->low << half << half;
	return (skip->match & ~missed) | (skip->miss & missed);
}

/* One node: the entry for a chunk of the key. */
static __always_inline __u32 fw_tree_step(struct fw_view view, __u32 entry, __u32 chunk)
{
	__u32 kind = FW_ENTRY_KIND(entry), at = (entry & ~(FW_LINE - 1U)) + view.zero;
	__u64 guarded = chunk * FW_LANES | FW_GUARDS;

	if (kind == FW_ENTRY_DIRECT) {
		if (entry & FW_ENTRY_PAIRS)
			chunk = fw_view32(view, at + FW_LINE + (chunk >> 5) * 4) >> (chunk & 31) &
				1;
		return fw_view32(view, at + 4 * chunk);
	}
	if (kind == FW_ENTRY_BYTES) {
		entry = fw_view32(view, at + 4 * (chunk >> 8));
		if (FW_ENTRY_KIND(entry) != FW_ENTRY_BYTE)
			return entry;
		return fw_view32(view, (entry & ~(FW_LINE - 1U)) + 4 * (chunk & 0xff));
	}
	if (kind == FW_ENTRY_INNER3)
		at += FW_LINE + fw_tree_child(view, at, guarded) * (FW_TREE_INNER2_LINES * FW_LINE);
	if (kind != FW_ENTRY_LINE)
		at += FW_LINE + fw_tree_child(view, at, guarded) * FW_LINE;
	if (entry & FW_ENTRY_PAIRS)
		return fw_tree_pairs_find(view, at, guarded);
	return fw_tree_line_find(view, at, guarded);
}

/*
 * Follows the tree from `entry`, at most `chunks` chunks deep (a constant), and returns the value's
 * entry. Only keys of more than 64 bits meet FW_ENTRY_SKIP.
 */
static __always_inline __u32 fw_tree_find(struct fw_view view, __u32 entry, struct fw_key key,
					  const int chunks)
{
	for (int i = 0; i < chunks; i++) {
		__u32 kind = FW_ENTRY_KIND(entry);

		if (kind == FW_ENTRY_VALUE)
			break;
		if (chunks > 4 && kind == FW_ENTRY_SKIP) {
			entry = fw_tree_skip(view, (entry & ~(FW_LINE - 1U)) + view.zero, &key);
			continue;
		}
		entry = fw_tree_step(view, entry, key.high >> 48);
		key.high = key.high << 16 | key.low >> 48;
		key.low = (key.low << 16) + view.zero; /* for the verifier, as after a skip */
	}
	return entry;
}

#endif
