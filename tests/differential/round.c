/* SPDX-License-Identifier: GPL-2.0-only */
/* One random rule file and its packets; what all judges say of them. */
#include "round.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packets.h"

static void tally_skip(struct tally *tally, const char *why)
{
	for (int i = 0; i < TALLY_SKIPS; i++) {
		if (tally->skips[i].why && strcmp(tally->skips[i].why, why) != 0)
			continue;
		tally->skips[i].why = why;
		tally->skips[i].count++;
		return;
	}
}

void tally_print(const struct tally *tally)
{
	printf("%llu malformed, %llu decided by a rule; nft was not asked:\n",
	       (unsigned long long)tally->malformed, (unsigned long long)tally->decided);
	if (tally->too_large)
		printf("    %8llu  rule files, whole: too large when compiled\n",
		       (unsigned long long)tally->too_large);
	for (int i = 0; i < TALLY_SKIPS && tally->skips[i].why; i++)
		printf("    %8llu  %s\n", (unsigned long long)tally->skips[i].count,
		       tally->skips[i].why);
}

static void tally_add(struct tally *tally, const struct opinion *reference,
		      const struct opinion *nft)
{
	tally->packets++;
	tally->malformed += reference->rule == OPINION_MALFORMED;
	tally->decided += reference->rule >= 0;
	if (nft->silent)
		tally_skip(tally, nft->silent);
	else
		tally->compared++;
}

/* Everything about a frame but its spec, which the caller knows. */
static void note(struct disagreement *found, enum judge judge, enum fw_hook hook,
		 const struct frame *frame)
{
	found->judge = judge;
	found->hook = hook;
	found->frame = *frame;
}

/* The counters of the batch are wrong: by which frame? */
static void find_miscounted(struct bench *bench, enum fw_hook hook, const struct frame *frames,
			    const struct opinion *reference, size_t count,
			    struct disagreement *found)
{
	struct opinion counted;

	note(found, JUDGE_KERNEL, hook, &frames[0]);
	for (size_t i = 0; i < count; i++) {
		judge_kernel_counted(bench, hook, &frames[i], &counted);
		if (opinions_agree(&reference[i], &counted))
			continue;
		note(found, JUDGE_KERNEL, hook, &frames[i]);
		return;
	}
	fputs("no packet alone is counted wrongly: the batch is\n", stderr);
}

bool batch_agrees(struct bench *bench, enum fw_hook hook, const struct frame *frames, size_t count,
		  struct tally *tally, struct disagreement *ret_found)
{
	static struct opinion opinions[JUDGES][NFT_BATCH];
	struct buffer differences = { 0 };
	bool agree;

	counters_forget(bench);
	for (size_t i = 0; i < count; i++) {
		judge_reference(bench, hook, &frames[i], &opinions[JUDGE_REFERENCE][i]);
		judge_classifier(bench, hook, &frames[i], &opinions[JUDGE_CLASSIFIER][i]);
		judge_kernel(bench, hook, &frames[i], &opinions[JUDGE_KERNEL][i]);
	}
	if (judge_nft(bench, hook, frames, count, opinions[JUDGE_REFERENCE], opinions[JUDGE_NFT])) {
		fputs("frames cannot be sent over veth\n", stderr);
		abort();
	}
	for (size_t i = 0; i < count; i++) {
		tally_add(tally, &opinions[JUDGE_REFERENCE][i], &opinions[JUDGE_NFT][i]);
		for (int judge = JUDGE_CLASSIFIER; judge < JUDGES; judge++) {
			if (opinions_agree(&opinions[JUDGE_REFERENCE][i], &opinions[judge][i]))
				continue;
			note(ret_found, (enum judge)judge, hook, &frames[i]);
			return false;
		}
	}
	if (bench->wrong != JUDGE_NONE)
		return true;
	agree = counters_agree(
		bench, hook, frames,
		(const struct opinion *[2]){ opinions[JUDGE_REFERENCE], opinions[JUDGE_KERNEL] },
		count, &differences);
	if (!agree) {
		fputs(buffer_text(&differences), stderr);
		find_miscounted(bench, hook, frames, opinions[JUDGE_REFERENCE], count, ret_found);
	}
	buffer_free(&differences);
	return agree;
}

static void named_frame(struct random *random, struct frame *ret_frame)
{
	const struct named_packet *named;

	do {
		named = &named_packets[random_below(random, NAMED_PACKETS)];
	} while (named->length < FW_ETHERNET_HEADER);
	ret_frame->length = named->length;
	memcpy(ret_frame->bytes, named->bytes, named->length);
}

/* Mostly packets made for the rules; the kernel takes no frame shorter than an Ethernet header. */
static void generate_frame(const struct spec *spec, enum fw_hook hook, struct random *random,
			   struct frame *ret_frame)
{
	struct sketch sketch;

	if (random_one_in(random, 16)) {
		named_frame(random, ret_frame);
	} else {
		sketch_generate(spec, hook, random, &sketch);
		frame_build(&sketch, random, ret_frame);
	}
	if (random_one_in(random, 6))
		frame_mutate(random, ret_frame);
}

/* Rules in a block. */
static size_t random_size(struct random *random, size_t largest)
{
	static const size_t sizes[] = { 1, 2, 4, 8, 8, 16, 16, 32, 32, 64, 100, 300 };
	size_t size = random_pick(random, sizes);

	return size < largest ? size : largest;
}

bool round_find(struct bench *bench, const struct round *round, struct tally *tally,
		struct disagreement *ret_found)
{
	static struct frame frames[NFT_BATCH];
	struct random random = { round->seed * 0x9e3779b97f4a7c15ULL + round->number };
	struct spec spec;
	int err;

	*ret_found = (struct disagreement){ .judge = JUDGE_NONE };
	tally->rounds++;
	spec_generate(&spec, &random, random_size(&random, round->largest));
	err = bench_load(bench, &spec);
	if (err == -E2BIG) {
		tally->too_large++;
		spec_free(&spec);
		return false;
	}
	if (err) {
		ret_found->judge = JUDGE_LOAD;
		ret_found->error = strdup(bench->error ? bench->error : "refused");
		ret_found->spec = spec;
		return true;
	}
	for (int hook = 0; hook < FW_HOOKS; hook++) {
		for (size_t i = 0; i < NFT_BATCH; i++)
			generate_frame(&spec, (enum fw_hook)hook, &random, &frames[i]);
		if (batch_agrees(bench, (enum fw_hook)hook, frames, NFT_BATCH, tally, ret_found))
			continue;
		ret_found->spec = spec;
		return true;
	}
	spec_free(&spec);
	return false;
}

bool round_run(struct bench *bench, const struct round *round, struct tally *tally)
{
	struct disagreement found;
	struct buffer text = { 0 };

	if (!round_find(bench, round, tally, &found))
		return true;
	printf("round %llu: %s disagrees; shrinking\n", (unsigned long long)round->number,
	       found.judge == JUDGE_LOAD ? "loading" : judge_names[found.judge]);
	if (found.error)
		printf("%.2000s\n", found.error);
	shrink(bench, &found);
	disagreement_print(bench, &found, &text);
	fputs(buffer_text(&text), stdout);
	buffer_free(&text);
	disagreement_free(&found);
	return false;
}
