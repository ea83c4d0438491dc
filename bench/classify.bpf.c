// SPDX-License-Identifier: GPL-2.0-only
/*
 * What `fwbench classify` times: the classifier alone over an array of headers, the same loop with
 * nothing in it, and a whole program on one frame with and without the classifier.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "fw/classify.h"
#include "header.h"
#include "fw/parse.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, 1 << 20); /* set before the load */
} image SEC(".maps");

struct bench_headers {
	struct bench_header items[BENCH_HEADERS];
	__u32 records[BENCH_HEADERS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct bench_headers);
} headers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fw_counter);
} counters SEC(".maps");

const volatile __u32 image_mask;

struct walk {
	const __u8 *base;
	struct bench_headers *headers;
	__u32 sum;
};

static __always_inline void header_packet(const struct bench_header *header,
					  struct fw_packet *packet)
{
	__builtin_memset(packet, 0, sizeof(*packet));
	__builtin_memcpy(packet->source, header->source, sizeof(packet->source));
	__builtin_memcpy(packet->destination, header->destination, sizeof(packet->destination));
	packet->source_port = header->source_port;
	packet->destination_port = header->destination_port;
	packet->protocol = header->protocol;
	packet->family = header->family;
	packet->has = header->has;
	packet->vlan = FW_NO_VLAN;
}

static long one_header(__u32 number, void *context)
{
	struct walk *walk = context;
	struct bench_header *header = &walk->headers->items[number & (BENCH_HEADERS - 1)];
	struct fw_match_result result;
	struct fw_packet packet;

	header_packet(header, &packet);
	if (fw_classify(walk->base, image_mask, FW_INGRESS, &packet, &result))
		return 1;
	walk->headers->records[number & (BENCH_HEADERS - 1)] = result.record;
	return 0;
}

/* Reads and writes what the other does. */
static long no_header(__u32 number, void *context)
{
	struct walk *walk = context;
	struct bench_header *header = &walk->headers->items[number & (BENCH_HEADERS - 1)];
	struct fw_packet packet;

	header_packet(header, &packet);
	walk->headers->records[number & (BENCH_HEADERS - 1)] =
		packet.source[0] + packet.destination[0] + packet.source[3] +
		packet.destination[3] + packet.source_port + packet.destination_port +
		packet.protocol + packet.family + packet.has;
	return 0;
}

static __always_inline int walk_begin(struct walk *walk)
{
	__u32 first = 0;

	walk->base = bpf_map_lookup_elem(&image, &first);
	walk->headers = bpf_map_lookup_elem(&headers, &first);
	return walk->base && walk->headers;
}

SEC("xdp")
int bench_headers(struct xdp_md *ctx)
{
	struct walk walk = {};

	(void)ctx;
	if (!walk_begin(&walk))
		return XDP_ABORTED;
	return bpf_loop(BENCH_HEADERS, one_header, &walk, 0) == BENCH_HEADERS ? XDP_DROP
									      : XDP_ABORTED;
}

SEC("xdp")
int bench_nothing(struct xdp_md *ctx)
{
	struct walk walk = {};

	(void)ctx;
	if (!walk_begin(&walk))
		return XDP_ABORTED;
	bpf_loop(BENCH_HEADERS, no_header, &walk, 0);
	return XDP_DROP;
}

static __always_inline int count(__u32 bytes)
{
	__u32 first = 0;
	struct fw_counter *counter = bpf_map_lookup_elem(&counters, &first);

	if (!counter)
		return XDP_ABORTED;
	counter->packets++;
	counter->bytes += bytes;
	return XDP_DROP;
}

static __always_inline int parse(struct xdp_md *ctx, struct fw_packet *packet)
{
	struct fw_frame frame = {
		.data = (const void *)(long)ctx->data,
		.data_end = (const void *)(long)ctx->data_end,
		.length = (__u32)(ctx->data_end - ctx->data),
		.interface = ctx->ingress_ifindex,
		.stripped_vlan = FW_NO_VLAN,
	};

	return fw_parse(&frame, packet);
}

__noinline int classify(const struct fw_packet *packet)
{
	struct fw_match_result result;
	__u32 first = 0;
	const __u8 *base = bpf_map_lookup_elem(&image, &first);

	if (!base || !packet)
		return -1;
	if (fw_classify(base, image_mask, FW_INGRESS, packet, &result))
		return -1;
	return result.record & 0xffffff;
}

SEC("xdp")
int bench_hot(struct xdp_md *ctx)
{
	struct fw_packet packet;

	if (parse(ctx, &packet) || classify(&packet) < 0)
		return XDP_ABORTED;
	return count(packet.length);
}

SEC("xdp")
int bench_floor(struct xdp_md *ctx)
{
	struct fw_packet packet;

	if (parse(ctx, &packet))
		return XDP_ABORTED;
	return count(packet.length);
}

char _license[] SEC("license") = "GPL";
