/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fwbench steps: what the forecast of `fwctl check` counts with (ctl/compiler/cost.c). The real
 * program on one TCP packet that is in the cache, under rules that differ in one thing; the least
 * of all turns, in nanoseconds over a program with one rule.
 */
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "bench.h"
#include "plane.h"
#include "timing.h"

#define TURNS	21
#define REPEAT	100000
#define SHIFTED 20   /* prefixes of 3 to 22 bits around the packet's addresses */
#define MANY	1100 /* rules: more than get a bit each */

static void put_address(struct buffer *text, uint32_t address, unsigned length)
{
	address &= ~0U << (32 - length);
	buffer_printf(text, "%u.%u.%u.%u/%u", address >> 24, address >> 16 & 255,
		      address >> 8 & 255, address & 255, length);
}

/* Rules that all look at the packet's source, the longest prefix first. */
static void put_nested(struct buffer *text, const char *action, const char *rest)
{
	for (unsigned i = 0; i < 16; i++) {
		buffer_printf(text, "%s from ", action);
		put_address(text, 0xc0000201, 22 - i);
		buffer_printf(text, " %s label n%u\n", rest, i);
	}
}

static void put_hosts(struct buffer *text, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		buffer_printf(text, "pass tcp from 203.0.%u.%u to 198.51.100.1 port 22\n", i >> 8,
			      i & 255);
}

/* Each has the packet's source under one rule and its destination under another: no rule matches.
 */
static void put_crossed(struct buffer *text, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		buffer_puts(text, "pass from ");
		put_address(text, 0xc0000201, 22 - i);
		buffer_puts(text, " to ");
		put_address(text, 0x0a000000, 22 - i);
		buffer_puts(text, "\npass from ");
		put_address(text, 0x0a000000, 22 - i);
		buffer_puts(text, " to ");
		put_address(text, 0xc6336401, 22 - i);
		buffer_putc(text, '\n');
	}
}

enum step {
	STEP_NOTHING,
	STEP_ONE,
	STEP_WORDS,
	STEP_GROUPS,
	STEP_CANDIDATES,
	STEP_COUNTED,
	STEP_LIMITS,
	STEP_LIMITS_SOURCE,
	STEP_LIMIT,
	STEP_STATE,
	STEP_SET,
	STEPS,
};

/* What differs, and in how many of it the difference is divided; `less` is taken away before. */
static const struct {
	const char *name;
	enum step less;
	unsigned count;
} steps[STEPS] = {
	[STEP_NOTHING] = { "a hook without a block (in all)", STEP_NOTHING, 0 },
	[STEP_ONE] = { "one rule", STEP_NOTHING, 1 },
	[STEP_WORDS] = { "a word of a row, of 15", STEP_ONE, 15 },
	[STEP_GROUPS] = { "groups with one candidate", STEP_ONE, 1 },
	[STEP_CANDIDATES] = { "a candidate, of 20", STEP_GROUPS, SHIFTED },
	[STEP_COUNTED] = { "a rule that counts, of 16", STEP_ONE, 16 },
	[STEP_LIMITS] = { "a rule that counts with a limit, of 16", STEP_ONE, 16 },
	[STEP_LIMITS_SOURCE] = { "likewise, per source", STEP_ONE, 16 },
	[STEP_LIMIT] = { "the limit of the rule that decides", STEP_ONE, 1 },
	[STEP_STATE] = { "keep state, of a recorded flow", STEP_ONE, 1 },
	[STEP_SET] = { "a live set of one host", STEP_ONE, 1 },
};

static void put_rules(struct buffer *text, enum step step)
{
	if (step == STEP_WORDS)
		for (unsigned i = 0; i < 64 * 15; i++)
			buffer_printf(text, "pass tcp from 203.0.%u.%u to port %u\n", i >> 8,
				      i & 255, 1000 + i);
	if (step == STEP_GROUPS || step == STEP_CANDIDATES)
		put_hosts(text, MANY);
	if (step == STEP_CANDIDATES)
		put_crossed(text, SHIFTED);
	if (step == STEP_COUNTED)
		put_nested(text, "count", "");
	if (step == STEP_LIMITS)
		put_nested(text, "count", "limit 1000000000/s");
	if (step == STEP_LIMITS_SOURCE)
		put_nested(text, "count", "limit 1000000000/s per source");
	if (step == STEP_SET)
		buffer_puts(text, "drop from @banned\n");
	if (step == STEP_STATE)
		buffer_puts(text, "pass tcp to port 22 keep state\n");
	else
		buffer_printf(text, "pass tcp to port 22%s\n",
			      step == STEP_LIMIT ? " limit 1000000000/s per source" : "");
}

static struct dataplane *plane_make(enum step step)
{
	struct buffer text = { 0 };
	struct dataplane *plane;

	buffer_puts(&text, "option essential off\n");
	if (step == STEP_SET)
		buffer_puts(&text, "set banned live { 203.0.113.1 }\n");
	if (step != STEP_NOTHING) {
		buffer_puts(&text, "ingress default pass {\n");
		put_rules(&text, step);
		buffer_puts(&text, "}\n");
	}
	plane = plane_of(buffer_text(&text));
	buffer_free(&text);
	return plane;
}

int bench_steps(int count, char **words)
{
	struct dataplane *planes[STEPS];
	double least[STEPS];

	(void)words;
	if (count) {
		fprintf(stderr, "usage: fwbench steps\n");
		return 2;
	}
	for (enum step step = 0; step < STEPS; step++)
		planes[step] = plane_make(step);
	pin_to_last_cpu();
	for (int turn = 0; turn < TURNS; turn++) {
		for (enum step step = 0; step < STEPS; step++) {
			double time = plane_run(planes[step], FW_INGRESS, REPEAT);

			if (!turn || time < least[step])
				least[step] = time;
		}
	}
	for (enum step step = 0; step < STEPS; step++) {
		double time = least[step] - (steps[step].count ? least[steps[step].less] : 0);

		printf("%-40s %7.1f ns\n", steps[step].name,
		       time / (steps[step].count ? steps[step].count : 1));
		dataplane_close(&planes[step]);
	}
	return 0;
}
