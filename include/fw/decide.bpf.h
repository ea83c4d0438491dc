/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a parsed packet to its verdict, the same for both hooks: read `active` once, find the image
 * that it names, ask it for the record, count.
 *
 * Each size class is a map of its own with a lookup of its own, so that the verifier knows how
 * large the image is and puts the array's address straight into the program. Everything behind
 * that is shared: base and mask are plain registers.
 *
 * The program that includes this file says by FW_HOOK which hook it is.
 */
#ifndef FW_DECIDE_BPF_H
#define FW_DECIDE_BPF_H

/* First: <linux/stddef.h> has an __always_inline that need not inline, <bpf/bpf_helpers.h> undoes
 * it. */
#include "fw/maps.bpf.h"

#include "fw/classify.h"
#include "fw/packet.h"

/* What one buffer is on the wire: under GSO it is several packets. */
struct fw_weight {
	__u64 packets;
	__u64 bytes;
};

static __always_inline void fw_count(struct fw_counter *counter, const struct fw_weight *weight)
{
	counter->packets += weight->packets;
	counter->bytes += weight->bytes;
}

/* Counts a packet that no rule decided. */
static __always_inline enum fw_verdict fw_end(__u32 reason, enum fw_verdict verdict,
					      const struct fw_weight *weight)
{
	__u32 index = FW_REASON_INDEX(FW_HOOK, reason, verdict);
	struct fw_counter *counter = bpf_map_lookup_elem(&fw_reasons, &index);

	if (counter)
		fw_count(counter, weight);
	return verdict;
}

/*
 * One class: a lookup of its own in `outer`. The barrier keeps clang from merging the lookups of
 * two classes into one on a map that is chosen at run time, which the verifier would not inline.
 */
#define FW_FIND_MAP(number, outer, slot, size, view)                         \
	case number: {                                                       \
		void *inner_ = bpf_map_lookup_elem(&(outer), &(slot));       \
		__u32 first_ = 0;                                            \
                                                                             \
		if (inner_)                                                  \
			(view)->base = bpf_map_lookup_elem(inner_, &first_); \
		(view)->mask = (size)-1;                                     \
		asm volatile("" : "+r"((view)->base), "+r"((view)->mask));   \
		break;                                                       \
	}

static __always_inline void fw_find_image(__u64 active, struct fw_view *view)
{
	const volatile struct fw_sizes *sizes = &fw_setup.sizes;
	__u32 slot = FW_ACTIVE_SLOT(active);

	switch (FW_ACTIVE_CLASS(active)) {
		FW_FIND_MAP(0, fw_image_0, slot, sizes->image[0], view)
		FW_FIND_MAP(1, fw_image_1, slot, sizes->image[1], view)
		FW_FIND_MAP(2, fw_image_2, slot, sizes->image[2], view)
		FW_FIND_MAP(3, fw_image_3, slot, sizes->image[3], view)
	}
}

static __always_inline void fw_find_counters(__u64 active, struct fw_view *view)
{
	const volatile struct fw_sizes *sizes = &fw_setup.sizes;
	__u32 slot = 0;

	switch (FW_ACTIVE_COUNTER_CLASS(active)) {
		FW_FIND_MAP(0, fw_counter_0, slot, sizes->counter[0], view)
		FW_FIND_MAP(1, fw_counter_1, slot, sizes->counter[1], view)
		FW_FIND_MAP(2, fw_counter_2, slot, sizes->counter[2], view)
	}
}

static __always_inline __u32 fw_counter_shift(__u64 active)
{
	const volatile struct fw_sizes *sizes = &fw_setup.sizes;
	__u32 class = FW_ACTIVE_COUNTER_CLASS(active);

	return class == 0   ? sizes->counter_shift[0]
	       : class == 1 ? sizes->counter_shift[1]
			    : sizes->counter_shift[2];
}

/* Counts on counter `index` of this CPU, whose counters begin at `region` bytes. */
static __always_inline void fw_count_at(const struct fw_view *counters, __u32 region, __u32 index,
					const struct fw_weight *weight)
{
	__u32 offset = region + index * (__u32)sizeof(struct fw_counter);
	__u32 mask = counters->mask & ~((__u32)sizeof(struct fw_counter) - 1);

	fw_count((struct fw_counter *)(counters->base + (offset & mask)), weight);
}

/* Counts the rule that decided and the `count` rules before it. False: nothing to count in. */
static __always_inline int fw_count_result(__u64 active, const struct fw_view *image,
					   const struct fw_match_result *result,
					   const struct fw_record *record,
					   const struct fw_weight *weight)
{
	struct fw_view counters = {};
	__u32 region;

	fw_find_counters(active, &counters);
	if (!counters.base)
		return 0;
	region = bpf_get_smp_processor_id() << fw_counter_shift(active);
	fw_count_at(&counters, region, record->counter, weight);
	if (!result->counted_count)
		return 1;
	FW_ROLLED
	for (__u32 i = 0; i < FW_MAX_COUNTED; i++) {
		if (i >= result->counted_count)
			break;
		record = fw_record(image->base, image->mask, result->counted[i]);
		fw_count_at(&counters, region, record->counter, weight);
	}
	return 1;
}

/*
 * Makes the verifier forget what it knows of a number, so that the ways on which it got it are one
 * from here on. Without it the verifier counts the packet once for each number of rules that may
 * have counted it, in each class: 375k instructions instead of 222k (6.18, clang 14).
 */
static __always_inline __u32 fw_forget(__u32 value, const struct fw_weight *unknown)
{
	__u32 mask = (__u32)unknown->bytes;

	value ^= mask;
	asm volatile("" : "+r"(value));
	return value ^ mask;
}

/*
 * Does something still have to be done before the packet can be counted? Of the rule that decides
 * its flags tell; what goes on has work only if it has a limit. Arithmetic, for the verifier.
 */
static __always_inline __u32 fw_is_pending(const struct fw_view *image,
					   const struct fw_match_result *result,
					   const struct fw_record *record)
{
	__u32 features = fw_image_header(image->base)->features[FW_HOOK];

	return record->flags | (result->counted_count & -(features / FW_COUNTED_LIMITS & 1));
}

/* Leaves the result to fw_finish(). A function, so that its place on the stack is fw_judge()'s. */
static __always_inline enum fw_verdict fw_postpone(const struct fw_match_result *result)
{
	__u32 first = 0;
	struct fw_pending *pending = bpf_map_lookup_elem(&fw_pending, &first);

	if (!pending)
		return FW_VERDICT_DROP;
	pending->result.record = result->record;
	pending->result.counted_count = result->counted_count;
	/* Seldom any; copying them takes as long as asking a bucket. */
	if (result->counted_count)
		__builtin_memcpy(pending->result.counted, result->counted, sizeof(result->counted));
	return FW_VERDICT_PENDING;
}

/* What the image says. */
static __always_inline enum fw_verdict fw_judge(__u64 active, const struct fw_view *image,
						const struct fw_packet *packet,
						const struct fw_weight *weight)
{
	enum fw_verdict fail = active & FW_ACTIVE_FAIL_DROP ? FW_VERDICT_DROP : FW_VERDICT_PASS;
	struct fw_match_result result;
	const struct fw_record *record;

	if (fw_classify(image->base, image->mask, FW_HOOK, packet, &result))
		return fw_end(FW_REASON_NO_IMAGE, fail, weight);
	result.counted_count = fw_forget(result.counted_count, weight);
	record = fw_record(image->base, image->mask, fw_forget(result.record, weight));
	if (fw_is_pending(image, &result, record))
		return fw_postpone(&result);
	if (!fw_count_result(active, image, &result, record, weight))
		return fw_end(FW_REASON_NO_IMAGE, fail, weight);
	return record->action == FW_PASS ? FW_VERDICT_PASS : FW_VERDICT_DROP;
}

/*
 * 1 if the image is of another format, which must not be read as one of ours. Arithmetic: one more
 * branch here made the verifier walk 860k instructions instead of 370k (6.18, clang 14).
 */
static __always_inline __u32 fw_image_is_alien(const struct fw_view *image)
{
	const struct fw_image_header *header = fw_image_header(image->base);
	__u64 differs = (header->magic ^ FW_IMAGE_MAGIC) | (header->layout ^ FW_IMAGE_LAYOUT);

	return (differs | -differs) >> 63;
}

/*
 * `malformed` is what fw_parse() said. A global function, which the verifier walks once and on its
 * own: it is not walked again for each of the many ways through the parser (over 1M instructions
 * on 6.18 with clang 14; tests/prog/test_verifier.c). Therefore it takes numbers instead of a
 * struct fw_weight, and asks whether its pointer is one.
 */
__noinline int fw_decide(const struct fw_packet *packet, __u32 malformed, __u64 packets,
			 __u64 bytes, __u64 word)
{
	/* Through the stack: else the verifier ties copies to each other and walks half as much
	 * again. */
	volatile __u64 kept = word;
	__u64 active = kept;
	const struct fw_weight weight = { .packets = packets, .bytes = bytes };
	enum fw_verdict verdict;
	struct fw_view image = {};
	__u32 alien;

	if (!packet)
		return FW_VERDICT_DROP;
	verdict = active & FW_ACTIVE_FAIL_DROP ? FW_VERDICT_DROP : FW_VERDICT_PASS;
	if (!FW_ACTIVE_GENERATION(active))
		return fw_end(FW_REASON_NO_GENERATION, verdict, &weight);
	fw_find_image(active, &image);
	if (!image.base)
		return fw_end(FW_REASON_NO_IMAGE, verdict, &weight);
	alien = fw_image_is_alien(&image);
	if (malformed | alien) {
		if (alien)
			return fw_end(FW_REASON_NO_IMAGE, verdict, &weight);
		verdict = FW_VERDICT_DROP;
		if (fw_image_header(image.base)->features[FW_HOOK] & FW_MALFORMED_PASS)
			verdict = FW_VERDICT_PASS;
		if (FW_HOOK == FW_INGRESS &&
		    (malformed == FW_REASON_IPV4_VERSION || malformed == FW_REASON_IPV6_VERSION))
			return (int)(verdict | FW_DO_LOOK | malformed << FW_REASON_SHIFT);
		return fw_end(malformed & (FW_REASON_SLOTS - 1), verdict, &weight);
	}
	return fw_judge(active, &image, packet, &weight);
}

#endif
