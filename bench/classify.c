/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fwbench classify: what a decision costs in the kernel. Times are of BPF_PROG_TEST_RUN, pinned to
 * one CPU, medians of interleaved runs; each header's result is compared with the linear
 * reference.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "bench.h"
#include "classify.skel.h"
#include "compiler/forecast.h"
#include "fw/classify.h"
#include "plane.h"
#include "rulefile.h"
#include "rules.h"
#include "timing.h"

#define RUNS 7

enum header_kind {
	HEADERS_TRACE,
	HEADERS_SHUFFLED,
	HEADERS_RANDOM,
	HEADER_KINDS,
};

struct figures {
	double ns[HEADER_KINDS];
	double floor_ns;
	double hot_ns;
	double build_ms;
	double switch_ms;
	size_t image_bytes;
	size_t mismatches;
	uint32_t verified_insns;
	struct forecast forecast;
};

struct bench {
	struct classify_bpf *skeleton;
	struct bench_headers_view {
		struct bench_header items[BENCH_HEADERS];
		__u32 records[BENCH_HEADERS];
	} * headers;
	size_t headers_size;
};

static void bench_close(struct bench *bench)
{
	if (bench->headers)
		munmap(bench->headers, bench->headers_size);
	classify_bpf__destroy(bench->skeleton);
}

static int map_image(struct bench *bench, const struct image *image)
{
	int fd = bpf_map__fd(bench->skeleton->maps.image);
	void *block = mmap(NULL, image->block, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (block == MAP_FAILED)
		return -errno;
	memcpy(block, image->bytes, image->size);
	munmap(block, image->block);
	return 0;
}

static int bench_open(const struct image *image, struct bench *bench)
{
	int error;

	bench->skeleton = classify_bpf__open();
	if (!bench->skeleton)
		return -errno;
	bpf_map__set_value_size(bench->skeleton->maps.image, image->block);
	bench->skeleton->rodata->image_mask = image->block - 1;
	error = classify_bpf__load(bench->skeleton);
	if (error)
		return error;
	error = map_image(bench, image);
	if (error)
		return error;
	bench->headers_size = (sizeof(*bench->headers) + 4095) / 4096 * 4096;
	bench->headers = mmap(NULL, bench->headers_size, PROT_READ | PROT_WRITE, MAP_SHARED,
			      bpf_map__fd(bench->skeleton->maps.headers), 0);
	if (bench->headers == MAP_FAILED) {
		bench->headers = NULL;
		return -errno;
	}
	return 0;
}

/* Average nanoseconds of one run, or -1. */
static double run(struct bpf_program *program, const void *frame, size_t size, int repeat)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = size,
		    .repeat = repeat);

	if (bpf_prog_test_run_opts(bpf_program__fd(program), &options) || options.retval != 1)
		return -1;
	return options.duration;
}

static const unsigned char any_frame[64];

static double loop_ns(struct bpf_program *program)
{
	return run(program, any_frame, sizeof(any_frame), 1) / BENCH_HEADERS;
}

static void put16(unsigned char *at, uint16_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static void put_words(unsigned char *at, const uint32_t *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		put16(at + 4 * i, words[i] >> 16);
		put16(at + 4 * i + 2, words[i]);
	}
}

/* A frame that parses to the header; returns its size. */
static size_t make_frame(const struct bench_header *header, unsigned char *frame)
{
	unsigned char *ip = frame + 14, *payload;
	bool tcp = header->protocol == 6;

	memset(frame, 0, 128);
	put16(frame + 12, header->family == FW_INET ? 0x0800 : 0x86dd);
	if (header->family == FW_INET) {
		ip[0] = 0x45;
		put16(ip + 2, tcp ? 40 : 28);
		ip[8] = 64;
		ip[9] = header->protocol;
		put_words(ip + 12, header->source, 1);
		put_words(ip + 16, header->destination, 1);
		payload = ip + 20;
	} else {
		ip[0] = 0x60;
		put16(ip + 4, tcp ? 20 : 8);
		ip[6] = header->protocol;
		ip[7] = 64;
		put_words(ip + 8, header->source, 4);
		put_words(ip + 24, header->destination, 4);
		payload = ip + 40;
	}
	put16(payload, header->source_port);
	put16(payload + 2, header->destination_port);
	if (tcp)
		payload[12] = 0x50;
	else
		put16(payload + 4, 8);
	return payload + (tcp ? 20 : 8) - frame;
}

static const struct bench_header *first_tcp(const struct bench_header *headers)
{
	for (size_t i = 0; i < BENCH_HEADERS; i++)
		if (headers[i].protocol == 6)
			return &headers[i];
	return NULL;
}

static int measure_hot(struct bench *bench, const struct bench_set *set, struct figures *figures)
{
	const struct bench_header *header = first_tcp(set->headers);
	double hot[RUNS], lowest[RUNS];
	unsigned char frame[128];
	size_t size;

	if (!header)
		return -ENOENT;
	size = make_frame(header, frame);
	for (int i = 0; i < RUNS; i++) {
		lowest[i] = run(bench->skeleton->progs.bench_floor, frame, size, 1000000);
		hot[i] = run(bench->skeleton->progs.bench_hot, frame, size, 1000000);
		if (hot[i] < 0 || lowest[i] < 0)
			return -EIO;
	}
	figures->hot_ns = median(hot, RUNS);
	figures->floor_ns = median(lowest, RUNS);
	return 0;
}

static int measure_headers(struct bench *bench, const struct bench_set *set,
			   const struct bench_header *headers, double *ret_ns, size_t *mismatches)
{
	double with[RUNS], without[RUNS];

	memcpy(bench->headers->items, headers, BENCH_HEADERS * sizeof(*headers));
	for (int i = 0; i < RUNS; i++) {
		without[i] = loop_ns(bench->skeleton->progs.bench_nothing);
		with[i] = loop_ns(bench->skeleton->progs.bench_headers);
		if (with[i] < 0 || without[i] < 0)
			return -EIO;
	}
	*ret_ns = median(with, RUNS) - median(without, RUNS);
	for (size_t i = 0; i < BENCH_HEADERS; i++)
		*mismatches += bench->headers->records[i] != bench_set_match(set, &headers[i]);
	return 0;
}

static int measure(const struct bench_set *set, const struct image *image, struct figures *figures)
{
	const struct bench_header *const headers[] = { set->headers, set->shuffled, set->random };
	struct bench bench = { 0 };
	int error = bench_open(image, &bench);

	for (int kind = 0; !error && kind < HEADER_KINDS; kind++)
		error = measure_headers(&bench, set, headers[kind], &figures->ns[kind],
					&figures->mismatches);
	if (!error)
		error = measure_hot(&bench, set, figures);
	bench_close(&bench);
	return error;
}

/* Counters are numbered like the rules, whatever the data plane would say. */
static int build(const struct bench_set *set, const struct ruleset *ruleset, enum compile_form form,
		 struct image *image, struct figures *figures)
{
	const struct block *egress = &ruleset->blocks[FW_EGRESS];
	size_t numbers = set->count + egress->count + 2;
	_cleanup_free_ uint32_t *counters = calloc(numbers, sizeof(*counters));
	_cleanup_free_ char *why = NULL;
	struct compile_input input = { .ruleset = ruleset, .form = form };
	double begin;
	int error;

	if (!counters)
		return -ENOMEM;
	for (size_t i = 0; i < numbers; i++)
		counters[i] = (uint32_t)i;
	input.counters[FW_INGRESS] = counters;
	input.counters[FW_EGRESS] = counters + set->count + 1;
	begin = now_ms();
	error = compile(&input, image, &why);
	figures->build_ms = now_ms() - begin;
	figures->image_bytes = image->size;
	if (!error)
		error = forecast_make(&input, &figures->forecast, &why);
	if (error)
		fprintf(stderr, "fwbench: %s: %s\n", set->name, why);
	return error;
}

/* What the real program and the real switch cost; the program is the same for all sets. */
static void measure_plane(struct ruleset *ruleset, struct figures *figures)
{
	static struct dataplane *plane;
	double ms[RUNS];

	if (!plane)
		plane = plane_open(FW_IMAGE_SIZE_3);
	for (int i = 0; i < RUNS; i++)
		ms[i] = plane_switch(plane, ruleset);
	figures->switch_ms = median(ms, RUNS);
	figures->verified_insns = plane_verified_instructions(plane);
}

/* The family that most rules are for. */
static const struct forecast_part *largest_part(const struct forecast *forecast)
{
	const struct forecast_part *largest = &forecast->parts[0];

	for (size_t i = 1; i < forecast->count; i++)
		if (forecast->parts[i].hook == FW_INGRESS &&
		    forecast->parts[i].bits > largest->bits)
			largest = &forecast->parts[i];
	return largest;
}

static void report(const struct bench_set *set, const struct figures *figures, bool json)
{
	const struct forecast_part *part = largest_part(&figures->forecast);
	bool groups = part->form == COMPILE_GROUPS;

	printf(json ? "{\"set\":\"%s\",\"rules\":%zu,\"form\":\"%s\",\"tuples\":%zu,"
		      "\"floor_ns\":%.1f,\"hot_ns\":%.1f,\"trace_ns\":%.1f,\"shuffled_ns\":%.1f,"
		      "\"random_ns\":%.1f,\"image_bytes\":%zu,\"build_ms\":%.1f,"
		      "\"switch_ms\":%.1f,\"verified_insns\":%u,\"mismatches\":%zu}\n"
		    : "%-16s %7zu %-6s %5zu %6.1f %6.1f %6.1f %6.1f %6.1f %10zu %7.1f %6.1f %7u "
		      "%5zu\n",
	       set->name, set->count, groups ? "groups" : "terms", groups ? part->bits : 0,
	       figures->floor_ns, figures->hot_ns, figures->ns[HEADERS_TRACE],
	       figures->ns[HEADERS_SHUFFLED], figures->ns[HEADERS_RANDOM], figures->image_bytes,
	       figures->build_ms, figures->switch_ms, figures->verified_insns, figures->mismatches);
	fflush(stdout);
}

static struct ruleset *set_rules(struct bench_set *set)
{
	_cleanup_buffer_ struct buffer buffer = { 0 };

	bench_set_print(set, &buffer);
	return rules_read_text(buffer_text(&buffer));
}

static int bench_one(struct bench_set *set, enum compile_form form, bool json)
{
	struct figures figures = { 0 };
	struct image image = { 0 };
	struct ruleset *ruleset;
	int error;

	bench_set_fill(set, 1);
	ruleset = set->ruleset ? set->ruleset : set_rules(set);
	error = ruleset ? build(set, ruleset, form, &image, &figures) : -EINVAL;
	if (!error)
		error = measure(set, &image, &figures);
	if (!error) {
		measure_plane(ruleset, &figures);
		report(set, &figures, json);
	}
	image_free(&image);
	if (!set->ruleset)
		ruleset_free(&ruleset);
	if (error)
		fprintf(stderr, "fwbench: %s: %s\n", set->name, strerror(-error));
	else if (figures.mismatches)
		error = -EBADMSG;
	return error;
}

/* A set that is refused is told of, and the next one tried. */
static int bench_generated(enum compile_form form, bool json)
{
	static const size_t sizes[] = { 10, 100, 1000, 10000, 100000 };
	int worst = 0;

	for (size_t i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct bench_set set;
		int error;

		bench_set_generate(1, sizes[i / 2], i % 2, &set);
		error = bench_one(&set, form, json);
		worst = error ? error : worst;
		bench_set_free(&set);
	}
	return worst;
}

struct choices {
	const char *rules; /* ClassBench */
	const char *file;  /* ours */
	const char *trace;
	enum compile_form form;
	bool six;
	bool json;
};

static int read_choices(int count, char **words, struct choices *choices)
{
	for (int i = 0; i < count; i++) {
		const char *value = i + 1 < count ? words[i + 1] : NULL;

		if (!strcmp(words[i], "--json"))
			choices->json = true;
		else if (!strcmp(words[i], "--six"))
			choices->six = true;
		else if (!strcmp(words[i], "--terms"))
			choices->form = COMPILE_TERMS;
		else if (!strcmp(words[i], "--groups"))
			choices->form = COMPILE_GROUPS;
		else if (!strcmp(words[i], "--classbench") && value)
			choices->rules = words[++i];
		else if (!strcmp(words[i], "--rules") && value)
			choices->file = words[++i];
		else if (!strcmp(words[i], "--trace") && value)
			choices->trace = words[++i];
		else
			return -EINVAL;
	}
	return 0;
}

int bench_classify(int count, char **words)
{
	struct choices choices = { 0 };
	struct bench_set set;
	int error;

	if (read_choices(count, words, &choices)) {
		fprintf(stderr,
			"usage: fwbench classify [--classbench RULES [--trace TRACE] [--six] | "
			"--rules FILE] [--terms|--groups] [--json]\n");
		return 2;
	}
	pin_to_last_cpu();
	if (!choices.json)
		printf("%-16s %7s %-6s %5s %6s %6s %6s %6s %6s %10s %7s %6s %7s %5s\n", "set",
		       "rules", "form", "bits", "floor", "hot", "trace", "shuffl", "random",
		       "image", "build", "switch", "insns", "wrong");
	if (!choices.rules && !choices.file)
		return bench_generated(choices.form, choices.json) ? 1 : 0;
	if (choices.file)
		error = bench_set_read_rules(choices.file, 1, &set);
	else
		error = bench_set_read(choices.rules, choices.trace, &set);
	if (error) {
		fprintf(stderr, "fwbench: %s: %s\n", choices.file ? choices.file : choices.rules,
			strerror(-error));
		return 1;
	}
	set.six = choices.six && !choices.file;
	if (set.six)
		bench_set_rename(&set, "_inet6");
	error = bench_one(&set, choices.form, choices.json);
	bench_set_free(&set);
	return error ? 1 : 0;
}
