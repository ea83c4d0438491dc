// SPDX-License-Identifier: GPL-2.0-only
#include "prog_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compiler/compile.h"
#include "dataplane/flows.h"
#include "dataplane/sets.h"
#include "language/language.h"
#include "packets.h"
#include "rules.h"

int needs_root(void)
{
	if (geteuid() == 0)
		return 0;
	printf("needs root\n");
	return 77;
}

int filter_setup(void **state)
{
	struct filter *filter = calloc(1, sizeof(*filter));
	char *error = NULL;

	assert_non_null(filter);
	if (dataplane_open_private(FW_IMAGE_SIZE_1, &filter->dataplane, &error))
		fail_msg("%s", error);
	*state = filter;
	return 0;
}

int filter_teardown(void **state)
{
	struct filter *filter = *state;

	ruleset_free(&filter->ruleset);
	dataplane_close(&filter->dataplane);
	free(filter);
	return 0;
}

void filter_apply_links(struct filter *filter, const char *rules, const struct link_info *links,
			size_t count)
{
	struct link *known = calloc(count + 1, sizeof(*known));
	struct plan *plan = NULL;
	struct image image = {};
	struct compile_input input = { .links = known, .link_count = count };
	struct switch_input change = { .origin = { .source = "test" },
				       .text = rules,
				       .length = strlen(rules) };
	char *error = NULL;
	uint32_t number;

	assert_non_null(known);
	for (size_t i = 0; i < count; i++)
		known[i] = (struct link){ .name = links[i].name, .index = links[i].index };
	ruleset_free(&filter->ruleset);
	filter->ruleset = rules_read(rules);
	if (dataplane_plan(filter->dataplane, filter->ruleset, &plan))
		fail_msg("%s", dataplane_error(filter->dataplane));
	if (dataplane_prepare_sets(filter->dataplane, plan, filter->ruleset, NULL, NULL))
		fail_msg("%s", dataplane_error(filter->dataplane));
	input.ruleset = filter->ruleset;
	for (size_t hook = 0; hook < FW_HOOKS; hook++) {
		input.counters[hook] = plan->counters[hook];
		input.limits[hook] = plan->limits[hook];
	}
	if (compile(&input, &image, &error))
		fail_msg("%s", error);
	change.plan = plan;
	change.image = image.bytes;
	change.image_size = image.size;
	change.fail_drop = filter->ruleset->options.fail_drop;
	if (dataplane_switch(filter->dataplane, &change, &number))
		fail_msg("%s", dataplane_error(filter->dataplane));
	if (dataplane_settle_sets(filter->dataplane) || dataplane_settle_flows(filter->dataplane))
		fail_msg("%s", dataplane_error(filter->dataplane));
	image_free(&image);
	plan_free(&plan);
	free(known);
}

void filter_apply(struct filter *filter, const char *rules)
{
	filter_apply_links(filter, rules, NULL, 0);
}

void filter_damage(struct filter *filter)
{
	static const uint8_t nothing[4096];
	struct switch_input change = {
		.origin = { .source = "test" },
		.text = "",
		.image = nothing,
		.image_size = sizeof(nothing),
		.fail_drop = filter->ruleset->options.fail_drop,
	};
	struct plan *plan = NULL;
	uint32_t number;

	if (dataplane_plan(filter->dataplane, filter->ruleset, &plan))
		fail_msg("%s", dataplane_error(filter->dataplane));
	change.plan = plan;
	if (dataplane_switch(filter->dataplane, &change, &number))
		fail_msg("%s", dataplane_error(filter->dataplane));
	plan_free(&plan);
}

enum fw_verdict filter_run(struct filter *filter, enum fw_hook hook, const struct frame *frame)
{
	const struct test_packet packet = { .frame = frame->bytes, .length = frame->length };
	struct test_verdict verdict;

	if (dataplane_test_run(filter->dataplane, hook, &packet, &verdict))
		fail_msg("%s", dataplane_error(filter->dataplane));
	return verdict.verdict;
}

static struct statistics *statistics_of(struct filter *filter)
{
	struct statistics *statistics;

	if (dataplane_read_statistics(filter->dataplane, &statistics))
		fail_msg("%s", dataplane_error(filter->dataplane));
	return statistics;
}

static struct rule_total rule_of(struct filter *filter, enum fw_hook hook, const char *identity)
{
	struct statistics *statistics = statistics_of(filter);
	const struct rule_total *rule = statistics_find(statistics, hook, identity);
	struct rule_total total = rule ? *rule : (struct rule_total){};

	statistics_free(&statistics);
	return total;
}

struct fw_counter filter_rule(struct filter *filter, enum fw_hook hook, const char *identity)
{
	return rule_of(filter, hook, identity).total;
}

struct fw_counter filter_limited(struct filter *filter, enum fw_hook hook, const char *identity)
{
	return rule_of(filter, hook, identity).limited;
}

struct fw_counter filter_reason(struct filter *filter, enum fw_hook hook, enum fw_reason reason)
{
	struct statistics *statistics = statistics_of(filter);
	struct fw_counter total = statistics->reasons[hook][reason];

	statistics_free(&statistics);
	return total;
}

struct hook_total filter_hook(struct filter *filter, enum fw_hook hook)
{
	struct statistics *statistics = statistics_of(filter);
	struct hook_total total = statistics->hooks[hook];

	statistics_free(&statistics);
	return total;
}

void assert_decides(struct filter *filter, enum fw_hook hook, const struct frame *frame,
		    enum fw_verdict verdict, const char *identity)
{
	struct fw_counter rule = filter_rule(filter, hook, identity), counted;
	struct hook_total expected = filter_hook(filter, hook), total;
	struct fw_counter *grown = verdict == FW_VERDICT_PASS ? &expected.pass : &expected.drop;

	assert_int_equal(filter_run(filter, hook, frame), verdict);
	grown->packets++;
	grown->bytes += frame->length;
	total = filter_hook(filter, hook);
	assert_memory_equal(&total, &expected, sizeof(total));
	counted = filter_rule(filter, hook, identity);
	if (counted.packets != rule.packets + 1 || counted.bytes != rule.bytes + frame->length)
		fail_msg("%s counted %llu packets of %llu bytes; the frame has %zu", identity,
			 counted.packets - rule.packets, counted.bytes - rule.bytes, frame->length);
}

struct frame frame_named(const char *name)
{
	for (size_t i = 0; i < sizeof(named_packets) / sizeof(named_packets[0]); i++)
		if (!strcmp(named_packets[i].name, name))
			return (struct frame){ named_packets[i].bytes, named_packets[i].length };
	fail_msg("there is no packet '%s' in tests/lib/packets.py", name);
	return (struct frame){};
}
