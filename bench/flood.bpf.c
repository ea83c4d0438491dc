// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sender of `fwbench flood`: writes the next packet of its table into the frame and hands it to
 * one end of a veth pair.
 */
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "flood.h"

struct flood_frame {
	__u8 ethernet[14];
	__u8 before_checksum[10];
	__u16 checksum;
	__u16 source[2];
	__u8 destination[4];
	__u16 source_port;
	__u16 destination_port;
	__u8 rest[26];
} __attribute__((packed));

_Static_assert(sizeof(struct flood_frame) == FLOOD_FRAME, "as fwbench makes it");

struct flood_senders {
	struct flood_sender items[FLOOD_SENDERS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct flood_senders);
} senders SEC(".maps");

const volatile __u32 header_sum; /* of the IPv4 header without its source */
volatile __u32 link;

static __u32 turn;

SEC("xdp")
int flood_send(struct xdp_md *ctx)
{
	struct flood_frame *frame = (void *)(long)ctx->data;
	__u32 first = 0, sum = header_sum;
	const struct flood_senders *table = bpf_map_lookup_elem(&senders, &first);
	const struct flood_sender *sender;

	if (!table || (void *)(frame + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	sender = &table->items[turn++ & (FLOOD_SENDERS - 1)];
	sum += (sender->address >> 16) + (sender->address & 0xffff);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	/* The frame comes back from receivers that forward it. */
	frame->before_checksum[8] = 64;
	frame->checksum = bpf_htons((__u16)~sum);
	frame->source[0] = bpf_htons((__u16)(sender->address >> 16));
	frame->source[1] = bpf_htons((__u16)sender->address);
	frame->destination_port = bpf_htons((__u16)sender->port);
	return (int)bpf_redirect(link, 0);
}

char _license[] SEC("license") = "GPL";
