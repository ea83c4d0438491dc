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

/* What a record is compared with, and the bucket it is in. */
struct fw_group_key {
	__u64 addresses; /* inet: masked; inet6: 32 bits folded from each */
	__u64 service;
	__u32 bucket;
};

/*
 * Products are independent of each other, and so run side by side. Their upper bits depend on all
 * bits of the key: `shift` leaves as many as number the buckets.
 */
static __always_inline __u64 fw_service_hash(__u64 service, __u64 seed)
{
	return (service + seed) * 0xc2b2ae3d27d4eb4fULL;
}

static __always_inline __u32 fw_group_bucket(const struct fw_group *group, __u64 hash)
{
	return (hash >> 1) >> (group->shift & 63);
}

static __always_inline void fw_group_key(const struct fw_group *group, const struct fw_probe *probe,
					 struct fw_group_key *key)
{
	__u64 seed = group->seed;

	key->service = probe->service & group->service_mask;
	key->addresses = probe->addresses[0] & group->masks[0];
	key->bucket = fw_group_bucket(group, (key->addresses ^ seed) * 0x9e3779b97f4a7c15ULL +
						     fw_service_hash(key->service, seed));
}

/*
 * The rows have told that each address, masked, is one of those that the group's records have. The
 * compiler has seen to it that no two of these are folded into the same 32 bits, so that what is
 * folded equals if and only if the address does, and a record takes no more room than with IPv4.
 */
static __always_inline void fw_group_key6(const struct fw_group *group,
					  const struct fw_probe *probe, struct fw_group_key *key)
{
	__u64 seed = group->seed;
	__u64 source = ((probe->addresses[0] & group->masks[0]) ^ seed) * 0x9e3779b97f4a7c15ULL +
		       ((probe->addresses[1] & group->masks[1]) ^ ~seed) * 0xff51afd7ed558ccdULL;
	__u64 destination =
		((probe->addresses[2] & group->masks[2]) ^ seed) * 0xd6e8feb86659fd93ULL +
		((probe->addresses[3] & group->masks[3]) ^ ~seed) * 0xc4ceb9fe1a85ec53ULL;

	key->service = probe->service & group->service_mask;
	key->addresses = (source >> 32 << 32) | destination >> 32;
	key->bucket =
		fw_group_bucket(group, source + destination + fw_service_hash(key->service, seed));
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
				       const struct fw_group_key *key, __u64 service)
{
	__u64 lanes = service & FW_PORT_LANES;
	__u64 inside = ((lanes | FW_PORT_GUARDS) - (ports & FW_PORT_LANES)) &
		       (((ports >> 16 & FW_PORT_LANES) | FW_PORT_GUARDS) - lanes);
	__s64 below;

	differ |= (key->service >> 48) ^ (meta >> FW_RECORD_BITS);
	differ |= ~inside & FW_PORT_GUARDS;
	/* A record that missed is above all others. */
	below = (__s64)(meta & FW_RECORD_NONE) - best +
		((differ | -differ) >> 63 << FW_RECORD_BITS);
	asm volatile("" : "+r"(below));
	return best + (__u32)(below & below >> 63);
}

/* The best record of one group, or `best`. `wide`: 0 for IPv4. */
static __always_inline __u32 fw_group_probe(struct fw_view view, const struct fw_group *group,
					    const struct fw_probe *probe, __u32 best, __u32 wide)
{
	__u64 service = probe->service;
	const struct fw_bucket *bucket;
	struct fw_group_key key;

	/* Here and not before the loop around this: two numbers less on the stack. */
	asm volatile("" : "+r"(service));

	if (wide)
		fw_group_key6(group, probe, &key);
	else
		fw_group_key(group, probe, &key);
	bucket = fw_line(view, group->line + key.bucket);
#pragma GCC unroll 3
	for (int i = 0; i < FW_BUCKET_RECORDS; i++)
		best = fw_better(best, bucket->addresses[i] ^ key.addresses, bucket->ports[i],
				 bucket->meta[i], &key, service);
	return best;
}

#endif
