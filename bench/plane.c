/* SPDX-License-Identifier: GPL-2.0-only */
#include "plane.h"

#include <bpf/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "dataplane/internal.h"
#include "dataplane/sets.h"
#include "language/language.h"
#include "timing.h"

void die(const char *what, const char *why)
{
	fprintf(stderr, "fwbench: %s: %s\n", what, why);
	exit(1);
}

static void tell(int error, struct diagnostics *diagnostics)
{
	if (error)
		diagnostics_print(diagnostics, stderr);
	diagnostics_free(diagnostics);
}

struct ruleset *rules_read(const char *path)
{
	struct ruleset *ruleset = NULL;
	struct diagnostics diagnostics;

	diagnostics_init(&diagnostics);
	tell(ruleset_parse(path, &file_reader_system, &diagnostics, &ruleset), &diagnostics);
	return ruleset;
}

struct ruleset *rules_read_text(const char *text)
{
	const struct source_file file = { .path = "bench", .text = text, .length = strlen(text) };
	struct ruleset *ruleset = NULL;
	struct diagnostics diagnostics;

	diagnostics_init(&diagnostics);
	tell(ruleset_parse_text(&file, &file_reader_system, &diagnostics, &ruleset), &diagnostics);
	return ruleset;
}

struct dataplane *plane_open(size_t largest_image)
{
	struct dataplane *plane = NULL;
	char *error = NULL;

	if (dataplane_open_private(largest_image, &plane, &error))
		die("data plane", error);
	return plane;
}

double plane_switch(struct dataplane *plane, struct ruleset *ruleset)
{
	struct switch_input change = { .origin = { .source = "bench" }, .text = "" };
	struct compile_input input = { .ruleset = ruleset };
	_cleanup_free_ char *error = NULL;
	struct image image = { 0 };
	struct plan *plan = NULL;
	uint32_t number;
	double begin;

	if (dataplane_plan(plane, ruleset, &plan) ||
	    dataplane_prepare_sets(plane, plan, ruleset, NULL, NULL))
		die("plan", dataplane_error(plane));
	for (int hook = 0; hook < FW_HOOKS; hook++) {
		input.counters[hook] = plan->counters[hook];
		input.limits[hook] = plan->limits[hook];
	}
	if (compile(&input, &image, &error))
		die("compile", error);
	change.plan = plan;
	change.image = image.bytes;
	change.image_size = image.size;
	begin = now_ms();
	if (dataplane_switch(plane, &change, &number))
		die("switch", dataplane_error(plane));
	begin = now_ms() - begin;
	image_free(&image);
	plan_free(&plan);
	return begin;
}

struct dataplane *plane_of(const char *rules)
{
	struct dataplane *plane = plane_open(FW_IMAGE_SIZE_1);
	struct ruleset *ruleset = rules_read_text(rules);

	if (!ruleset)
		die("rules", rules);
	plane_switch(plane, ruleset);
	ruleset_free(&ruleset);
	return plane;
}

/* A SYN from 192.0.2.1 to port 22. */
static const uint8_t frame[64] = {
	0,   0,	 0x5e, 0,    0x53, 2,  0,  0, 0x5e, 0, 0x53, 1, 8, 0, 0x45, 0,
	0,   40, 0,    0,    0,	   0,  64, 6, 0,    0, 192,  0, 2, 1, 198,  51,
	100, 1,	 4,    0xd2, 0,	   22, 0,  0, 0,    1, 0,    0, 0, 0, 0x50, 2,
};

double plane_run(struct dataplane *plane, enum fw_hook hook, uint32_t repeat)
{
	const struct test_packet packet = { .frame = frame,
					    .length = sizeof(frame),
					    .repeat = repeat };
	struct test_verdict verdict;

	if (dataplane_test_run(plane, hook, &packet, &verdict))
		die("program", dataplane_error(plane));
	return verdict.nanoseconds;
}

unsigned plane_verified_instructions(struct dataplane *plane)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);
	int program;

	if (program_get(plane, PROGRAM_INGRESS, false, &program))
		die("program", dataplane_error(plane));
	if (bpf_obj_get_info_by_fd(program, &info, &size))
		die("program", "cannot be asked");
	return info.verified_insns;
}
