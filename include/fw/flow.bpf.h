/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flows in the programs: what a packet is to them (fw_ask_flow(), before the rules are asked), and
 * recording one (fw_keep_flow(), when a rule with `keep state` passed it). Called only where rules
 * use state. How packets change flows stands in fw/flow_track.h and fw/flow_tcp.h.
 *
 * The including program says by FW_CONTEXT what its context is, and by FW_LOAD_BYTES() how bytes
 * are copied out of it; neither hook's way moves packet data.
 */
#ifndef FW_FLOW_BPF_H
#define FW_FLOW_BPF_H

#include "fw/decide.bpf.h"

#include "fw/flow_track.h"

/* The transport header lies below this, or is not looked at: packet offsets have to be bounded. */
#define FW_TRANSPORT_MASK 0x3fff

/*
 * What would not fit on the stack, and what fw_ask_flow() found out, for fw_keep_flow(). One packet
 * at a time on a CPU, as with fw_pending.
 */
struct fw_flow_scratch {
	struct fw_flow_name name;
	struct fw_segment segment;
	__u64 ticked; /* when `now` was read, in nanoseconds that cost little */
	__u32 now;
	__u32 may_keep; /* the packet has a name, and no flow of this name stands in the way */
	__u32 is_over;	/* one of this name is over, and stands in a table still */
	struct fw_packet inner; /* that an ICMP error carries */
	__u8 bytes[FW_INNER_MAX];
	struct fw_flow_entry entry; /* a new one */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fw_flow_scratch);
} fw_flow_scratch SEC(".maps");

static __always_inline struct fw_flow_scratch *fw_flow_scratch_get(void)
{
	__u32 first = 0;

	return bpf_map_lookup_elem(&fw_flow_scratch, &first);
}

static __always_inline struct fw_flow_counts *fw_flow_counts_get(void)
{
	__u32 first = 0;

	return bpf_map_lookup_elem(&fw_flow_counts, &first);
}

/*
 * Seconds of CLOCK_BOOTTIME, which goes on while the machine sleeps. Reading it takes 45 ns here,
 * so each CPU does it once a second by the clock that is there for nothing: late by a second at
 * most, also after a sleep.
 */
static __always_inline __u32 fw_flow_now(struct fw_flow_scratch *scratch)
{
	__u64 ticked = bpf_ktime_get_coarse_ns();

	if (ticked - scratch->ticked >= FW_SECOND || !scratch->now) {
		scratch->ticked = ticked;
		scratch->now = (__u32)(bpf_ktime_get_boot_ns() / FW_SECOND);
	}
	return scratch->now;
}

static __always_inline int fw_flow_has_expired(__u32 expires, __u32 now)
{
	return (__s32)(expires - now) <= 0;
}

static __always_inline const struct fw_state_options *fw_flow_options(__u64 active)
{
	struct fw_view image = {};

	fw_find_image(active, &image);
	if (!image.base)
		return NULL;
	return (const struct fw_state_options *)(image.base +
						 (fw_image_header(image.base)->options &
						  image.mask & ~(FW_LINE - 1U)));
}

static __always_inline struct fw_flow_entry *fw_flow_find(__u32 table,
							  const struct fw_flow_key *key)
{
	void *flows = bpf_map_lookup_elem(&fw_flow_tables, &table);

	return flows ? bpf_map_lookup_elem(flows, key) : NULL;
}

static __always_inline void fw_flow_delete(__u32 table, const struct fw_flow_key *key)
{
	__u32 slot = table; /* else the verifier would not know what was on the stack */
	void *flows = bpf_map_lookup_elem(&fw_flow_tables, &slot);
	struct fw_flow_counts *counts = fw_flow_counts_get();

	if (flows && !bpf_map_delete_elem(flows, key) && counts)
		counts->deleted[table]++;
}

/* 0 also if it is there already: another CPU has recorded it just now. */
static __always_inline int fw_flow_insert(__u32 table, const struct fw_flow_key *key,
					  const struct fw_flow_entry *entry)
{
	__u32 slot = table; /* else the verifier would not know what was on the stack */
	void *flows = bpf_map_lookup_elem(&fw_flow_tables, &slot);
	struct fw_flow_counts *counts = fw_flow_counts_get();
	long error;

	if (!flows || !counts)
		return -1;
	error = bpf_map_update_elem(flows, key, entry, BPF_NOEXIST);
	if (!error)
		counts->inserted[table]++;
	else if (error != -17) /* EEXIST */
		counts->failed++;
	return error && error != -17;
}

/* --- Reading the packet -------------------------------------------------------------------- */

/*
 * A number from 1 to `most`, a power of two, as one. Two comparisons are folded into one by clang,
 * of which kernel 6.1 learns nothing ("R3 min value is outside of the allowed memory range").
 */
static __always_inline __u32 fw_flow_bounded(__u32 number, __u32 most)
{
	number--;
	asm volatile("" : "+r"(number));
	return (number & (most - 1)) + 1;
}

/*
 * The window scale of a SYN, whose options need not be linear. A function, which the verifier walks
 * once.
 */
static __noinline __u32 fw_flow_read_scale(struct FW_CONTEXT *ctx, __u32 offset, __u32 length)
{
	struct fw_flow_scratch *scratch = fw_flow_scratch_get();

	if (!scratch || FW_LOAD_BYTES(ctx, offset & FW_TRANSPORT_MASK, scratch->bytes,
				      fw_flow_bounded(length, 64)))
		return FW_NO_SCALE;
	/* What is known of it would make each turn of the loop a new one to the verifier of 6.1. */
	return fw_tcp_scale(scratch->bytes, fw_hide(length, scratch->bytes[0]));
}

/* The parser has seen the header; `at` is where it lies. */
static __always_inline void fw_flow_read_segment(const __u8 *at, const struct fw_packet *packet,
						 struct fw_segment *ret)
{
	__u32 headers = (__u32)(packet->transport - packet->network) + (at[12] >> 4) * 4U;
	__u32 payload = packet->length - headers;

	ret->is_fragment = packet->has & FW_IS_FIRST_FRAGMENT;
	ret->flags = packet->tcp_flags;
	ret->sequence = fw_load32(at + 4);
	ret->acknowledgement = fw_load32(at + 8);
	ret->window = fw_load16(at + 14);
	ret->scale = FW_NO_SCALE;
	ret->end = ret->sequence + payload + (ret->flags & FW_TCP_FIN) +
		   (ret->flags >> 1 & FW_TCP_SYN >> 1);
}

/*
 * The name of the packet's flow and, of TCP, its segment. False: it has no flow. Global functions,
 * this one and those below: the verifier walks each once, and not for all that comes before it.
 */
__noinline int fw_flow_read(struct FW_CONTEXT *ctx, const struct fw_packet *packet,
			    struct fw_flow_name *ret_name, struct fw_segment *ret_segment)
{
	const __u8 *at, *end = (const __u8 *)(long)ctx->data_end;
	__u16 id = 0;

	if (!packet || !ret_name || !ret_segment)
		return 0;
	at = (const __u8 *)(long)ctx->data + (packet->transport & FW_TRANSPORT_MASK);
	if (packet->protocol == FW_PROTOCOL_TCP) {
		__u32 options;

		if (at + FW_TCP_HEADER > end)
			return 0;
		fw_flow_read_segment(at, packet, ret_segment);
		options = (at[12] >> 4) * 4U - FW_TCP_HEADER;
		if (ret_segment->flags & FW_TCP_SYN && options)
			ret_segment->scale = (__u8)fw_flow_read_scale(
				ctx, packet->transport + FW_TCP_HEADER, options);
	} else if (packet->has & FW_HAS_ICMP) {
		if (at + FW_ICMP_HEADER > end)
			return 0;
		id = fw_load16(at + FW_ICMP_ID);
	}
	return fw_flow_name(packet, id, ret_name);
}

/* --- Fragments ----------------------------------------------------------------------------- */

static __always_inline void fw_fragment_name(const struct fw_packet *packet,
					     struct fw_fragment_key *ret)
{
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		ret->source[i] = packet->source[i];
		ret->destination[i] = packet->destination[i];
	}
	ret->id = packet->fragment_id;
	ret->family = packet->family;
	ret->protocol = packet->family == FW_INET ? packet->protocol : 0;
	ret->pad[0] = 0;
	ret->pad[1] = 0;
}

/* Later fragments of the packet are to the rules what the first one is. */
static __noinline int fw_fragment_note(const struct fw_packet *packet, __u32 state, __u32 now)
{
	const struct fw_fragment_entry entry = {
		.expires = now + FW_FLOW_FRAGMENT_LIFETIME,
		.state = state,
	};
	struct fw_fragment_key key;
	__u32 first = 0;
	void *fragments = bpf_map_lookup_elem(&fw_flow_fragments, &first);

	fw_fragment_name(packet, &key);
	return fragments ? (int)bpf_map_update_elem(fragments, &key, &entry, BPF_ANY) : 0;
}

/* What the first fragment was; new if it was not seen. */
static __noinline __u32 fw_fragment_state(const struct fw_packet *packet, __u32 now)
{
	const struct fw_fragment_entry *entry;
	struct fw_fragment_key key;
	__u32 first = 0;
	void *fragments = bpf_map_lookup_elem(&fw_flow_fragments, &first);

	fw_fragment_name(packet, &key);
	entry = fragments ? bpf_map_lookup_elem(fragments, &key) : NULL;
	if (!entry || fw_flow_has_expired(entry->expires, now))
		return FW_STATE_NEW;
	return entry->state;
}

/* --- Packets of flows ---------------------------------------------------------------------- */

/* A packet may cross both hooks: the one that sees a direction first counts it. */
static __always_inline void fw_flow_count(struct fw_flow_side *side, __u64 packets, __u64 bytes)
{
	if (!(side->flags & FW_SIDE_HOOKS))
		fw_side_add(side, FW_SIDE_HOOK << FW_HOOK);
	if (side->flags & FW_SIDE_HOOK << FW_HOOK) {
		side->packets += packets;
		side->bytes += bytes;
	}
}

/* An enum fw_fit. */
__noinline int fw_flow_fit(struct fw_flow_entry *entry, __u32 direction, __u32 protocol,
			   const struct fw_segment *segment)
{
	if (!entry || !segment)
		return FW_FIT_NONE;
	if (protocol != FW_PROTOCOL_TCP)
		return FW_FIT_YES;
	return fw_tcp_meet(&entry->sides[direction & 1], &entry->sides[~direction & 1], segment);
}

__noinline int fw_flow_take(struct fw_flow_entry *entry, __u32 direction, __u32 protocol,
			    const struct fw_segment *segment)
{
	struct fw_flow_side *sender;

	if (!entry || !segment)
		return 0;
	sender = &entry->sides[direction & 1];
	if (protocol == FW_PROTOCOL_TCP)
		fw_tcp_take(sender, &entry->sides[~direction & 1], segment);
	else
		fw_side_add(sender, FW_SIDE_SEEN);
	return 0;
}

static __always_inline void fw_flow_prolong(struct fw_flow_entry *entry, __u8 protocol, __u32 now,
					    const struct fw_state_options *options)
{
	enum fw_timeout kind = fw_flow_timeout(protocol, fw_flow_state(entry, protocol));
	__u32 expires = now + options->timeouts[kind];

	if (entry->expires != expires)
		entry->expires = expires;
}

__noinline int fw_side_follow(struct fw_flow_side *side, const struct fw_flow_side *seen)
{
	if (side && seen)
		fw_side_catch_up(side, seen);
	return 0;
}

/*
 * Into the table that no flood reaches. If it cannot be, it stays where it is. A packet of another
 * CPU that found it where it was may write there still: before FW_SIDE_MOVED could be seen, and
 * then it is caught up with here, or behind that (fw_flow_advance()).
 */
static __always_inline void fw_flow_assure(const struct fw_flow_key *key)
{
	/* Kernel 6.1 takes no pointer for a value to put in that came as an argument. */
	struct fw_flow_entry *entry = fw_flow_find(FW_FLOWS_HALF_OPEN, key), *moved;

	if (!entry)
		return;
	fw_side_add(&entry->sides[FW_FLOW_ORIGINATOR], FW_SIDE_MOVED);
	if (fw_flow_insert(FW_FLOWS_ASSURED, key, entry))
		return;
	moved = fw_flow_find(FW_FLOWS_ASSURED, key);
	if (moved) {
		fw_side_follow(&moved->sides[0], &entry->sides[0]);
		fw_side_follow(&moved->sides[1], &entry->sides[1]);
	}
	fw_flow_delete(FW_FLOWS_HALF_OPEN, key);
}

/* Behind a packet that a half-open flow has taken in: where the flow stands from now on. */
__noinline int fw_flow_advance(struct fw_flow_entry *entry, __u32 direction)
{
	struct fw_flow_scratch *scratch = fw_flow_scratch_get();
	const struct fw_flow_key *key;
	struct fw_flow_entry *moved;

	if (!entry || !scratch)
		return 0;
	key = &scratch->name.key;
	if (entry->sides[FW_FLOW_ORIGINATOR].flags & FW_SIDE_MOVED) {
		moved = fw_flow_find(FW_FLOWS_ASSURED, key);
		if (moved)
			return fw_flow_take(moved, direction, key->protocol, &scratch->segment);
	}
	if ((direction & 1) == FW_FLOW_ORIGINATOR && fw_flow_is_assured(entry, key->protocol))
		fw_flow_assure(key);
	return 0;
}

/* The packet fits the flow, which takes it in. */
static __always_inline void fw_flow_join(struct fw_flow_entry *entry,
					 const struct fw_flow_scratch *scratch,
					 const struct fw_state_options *options, __u32 now)
{
	__u8 protocol = scratch->name.key.protocol;

	fw_flow_take(entry, scratch->name.is_upper ^ entry->from_upper, protocol,
		     &scratch->segment);
	fw_flow_prolong(entry, protocol, now, options);
}

/* What the packet is to the flow of its name. */
static __always_inline __u8 fw_flow_meet(struct fw_flow_scratch *scratch,
					 const struct fw_state_options *options, __u64 packets,
					 __u64 bytes)
{
	const struct fw_flow_key *key = &scratch->name.key;
	__u32 table = FW_FLOWS_ASSURED, direction, now;
	struct fw_flow_entry *entry = fw_flow_find(FW_FLOWS_ASSURED, key);
	int fit = FW_FIT_REOPEN;

	if (!entry) {
		entry = fw_flow_find(FW_FLOWS_HALF_OPEN, key);
		table = FW_FLOWS_HALF_OPEN;
	}
	if (!entry)
		return FW_STATE_NEW;
	now = fw_flow_now(scratch);
	direction = scratch->name.is_upper ^ entry->from_upper;
	if (!fw_flow_has_expired(entry->expires, now))
		fit = fw_flow_fit(entry, direction, key->protocol, &scratch->segment);
	if (fit == FW_FIT_REOPEN) {
		scratch->is_over = 1;
		return FW_STATE_NEW;
	}
	scratch->may_keep = 0;
	if (fit == FW_FIT_NONE) {
		struct fw_flow_counts *counts = fw_flow_counts_get();

		if (counts)
			counts->refused++;
		return FW_STATE_NEW;
	}
	fw_flow_count(&entry->sides[direction & 1], packets, bytes);
	if (fit == FW_FIT_STALE)
		return FW_STATE_ESTABLISHED;
	fw_flow_join(entry, scratch, options, now);
	if (table == FW_FLOWS_HALF_OPEN)
		fw_flow_advance(entry, direction);
	return FW_STATE_ESTABLISHED;
}

/*
 * What the packet is to the recorded flows: packet->state. Called before fw_decide() and not by it:
 * each has the stack for itself then.
 */
__noinline int fw_ask_flow(struct FW_CONTEXT *ctx, struct fw_packet *packet, __u64 active,
			   __u64 packets, __u64 bytes)
{
	struct fw_flow_scratch *scratch = fw_flow_scratch_get();
	const struct fw_state_options *options;
	__u8 state;

	if (!packet || !scratch)
		return 0;
	packet->state = FW_STATE_NEW;
	scratch->may_keep = 0;
	if (packet->has & FW_IS_FRAGMENT) {
		packet->state = (__u8)fw_fragment_state(packet, fw_flow_now(scratch));
		return 0;
	}
	options = fw_flow_options(active);
	if (!options || !fw_flow_read(ctx, packet, &scratch->name, &scratch->segment))
		return 0;
	scratch->may_keep = 1;
	scratch->is_over = 0;
	state = fw_flow_meet(scratch, options, packets, bytes);
	packet->state = state;
	if (packet->has & FW_IS_FIRST_FRAGMENT && state == FW_STATE_ESTABLISHED)
		fw_fragment_note(packet, state, fw_flow_now(scratch));
	return 0;
}

/* --- Recording ----------------------------------------------------------------------------- */

/* May a flow begin with this packet? */
static __always_inline int fw_flow_may_open(const struct fw_flow_name *name,
					    const struct fw_segment *segment,
					    const struct fw_state_options *options)
{
	if (name->may_open)
		return 1;
	return options->flags & FW_OPTION_PICKUP && name->key.protocol == FW_PROTOCOL_TCP &&
	       fw_tcp_flags_are_sane(segment->flags) &&
	       (segment->flags & (FW_TCP_SYN | FW_TCP_RST)) == 0;
}

static __always_inline void fw_flow_begin(struct fw_flow_entry *entry,
					  const struct fw_packet *packet,
					  const struct fw_flow_name *name,
					  const struct fw_segment *segment)
{
	struct fw_flow_side *originator = &entry->sides[FW_FLOW_ORIGINATOR];

	__builtin_memset(entry, 0, sizeof(*entry));
	entry->interface = packet->interface;
	entry->hook = FW_HOOK;
	entry->from_upper = name->is_upper;
	if (!name->may_open)
		originator->flags = FW_SIDE_LOOSE;
	fw_flow_take(entry, FW_FLOW_ORIGINATOR, name->key.protocol, segment);
}

/*
 * Records the flow of a packet that a rule with `keep state` passes. fw_ask_flow() has seen the
 * packet, as it is called wherever rules keep state.
 */
__noinline int fw_keep_flow(const struct fw_packet *packet, __u64 active, __u64 packets,
			    __u64 bytes)
{
	struct fw_flow_scratch *scratch = fw_flow_scratch_get();
	const struct fw_state_options *options;
	const struct fw_pending *pending;
	__u32 first = 0, now;

	if (!packet || !scratch || !scratch->may_keep)
		return 0;
	options = fw_flow_options(active);
	pending = bpf_map_lookup_elem(&fw_pending, &first);
	if (!options || !pending || !fw_flow_may_open(&scratch->name, &scratch->segment, options))
		return 0;
	if (scratch->is_over) {
		fw_flow_delete(FW_FLOWS_ASSURED, &scratch->name.key);
		fw_flow_delete(FW_FLOWS_HALF_OPEN, &scratch->name.key);
	}
	now = fw_flow_now(scratch);
	fw_flow_begin(&scratch->entry, packet, &scratch->name, &scratch->segment);
	fw_flow_count(&scratch->entry.sides[FW_FLOW_ORIGINATOR], packets, bytes);
	fw_flow_prolong(&scratch->entry, scratch->name.key.protocol, now, options);
	scratch->entry.created = now;
	scratch->entry.rule = pending->counter;
	scratch->entry.generation = FW_ACTIVE_GENERATION(active);
	if (!fw_flow_insert(FW_FLOWS_HALF_OPEN, &scratch->name.key, &scratch->entry) &&
	    packet->has & FW_IS_FIRST_FRAGMENT)
		fw_fragment_note(packet, FW_STATE_ESTABLISHED, now);
	return 0;
}

#endif
