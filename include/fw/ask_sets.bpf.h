/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which live sets hold the addresses of a packet, and the row that this leads to. Called before
 * fw_decide() and not by it: each has the stack for itself then.
 */
#ifndef FW_ASK_SETS_BPF_H
#define FW_ASK_SETS_BPF_H

#include "fw/decide.bpf.h"
#include "fw/set_rows.h"
#include "fw/sets.bpf.h"

/*
 * Makes word `word` of this CPU's scratch row, at `row`. A global function for the sake of the loop
 * around it, which the verifier walks turn by turn. Both hooks run with softirqs off, so that
 * nothing stands between this and fw_decide() on a CPU.
 */
__noinline __u64 fw_make_word(const struct fw_packet *packet, __u64 active, __u32 row, __u32 word)
{
	struct fw_view view = {};
	__u64 bits;

	if (!packet)
		return 0;
	fw_find_image(active, &view);
	if (!view.base)
		return 0;
	view.zero = fw_image_header(view.base)->zeros[0];
	bits = fw_set_word(view, fw_instance(view.base, FW_HOOK, packet->family), packet, word);
	*(__u64 *)(view.base +
		   ((row + sizeof(struct fw_row_head) + 8 * word) & (view.mask & ~7U))) = bits;
	return bits;
}

/* Makes this CPU's scratch row. Returns what fw_packet.sets_row is. */
__noinline __u32 fw_make_row(const struct fw_packet *packet, __u64 active)
{
	const struct fw_image_header *header;
	const struct fw_instance *at;
	struct fw_view view = {};
	__u64 summary = 0;
	__u32 row, words;

	if (!packet)
		return 0;
	fw_find_image(active, &view);
	if (!view.base)
		return 0;
	header = fw_image_header(view.base);
	at = fw_instance(view.base, FW_HOOK, packet->family);
	row = header->scratch + bpf_get_smp_processor_id() * header->scratch_size;
	words = at->words + at->counted_words;
	FW_ROLLED
	for (__u32 i = 0; i < FW_MAX_WORDS + FW_MAX_COUNTED_WORDS; i++) {
		__u64 bits;

		if (i >= words)
			break;
		bits = fw_make_word(packet, active, row, at->summary + i);
		bits |= -bits;
		/* No branch: 6.1 refuses a loop that goes back to its head by falling into it. */
		asm volatile("" : "+r"(bits));
		/* Bits of words that count do no harm: no other row has them. */
		summary |= bits >> 63 << (i & 63);
	}
	if (at->summary)
		*(__u64 *)(view.base + ((row + sizeof(struct fw_row_head)) & (view.mask & ~7U))) =
			summary;
	return fw_row_made(at, row);
}

/* Only of sets that hold something: what is held is read once, as it can change at any time. */
__noinline int fw_ask_sets(struct fw_packet *packet, __u64 active, __u64 packets, __u64 bytes)
{
	__u32 first = 0;
	const struct fw_sets *sets = bpf_map_lookup_elem(&fw_sets, &first);
	const struct fw_instance *at;
	struct fw_view view = {};
	__u64 held;

	if (!packet || !sets)
		return 0;
	fw_find_image(active, &view);
	if (!view.base)
		return 0;
	at = fw_instance(view.base, FW_HOOK, packet->family);
	held = fw_sets_held(sets, packet->family);
	packet->source_sets = fw_sets_of(packet, FW_SOURCE, at->sets[0] & held, packets, bytes);
	packet->destination_sets =
		fw_sets_of(packet, FW_DESTINATION, at->sets[1] & held, packets, bytes);
	if (!(packet->source_sets | packet->destination_sets))
		return 0;
	if (fw_in_several_sets(packet)) {
		packet->sets_row = fw_make_row(packet, active);
	} else {
		view.zero = fw_image_header(view.base)->zeros[0];
		packet->sets_row = fw_row_of_set(view, at, packet);
	}
	return 0;
}

#endif
