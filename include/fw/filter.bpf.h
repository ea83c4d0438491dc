/* SPDX-License-Identifier: GPL-2.0-only */
/* The whole way of a packet that has been parsed, the same for both hooks. */
#ifndef FW_FILTER_BPF_H
#define FW_FILTER_BPF_H

#include "fw/ask_sets.bpf.h"
#include "fw/decide.bpf.h"
#include "fw/finish.bpf.h"
#include "fw/flow.bpf.h"
#include "fw/flow_related.bpf.h"

/*
 * What the packet is to the flows, where the rules of either hook use them. A global function for
 * the sake of fw_filter(): what branches there, the verifier walks for each way through the parser.
 */
__noinline int fw_ask_state(struct FW_CONTEXT *ctx, struct fw_packet *packet, __u64 active,
			    __u64 packets, __u64 bytes)
{
	if (!packet)
		return 0;
	if (packet->has & FW_HAS_ICMP && fw_icmp_is_error(packet->family, packet->icmp_type))
		return fw_ask_related(ctx, packet);
	return fw_ask_flow(ctx, packet, active, packets, bytes);
}

/*
 * What is left to do where the rule says more than a verdict; with `syncookie` the flow is left to
 * fw/cookie.bpf.h, which may answer the packet instead. Of fw_filter(), but for the stack:
 * what is alive across these calls would stand beside fw_decide()'s.
 */
__noinline int fw_complete(const struct fw_packet *packet, __u64 packets, __u64 bytes, __u64 active)
{
	__u32 outcome = (__u32)fw_finish(packet, packets, bytes, active);

	if ((outcome & (FW_DO_KEEP_STATE | FW_DO_SYNCOOKIE)) == FW_DO_KEEP_STATE &&
	    FW_VERDICT_OF(outcome) == FW_VERDICT_PASS)
		fw_keep_flow(packet, active, packets, bytes);
	return (int)outcome;
}

/*
 * A verdict, and FW_DO_*. `active` is read once: sets and flows are asked for by the generation
 * that decides.
 */
static __always_inline __u32 fw_filter(struct FW_CONTEXT *ctx, struct fw_packet *packet,
				       __u32 malformed, const struct fw_weight *weight)
{
	__u32 first = 0;
	const volatile __u64 *word = bpf_map_lookup_elem(&fw_active, &first);
	__u64 active = word ? *word : 0;
	__u32 outcome;

	if (active & FW_ACTIVE_ASKS_SETS(FW_HOOK, packet->family) && !malformed)
		fw_ask_sets(packet, active, weight->packets, weight->bytes);
	if (active & FW_ACTIVE_ASKS_STATE(FW_HOOK) && !malformed)
		fw_ask_state(ctx, packet, active, weight->packets, weight->bytes);
	outcome = (__u32)fw_decide(packet, malformed, weight->packets, weight->bytes, active);
	if (outcome == FW_VERDICT_PENDING)
		outcome = (__u32)fw_complete(packet, weight->packets, weight->bytes, active);
	return outcome;
}

#endif
