/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the buckets of limits stand: two arrays of lines, made when rules have limits. One has a
 * line for each rule that limits all packets together, the other is the table of addresses.
 */
#ifndef FW_LIMITS_BPF_H
#define FW_LIMITS_BPF_H

#include "fw/maps.bpf.h"

#include "fw/limit.h"

static __always_inline void *fw_limit_lines(__u32 slot)
{
	return bpf_map_lookup_elem(&fw_limits, &slot);
}

/* 1 if the packet's address has used up its burst. */
static __always_inline int fw_address_refuses(const struct fw_limit *limit,
					      const struct fw_packet *packet, __u64 cost, __u64 now)
{
	void *lines = fw_limit_lines(FW_LIMITS_ADDRESSES);
	const struct fw_limit_head *head;
	struct fw_limit_line *line;
	__u32 number = 0;
	__u64 tag;

	if (!lines)
		return 0;
	head = bpf_map_lookup_elem(lines, &number);
	if (!head)
		return 0;
	tag = fw_limit_tag(head, limit->rule, fw_limit_address(packet, limit->per));
	number = fw_limit_line_of(head, tag);
	line = bpf_map_lookup_elem(lines, &number);
	return line ? fw_line_refuses(line, tag, limit->tolerance, cost, now) : 0;
}

/* 1 if all packets of the rule together have used up its burst. */
static __always_inline int fw_rule_refuses(const struct fw_limit *limit, __u64 cost, __u64 now)
{
	void *lines = fw_limit_lines(FW_LIMITS_RULES);
	struct fw_limit_line *line;
	__u32 number = limit->bucket;

	if (!lines)
		return 0;
	line = bpf_map_lookup_elem(lines, &number);
	return line ? fw_bucket_refuses(&line->ways[0].full, limit->tolerance, cost, now) : 0;
}

/*
 * The clock since boot, without what the machine slept, in ticks of 1/16 ns. Reading it takes as
 * long as all else that a limit costs: where a burst lasts for several jiffies, these will do.
 */
static __always_inline __u64 fw_limit_clock(const struct fw_limit *limit)
{
	if (limit->is_coarse)
		return (bpf_jiffies64() - fw_setup.first_jiffy) * fw_setup.jiffy;
	return bpf_ktime_get_ns() * FW_TICKS;
}

/* 1 if the packet is over the limit. */
static __always_inline int fw_limit_refuses(const struct fw_limit *limit,
					    const struct fw_packet *packet, __u64 packets,
					    __u64 bytes)
{
	__u64 cost = fw_limit_cost(limit, packets, bytes);
	__u64 now;

	if (cost == FW_COST_NEVER)
		return 1;
	now = fw_limit_clock(limit);
	if (limit->per == FW_LIMIT_PER_RULE)
		return fw_rule_refuses(limit, cost, now);
	return fw_address_refuses(limit, packet, cost, now);
}

#endif
