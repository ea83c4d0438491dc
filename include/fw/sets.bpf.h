/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which live sets hold an address: only those are looked up that the caller asks for. The clock is
 * read only for an element that can expire.
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

/*
 * CLOCK_BOOTTIME in seconds. Reading it takes as long as half a lookup, so it is read once a tick:
 * `clock` holds the tick and the seconds, in one word that is written at once. Seconds that are a
 * tick old let an element live so much longer, also behind a suspend, in which no tick passes.
 */
static __always_inline __u32 fw_boot_seconds(struct fw_sets *sets)
{
	volatile __u64 *kept = &sets->clock;
	__u64 clock = *kept, tick = bpf_jiffies64() << 32;

	if ((clock ^ tick) >> 32) {
		clock = tick | (bpf_ktime_get_boot_ns() / FW_SECOND & 0xffffffff);
		*kept = clock;
	}
	return (__u32)clock;
}

/* A hit, if the element has not expired: counted if the set wants that. */
static __always_inline int fw_element_hit(struct fw_sets *sets, struct fw_element *element,
					  __u64 counts, __u64 packets, __u64 bytes)
{
	__u32 expires = element->expires;

	if (expires && fw_boot_seconds(sets) >= expires)
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

/* Is the address in a network of the set? The longest is asked first; what has expired hides none.
 */
#define FW_IN_NETS(name, outer, family, key_type, bits, key_set)                                   \
	__noinline int name(const struct fw_packet *packet, __u32 side, __u32 slot, __u64 packets, \
			    __u64 bytes)                                                           \
	{                                                                                          \
		__u32 first_ = 0;                                                                  \
		struct fw_sets *sets_ = bpf_map_lookup_elem(&fw_sets, &first_);                    \
		key_type key_ = { .length = (bits) };                                              \
		void *inner_;                                                                      \
                                                                                                   \
		if (!packet || !sets_ ||                                                           \
		    !(sets_->occupied[FW_SET_NETS][family] >> (slot & 63) & 1))                    \
			return 0;                                                                  \
		inner_ = bpf_map_lookup_elem(&(outer), &slot);                                     \
		if (!inner_)                                                                       \
			return 0;                                                                  \
		key_set(key_.address, fw_side_address(packet, side));                              \
		FW_ROLLED                                                                          \
		for (__u32 i_ = 0; i_ <= (bits); i_++) {                                           \
			struct fw_net_element *net_ = bpf_map_lookup_elem(inner_, &key_);          \
                                                                                                   \
			if (!net_)                                                                 \
				return 0;                                                          \
			if (fw_element_hit(sets_, &net_->element,                                  \
					   sets_->counted >> (slot & 63) & 1, packets, bytes))     \
				return 1;                                                          \
			if (!net_->length)                                                         \
				return 0;                                                          \
			key_.length = net_->length - 1;                                            \
		}                                                                                  \
		return 0;                                                                          \
	}

FW_IN_NETS(fw_in_nets4, fw_nets_4, FW_INET - 1, struct fw_net_key4, 32, FW_NET_ADDRESS4)
FW_IN_NETS(fw_in_nets6, fw_nets_6, FW_INET6 - 1, struct fw_net_key6, 128, FW_NET_ADDRESS6)

/* Is the address a host of the set? */
#define FW_HOSTS_HOLD(name, outer, family, key_type, key_set)                                    \
	static __always_inline int name(struct fw_sets *sets, const struct fw_packet *packet,    \
					__u32 side, __u32 slot, __u64 packets, __u64 bytes)      \
	{                                                                                        \
		struct fw_element *element_;                                                     \
		key_type key_ = {};                                                              \
		void *inner_;                                                                    \
                                                                                                 \
		if (!(sets->occupied[FW_SET_HOSTS][family] >> (slot & 63) & 1))                  \
			return 0;                                                                \
		key_set(key_.address, fw_side_address(packet, side));                            \
		inner_ = bpf_map_lookup_elem(&(outer), &slot);                                   \
		element_ = inner_ ? bpf_map_lookup_elem(inner_, &key_) : 0;                      \
		return element_ &&                                                               \
		       fw_element_hit(sets, element_, sets->counted >> (slot & 63) & 1, packets, \
				      bytes);                                                    \
	}

FW_HOSTS_HOLD(fw_hosts_hold4, fw_hosts_4, FW_INET - 1, struct fw_host_key4, FW_HOST_ADDRESS4)
FW_HOSTS_HOLD(fw_hosts_hold6, fw_hosts_6, FW_INET6 - 1, struct fw_host_key6, FW_HOST_ADDRESS6)

/* Which bit it is that alone is set: as many as are set below it. */
static __always_inline __u32 fw_bit_number(__u64 bit)
{
	__u64 below = bit - 1;

	below -= below >> 1 & 0x5555555555555555;
	below = (below & 0x3333333333333333) + (below >> 2 & 0x3333333333333333);
	below = (below + (below >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return (__u32)(below * 0x0101010101010101 >> 56) & (FW_MAX_LIVE_SETS - 1);
}

/* The sets that hold something of the packet's family, which is IP. */
static __always_inline __u64 fw_sets_held(const struct fw_sets *sets, __u32 family)
{
	__u32 index = (family - FW_INET) & (FW_SET_FAMILIES - 1);

	return sets->occupied[FW_SET_HOSTS][index] | sets->occupied[FW_SET_NETS][index];
}

/*
 * Those of the wanted sets that hold the address of the packet's side, a bit each: `first` asks the
 * lowest of them where it is, `more` the others one by one in functions of their own. A loop around
 * all of it would make the verifier walk it for each turn. Nothing calls deeper than this: kernels
 * add up the stack of all calls, each rounded up.
 */
#define FW_SETS_OF(first, more, in_hosts, hosts_hold, in_nets, family)                       \
	__noinline int in_hosts(const struct fw_packet *packet, __u32 side, __u32 slot,      \
				__u64 packets, __u64 bytes)                                  \
	{                                                                                    \
		__u32 first_ = 0;                                                            \
		struct fw_sets *sets_ = bpf_map_lookup_elem(&fw_sets, &first_);              \
                                                                                             \
		if (!packet || !sets_)                                                       \
			return 0;                                                            \
		return hosts_hold(sets_, packet, side, slot, packets, bytes);                \
	}                                                                                    \
                                                                                             \
	__noinline __u64 first(const struct fw_packet *packet, __u32 side, __u64 wanted,     \
			       __u64 packets, __u64 bytes)                                   \
	{                                                                                    \
		__u32 first_ = 0, slot_;                                                     \
		struct fw_sets *sets_ = bpf_map_lookup_elem(&fw_sets, &first_);              \
                                                                                             \
		if (!packet || !sets_)                                                       \
			return 0;                                                            \
		wanted &= -wanted;                                                           \
		slot_ = fw_bit_number(wanted);                                               \
		if (hosts_hold(sets_, packet, side, slot_, packets, bytes))                  \
			return wanted;                                                       \
		if (sets_->occupied[FW_SET_NETS][family] & wanted &&                         \
		    in_nets(packet, side, slot_, packets, bytes))                            \
			return wanted;                                                       \
		return 0;                                                                    \
	}                                                                                    \
                                                                                             \
	__noinline __u64 more(const struct fw_packet *packet, __u32 side, __u64 wanted,      \
			      __u64 packets, __u64 bytes)                                    \
	{                                                                                    \
		__u64 found_ = 0;                                                            \
                                                                                             \
		if (!packet)                                                                 \
			return 0;                                                            \
		wanted &= wanted - 1;                                                        \
		FW_ROLLED                                                                    \
		for (__u32 i_ = 0; i_ < FW_MAX_LIVE_SETS; i_++) {                            \
			__u32 slot_ = fw_bit_number(wanted & -wanted);                       \
			__u64 held_;                                                         \
                                                                                             \
			if (!wanted)                                                         \
				break;                                                       \
			wanted &= wanted - 1;                                                \
			held_ = (__u32)in_hosts(packet, side, slot_, packets, bytes);        \
			if (!held_)                                                          \
				held_ = (__u32)in_nets(packet, side, slot_, packets, bytes); \
			found_ |= (held_ & 1) << slot_;                                      \
		}                                                                            \
		return found_;                                                               \
	}

FW_SETS_OF(fw_first_set4, fw_more_sets4, fw_in_hosts4, fw_hosts_hold4, fw_in_nets4, FW_INET - 1)
FW_SETS_OF(fw_first_set6, fw_more_sets6, fw_in_hosts6, fw_hosts_hold6, fw_in_nets6, FW_INET6 - 1)

/* Which of the wanted sets, all of which hold something, hold the address of a side. */
static __always_inline __u64 fw_sets_of(const struct fw_packet *packet, __u32 side, __u64 wanted,
					__u64 packets, __u64 bytes)
{
	__u64 found = 0;

	if (!wanted)
		return 0;
	if (packet->family == FW_INET) {
		found = fw_first_set4(packet, side, wanted, packets, bytes);
		if (wanted & (wanted - 1))
			found |= fw_more_sets4(packet, side, wanted, packets, bytes);
	} else if (packet->family == FW_INET6) {
		found = fw_first_set6(packet, side, wanted, packets, bytes);
		if (wanted & (wanted - 1))
			found |= fw_more_sets6(packet, side, wanted, packets, bytes);
	}
	return found;
}

#endif
