/* SPDX-License-Identifier: GPL-2.0-only */
/* Asks each judge for its opinion of a frame. */
#include "fw/parse.h"
#include "judge.h"

#include <stdio.h>

#include "analysis/evaluate.h"
#include "fw/classify.h"

const char *const judge_names[JUDGES] = { "reference", "classifier", "kernel", "nft" };

static enum fw_reason parse_frame(const struct bench *bench, enum fw_hook hook,
				  const struct frame *frame, struct fw_packet *ret_packet)
{
	const struct fw_frame seen = {
		.data = frame->bytes,
		.data_end = frame->bytes + frame->length,
		.length = (__u32)frame->length,
		.interface = bench->interfaces[hook],
		.stripped_vlan = FW_NO_VLAN,
	};

	return fw_parse(&seen, ret_packet);
}

/* The mistake that a judge is made to make: a range of ports does not hold its last one. */
static void make_wrong(const struct bench *bench, enum fw_hook hook, const struct frame *frame,
		       struct opinion *opinion)
{
	const struct block *block = &bench->ruleset->blocks[hook];
	const struct match *ports;
	struct fw_packet packet;

	if (opinion->rule < 0 || parse_frame(bench, hook, frame, &packet))
		return;
	ports = rule_find_match(&block->rules[opinion->rule], MATCH_DESTINATION_PORT);
	for (size_t i = 0; ports && !ports->negated && i < ports->ranges.count; i++) {
		if (ports->ranges.items[i].high != packet.destination_port)
			continue;
		opinion->rule = OPINION_DEFAULT;
		opinion->drop = block->default_action != FW_PASS;
	}
}

static void malformed_opinion(const struct bench *bench, enum fw_reason reason, struct opinion *ret)
{
	*ret = (struct opinion){ .rule = OPINION_MALFORMED,
				 .reason = reason,
				 .drop = !bench->ruleset->options.malformed_pass };
}

/* The number of a `count` rule among those of its block, as a bit. */
static uint32_t counted_bit(const struct block *block, size_t rule)
{
	unsigned bit = 0;

	for (size_t i = 0; i < rule; i++)
		bit += block->rules[i].action == FW_COUNT;
	return 1U << (bit & 31);
}

void judge_reference(struct bench *bench, enum fw_hook hook, const struct frame *frame,
		     struct opinion *ret)
{
	const struct block *block = &bench->ruleset->blocks[hook];
	struct evaluation evaluation;
	struct fw_packet packet;
	enum fw_reason reason = parse_frame(bench, hook, frame, &packet);

	if (reason) {
		malformed_opinion(bench, reason, ret);
		return;
	}
	evaluate(bench->ruleset, hook, &packet, bench->names[hook], &evaluation);
	*ret = (struct opinion){ .drop = evaluation.action != FW_PASS,
				 .rule = evaluation.rule == EVALUATE_DEFAULT
						 ? OPINION_DEFAULT
						 : (int)evaluation.rule };
	for (size_t i = 0; i < evaluation.counted_count; i++)
		ret->counted |= counted_bit(block, evaluation.counted[i]);
	if (bench->wrong == JUDGE_REFERENCE)
		make_wrong(bench, hook, frame, ret);
}

void judge_classifier(struct bench *bench, enum fw_hook hook, const struct frame *frame,
		      struct opinion *ret)
{
	const struct fw_image_header *header = fw_image_header(bench->image);
	const struct block *block = &bench->ruleset->blocks[hook];
	struct fw_match_result result;
	struct fw_packet packet;
	enum fw_reason reason = parse_frame(bench, hook, frame, &packet);

	if (reason) {
		malformed_opinion(bench, reason, ret);
		return;
	}
	if (fw_classify(bench->image, bench->image_mask, hook, &packet, &result)) {
		malformed_opinion(bench, FW_REASON_NO_IMAGE, ret);
		return;
	}
	*ret = (struct opinion){
		.rule = result.record == header->default_record[hook]
				? OPINION_DEFAULT
				: (int)(result.record - header->first_record[hook]),
		.drop = fw_record(bench->image, bench->image_mask, result.record)->action !=
			FW_PASS,
	};
	for (size_t i = 0; i < result.counted_count; i++)
		ret->counted |= counted_bit(block, result.counted[i] - header->first_record[hook]);
	if (bench->wrong == JUDGE_CLASSIFIER)
		make_wrong(bench, hook, frame, ret);
}

/*
 * BPF_PROG_TEST_RUN of a TC program refuses frames that end within an IP header (-EINVAL, kernels
 * from 6.17 on). The parser is the same on both hooks, and XDP takes them.
 */
static bool kernel_may_refuse(enum fw_hook hook, const struct frame *frame)
{
	unsigned type = (unsigned)frame->bytes[12] << 8 | frame->bytes[13];

	if (hook != FW_EGRESS)
		return false;
	return (type == FW_ETHERTYPE_IPV4 && frame->length < FW_ETHERNET_HEADER + FW_IPV4_HEADER) ||
	       (type == FW_ETHERTYPE_IPV6 && frame->length < FW_ETHERNET_HEADER + FW_IPV6_HEADER);
}

void judge_kernel(struct bench *bench, enum fw_hook hook, const struct frame *frame,
		  struct opinion *ret)
{
	const struct test_packet packet = { .frame = frame->bytes,
					    .length = frame->length,
					    .interface = bench->interfaces[hook] };
	struct test_verdict verdict;
	int err = dataplane_test_run(bench->dataplane, hook, &packet, &verdict);

	*ret = (struct opinion){ .rule = OPINION_UNKNOWN };
	if (err && kernel_may_refuse(hook, frame)) {
		ret->silent = "the kernel does not run TC programs on it";
		return;
	}
	if (err) {
		fprintf(stderr, "%s\n", dataplane_error(bench->dataplane));
		ret->reason = FW_REASON_NO_IMAGE;
		return;
	}
	ret->drop = verdict.verdict == FW_VERDICT_DROP;
	if (bench->wrong == JUDGE_KERNEL) {
		struct opinion wrong;

		judge_reference(bench, hook, frame, &wrong);
		make_wrong(bench, hook, frame, &wrong);
		ret->drop = wrong.drop;
	}
}

static void nft_opinion(const struct bench *bench, enum fw_hook hook, uint32_t mark,
			struct opinion *ret)
{
	const struct block *block = &bench->ruleset->blocks[hook];
	uint32_t rule = NFT_RULE(mark);

	*ret = (struct opinion){ .counted = (mark & ~NFT_LATER_FRAGMENT) >> 12 };
	if (!rule) {
		ret->rule = OPINION_UNKNOWN;
		ret->reason = FW_REASON_NO_IMAGE; /* it never came back */
	} else if (rule == NFT_DEFAULT) {
		ret->rule = OPINION_DEFAULT;
		ret->drop = block->default_action != FW_PASS;
	} else {
		ret->rule = (int)(rule - 1 + block->builtin_count);
		ret->drop = block->rules[ret->rule].action != FW_PASS;
	}
}

static const char *why_not_nft(const struct bench *bench, enum fw_hook hook,
			       const struct frame *frame, const struct opinion *reference)
{
	size_t builtins = bench->ruleset->blocks[hook].builtin_count;

	if (reference->reason)
		return "malformed";
	if (reference->rule >= 0 && (size_t)reference->rule < builtins)
		return "decided by a built-in rule";
	return nft_difference(frame);
}

int judge_nft(struct bench *bench, enum fw_hook hook, const struct frame *frames, size_t count,
	      const struct opinion *reference, struct opinion *ret)
{
	struct nft_frame batch[NFT_BATCH];
	uint32_t marks[NFT_BATCH];
	size_t index[NFT_BATCH], asked = 0;
	int err;

	for (size_t i = 0; i < count; i++) {
		ret[i] = (struct opinion){ .silent = "no nft" };
		if (bench->nft)
			ret[i].silent = why_not_nft(bench, hook, &frames[i], &reference[i]);
		if (ret[i].silent || asked == NFT_BATCH)
			continue;
		index[asked] = i;
		batch[asked++] = (struct nft_frame){ frames[i].bytes, frames[i].length };
	}
	if (!asked)
		return 0;
	err = nft_judge(bench->nft, hook, batch, asked, marks);
	for (size_t i = 0; !err && i < asked; i++) {
		nft_opinion(bench, hook, marks[i], &ret[index[i]]);
		if (bench->wrong == JUDGE_NFT)
			make_wrong(bench, hook, &frames[index[i]], &ret[index[i]]);
	}
	return err;
}

bool opinions_agree(const struct opinion *reference, const struct opinion *other)
{
	if (reference->silent || other->silent)
		return true;
	if (reference->drop != other->drop || other->reason == FW_REASON_NO_IMAGE)
		return false;
	if (other->rule == OPINION_UNKNOWN)
		return true;
	return reference->rule == other->rule && reference->reason == other->reason &&
	       reference->counted == other->counted;
}

void opinion_print(const struct bench *bench, enum fw_hook hook, const struct opinion *opinion,
		   struct buffer *buffer)
{
	const struct block *block = &bench->ruleset->blocks[hook];

	if (opinion->silent) {
		buffer_printf(buffer, "not asked: %s", opinion->silent);
		return;
	}
	if (opinion->rule == OPINION_UNKNOWN && opinion->reason) {
		buffer_puts(buffer, "no answer");
		return;
	}
	buffer_puts(buffer, opinion->drop ? "drop" : "pass");
	if (opinion->rule == OPINION_DEFAULT)
		buffer_puts(buffer, ", default");
	else if (opinion->rule == OPINION_MALFORMED)
		buffer_printf(buffer, ", %s", fw_reason_name(opinion->reason));
	else if (opinion->rule >= 0 && (size_t)opinion->rule < block->count)
		buffer_printf(buffer, ", rule '%s'", block->rules[opinion->rule].text);
	if (opinion->counted)
		buffer_printf(buffer, ", counted 0x%x", opinion->counted);
}
