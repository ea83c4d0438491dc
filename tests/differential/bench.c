/* SPDX-License-Identifier: GPL-2.0-only */
/* Opens the judges and loads a spec into all of them; reads the kernel's counters. */
#include "judge.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "language/language.h"

#define LARGEST_IMAGE (256U << 20)

/* Does the program of each hook load and run at all? */
static int probe_programs(struct bench *bench)
{
	static const uint8_t frame[FW_ETHERNET_HEADER + FW_IPV6_HEADER];
	const struct test_packet packet = { .frame = frame, .length = sizeof(frame) };
	struct test_verdict verdict;
	int err = 0;

	for (int hook = 0; hook < FW_HOOKS && !err; hook++)
		err = dataplane_test_run(bench->dataplane, (enum fw_hook)hook, &packet, &verdict);
	if (err)
		fprintf(stderr, "%s\n", dataplane_error(bench->dataplane));
	return err;
}

int bench_open(bool with_nft, struct bench *ret_bench)
{
	struct bench bench = { .wrong = JUDGE_NONE };
	char *error = NULL;
	int err;

	err = with_nft ? nft_open(&bench.nft) : 0;
	if (err) {
		fprintf(stderr, "no veth devices to ask nft with: %s\n", strerror(-err));
		return err;
	}
	err = dataplane_open_private(LARGEST_IMAGE, &bench.dataplane, &error);
	if (err) {
		fprintf(stderr, "no data plane: %s\n", error ? error : strerror(-err));
		free(error);
		nft_close(&bench.nft);
		return err;
	}
	err = probe_programs(&bench);
	if (err) {
		bench_close(&bench);
		return err;
	}
	for (int hook = 0; hook < FW_HOOKS; hook++) {
		bench.names[hook] = with_nft ? spec_interfaces[hook] : "lo";
		bench.interfaces[hook] = if_nametoindex(bench.names[hook]);
	}
	*ret_bench = bench;
	return 0;
}

static void bench_unload(struct bench *bench)
{
	ruleset_free(&bench->ruleset);
	free(bench->image);
	bench->image = NULL;
	free(bench->error);
	bench->error = NULL;
	bench->loaded = false;
}

void bench_close(struct bench *bench)
{
	bench_unload(bench);
	statistics_free(&bench->before);
	dataplane_close(&bench->dataplane);
	nft_close(&bench->nft);
}

static int parse_text(struct bench *bench, const char *text)
{
	const struct source_file file = { "random.conf", text, strlen(text) };
	struct diagnostics diagnostics;
	size_t size = 0;
	FILE *stream;
	int err;

	diagnostics_init(&diagnostics);
	err = ruleset_parse_text(&file, &file_reader_system, &diagnostics, &bench->ruleset);
	if (err) {
		stream = open_memstream(&bench->error, &size);
		if (!stream)
			abort();
		fputs("the parser refused the rules:\n", stream);
		diagnostics_write(&diagnostics, DIAGNOSTIC_ERRORS, false, stream);
		fclose(stream);
	}
	diagnostics_free(&diagnostics);
	return err;
}

/* A copy that ends at a power of two, as in the kernel's map. */
static void keep_image(struct bench *bench, const struct image *image)
{
	size_t size = 1U << 20;

	while (size < image->size)
		size *= 2;
	bench->image = aligned_alloc(64, size);
	if (!bench->image)
		abort();
	memset(bench->image, 0, size);
	memcpy(bench->image, image->bytes, image->size);
	bench->image_mask = (uint32_t)(size - 1);
}

static int switch_to(struct bench *bench, const struct plan *plan, const struct image *image,
		     const char *text)
{
	const struct switch_input input = { .plan = plan,
					    .image = image->bytes,
					    .image_size = image->size,
					    .origin = { .source = "random.conf" },
					    .text = text,
					    .length = strlen(text) };
	uint32_t number;
	int err = dataplane_switch(bench->dataplane, &input, &number);

	if (err && asprintf(&bench->error, "no switch: %s", dataplane_error(bench->dataplane)) < 0)
		abort();
	return err;
}

static int compile_and_switch(struct bench *bench, const char *text)
{
	const struct link links[] = {
		{ bench->names[FW_INGRESS], bench->interfaces[FW_INGRESS], NULL },
		{ bench->names[FW_EGRESS], bench->interfaces[FW_EGRESS], NULL },
		{ "lo", if_nametoindex("lo"), NULL },
	};
	struct compile_input input = { .ruleset = bench->ruleset,
				       .links = links,
				       .link_count = bench->nft ? 3 : 1 };
	struct image image = { 0 };
	struct plan *plan = NULL;
	char *error = NULL;
	int err = dataplane_plan(bench->dataplane, bench->ruleset, &plan);

	if (err) {
		if (asprintf(&bench->error, "no plan: %s", dataplane_error(bench->dataplane)) < 0)
			abort();
		return err;
	}
	for (int hook = 0; hook < FW_HOOKS; hook++) {
		input.counters[hook] = plan->counters[hook];
		input.limits[hook] = plan->limits[hook];
	}
	err = compile(&input, &image, &error);
	if (err && asprintf(&bench->error, "no image: %s", error ? error : strerror(-err)) < 0)
		abort();
	free(error);
	if (!err) {
		keep_image(bench, &image);
		err = switch_to(bench, plan, &image, text);
	}
	image_free(&image);
	plan_free(&plan);
	return err;
}

int bench_load(struct bench *bench, const struct spec *spec)
{
	struct buffer text = { 0 };
	int err;

	bench_unload(bench);
	spec_print(spec, &text);
	err = parse_text(bench, buffer_text(&text));
	if (!err)
		err = compile_and_switch(bench, buffer_text(&text));
	if (!err && bench->nft) {
		err = nft_load(spec, bench->quiet);
		if (err)
			bench->error = strdup("nft refused the rules");
	}
	buffer_free(&text);
	bench->loaded = !err;
	return err;
}

void counters_forget(struct bench *bench)
{
	statistics_free(&bench->before);
	if (dataplane_read_statistics(bench->dataplane, &bench->before))
		abort();
}

static struct fw_counter total_of(const struct statistics *statistics, enum fw_hook hook,
				  const char *identity)
{
	const struct rule_total *total =
		statistics ? statistics_find(statistics, hook, identity) : NULL;

	return total ? total->total : (struct fw_counter){ 0 };
}

static struct fw_counter counter_since(const struct fw_counter *before,
				       const struct fw_counter *now)
{
	return (struct fw_counter){ now->packets - before->packets, now->bytes - before->bytes };
}

static bool counter_check(const char *what, const struct fw_counter *expected,
			  const struct fw_counter *counted, struct buffer *buffer)
{
	if (expected->packets == counted->packets && expected->bytes == counted->bytes)
		return true;
	buffer_printf(buffer, "counter of '%s': %llu packets, %llu bytes instead of %llu, %llu\n",
		      what, (unsigned long long)counted->packets,
		      (unsigned long long)counted->bytes, (unsigned long long)expected->packets,
		      (unsigned long long)expected->bytes);
	return false;
}

static void add_frame(struct fw_counter *counter, const struct frame *frame)
{
	counter->packets++;
	counter->bytes += frame->length;
}

/* What the reference expects of the counters of a block. */
struct expectation {
	struct fw_counter *rules; /* [count] is the default's */
	struct fw_counter reasons[FW_REASONS];
	struct fw_counter pass;
	struct fw_counter drop;
};

static void expect_frame(const struct block *block, const struct frame *frame,
			 const struct opinion *opinion, struct expectation *expectation)
{
	uint32_t bit = 1;

	add_frame(opinion->drop ? &expectation->drop : &expectation->pass, frame);
	if (opinion->rule == OPINION_MALFORMED) {
		add_frame(&expectation->reasons[opinion->reason], frame);
		return;
	}
	add_frame(&expectation->rules[opinion->rule < 0 ? (int)block->count : opinion->rule],
		  frame);
	for (size_t i = 0; i < block->count; i++) {
		if (block->rules[i].action != FW_COUNT)
			continue;
		if (opinion->counted & bit)
			add_frame(&expectation->rules[i], frame);
		bit <<= 1;
	}
}

/* Also that nothing was counted under a rule or reason that the reference did not name. */
static bool check_expectation(const struct block *block, enum fw_hook hook,
			      const struct statistics *statistics[2],
			      const struct expectation *expectation, struct buffer *buffer)
{
	const struct statistics *before = statistics[0], *now = statistics[1];
	struct fw_counter since;
	bool agree = true;

	for (size_t i = 0; i <= block->count; i++) {
		const char *identity =
			i < block->count ? rule_identity(&block->rules[i]) : "default";
		struct fw_counter was = total_of(before, hook, identity);
		struct fw_counter is = total_of(now, hook, identity);

		since = counter_since(&was, &is);
		agree &= counter_check(identity, &expectation->rules[i], &since, buffer);
	}
	for (unsigned i = 1; i < FW_REASONS; i++) {
		since = counter_since(&before->reasons[hook][i], &now->reasons[hook][i]);
		agree &= counter_check(fw_reason_name(i), &expectation->reasons[i], &since, buffer);
	}
	since = counter_since(&before->hooks[hook].pass, &now->hooks[hook].pass);
	agree &= counter_check("all that passed", &expectation->pass, &since, buffer);
	since = counter_since(&before->hooks[hook].drop, &now->hooks[hook].drop);
	return counter_check("all that was dropped", &expectation->drop, &since, buffer) && agree;
}

bool counters_agree(struct bench *bench, enum fw_hook hook, const struct frame *frames,
		    const struct opinion *const opinions[2], size_t count, struct buffer *buffer)
{
	const struct block *block = &bench->ruleset->blocks[hook];
	struct expectation expectation = { 0 };
	struct statistics *before = take_ptr(bench->before);
	bool agree;

	expectation.rules = calloc(block->count + 1, sizeof(expectation.rules[0]));
	if (!expectation.rules)
		abort();
	for (size_t i = 0; i < count; i++)
		if (!opinions[1][i].silent)
			expect_frame(block, &frames[i], &opinions[0][i], &expectation);
	counters_forget(bench);
	agree = check_expectation(block, hook,
				  (const struct statistics *[2]){ before, bench->before },
				  &expectation, buffer);
	free(expectation.rules);
	statistics_free(&before);
	return agree;
}

/* The rule whose counter grew by one packet, or the reason. */
void judge_kernel_counted(struct bench *bench, enum fw_hook hook, const struct frame *frame,
			  struct opinion *ret)
{
	const struct block *block = &bench->ruleset->blocks[hook];
	uint32_t bit = 1;

	counters_forget(bench);
	judge_kernel(bench, hook, frame, ret);
	if (ret->silent || ret->reason || bench->wrong == JUDGE_KERNEL)
		return;
	struct statistics *before = take_ptr(bench->before);

	counters_forget(bench);
	for (unsigned i = 1; i < FW_REASONS; i++) {
		if (bench->before->reasons[hook][i].packets == before->reasons[hook][i].packets)
			continue;
		ret->reason = (enum fw_reason)i;
		ret->rule = OPINION_MALFORMED;
	}
	for (size_t i = 0; i <= block->count; i++) {
		bool is_default = i == block->count;
		bool is_count = !is_default && block->rules[i].action == FW_COUNT;
		const char *identity = is_default ? "default" : rule_identity(&block->rules[i]);
		bool grew = total_of(bench->before, hook, identity).packets !=
			    total_of(before, hook, identity).packets;

		if (grew && is_count)
			ret->counted |= bit;
		else if (grew)
			ret->rule = is_default ? OPINION_DEFAULT : (int)i;
		if (is_count)
			bit <<= 1;
	}
	statistics_free(&before);
}
