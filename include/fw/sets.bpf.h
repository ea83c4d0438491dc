/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which live sets hold an address. Asked only where a rule names a live set, and looked up only in
 * sets that hold something of the packet's family. The clock is read only for an element that can
 * expire.
 *
 * Global functions, so that the verifier walks each once and not for every way that leads to it.
 */
#ifndef FW_SETS_BPF_H
#define FW_SETS_BPF_H

#include "fw/maps.bpf.h"

#include "fw/packet.h"
#include "fw/sets.h"

#define FW_SECOND 1000000000ULL

/* Both sides of a packet are asked alike. */
enum fw_side {
	FW_SOURCE,
	FW_DESTINATION,
};

static __always_inline const __u32 *fw_side_address(const struct fw_packet *packet, __u32 side)
{
	return side == FW_SOURCE ? packet->source : packet->destination;
}

static __always_inline int fw_element_holds(const struct fw_element *element)
{
	return !element->expires || bpf_ktime_get_boot_ns() < element->expires * FW_SECOND;
}

/* A hit, if the element holds: counted if the set wants that. */
static __always_inline int fw_element_hit(struct fw_element *element, int counts, __u64 packets,
					  __u64 bytes)
{
	if (!fw_element_holds(element))
		return 0;
	if (counts) {
		__sync_fetch_and_add(&element->packets, packets);
		__sync_fetch_and_add(&element->bytes, bytes);
	}
	return 1;
}

#define FW_HOST_ADDRESS4(to, from) ((to) = (from)[0])
#define FW_HOST_ADDRESS6(to, from) __builtin_memcpy(to, from, 4 * sizeof(__u32))
#define FW_NET_ADDRESS4(to, from)  ((to) = FW_SWAP32((from)[0]))
#define FW_NET_ADDRESS6(to, from)               \
	do {                                    \
		(to)[0] = FW_SWAP32((from)[0]); \
		(to)[1] = FW_SWAP32((from)[1]); \
		(to)[2] = FW_SWAP32((from)[2]); \
		(to)[3] = FW_SWAP32((from)[3]); \
	} while (0)

/* Is the address of the packet's side a host of the set? 1 if so. */
#define FW_IN_HOSTS(name, outer, family, key_type, key_set)                                        \
	static __always_inline int name(struct fw_sets *sets, const __u32 *address, __u32 slot,    \
					__u64 packets, __u64 bytes)                                \
	{                                                                                          \
		struct fw_element *element_;                                                       \
		key_type key_ = {};                                                                \
		void *inner_;                                                                      \
                                                                                                   \
		if (!(sets->occupied[FW_SET_HOSTS][family] >> (slot & 63) & 1))                    \
			return 0;                                                                  \
		key_set(key_.address, address);                                                    \
		inner_ = bpf_map_lookup_elem(&(outer), &slot);                                     \
		element_ = inner_ ? bpf_map_lookup_elem(inner_, &key_) : 0;                        \
		return element_ &&                                                                 \
		       fw_element_hit(element_, sets->counted >> (slot & 63) & 1, packets, bytes); \
	}

FW_IN_HOSTS(fw_in_hosts4, fw_hosts_4, FW_INET - 1, struct fw_host_key4, FW_HOST_ADDRESS4)
FW_IN_HOSTS(fw_in_hosts6, fw_hosts_6, FW_INET6 - 1, struct fw_host_key6, FW_HOST_ADDRESS6)

/* Is it in a network of the set? The longest is asked first; what has expired hides nothing. */
#define FW_IN_NETS(name, outer, family, key_type, bits, key_set)                                \
	static __always_inline int name(struct fw_sets *sets, const __u32 *address, __u32 slot, \
					__u64 packets, __u64 bytes)                             \
	{                                                                                       \
		int counts_ = sets->counted >> (slot & 63) & 1;                                 \
		key_type key_ = { .length = (bits) };                                           \
		void *inner_;                                                                   \
                                                                                                \
		if (!(sets->occupied[FW_SET_NETS][family] >> (slot & 63) & 1))                  \
			return 0;                                                               \
		key_set(key_.address, address);                                                 \
		inner_ = bpf_map_lookup_elem(&(outer), &slot);                                  \
		if (!inner_)                                                                    \
			return 0;                                                               \
		FW_ROLLED                                                                       \
		for (__u32 i_ = 0; i_ <= (bits); i_++) {                                        \
			struct fw_net_element *net_ = bpf_map_lookup_elem(inner_, &key_);       \
                                                                                                \
			if (!net_)                                                              \
				return 0;                                                       \
			if (fw_element_hit(&net_->element, counts_, packets, bytes))            \
				return 1;                                                       \
			if (!net_->length)                                                      \
				return 0;                                                       \
			key_.length = net_->length - 1;                                         \
		}                                                                               \
		return 0;                                                                       \
	}

FW_IN_NETS(fw_in_nets4, fw_nets_4, FW_INET - 1, struct fw_net_key4, 32, FW_NET_ADDRESS4)
FW_IN_NETS(fw_in_nets6, fw_nets_6, FW_INET6 - 1, struct fw_net_key6, 128, FW_NET_ADDRESS6)

/* Is the address of the packet's side in the set? 1 if so. */
#define FW_IN_SET(name, in_hosts, in_nets)                                                         \
	__noinline int name(const struct fw_packet *packet, __u32 side, __u32 slot, __u64 packets, \
			    __u64 bytes)                                                           \
	{                                                                                          \
		__u32 first_ = 0;                                                                  \
		struct fw_sets *sets_ = bpf_map_lookup_elem(&fw_sets, &first_);                    \
		const __u32 *address_;                                                             \
                                                                                                   \
		if (!packet || !sets_)                                                             \
			return 0;                                                                  \
		address_ = fw_side_address(packet, side);                                          \
		return in_hosts(sets_, address_, slot, packets, bytes) ||                          \
		       in_nets(sets_, address_, slot, packets, bytes);                             \
	}

FW_IN_SET(fw_in_set4, fw_in_hosts4, fw_in_nets4)
FW_IN_SET(fw_in_set6, fw_in_hosts6, fw_in_nets6)

/* Those of the wanted sets that hold the address of the packet's side, a bit each. */
__noinline __u64 fw_sets_of(const struct fw_packet *packet, __u32 side, __u64 wanted, __u64 packets,
			    __u64 bytes)
{
	__u32 first = 0;
	const struct fw_sets *sets = bpf_map_lookup_elem(&fw_sets, &first);
	__u64 found = 0;
	int is_inet6;

	if (!packet || !sets || packet->family == FW_OTHER)
		return 0;
	is_inet6 = packet->family == FW_INET6;
	wanted &= is_inet6 ? sets->occupied[FW_SET_HOSTS][FW_INET6 - 1] |
				     sets->occupied[FW_SET_NETS][FW_INET6 - 1]
			   : sets->occupied[FW_SET_HOSTS][FW_INET - 1] |
				     sets->occupied[FW_SET_NETS][FW_INET - 1];
	FW_ROLLED
	for (__u32 slot = 0; slot < FW_MAX_LIVE_SETS; slot++) {
		__u64 held;

		if (!(wanted >> slot))
			break;
		if (!(wanted >> slot & 1))
			continue;
		held = is_inet6 ? fw_in_set6(packet, side, slot, packets, bytes)
				: fw_in_set4(packet, side, slot, packets, bytes);
		found |= (held & 1) << slot;
	}
	return found;
}

#endif
