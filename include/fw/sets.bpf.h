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

/* A packet's question to the sets of one family and side. */
struct fw_set_query {
	__u32 address[4]; /* host order */
	__u64 wanted;	  /* slots */
	__u64 packets;	  /* to count on elements */
	__u64 bytes;
};

static __always_inline int fw_element_holds(const struct fw_element *element)
{
	return !element->expires || bpf_ktime_get_boot_ns() < element->expires * FW_SECOND;
}

/* A hit, if the element holds: counted if the set wants that. */
static __always_inline int fw_element_hit(struct fw_element *element, const struct fw_sets *sets,
					  const struct fw_set_query *query, __u32 slot)
{
	if (!fw_element_holds(element))
		return 0;
	if (sets->counted >> (slot & 63) & 1) {
		__sync_fetch_and_add(&element->packets, query->packets);
		__sync_fetch_and_add(&element->bytes, query->bytes);
	}
	return 1;
}

/* The longest prefix that holds the address and has not expired: 1 if there is one. */
#define FW_NETS_HOLD(name, outer, key_type, bits, set_address)                           \
	__noinline int name(const struct fw_set_query *query, __u32 slot)                \
	{                                                                                \
		key_type key_ = { .length = (bits) };                                    \
		__u32 first_ = 0;                                                        \
		struct fw_sets *sets_ = bpf_map_lookup_elem(&fw_sets, &first_);          \
		void *inner_ = bpf_map_lookup_elem(&(outer), &slot);                     \
                                                                                         \
		if (!query || !sets_ || !inner_)                                         \
			return 0;                                                        \
		set_address;                                                             \
		FW_ROLLED                                                                \
		for (__u32 i_ = 0; i_ <= (bits); i_++) {                                 \
			struct fw_net_element *net_ = bpf_map_lookup_elem(inner_, &key_); \
                                                                                         \
			if (!net_)                                                       \
				return 0;                                                \
			if (fw_element_hit(&net_->element, sets_, query, slot))          \
				return 1;                                                \
			if (!net_->length)                                               \
				return 0;                                                \
			key_.length = net_->length - 1;                                  \
		}                                                                        \
		return 0;                                                                \
	}

static __always_inline void fw_net_address6(struct fw_net_key6 *key,
					    const struct fw_set_query *query)
{
	key->address[0] = FW_SWAP32(query->address[0]);
	key->address[1] = FW_SWAP32(query->address[1]);
	key->address[2] = FW_SWAP32(query->address[2]);
	key->address[3] = FW_SWAP32(query->address[3]);
}

FW_NETS_HOLD(fw_nets_hold4, fw_nets_4, struct fw_net_key4, 32,
	     key_.address = FW_SWAP32(query->address[0]))
FW_NETS_HOLD(fw_nets_hold6, fw_nets_6, struct fw_net_key6, 128, fw_net_address6(&key_, query))

/* Slots of all sets that hold the query's address. */
#define FW_SETS_FIND(name, hosts, nets_hold, family, key_type, set_key)                    \
	__noinline __u64 name(const struct fw_set_query *query)                            \
	{                                                                                  \
		__u32 first_ = 0;                                                          \
		struct fw_sets *sets_ = bpf_map_lookup_elem(&fw_sets, &first_);            \
		__u64 in_hosts_, left_, found_ = 0;                                        \
		key_type key_ = {};                                                        \
                                                                                           \
		if (!query || !sets_)                                                      \
			return 0;                                                          \
		in_hosts_ = query->wanted & sets_->occupied[FW_SET_HOSTS][family];         \
		left_ = in_hosts_ | (query->wanted & sets_->occupied[FW_SET_NETS][family]); \
		set_key;                                                                   \
		FW_ROLLED                                                                  \
		for (__u32 slot_ = 0; slot_ < FW_MAX_LIVE_SETS; slot_++) {                 \
			__u32 place_ = slot_;                                              \
			struct fw_element *element_ = 0;                                   \
			void *inner_;                                                      \
                                                                                           \
			if (!(left_ >> slot_))                                             \
				break;                                                     \
			if (!(left_ >> slot_ & 1))                                         \
				continue;                                                  \
			inner_ = in_hosts_ >> slot_ & 1 ?                                  \
					 bpf_map_lookup_elem(&(hosts), &place_) :          \
					 0;                                                \
			if (inner_)                                                        \
				element_ = bpf_map_lookup_elem(inner_, &key_);             \
			if (element_ && fw_element_hit(element_, sets_, query, slot_))     \
				found_ |= 1ULL << slot_;                                   \
			else if (sets_->occupied[FW_SET_NETS][family] >> slot_ & 1 &&      \
				 nets_hold(query, slot_))                                  \
				found_ |= 1ULL << slot_;                                   \
		}                                                                          \
		return found_;                                                             \
	}

FW_SETS_FIND(fw_sets_find4, fw_hosts_4, fw_nets_hold4, FW_INET - 1, struct fw_host_key4,
	     key_.address = query->address[0])
FW_SETS_FIND(fw_sets_find6, fw_hosts_6, fw_nets_hold6, FW_INET6 - 1, struct fw_host_key6,
	     __builtin_memcpy(key_.address, query->address, sizeof(key_.address)))

static __always_inline __u64 fw_sets_hold(const struct fw_packet *packet, const __u32 address[4],
					  struct fw_set_query *query)
{
	query->address[0] = address[0];
	query->address[1] = address[1];
	query->address[2] = address[2];
	query->address[3] = address[3];
	if (packet->family == FW_INET)
		return fw_sets_find4(query);
	if (packet->family == FW_INET6)
		return fw_sets_find6(query);
	return 0;
}

/* Asks for both sides, if any of the wanted sets may hold something of the packet's family. */
__noinline int fw_sets_ask(struct fw_packet *packet, __u64 source, __u64 destination,
			   __u64 packets, __u64 bytes)
{
	struct fw_set_query query = { .packets = packets, .bytes = bytes };
	__u32 first = 0;
	const struct fw_sets *sets = bpf_map_lookup_elem(&fw_sets, &first);
	__u64 occupied;

	if (!packet || !sets)
		return 0;
	occupied = packet->family == FW_INET6
			   ? sets->occupied[FW_SET_HOSTS][FW_INET6 - 1] |
				     sets->occupied[FW_SET_NETS][FW_INET6 - 1]
			   : sets->occupied[FW_SET_HOSTS][FW_INET - 1] |
				     sets->occupied[FW_SET_NETS][FW_INET - 1];
	query.wanted = source & occupied;
	if (query.wanted)
		packet->source_sets = fw_sets_hold(packet, packet->source, &query);
	query.wanted = destination & occupied;
	if (query.wanted)
		packet->destination_sets = fw_sets_hold(packet, packet->destination, &query);
	return 0;
}

#endif
