/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The maps that both programs share. fwctl creates and pins them (ctl/dataplane/maps.c) and hands
 * them to the programs when it loads them, so the sizes here are only what the verifier needs.
 */
#ifndef FW_MAPS_BPF_H
#define FW_MAPS_BPF_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "fw/classify.h"
#include "fw/cookie.h"
#include "fw/flows.h"
#include "fw/layout.h"
#include "fw/sets.h"
#include "fw/ticket.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} fw_active SEC(".maps");

#define FW_OUTER_MAP(name, slots)                         \
	struct {                                          \
		__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS); \
		__uint(max_entries, slots);               \
		__type(key, __u32);                       \
		__type(value, __u32);                     \
	} name SEC(".maps")

FW_OUTER_MAP(fw_image_0, FW_IMAGE_SLOTS);
FW_OUTER_MAP(fw_image_1, FW_IMAGE_SLOTS);
FW_OUTER_MAP(fw_image_2, FW_IMAGE_SLOTS);
FW_OUTER_MAP(fw_image_3, FW_IMAGE_SLOTS);
FW_OUTER_MAP(fw_counter_0, 1);
FW_OUTER_MAP(fw_counter_1, 1);
FW_OUTER_MAP(fw_counter_2, 1);

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, FW_REASON_INDEX(FW_HOOKS, 0, 0));
	__type(key, __u32);
	__type(value, struct fw_counter);
} fw_reasons SEC(".maps");

/* Live sets: what is there at all, and the maps of each set by its slot. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fw_sets);
} fw_sets SEC(".maps");

FW_OUTER_MAP(fw_hosts_4, FW_MAX_LIVE_SETS);
FW_OUTER_MAP(fw_hosts_6, FW_MAX_LIVE_SETS);
FW_OUTER_MAP(fw_nets_4, FW_MAX_LIVE_SETS);
FW_OUTER_MAP(fw_nets_6, FW_MAX_LIVE_SETS);

FW_OUTER_MAP(fw_limits, FW_LIMITS_SLOTS);

/* Flows: empty until rules use state (fw/flows.h). */
FW_OUTER_MAP(fw_flow_tables, FW_FLOW_TABLES);
FW_OUTER_MAP(fw_flow_fragments, 1);

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fw_flow_counts);
} fw_flow_counts SEC(".maps");

/*
 * What fw_decide() found, while fw_finish() and those behind it still have work to do. Nothing
 * stands between them on a CPU: both hooks run with softirqs off, and each program has its own.
 */
struct fw_pending {
	struct fw_match_result result;
	__u32 counter;	       /* index of the rule that decided; from fw_finish() */
	__u32 reject_rate;     /* options, from fw_finish(), if the rule rejects or answers SYNs */
	__u32 syncookie_after; /* likewise */
	__u64 active;	       /* likewise */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fw_pending);
} fw_pending SEC(".maps");

/* Answers to what rules reject: tickets of packets on their way, and what became of them. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fw_answers);
} fw_answers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, FW_ANSWER_INDEX(FW_HOOKS, FW_COOKIE_OUTCOMES));
	__type(key, __u32);
	__type(value, struct fw_counter);
} fw_answer_count SEC(".maps");

/* The interfaces' own MAC addresses, for SYN cookies; values say nothing. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, FW_OWN_MACS);
	__type(key, struct fw_own_mac);
	__type(value, __u8);
} fw_own_macs SEC(".maps");

/* Constants to the verifier: it drops the code of what they rule out. */
const volatile struct fw_setup fw_setup SEC(".rodata.setup") = {};

#endif
