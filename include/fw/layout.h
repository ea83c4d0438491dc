/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the BPF programs and fwctl agree on outside the image: hooks, actions, the `active` word,
 * the counter image and the limits. Everything here is pinned and outlives a generation, so a
 * change that the other side would misread needs a new FW_LAYOUT_VERSION: a fwctl that finds
 * pins of another version says so and touches nothing.
 */
#ifndef FW_LAYOUT_H
#define FW_LAYOUT_H

#include <linux/types.h>

#define FW_LAYOUT_VERSION 1

enum fw_hook {
	FW_INGRESS,
	FW_EGRESS,
	FW_HOOKS,
};

/* What a rule does. FW_REJECT drops and answers; FW_COUNT counts and goes on. */
enum fw_action {
	FW_PASS,
	FW_DROP,
	FW_REJECT,
	FW_COUNT,
	FW_ACTIONS,
};

/* What becomes of a packet. The adapters translate it into XDP_* and TC_ACT_*. */
enum fw_verdict {
	FW_VERDICT_PASS,
	FW_VERDICT_DROP,
	FW_VERDICT_PENDING, /* within the program: fw_finish() says which of the two, nothing is
			     * counted yet */
};

/* What fw_filter() hands to an adapter: a verdict, and what else is to be done. */
#define FW_DO_KEEP_STATE       (1U << 8)  /* of a packet that passes: record its flow */
#define FW_DO_REJECT	       (1U << 9)  /* of one that is dropped: answer it */
#define FW_DO_SYNCOOKIE	       (1U << 10) /* of one that passes: answer a SYN for the host */
#define FW_DO_LOOK	       (1U << 11) /* a wrong IP version, not counted: a mark of ours? */
#define FW_REASON_SHIFT	       16	  /* of FW_DO_LOOK: the reason to count it under */
#define FW_REASON_OF(outcome)  ((outcome) >> FW_REASON_SHIFT & (FW_REASON_SLOTS - 1))
#define FW_VERDICT_OF(outcome) ((enum fw_verdict)((outcome)&1))

/*
 * Size classes. A map-in-map holds inner maps of one value size, so there is one outer map per
 * class. Sizes are powers of two: a program reads at base + (offset & (size - alignment)).
 */
#define FW_IMAGE_CLASSES   4
#define FW_COUNTER_CLASSES 3
#define FW_IMAGE_SLOTS	   2 /* per class: the running generation and the one being prepared */

#define FW_IMAGE_SIZE_0 (1U << 20)
#define FW_IMAGE_SIZE_1 (8U << 20)
#define FW_IMAGE_SIZE_2 (64U << 20)
#define FW_IMAGE_SIZE_3 (256U << 20)

#define FW_COUNTER_SIZE_0 (1U << 20)
#define FW_COUNTER_SIZE_1 (16U << 20)
#define FW_COUNTER_SIZE_2 (256U << 20)

/*
 * The `active` word: the one 64-bit value that both hooks read once per packet and that a switch
 * writes once. It names the image and the counter image that belong together.
 *
 *   bits 0-31   generation number, from 1; 0 = nothing is active
 *   bit  32     image slot
 *   bits 33-35  image size class
 *   bits 36-38  counter size class
 *   bit  39     fail policy: set = drop when the image cannot be had
 *   bits 42-43  the hook's rules ask for a packet's state, or keep it
 *   bits 44-49  the hook's rules for a family (two bits each) name a live set that holds something
 *               of it
 */
#define FW_ACTIVE_GENERATION(word)	  ((__u32)(word))
#define FW_ACTIVE_SLOT(word)		  ((__u32)((word) >> 32) & 1)
#define FW_ACTIVE_CLASS(word)		  ((__u32)((word) >> 33) & 7)
#define FW_ACTIVE_COUNTER_CLASS(word)	  ((__u32)((word) >> 36) & 7)
#define FW_ACTIVE_FAIL_DROP		  (1ULL << 39)
#define FW_ACTIVE_ASKS_STATE(hook)	  (1ULL << (42 + (hook)))
#define FW_ACTIVE_ASKS_SETS(hook, family) (1ULL << (44 + FW_HOOKS * (family) + (hook)))
#define FW_ACTIVE_WORD(generation, slot, image_class, counter_class, fail_drop)   \
	((__u64)(generation) | (__u64)(slot) << 32 | (__u64)(image_class) << 33 | \
	 (__u64)(counter_class) << 36 | ((fail_drop) ? FW_ACTIVE_FAIL_DROP : 0))

/* Packets and frame bytes (link-layer header included, frame check sequence not). */
struct fw_counter {
	__u64 packets;
	__u64 bytes;
};

/*
 * A counter image is one contiguous array with a region for each number that a CPU may have:
 * counter i of CPU c stands at (c << shift) + i * sizeof(struct fw_counter), where 1 << shift is
 * the region's size: the class size divided by the greatest possible number + 1, rounded down to a
 * power of two.
 */
struct fw_sizes {
	__u32 image[FW_IMAGE_CLASSES]; /* bytes, powers of two; a small machine has smaller ones */
	__u32 counter[FW_COUNTER_CLASSES];
	__u32 counter_shift[FW_COUNTER_CLASSES];
	__u32 pad;
};

/*
 * What a program is told when it is loaded (its map .rodata.setup). `build` comes first in every
 * layout: by it fwctl knows whether an attached program is its own.
 */
struct fw_setup {
	__u64 build; /* hash of the object that the program was loaded from */
	struct fw_sizes sizes;
	__u32 layer3;	   /* the interface's frames have no link-layer header */
	__u32 has_cookies; /* the kernel makes SYN cookies, and knows them again */
	__u32 pad;
	__u32 jiffy;	   /* how long it is, in 1/16 ns */
	__u64 first_jiffy; /* the number of jiffies at boot */
};

/*
 * Buckets of limits, in lines of 64 bytes: two arrays, there only while rules have limits. Line 0
 * of both belongs to nobody's packets.
 */
enum fw_limits_slot {
	FW_LIMITS_RULES,     /* a line for each rule that limits its packets together */
	FW_LIMITS_ADDRESSES, /* lines of four buckets each, by address (fw/limit.h) */
	FW_LIMITS_SLOTS,
};

#define FW_LIMIT_LINES	    (1U << 18) /* of addresses: 16 MiB */
#define FW_LIMIT_RULE_LINES 1024       /* at least */

/* Where a rule's limit counts what is over it, and its line of FW_LIMITS_RULES. */
struct fw_limit_place {
	__u32 counter;
	__u32 bucket;
};

/*
 * Packets that no rule decided are counted per CPU in a fixed array: by hook, reason (fw/reason.h)
 * and verdict. It has room for reasons to come.
 */
#define FW_REASON_SLOTS 64
#define FW_REASON_INDEX(hook, reason, verdict) \
	((((hook)*FW_REASON_SLOTS) + (reason)) * 2 + (verdict))

/* Limits of the language that the data plane is built for. */
#define FW_MAX_RULES	 250000
#define FW_MAX_PREFIXES	 4000000
#define FW_MAX_LIVE_SETS 64
#define FW_MAX_LIMITS	 32767 /* rules with one */
#define FW_MAX_COUNTED	 16    /* `count` rules that one packet may meet */

_Static_assert(sizeof(struct fw_counter) == 16, "counters are indexed by a shift of 4");

#endif
