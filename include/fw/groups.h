/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Groups of rules: one probe of a hash table finds a group's best record for a packet, comparing
 * all records of a bucket without a branch.
 */
#ifndef FW_GROUPS_H
#define FW_GROUPS_H

#include "fw/packet.h"
#include "fw/tree.h"

/* A packet as groups compare it. */
struct fw_probe {
	__u64 addresses[4]; /* as in struct fw_group `masks` */
	__u64 service;	    /* source port, destination port, protocol: 16 bits each */
};

static __always_inline void fw_probe_init(struct fw_probe *probe, const struct fw_packet *packet,
					  const int wide)
{
	const __u32 *source = packet->source, *destination = packet->destination;

	probe->service = packet->source_port | (__u64)packet->destination_port << 16 |
			 (__u64)packet->protocol << 32;
	if (!wide) {
		probe->addresses[0] = (__u64)source[0] << 32 | destination[0];
		return;
	}
	probe->addresses[0] = (__u64)source[0] << 32 | source[1];
	probe->addresses[1] = (__u64)source[2] << 32 | source[3];
	probe->addresses[2] = (__u64)destination[0] << 32 | destination[1];
	probe->addresses[3] = (__u64)destination[2] << 32 | destination[3];
}

static __always_inline void fw_probe_mask(struct fw_probe *masked, const struct fw_probe *probe,
					  const struct fw_group *group, const int wide)
{
	masked->service = probe->service & group->service_mask;
	masked->addresses[0] = probe->addresses[0] & group->masks[0];
	if (!wide)
		return;
	masked->addresses[1] = probe->addresses[1] & group->masks[1];
	masked->addresses[2] = probe->addresses[2] & group->masks[2];
	masked->addresses[3] = probe->addresses[3] & group->masks[3];
}

/* Products are independent of each other, and so run side by side. */
static __always_inline __u32 fw_probe_hash(const struct fw_probe *masked, __u64 seed,
					   const int wide)
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
				       __u64 service, const struct fw_probe *masked)
{
	__s32 source = (__u16)service, destination = (__u16)(service >> 16);
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
					    const struct fw_probe *probe, __u32 best,
					    const int wide)
{
	__u64 service = probe->service;
	struct fw_probe masked;
	__u32 bucket;

	/* Here and not before the loop around this: two numbers less on the stack. */
	asm volatile("" : "+r"(service));

	fw_probe_mask(&masked, probe, group, wide);
	bucket = fw_probe_hash(&masked, group->seed, wide) & group->line_mask;
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
					 six->ports[i], six->meta[i], service, &masked);
	} else {
		const struct fw_bucket *four = fw_line(view, group->line + bucket);

#pragma GCC unroll 3
		for (int i = 0; i < FW_BUCKET_RECORDS; i++)
			best = fw_better(best, four->addresses[i] ^ masked.addresses[0],
					 four->ports[i], four->meta[i], service, &masked);
	}
	return best;
}

#endif
