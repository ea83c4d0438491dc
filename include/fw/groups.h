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
	__u64 service;	    /* source port; above 32 bits destination port, above 48 protocol */
};

/* `wide`: 0 for IPv4, whose addresses share a word, else 1. */
static __always_inline void fw_probe_init(struct fw_probe *probe, const struct fw_packet *packet,
					  __u32 wide)
{
	const __u32 *source = packet->source, *destination = packet->destination;

	probe->service = packet->source_port | (__u64)packet->destination_port << 32 |
			 (__u64)packet->protocol << 48;
	probe->addresses[0] = (__u64)source[0] << 32 | source[1] | (destination[0] & (wide - 1));
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

/*
 * Products are independent of each other, and so run side by side. Their upper bits depend on all
 * bits of the key: `shift` leaves as many as number the buckets.
 */
static __always_inline __u32 fw_probe_hash(const struct fw_probe *masked, __u64 seed, __u32 shift,
					   const int wide)
{
	__u64 hash = (masked->addresses[0] ^ seed) * 0x9e3779b97f4a7c15ULL +
		     (masked->service + seed) * 0xc2b2ae3d27d4eb4fULL;

	if (wide)
		hash += (masked->addresses[1] ^ seed) * 0xff51afd7ed558ccdULL +
			(masked->addresses[2] + seed) * 0xd6e8feb86659fd93ULL +
			(masked->addresses[3] ^ ~seed) * 0xc4ceb9fe1a85ec53ULL;
	return (hash >> 1) >> (shift & 63);
}

/* The lowest and the highest source port, then destination port, as buckets have them. */
static __always_inline __u64 fw_ports_pack(const __u16 ports[4])
{
	return ports[0] | (__u64)ports[1] << 16 | (__u64)ports[2] << 32 | (__u64)ports[3] << 48;
}

#define FW_PORT_LANES  0x0000ffff0000ffffULL
#define FW_PORT_GUARDS (1ULL << 16 | 1ULL << 48)

/*
 * The lower of `best` and the record of `meta`, if nothing differs and no port is outside: a guard
 * bit above each port stays where a difference is not negative. The barriers keep it arithmetic:
 * clang's branches are taken at random, and the verifier walks both ways.
 */
static __always_inline __u32 fw_better(__u32 best, __u64 differ, __u64 ports, __u32 meta,
				       const struct fw_probe *masked, __u64 service)
{
	__u64 lanes = service & FW_PORT_LANES;
	__u64 inside = ((lanes | FW_PORT_GUARDS) - (ports & FW_PORT_LANES)) &
		       (((ports >> 16 & FW_PORT_LANES) | FW_PORT_GUARDS) - lanes);
	__s64 below;

	differ |= (masked->service >> 48) ^ (meta >> FW_RECORD_BITS);
	differ |= ~inside & FW_PORT_GUARDS;
	/* A record that missed is above all others. */
	below = (__s64)(meta & FW_RECORD_NONE) - best +
		((differ | -differ) >> 63 << FW_RECORD_BITS);
	asm volatile("" : "+r"(below));
	return best + (__u32)(below & below >> 63);
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
	bucket = fw_probe_hash(&masked, group->seed, group->shift, wide);
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
					 six->ports[i], six->meta[i], &masked, service);
	} else {
		const struct fw_bucket *four = fw_line(view, group->line + bucket);

#pragma GCC unroll 3
		for (int i = 0; i < FW_BUCKET_RECORDS; i++)
			best = fw_better(best, four->addresses[i] ^ masked.addresses[0],
					 four->ports[i], four->meta[i], &masked, service);
	}
	return best;
}

#endif
