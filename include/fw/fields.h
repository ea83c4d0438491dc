/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the fields of a packet to its rows: the bits of the terms (or groups) that accept each
 * field's value. Fields that few rules ask for are folded into classes first.
 */
#ifndef FW_FIELDS_H
#define FW_FIELDS_H

#include "fw/packet.h"
#include "fw/tree.h"

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
	__u32 more; /* not 0: not all of network and link are the full row */
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
		FW_ENTRY_VALUE_OF(fw_tree_find(folds.view, folds.at->steps[field].table,
					       (struct fw_key){ key, 0 }, chunks)));
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

/* A packet in no set has the rows that it needs already. */
static __always_inline void fw_take_sets_row(const struct fw_instance *at,
					     const struct fw_packet *packet, struct fw_rows *rows)
{
	__u64 row = packet->sets_row;

	rows->more |= (__u32)row;
	rows->link ^= row;
	row |= -row;
	/* Arithmetic: as a branch it takes 16 bytes more of the stack. */
	asm volatile("" : "+r"(row));
	rows->service += at->service_plain & -(__u32)(row >> 63);
}

/* The rows of the small fields. */
static __always_inline void fw_small_rows(struct fw_view view, const struct fw_instance *at,
					  const struct fw_packet *packet, struct fw_rows *rows)
{
	struct fw_folds folds = { view, at, &rows->network };

	if (at->features & FW_USES_NETWORK)
		fw_fold_network(folds, packet);
	folds.running = &rows->link;
	if (at->features & FW_USES_SETS)
		fw_take_sets_row(at, packet, rows);
	if (at->features & FW_USES_LINK)
		fw_fold_link(folds, packet);
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

	rows->service = at->service_row;
	if (!(at->features & FW_USES_SERVICE))
		return;
	protocol = fw_view32(view, at->protocols + 4 * (__u32)packet->protocol);
	destination =
		fw_tree_find(view, at->destination_port, fw_port_key(packet->destination_port), 1);
	source = fw_tree_find(view, at->source_port, fw_port_key(packet->source_port), 1);
	if (at->features & FW_USES_PORT_ROW) {
		/* The low half is free: the compiler left it 0. */
		rows->network |= (source & has_ports) | (at->portless_row & ~has_ports);
		source = view.zero;
	}
	/* Summands are entries: multiples of 8, of which a cell has 4 bytes. */
	rows->service = fw_view32(
		view,
		at->service + ((protocol + (source & has_ports) + (destination & has_ports)) >> 1));
}

static __always_inline struct fw_key fw_address_key(const __u32 word[4])
{
	return (struct fw_key){ (__u64)word[0] << 32 | word[1], (__u64)word[2] << 32 | word[3] };
}

/*
 * The row of an address. What all keys of an IPv6 tree begin with is compared beside the search,
 * which begins behind it.
 */
static __always_inline __u32 fw_address_row(struct fw_view view, const struct fw_instance *at,
					    const __u32 word[4], const int side)
{
	const struct fw_tree_prefix *prefix = &at->prefixes[side];
	__u32 root = side ? at->destination : at->source, bits, missed;
	__u64 differ;
	struct fw_key key;

	if (at->tables & (1U << side))
		return fw_tables_find(view, root, word[0]);
	key = fw_address_key(word);
	if (!at->wide)
		return fw_tree_find(view, root, key, 2);
	differ = (key.high ^ prefix->key) & prefix->mask;
	bits = prefix->bits & 63;
	key.high = key.high << bits | (key.low >> 1) >> (63 - bits);
	key.low = (key.low << bits) + view.zero;
	root = fw_tree_find(view, root, key, 8);
	missed = -(__u32)((differ | -differ) >> 63);
	asm volatile("" : "+r"(missed));
	return (root & ~missed) | (prefix->miss & missed);
}

static __always_inline void fw_rows_find(struct fw_view view, const struct fw_instance *at,
					 const struct fw_packet *packet, struct fw_rows *rows)
{
	rows->network = at->network_rows;
	rows->link = at->link_rows;
	rows->more = at->features & (FW_USES_MORE & ~FW_USES_SETS);
	rows->source = fw_address_row(view, at, packet->source, 0);
	rows->destination = fw_address_row(view, at, packet->destination, 1);
	fw_service_rows(view, at, packet, rows);
	fw_small_rows(view, at, packet, rows);
}

#endif
