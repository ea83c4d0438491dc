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

/* The longest prefix that holds the address and has not expired: 1 if there is one. */
#define FW_NETS_HOLD(name, outer, key_type, bits, key_set)                                  \
	__noinline int name(const struct fw_packet *packet, __u32 side, __u32 slot,         \
			    __u64 packets, __u64 bytes)                                     \
	{                                                                                   \
		key_type key_ = { .length = (bits) };                                       \
		__u32 first_ = 0;                                                           \
		struct fw_sets *sets_ = bpf_map_lookup_elem(&fw_sets, &first_);             \
		void *inner_ = bpf_map_lookup_elem(&(outer), &slot);                        \
		int counts_;                                                                \
                                                                                            \
		if (!packet || !sets_ || !inner_)                                           \
			return 0;                                                           \
		counts_ = sets_->counted >> (slot & 63) & 1;                                \
		key_set(key_.address, fw_side_address(packet, side));                       \
		FW_ROLLED                                                                   \
		for (__u32 i_ = 0; i_ <= (bits); i_++) {                                    \
			struct fw_net_element *net_ = bpf_map_lookup_elem(inner_, &key_);   \
                                                                                            \
			if (!net_)                                                          \
				return 0;                                                   \
			if (fw_element_hit(&net_->element, counts_, packets, bytes))        \
				return 1;                                                   \
			if (!net_->length)                                                  \
				return 0;                                                   \
			key_.length = net_->length - 1;                                     \
		}                                                                           \
		return 0;                                                                   \
	}

#define FW_NET_ADDRESS4(to, from) ((to) = FW_SWAP32((from)[0]))
#define FW_NET_ADDRESS6(to, from)               \
	do {                                    \
		(to)[0] = FW_SWAP32((from)[0]); \
		(to)[1] = FW_SWAP32((from)[1]); \
		(to)[2] = FW_SWAP32((from)[2]); \
		(to)[3] = FW_SWAP32((from)[3]); \
	} while (0)

FW_NETS_HOLD(fw_nets_hold4, fw_nets_4, struct fw_net_key4, 32, FW_NET_ADDRESS4)
FW_NETS_HOLD(fw_nets_hold6, fw_nets_6, struct fw_net_key6, 128, FW_NET_ADDRESS6)

/* Slots of those sets, of the wanted ones, that hold the address. */
#define FW_SETS_FIND(name, outer, nets_hold, family, key_type, key_set)                     \
	__noinline __u64 name(const struct fw_packet *packet, __u32 side, __u64 wanted,     \
			      __u64 packets, __u64 bytes)                                   \
	{                                                                                   \
		__u32 first_ = 0;                                                           \
		struct fw_sets *sets_ = bpf_map_lookup_elem(&fw_sets, &first_);             \
		key_type key_ = {};                                                         \
		__u64 found_ = 0;                                                           \
                                                                                            \
		if (!packet || !sets_)                                                      \
			return 0;                                                           \
		key_set(key_.address, fw_side_address(packet, side));                       \
		FW_ROLLED                                                                   \
		for (__u32 slot_ = 0; slot_ < FW_MAX_LIVE_SETS; slot_++) {                  \
			struct fw_element *element_;                                        \
			__u32 place_ = slot_;                                               \
			void *inner_;                                                       \
                                                                                            \
			if (!(wanted >> slot_))                                             \
				break;                                                      \
			if (!(wanted >> slot_ & 1))                                         \
				continue;                                                   \
			if (sets_->occupied[FW_SET_HOSTS][family] >> slot_ & 1) {           \
				inner_ = bpf_map_lookup_elem(&(outer), &place_);            \
				element_ = inner_ ? bpf_map_lookup_elem(inner_, &key_) : 0; \
				if (element_ &&                                             \
				    fw_element_hit(element_, sets_->counted >> slot_ & 1,   \
						   packets, bytes)) {                       \
					found_ |= 1ULL << slot_;                            \
					continue;                                           \
				}                                                           \
			}                                                                   \
			if (sets_->occupied[FW_SET_NETS][family] >> slot_ & 1 &&            \
			    nets_hold(packet, side, slot_, packets, bytes))                 \
				found_ |= 1ULL << slot_;                                    \
		}                                                                           \
		return found_;                                                              \
	}

#define FW_HOST_ADDRESS4(to, from) ((to) = (from)[0])
#define FW_HOST_ADDRESS6(to, from) __builtin_memcpy(to, from, 4 * sizeof(__u32))

FW_SETS_FIND(fw_sets_find4, fw_hosts_4, fw_nets_hold4, FW_INET - 1, struct fw_host_key4,
	     FW_HOST_ADDRESS4)
FW_SETS_FIND(fw_sets_find6, fw_hosts_6, fw_nets_hold6, FW_INET6 - 1, struct fw_host_key6,
	     FW_HOST_ADDRESS6)

/*
 * Asks for one side. `wanted` are the sets that rules name; they are looked up only if they may
 * hold something of the packet's family.
 */
static __always_inline __u64 fw_sets_of(const struct fw_packet *packet, __u32 side, __u64 wanted,
					 __u64 packets, __u64 bytes)
{
	__u32 first = 0;
	const struct fw_sets *sets = wanted ? bpf_map_lookup_elem(&fw_sets, &first) : 0;

	if (!sets)
		return 0;
	if (packet->family == FW_INET6) {
		wanted &= sets->occupied[FW_SET_HOSTS][FW_INET6 - 1] |
			  sets->occupied[FW_SET_NETS][FW_INET6 - 1];
		return wanted ? fw_sets_find6(packet, side, wanted, packets, bytes)
			      : 0;
	}
	wanted &= sets->occupied[FW_SET_HOSTS][FW_INET - 1] |
		  sets->occupied[FW_SET_NETS][FW_INET - 1];
	if (packet->family != FW_INET || !wanted)
		return 0;
	return fw_sets_find4(packet, side, wanted, packets, bytes);
}

#endif
