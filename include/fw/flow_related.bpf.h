/* SPDX-License-Identifier: GPL-2.0-only */
/* ICMP errors in the programs: is one about a packet of a recorded flow? */
#ifndef FW_FLOW_RELATED_BPF_H
#define FW_FLOW_RELATED_BPF_H

#include "fw/flow.bpf.h"

/* The first bytes of the packet that the error carries. Their number; 0: none could be had. */
static __always_inline __u32 fw_related_load(struct FW_CONTEXT *ctx, const struct fw_packet *packet,
					     struct fw_flow_scratch *scratch)
{
	__u32 offset = (packet->transport + FW_ICMP_HEADER) & FW_TRANSPORT_MASK;
	__u32 length = packet->network + packet->length - offset;

	if (length > FW_INNER_MAX)
		length = FW_INNER_MAX;
	if (length < FW_IPV4_HEADER + 8)
		return 0;
	length = fw_flow_bounded(length, FW_INNER_MAX);
	return FW_LOAD_BYTES(ctx, offset, scratch->bytes, length) ? 0 : length;
}

/* An ICMP error is related if it is about a packet that a recorded flow has sent. */
__noinline int fw_ask_related(struct FW_CONTEXT *ctx, struct fw_packet *packet)
{
	struct fw_flow_scratch *scratch = fw_flow_scratch_get();
	struct fw_flow_counts *counts = fw_flow_counts_get();
	struct fw_flow_entry *entry;
	struct fw_flow_name name;
	__u32 length, sequence = 0, direction;
	__u16 id = 0;

	if (!packet || !scratch || !counts)
		return 0;
	packet->state = FW_STATE_NEW;
	scratch->may_keep = 0;
	length = fw_related_load(ctx, packet, scratch);
	if (!length)
		return 0;
	__builtin_memset(&scratch->inner, 0, sizeof(scratch->inner));
	scratch->inner.family = packet->family;
	if (!fw_inner_parse(scratch->bytes, length, &scratch->inner, &id, &sequence))
		return 0;
	/* It goes to who sent the packet. */
	if (fw_address_is_above(scratch->inner.source, packet->destination) >= 0 ||
	    !fw_flow_name(&scratch->inner, id, &name))
		return 0;
	entry = fw_flow_find(FW_FLOWS_ASSURED, &name.key);
	if (!entry)
		entry = fw_flow_find(FW_FLOWS_HALF_OPEN, &name.key);
	if (!entry || fw_flow_has_expired(entry->expires, fw_flow_now(scratch)))
		return 0;
	direction = name.is_upper ^ entry->from_upper;
	if (!fw_inner_fits(&entry->sides[direction & 1], &entry->sides[~direction & 1],
			   name.key.protocol, sequence))
		return 0;
	packet->state = FW_STATE_RELATED;
	counts->related++;
	if (packet->has & FW_IS_FIRST_FRAGMENT)
		fw_fragment_note(packet, FW_STATE_RELATED, fw_flow_now(scratch));
	return 0;
}

#endif
