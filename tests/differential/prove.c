/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Does the harness find a judge that is wrong, and is what it prints small? Each judge in turn is
 * made to overlook the last port of a range.
 */
#include "round.h"

#include <stdio.h>

#define PROVE_ROUNDS 40
#define PROVE_RULES  16
#define PROVE_BYTES  128 /* a frame with all its headers, but little else */

static size_t count_rules(const struct spec *spec)
{
	return spec->blocks[FW_INGRESS].count + spec->blocks[FW_EGRESS].count;
}

/* One rule, little more than its ports, and no more of a packet than it takes. */
static bool is_small(const struct disagreement *found)
{
	const struct spec_block *block = &found->spec.blocks[found->hook];

	return count_rules(&found->spec) == 1 && block->count == 1 &&
	       spec_find_match(&block->rules[0], MATCH_DESTINATION_PORT) &&
	       block->rules[0].match_count == 1 && block->rules[0].matches[0].count == 1 &&
	       found->frame.length <= PROVE_BYTES;
}

static bool prove_judge(struct bench *bench, uint64_t seed, enum judge judge)
{
	/* Everyone disagrees with a wrong reference; the first of them is named. */
	enum judge named = judge == JUDGE_REFERENCE ? JUDGE_CLASSIFIER : judge;
	struct disagreement found;
	struct buffer text = { 0 };
	struct tally tally = { 0 };
	struct round round = { .seed = seed, .largest = PROVE_RULES };
	bool proved;

	bench->wrong = judge;
	while (round.number < PROVE_ROUNDS && !round_find(bench, &round, &tally, &found))
		round.number++;
	if (round.number == PROVE_ROUNDS) {
		printf("FAILED: the %s was wrong, and nobody noticed\n", judge_names[judge]);
		return false;
	}
	if (found.judge == named)
		shrink(bench, &found);
	proved = found.judge == named && is_small(&found);
	printf("%s: the %s was wrong, seen in round %llu after %llu packets\n",
	       proved ? "ok" : "FAILED", judge_names[judge], (unsigned long long)round.number,
	       (unsigned long long)tally.packets);
	disagreement_print(bench, &found, &text);
	fputs(buffer_text(&text), stdout);
	buffer_free(&text);
	disagreement_free(&found);
	return proved;
}

int prove(struct bench *bench, uint64_t seed)
{
	bool proved = true;

	for (int judge = 0; judge < JUDGES; judge++)
		if (judge != JUDGE_NFT || bench->nft)
			proved &= prove_judge(bench, seed, (enum judge)judge);
	bench->wrong = JUDGE_NONE;
	return proved ? 0 : 1;
}
