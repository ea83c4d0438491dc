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
		key.low = (key.low << 16) + view.zero; /* for the verifier, as after a skip */
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

/* The rows of a packet, as byte offsets; their AND are the terms that match. */
struct fw_rows {
	__u32 source;
	__u32 destination;
	__u32 service;
	__u64 network; /* two entries each; while fields are folded, running classes */
	__u64 link;
};

/* Small fields are folded into one of the two chains of a word. */
struct fw_folds {
	struct fw_view view;
	const struct fw_instance *at;
	__u64 *running;
};

static __always_inline void fw_fold(struct fw_folds folds, const int field, __u32 class)
{
	__u32 shift = folds.at->chains[field] & 32;
	__u32 running = *folds.running >> shift;
	__u32 next = fw_view32(folds.view, folds.at->steps[field].fold + 4 * (running + class));

	*folds.running ^= (__u64)(running ^ next) << shift;
}

static __always_inline void fw_fold_table(struct fw_folds folds, const int field, __u32 value)
{
	fw_fold(folds, field, fw_view16(folds.view, folds.at->steps[field].table + 2 * value));
}

static __always_inline void fw_fold_tree(struct fw_folds folds, const int field, __u64 key,
					 const int chunks)
{
	fw_fold(folds, field,
		fw_tree_find(folds.view, folds.at->steps[field].table, (struct fw_key){ key, 0 },
			     chunks));
}

/* The fields of the network header that few rules ask for. */
static __always_inline void fw_fold_network(struct fw_folds folds, const struct fw_packet *packet)
{
	__u32 uses = folds.at->features;

	if (uses & (1U << FW_SMALL_FRAGMENT))
		fw_fold_table(folds, FW_SMALL_FRAGMENT, !!(packet->has & FW_IS_FRAGMENT));
	if (uses & (1U << FW_SMALL_STATE))
		fw_fold_table(folds, FW_SMALL_STATE, packet->state & 7);
	if (uses & (1U << FW_SMALL_FLAGS))
		fw_fold_table(folds, FW_SMALL_FLAGS,
			      packet->has & FW_HAS_FLAGS ? packet->tcp_flags : FW_SMALL_ABSENT);
	if (uses & (1U << FW_SMALL_ICMP_TYPE))
		fw_fold_table(folds, FW_SMALL_ICMP_TYPE,
			      packet->has & FW_HAS_ICMP ? packet->icmp_type : FW_SMALL_ABSENT);
	if (uses & (1U << FW_SMALL_ICMP_CODE))
		fw_fold_table(folds, FW_SMALL_ICMP_CODE,
			      packet->has & FW_HAS_ICMP ? packet->icmp_code : FW_SMALL_ABSENT);
	if (uses & (1U << FW_SMALL_TTL))
		fw_fold_table(folds, FW_SMALL_TTL, packet->ttl);
	if (uses & (1U << FW_SMALL_DSCP))
		fw_fold_table(folds, FW_SMALL_DSCP, packet->dscp);
	if (uses & (1U << FW_SMALL_LENGTH))
		fw_fold_tree(folds, FW_SMALL_LENGTH, (__u64)packet->length << 32, 2);
}

/* 48 bits and one above them for "none", at the top of a key. */
static __always_inline __u64 fw_mac_key(const struct fw_packet *packet, __u64 mac)
{
	return (packet->has & FW_HAS_MAC ? mac : FW_VALUE_ABSENT) << 15;
}

static __always_inline void fw_fold_link(struct fw_folds folds, const struct fw_packet *packet)
{
	__u32 uses = folds.at->features;

	if (uses & (1U << FW_SMALL_VLAN))
		fw_fold_tree(folds, FW_SMALL_VLAN, (__u64)packet->vlan << 48, 1);
	if (uses & (1U << FW_SMALL_ETHERTYPE))
		fw_fold_tree(folds, FW_SMALL_ETHERTYPE, (__u64)packet->ethertype << 48, 1);
	if (uses & (1U << FW_SMALL_SOURCE_MAC))
		fw_fold_tree(folds, FW_SMALL_SOURCE_MAC, fw_mac_key(packet, packet->source_mac), 4);
	if (uses & (1U << FW_SMALL_DESTINATION_MAC))
		fw_fold_tree(folds, FW_SMALL_DESTINATION_MAC,
			     fw_mac_key(packet, packet->destination_mac), 4);
	if (uses & (1U << FW_SMALL_INTERFACE))
		fw_fold(folds, FW_SMALL_INTERFACE,
			fw_interface_class(folds.view, folds.at->steps[FW_SMALL_INTERFACE].table,
					   packet->interface));
}

/* Membership in live sets, a byte (8 sets) at a time; `first` is its FW_SMALL_*_SETS. */
static __always_inline void fw_fold_sets(struct fw_folds folds, __u64 sets, const int first)
{
	if (!(folds.at->features & (0xffU << first)))
		return;
#pragma GCC unroll 8
	for (int i = 0; i < 8; i++)
		if (folds.at->features & (1U << (first + i)))
			fw_fold_table(folds, first + i, (sets >> (8 * i)) & 0xff);
}

/* The rows of the small fields. */
static __always_inline void fw_small_rows(struct fw_view view, const struct fw_instance *at,
					  const struct fw_packet *packet, struct fw_rows *rows)
{
	struct fw_folds folds = { view, at, &rows->network };

	if (at->features & FW_USES_NETWORK)
		fw_fold_network(folds, packet);
	folds.running = &rows->link;
	if (at->features & FW_USES_LINK) {
		fw_fold_link(folds, packet);
		fw_fold_sets(folds, packet->source_sets, FW_SMALL_SOURCE_SETS);
		fw_fold_sets(folds, packet->destination_sets, FW_SMALL_DESTINATION_SETS);
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

	rows->service = FW_ENTRY_VALUE_OF(at->full_row) * 8;
	if (!(at->features & FW_USES_SERVICE))
		return;
	protocol = fw_view32(view, at->protocols + 4 * (__u32)packet->protocol);
	destination =
		fw_tree_find(view, at->destination_port, fw_port_key(packet->destination_port), 1);
	source = fw_tree_find(view, at->source_port, fw_port_key(packet->source_port), 1);
	if (at->features & FW_USES_PORT_ROW) {
		/* The low half is free: the compiler left it 0. */
		rows->network |= FW_ENTRY(FW_ENTRY_VALUE, source & has_ports) |
				 (at->portless_row & ~has_ports);
		source = view.zero;
	}
	rows->service = FW_ENTRY_VALUE_OF(
				fw_view32(view, at->service + 4 * (protocol + (source & has_ports) +
								   (destination & has_ports)))) *
			8;
}

static __always_inline struct fw_key fw_address_key(const __u32 word[4])
{
	return (struct fw_key){ (__u64)word[0] << 32 | word[1], (__u64)word[2] << 32 | word[3] };
}

static __always_inline void fw_rows_find(struct fw_view view, const struct fw_instance *at,
					 const struct fw_packet *packet, struct fw_rows *rows)
{
	rows->network = at->network_rows;
	rows->link = at->link_rows;
	rows->source = fw_tree_find(view, at->source, fw_address_key(packet->source), 8) * 8;
	rows->destination =
		fw_tree_find(view, at->destination, fw_address_key(packet->destination), 8) * 8;
	fw_service_rows(view, at, packet, rows);
	fw_small_rows(view, at, packet, rows);
}

/* Word `index` of all rows, ANDed; word 0 is the summary. Entries serve as they are: their kind is
 * 0, and what is above is the offset / 8. */
static __always_inline __u64 fw_rows_word(struct fw_view view, const struct fw_rows *rows,
					  __u32 index)
{
	__u32 skip = index * 8;

	return fw_view64(view, rows->source + skip) & fw_view64(view, rows->destination + skip) &
	       fw_view64(view, rows->service + skip) &
	       fw_view64(view, (__u32)rows->network + skip) &
	       fw_view64(view, (__u32)(rows->network >> 32) + skip) &
	       fw_view64(view, (__u32)rows->link + skip) &
	       fw_view64(view, (__u32)(rows->link >> 32) + skip);
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

/* A packet as groups compare it. */
struct fw_flow {
	__u64 addresses[4]; /* as in struct fw_group `masks` */
	__u64 service;	    /* source port, destination port, protocol: 16 bits each */
};

static __always_inline void fw_flow_init(struct fw_flow *flow, const struct fw_packet *packet,
					 const int wide)
{
	const __u32 *source = packet->source, *destination = packet->destination;

	flow->service = packet->source_port | (__u64)packet->destination_port << 16 |
			(__u64)packet->protocol << 32;
	if (!wide) {
		flow->addresses[0] = (__u64)source[0] << 32 | destination[0];
		return;
	}
	flow->addresses[0] = (__u64)source[0] << 32 | source[1];
	flow->addresses[1] = (__u64)source[2] << 32 | source[3];
	flow->addresses[2] = (__u64)destination[0] << 32 | destination[1];
	flow->addresses[3] = (__u64)destination[2] << 32 | destination[3];
}

static __always_inline void fw_flow_mask(struct fw_flow *masked, const struct fw_flow *flow,
					 const struct fw_group *group, const int wide)
{
	masked->service = flow->service & group->service_mask;
	masked->addresses[0] = flow->addresses[0] & group->masks[0];
	if (!wide)
		return;
	masked->addresses[1] = flow->addresses[1] & group->masks[1];
	masked->addresses[2] = flow->addresses[2] & group->masks[2];
	masked->addresses[3] = flow->addresses[3] & group->masks[3];
}

/* Products are independent of each other, and so run side by side. */
static __always_inline __u32 fw_flow_hash(const struct fw_flow *masked, __u64 seed, const int wide)
{
	__u64 hash = (masked->addresses[0] ^ seed) * 0x9e3779b97f4a7c15ULL +
		     (masked->service + seed) * 0xc2b2ae3d27d4eb4fULL;

	if (wide)
		hash += (masked->addresses[1] ^ seed) * 0xff51afd7ed558ccdULL +
			(masked->addresses[2] + seed) * 0xd6e8feb86659fd93ULL +
			(masked->addresses[3] ^ ~seed) * 0xc4ceb9fe1a85ec53ULL;
	hash ^= hash >> 32;
	hash *= 0x9e3779b97f4a7c15ULL;
	return hash >> 32;
}

/* The lower of `best` and the record of `meta`, if nothing differs and no port is outside. */
static __always_inline __u32 fw_better(__u32 best, __u64 differ, const __u16 ports[4], __u32 meta,
				       const struct fw_flow *flow, const struct fw_flow *masked)
{
	__s32 source = (__u16)flow->service, destination = (__u16)(flow->service >> 16);
	__s32 outside = (source - ports[0]) | (ports[1] - source) | (destination - ports[2]) |
			(ports[3] - destination);
	__u64 missed, record;

	differ |= (masked->service >> 32) ^ (meta >> FW_RECORD_BITS);
	missed = (differ | -differ) >> 63 | (__u32)outside >> 31;
	/* A record that missed is above all others. */
	record = (meta & FW_RECORD_NONE) | missed << FW_RECORD_BITS;
	return best ^ ((best ^ (__u32)record) & -(__u32)((record - best) >> 63));
}

/* The best record of one group, or `best`. */
static __always_inline __u32 fw_group_probe(struct fw_view view, const struct fw_group *group,
					    const struct fw_flow *flow, __u32 best, const int wide)
{
	struct fw_flow masked;
	__u32 bucket;

	fw_flow_mask(&masked, flow, group, wide);
	bucket = fw_flow_hash(&masked, group->seed, wide) & group->line_mask;
	if (wide) {
		__u32 number = group->line + 2 * bucket;
		const struct fw_bucket6 *six =
			(const void *)(view.base +
				       ((number << 6) & (view.mask & ~(2 * FW_LINE - 1U))));

#pragma GCC unroll 2
		for (int i = 0; i < FW_BUCKET6_RECORDS; i++)
			best = fw_better(best,
					 (six->addresses[i][0] ^ masked.addresses[0]) |
						 (six->addresses[i][1] ^ masked.addresses[1]) |
						 (six->addresses[i][2] ^ masked.addresses[2]) |
						 (six->addresses[i][3] ^ masked.addresses[3]),
					 six->ports[i], six->meta[i], flow, &masked);
	} else {
		const struct fw_bucket *four = fw_line(view, group->line + bucket);

#pragma GCC unroll 3
		for (int i = 0; i < FW_BUCKET_RECORDS; i++)
			best = fw_better(best, four->addresses[i] ^ masked.addresses[0],
					 four->ports[i], four->meta[i], flow, &masked);
	}
	return best;
}

/* Where the walk over candidates stands. */
struct fw_search {
	struct fw_view view;
	const struct fw_instance *at;
	struct fw_rows rows;
	struct fw_flow flow;
	__u64 summary;
	__u64 bits;
	__u32 word;
	__u32 best;
};

/* One round: takes the next word, or tries the next candidate. 1: the search is over. */
static __always_inline int fw_search_step(struct fw_search *search, const int wide)
{
	struct fw_view view = search->view;
	const struct fw_group *group;
	__u32 number;

	if (!search->bits) {
		if (!search->summary)
			return 1;
		search->word = fw_lowest_bit(view, search->summary);
		search->summary = (search->summary & (search->summary - 1)) + view.zero;
		search->bits = fw_rows_word(view, &search->rows, 1 + search->word);
		return 0;
	}
	number = search->word * 64 + fw_lowest_bit(view, search->bits);
	search->bits = (search->bits & (search->bits - 1)) + view.zero;
	group = fw_line(view, search->at->groups + number);
	if (group->best >= search->best)
		return 1;
	search->best = fw_group_probe(view, group, &search->flow, search->best, wide) + view.zero;
	return 0;
}

static __always_inline __u32 fw_best_match(struct fw_view view, const struct fw_instance *at,
					   const struct fw_rows *rows,
					   const struct fw_packet *packet, const int wide)
{
	struct fw_search search = { .view = view, .at = at, .rows = *rows };

	fw_flow_init(&search.flow, packet, wide);
	search.best = FW_RECORD_NONE + view.zero;
	search.word = view.zero;
	search.summary = fw_rows_word(view, rows, 0);
	if (!search.summary)
		return at->default_record;
	search.word = fw_lowest_bit(view, search.summary);
	search.summary = (search.summary & (search.summary - 1)) + view.zero;
	search.bits = fw_rows_word(view, rows, 1 + search.word);
	for (int i = 0; i < FW_SEARCH_ROUNDS; i++)
		if (fw_search_step(&search, wide))
			break;
	return search.best == FW_RECORD_NONE ? at->default_record : search.best;
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
	if (!at->groups)
		ret_result->record = fw_first_match(view, at, &rows);
	else if (at->wide)
		ret_result->record = fw_best_match(view, at, &rows, packet, 1);
	else
		ret_result->record = fw_best_match(view, at, &rows, packet, 0);
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
