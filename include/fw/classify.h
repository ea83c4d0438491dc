/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a packet to the record of the rule that decides it, by tables in an image. Pure: the image
 * is a base pointer, and every access is a load at base + (offset & mask).
 *
 * Compares are arithmetic and loops have constant bounds: with branches inside the loops the
 * verifier walks a multiple of the instructions, and the CPU mispredicts them.
 */
#ifndef FW_CLASSIFY_H
#define FW_CLASSIFY_H

#include "fw/image.h"
#include "fw/packet.h"

#ifndef __always_inline
#define __always_inline inline __attribute__((__always_inline__))
#endif

/* Records are numbered: ingress rules, ingress default, egress rules, egress default. */
struct fw_match_result {
	__u32 record;
	__u32 counted_count;
	__u32 counted[FW_MAX_COUNTED]; /* records of `count` rules that matched before */
};

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

static __always_inline const void *fw_line(struct fw_view view, __u32 number)
{
	return view.base + ((number << 6) & (view.mask & ~(FW_LINE - 1U)));
}

/* The number of the lowest bit that is set, by a de Bruijn sequence and the image's table. */

static __always_inline __u32 fw_lowest_bit(struct fw_view view, __u64 bits)
{
	__u32 hash = ((bits & -bits) * FW_DE_BRUIJN) >> 58;

	return view.base[FW_BIT_NUMBERS + (hash & 63)];
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
static __always_inline __u32 fw_tree_child(struct fw_view view, __u32 line, __u64 guarded)
{
	const struct fw_tree_inner *inner = fw_line(view, line);
	__u64 sum = 0;

#pragma GCC unroll 8
	for (int i = 0; i < FW_TREE_INNER_KEYS / 3; i++)
		sum += fw_lanes_reached(inner->keys[i], guarded);
	return fw_lanes_sum(sum);
}

static __always_inline __u32 fw_tree_line_find(struct fw_view view, __u32 number, __u64 guarded)
{
	const struct fw_tree_line *line = fw_line(view, number);
	__u32 count = fw_lanes_sum(fw_lanes_reached(line->keys[0], guarded) +
				   fw_lanes_reached(line->keys[1], guarded) +
				   fw_lanes_reached(line->keys[2], guarded));

	return fw_view32(view, (number << 6) + (__u32)sizeof(line->keys) + 4 * count);
}

/* The bits of a key that are still to be looked at, from the top. */
struct fw_key {
	__u64 high;
	__u64 low;
};

static __always_inline __u32 fw_tree_skip(struct fw_view view, __u32 line, struct fw_key *key)
{
	const struct fw_tree_skip *skip = fw_line(view, line);
	__u32 shift = skip->shift & 63, half = (64 - shift) >> 1; /* whole bytes are skipped */
	__u64 differ = (key->high ^ skip->key) >> shift;
	__u32 missed = -(__u32)((differ | -differ) >> 63);

	/* In two steps, as 64 bits may go. */
	key->high = key->high << half << half | key->low >> shift;
	key->low = key->low << half << half;
	return (skip->match & ~missed) | (skip->miss & missed);
}

/*
 * Follows the tree from `entry`, at most `chunks` chunks deep (a constant), and returns the value.
 * Only keys of more than 64 bits meet FW_ENTRY_SKIP.
 */
static __always_inline __u32 fw_tree_find(struct fw_view view, __u32 entry, struct fw_key key,
					  const int chunks)
{
	for (int i = 0; i < chunks; i++) {
		__u32 kind = FW_ENTRY_KIND(entry);
		__u32 line = FW_ENTRY_VALUE_OF(entry) + view.zero;
		__u64 chunk = key.high >> 48;
		__u64 guarded = chunk * FW_LANES | FW_GUARDS;

		if (kind == FW_ENTRY_VALUE)
			break;
		if (chunks > 4 && kind == FW_ENTRY_SKIP) {
			entry = fw_tree_skip(view, line, &key);
			continue;
		}
		if (kind == FW_ENTRY_DIRECT) {
			entry = fw_view32(view, (line << 6) + 4 * (__u32)chunk);
		} else {
			if (kind == FW_ENTRY_INNER3)
				line += 1 +
					fw_tree_child(view, line, guarded) * FW_TREE_INNER2_LINES;
			if (kind != FW_ENTRY_LINE)
				line += 1 + fw_tree_child(view, line, guarded);
			entry = fw_tree_line_find(view, line, guarded);
		}
		key.high = key.high << 16 | key.low >> 48;
		key.low <<= 16;
	}
	return FW_ENTRY_VALUE_OF(entry);
}

/* All ones if a and b are equal, else 0. */
static __always_inline __u32 fw_equal_mask(__u32 a, __u32 b)
{
	return -(__u32)(((__u64)(a ^ b) - 1) >> 63);
}

static __always_inline __u32 fw_interface_hash(__u32 interface)
{
	return (interface * 0x9e3779b1U) >> 16;
}

/* `table`: number of the first line, with log2 of the lines in the low 3 bits; class 0 if the
 * interface is not there. */
static __always_inline __u32 fw_interface_class(struct fw_view view, __u32 table, __u32 interface)
{
	__u32 mask = (1U << (table & 7)) - 1;
	__u32 number = (table >> 3) + (fw_interface_hash(interface) & mask);
	const struct fw_interface_line *line = fw_line(view, number);
	__u32 found = 0;

#pragma GCC unroll 8
	for (int i = 0; i < 8; i++)
		found |= line->class[i] & fw_equal_mask(line->interface[i], interface);
	return found;
}

static __always_inline __u32 fw_fold(struct fw_view view, __u32 fold, __u32 running, __u32 class)
{
	return fw_view32(view, fold + 4 * (running + class));
}

static __always_inline __u32 fw_fold_table(struct fw_view view, const struct fw_step *step,
					   __u32 running, __u32 value)
{
	return fw_fold(view, step->fold, running, fw_view16(view, step->table + 2 * value));
}

static __always_inline __u32 fw_fold_tree(struct fw_view view, const struct fw_step *step,
					  __u32 running, __u64 key, const int chunks)
{
	return fw_fold(view, step->fold, running,
		       fw_tree_find(view, step->table, (struct fw_key){ key, 0 }, chunks));
}

/* The fields of the network header that few rules ask for. */
static __always_inline __u32 fw_fold_network(struct fw_view view, const struct fw_instance *at,
					     const struct fw_packet *packet, __u32 running)
{
	__u32 uses = at->features;
	const struct fw_step *step = at->steps;

	if (uses & (1U << FW_SMALL_FRAGMENT))
		running = fw_fold_table(view, &step[FW_SMALL_FRAGMENT], running,
					!!(packet->has & FW_IS_FRAGMENT));
	if (uses & (1U << FW_SMALL_STATE))
		running = fw_fold_table(view, &step[FW_SMALL_STATE], running, packet->state & 7);
	if (uses & (1U << FW_SMALL_FLAGS))
		running = fw_fold_table(view, &step[FW_SMALL_FLAGS], running,
					packet->has & FW_HAS_FLAGS ? packet->tcp_flags
								   : FW_SMALL_ABSENT);
	if (uses & (1U << FW_SMALL_ICMP_TYPE))
		running = fw_fold_table(view, &step[FW_SMALL_ICMP_TYPE], running,
					packet->has & FW_HAS_ICMP ? packet->icmp_type
								  : FW_SMALL_ABSENT);
	if (uses & (1U << FW_SMALL_ICMP_CODE))
		running = fw_fold_table(view, &step[FW_SMALL_ICMP_CODE], running,
					packet->has & FW_HAS_ICMP ? packet->icmp_code
								  : FW_SMALL_ABSENT);
	if (uses & (1U << FW_SMALL_TTL))
		running = fw_fold_table(view, &step[FW_SMALL_TTL], running, packet->ttl);
	if (uses & (1U << FW_SMALL_DSCP))
		running = fw_fold_table(view, &step[FW_SMALL_DSCP], running, packet->dscp);
	if (uses & (1U << FW_SMALL_LENGTH))
		running = fw_fold_tree(view, &step[FW_SMALL_LENGTH], running,
				       (__u64)packet->length << 32, 2);
	return running;
}

/* 48 bits and one above them for "none", at the top of a key. */
static __always_inline __u64 fw_mac_key(const struct fw_packet *packet, __u64 mac)
{
	return (packet->has & FW_HAS_MAC ? mac : FW_VALUE_ABSENT) << 15;
}

static __always_inline __u32 fw_fold_link(struct fw_view view, const struct fw_instance *at,
					  const struct fw_packet *packet, __u32 running)
{
	__u32 uses = at->features;
	const struct fw_step *step = at->steps;

	if (uses & (1U << FW_SMALL_VLAN))
		running = fw_fold_tree(view, &step[FW_SMALL_VLAN], running,
				       (__u64)packet->vlan << 48, 1);
	if (uses & (1U << FW_SMALL_ETHERTYPE))
		running = fw_fold_tree(view, &step[FW_SMALL_ETHERTYPE], running,
				       (__u64)packet->ethertype << 48, 1);
	if (uses & (1U << FW_SMALL_SOURCE_MAC))
		running = fw_fold_tree(view, &step[FW_SMALL_SOURCE_MAC], running,
				       fw_mac_key(packet, packet->source_mac), 4);
	if (uses & (1U << FW_SMALL_DESTINATION_MAC))
		running = fw_fold_tree(view, &step[FW_SMALL_DESTINATION_MAC], running,
				       fw_mac_key(packet, packet->destination_mac), 4);
	if (uses & (1U << FW_SMALL_INTERFACE))
		running = fw_fold(view, step[FW_SMALL_INTERFACE].fold, running,
				  fw_interface_class(view, step[FW_SMALL_INTERFACE].table,
						     packet->interface));
	return running;
}

/* Membership in live sets, a byte (8 sets) at a time; `first` is its FW_SMALL_*_SETS. */
static __always_inline __u32 fw_fold_sets(struct fw_view view, const struct fw_instance *at,
					  __u64 sets, const int first, __u32 running)
{
	if (!(at->features & (0xffU << first)))
		return running;
#pragma GCC unroll 8
	for (int i = 0; i < 8; i++)
		if (at->features & (1U << (first + i)))
			running = fw_fold_table(view, &at->steps[first + i], running,
						(sets >> (8 * i)) & 0xff);
	return running;
}

/* One row a dimension; their AND are the terms that match. */
struct fw_rows {
	__u32 source;
	__u32 destination;
	__u32 service;
	__u32 source_port;
	__u32 network;
	__u32 link;
};

/* The rows of the small fields. */
static __always_inline void fw_small_rows(struct fw_view view, const struct fw_instance *at,
					  const struct fw_packet *packet, struct fw_rows *rows)
{
	__u32 uses = at->features, running;

	rows->network = FW_ENTRY_VALUE_OF(at->full_rows[2]);
	rows->link = FW_ENTRY_VALUE_OF(at->full_rows[3]);
	if (uses & FW_USES_NETWORK) {
		running = fw_fold_network(view, at, packet, view.zero);
		rows->network = FW_ENTRY_VALUE_OF(running);
	}
	if (uses & FW_USES_LINK) {
		running = fw_fold_link(view, at, packet, view.zero);
		running =
			fw_fold_sets(view, at, packet->source_sets, FW_SMALL_SOURCE_SETS, running);
		running = fw_fold_sets(view, at, packet->destination_sets,
				       FW_SMALL_DESTINATION_SETS, running);
		rows->link = FW_ENTRY_VALUE_OF(running);
	}
}

static __always_inline struct fw_key fw_port_key(__u16 port)
{
	return (struct fw_key){ (__u64)port << 48, 0 };
}

/* Protocol and ports. Cells of packets without ports have the summand 0 for both. */
static __always_inline void fw_service_rows(struct fw_view view, const struct fw_instance *at,
					    const struct fw_packet *packet, struct fw_rows *rows)
{
	__u32 has_ports = -(__u32)(packet->has & FW_HAS_PORTS);
	__u32 protocol, source, destination;

	rows->service = FW_ENTRY_VALUE_OF(at->full_rows[0]);
	rows->source_port = FW_ENTRY_VALUE_OF(at->full_rows[1]);
	if (!(at->features & FW_USES_SERVICE))
		return;
	protocol = fw_view32(view, at->protocols + 4 * (__u32)packet->protocol);
	destination =
		fw_tree_find(view, at->destination_port, fw_port_key(packet->destination_port), 1);
	source = fw_tree_find(view, at->source_port, fw_port_key(packet->source_port), 1);
	if (at->features & FW_USES_PORT_ROW) {
		rows->source_port =
			(source & has_ports) | (FW_ENTRY_VALUE_OF(at->portless_row) & ~has_ports);
		source = view.zero;
	}
	rows->service = FW_ENTRY_VALUE_OF(fw_view32(
		view,
		at->service + 4 * (protocol + (source & has_ports) + (destination & has_ports))));
}

static __always_inline struct fw_key fw_address_key(const __u32 word[4])
{
	return (struct fw_key){ (__u64)word[0] << 32 | word[1], (__u64)word[2] << 32 | word[3] };
}

static __always_inline void fw_rows_find(struct fw_view view, const struct fw_instance *at,
					 const struct fw_packet *packet, struct fw_rows *rows)
{
	rows->source = fw_tree_find(view, at->source, fw_address_key(packet->source), 8);
	rows->destination =
		fw_tree_find(view, at->destination, fw_address_key(packet->destination), 8);
	fw_service_rows(view, at, packet, rows);
	fw_small_rows(view, at, packet, rows);
}

/* Word `index` of all rows, ANDed; word 0 is the summary. */
static __always_inline __u64 fw_rows_word(struct fw_view view, const struct fw_rows *rows,
					  __u32 index)
{
	__u32 skip = index * 8;

	return fw_view64(view, rows->source * 8 + skip) &
	       fw_view64(view, rows->destination * 8 + skip) &
	       fw_view64(view, rows->service * 8 + skip) &
	       fw_view64(view, rows->source_port * 8 + skip) &
	       fw_view64(view, rows->network * 8 + skip) & fw_view64(view, rows->link * 8 + skip);
}

/* The record of the first term that matches. */
static __always_inline __u32 fw_first_match(struct fw_view view, const struct fw_instance *at,
					    const struct fw_rows *rows)
{
	__u64 summary = fw_rows_word(view, rows, 0);

	for (int i = 0; i < FW_MAX_WORDS && summary; i++) {
		__u32 word = fw_lowest_bit(view, summary);
		__u64 bits = fw_rows_word(view, rows, 1 + word);

		if (bits)
			return fw_view32(view,
					 at->terms + 4 * (word * 64 + fw_lowest_bit(view, bits)));
		summary &= summary - 1;
	}
	return at->default_record;
}

/*
 * The records of `count` rules before `record`. -1 if there are more than the compiler allows.
 * Numbers start from different zeros of the image: from one, the verifier would learn from a test
 * of one of them what all are.
 */
static __always_inline int fw_count_matches(struct fw_view view, const struct fw_instance *at,
					    const struct fw_rows *rows,
					    struct fw_match_result *ret_result)
{
	const __u32 *zeros = fw_image_header(view.base)->zeros;
	__u32 count = zeros[1], last = ~zeros[2];

	/* One write to an unknown place, so that all places look alike from the start. */
	ret_result->counted[count & (FW_MAX_COUNTED - 1)] = last;
	for (__u32 word = 0; word < FW_MAX_COUNTED_WORDS && word < at->counted_words; word++) {
		__u64 bits = fw_rows_word(view, rows, 1 + at->words + word);

		for (int i = 0; i < FW_MAX_COUNTED && bits; i++) {
			__u32 number = word * 64 + fw_lowest_bit(view, bits);
			__u32 record = fw_view32(view, at->counted_terms + 4 * number);
			/* Neither behind the rule that decides nor another term of the last one. */
			__u32 before = ((__u64)record - ret_result->record) >> 63;

			ret_result->counted[count & (FW_MAX_COUNTED - 1)] = record;
			count += (before & ~fw_equal_mask(record, last)) + view.zero;
			last = record + view.zero;
			bits = (bits & (bits - 1)) + view.zero;
		}
	}
	if (count > FW_MAX_COUNTED)
		return -1;
	ret_result->counted_count = count;
	return 0;
}

/*
 * Finds what the rules of `hook` say about the packet. `base` is the image, in a block of
 * `size_mask` + 1 bytes (a power of two). The fields that the header's features ask for (state,
 * live sets) are filled in before. 0; -1 if the image breaks a bound that the compiler keeps.
 */
static __always_inline int fw_classify(const __u8 *base, __u32 size_mask, enum fw_hook hook,
				       const struct fw_packet *packet,
				       struct fw_match_result *ret_result)
{
	struct fw_view view = { base, size_mask, fw_image_header(base)->zeros[0] };
	__u32 number = (__u32)hook * 4 + (packet->family & 3);
	const struct fw_instance *at =
		(const void *)(base + FW_INSTANCES + (number & 7) * FW_INSTANCE_SIZE);
	struct fw_rows rows;

	fw_rows_find(view, at, packet, &rows);
	ret_result->record = fw_first_match(view, at, &rows);
	ret_result->counted_count = 0;
	if (!at->counted_words)
		return 0;
	return fw_count_matches(view, at, &rows, ret_result);
}

/* Record `number` of a result. */
static __always_inline const struct fw_record *fw_record(const __u8 *base, __u32 size_mask,
							 __u32 number)
{
	__u32 offset = fw_image_header(base)->records + number * (__u32)sizeof(struct fw_record);

	return (const struct fw_record *)(base + (offset & (size_mask & ~7U)));
}

#endif
