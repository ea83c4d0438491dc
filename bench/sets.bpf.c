// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looks random addresses up in live sets, the way the programs do, and beside it in the set's
 * kernel hash alone and not at all: what is left is what a lookup costs without a cache that is
 * warm for one address.
 */
#include "fw/sets.bpf.h"

enum bench_mode {
	BENCH_LOOP,
	BENCH_HASH,
	BENCH_SETS,
};

volatile __u32 mode;
volatile __u32 hosts; /* of the set; addresses are number * 2654435761 */
volatile __u32 hit;   /* look up what is in the set, or what is not */
volatile __u32 rounds;
volatile __u64 wanted;
volatile __u64 found;
volatile __u64 nanoseconds;
volatile __u64 last;

static __u64 state;

static __always_inline __u32 next_address(void)
{
	__u32 number;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	number = (__u32)(state >> 32) % (hosts ? hosts : 1);
	if (!hit)
		number |= 0x80000000;
	return number * 2654435761U;
}

static long step(__u32 index, void *data)
{
	struct fw_packet packet = { .family = FW_INET };
	__u32 slot = 0, address = next_address();

	(void)index;
	(void)data;
	packet.source[0] = address;
	/* Reads the clock behind a fence: one lookup must not hide in the shadow of the one before.
	 */
	last = bpf_ktime_get_ns();
	if (mode == BENCH_SETS) {
		const struct fw_sets *sets = bpf_map_lookup_elem(&fw_sets, &slot);

		if (sets)
			found += fw_sets_of(&packet, FW_SOURCE,
					    wanted & fw_sets_held(sets, packet.family), 1, 64);
	} else if (mode == BENCH_HASH) {
		void *inner = bpf_map_lookup_elem(&fw_hosts_4, &slot);

		if (inner && bpf_map_lookup_elem(inner, &address))
			found++;
	} else {
		found += packet.source[0] & 1;
	}
	return 0;
}

SEC("xdp")
int bench_sets(struct xdp_md *ctx)
{
	__u64 start = bpf_ktime_get_ns();

	(void)ctx;
	if (!state)
		state = 0x2545f4914f6cdd1dULL;
	found = 0;
	bpf_loop(rounds, step, 0, 0);
	nanoseconds = bpf_ktime_get_ns() - start;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
