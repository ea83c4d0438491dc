/* SPDX-License-Identifier: GPL-2.0-only */
/* The forecast of `fwctl check`: a few lines for people, or JSON. */
#include "commands/forecast_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/describe.h"
#include "analysis/interfaces.h"
#include "base/message.h"
#include "commands/hook.h"
#include "commands/json.h"
#include "fw/image.h"

static const char *const family_names[FW_FAMILIES] = {
	[FW_OTHER] = "other",
	[FW_INET] = "inet",
	[FW_INET6] = "inet6",
};

/* What a generation only carries if a rule asks for it. */
static const struct {
	uint32_t feature;
	const char *name;
} features[] = {
	{ FW_NEEDS_STATE, "state" },
	{ FW_NEEDS_KEEP_STATE, "keep state" },
	{ FW_NEEDS_SOURCE_SETS, "live sets of sources" },
	{ FW_NEEDS_DESTINATION_SETS, "live sets of destinations" },
	{ FW_NEEDS_LIMITS, "limit" },
	{ FW_NEEDS_SYNCOOKIE, "syncookie" },
	{ FW_NEEDS_REJECT, "reject" },
	{ FW_NEEDS_LOG, "log" },
	{ FW_HAS_COUNT_RULES, "rules that go on" },
	{ FW_USES_MAC, "MAC addresses" },
};

#define FEATURES (sizeof(features) / sizeof(features[0]))

static void links_add(struct link *links, size_t *count, const char *name)
{
	if (!name)
		return;
	links[*count] = (struct link){ .name = name, .index = (uint32_t)*count + 1 };
	(*count)++;
}

static struct link *links_of(const struct interfaces *interfaces, size_t *ret_count)
{
	uint32_t last = interfaces_last(interfaces);
	struct link *links = calloc(last + 1 + interfaces->pattern_count, sizeof(*links));
	size_t count = 0;

	if (!links)
		message_out_of_memory();
	for (uint32_t i = 0; i <= last; i++)
		links_add(links, &count, interfaces_sample(interfaces, i, 0, 0));
	for (size_t i = 0; i < interfaces->pattern_count; i++)
		links_add(links, &count, interfaces_sample(interfaces, last, 1ULL << (i + 1), 0));
	*ret_count = count;
	return links;
}

int forecast_of(const struct ruleset *ruleset, struct forecast *ret_forecast, char **ret_error)
{
	struct arena *arena = arena_new();
	struct interfaces interfaces = { .arena = arena };
	struct compile_input input = { .ruleset = ruleset };
	uint32_t *counters[FW_HOOKS];
	struct link *links;
	int error;

	interfaces_add(&interfaces, ruleset);
	interfaces_finish(&interfaces);
	links = links_of(&interfaces, &input.link_count);
	input.links = links;
	for (int hook = 0; hook < FW_HOOKS; hook++) {
		counters[hook] = calloc(ruleset->blocks[hook].count + 1, sizeof(uint32_t));
		if (!counters[hook])
			message_out_of_memory();
		input.counters[hook] = counters[hook];
	}
	error = forecast_make(&input, ret_forecast, ret_error);
	for (int hook = 0; hook < FW_HOOKS; hook++)
		free(counters[hook]);
	free(links);
	interfaces_free(&interfaces);
	arena_free(&arena);
	return error;
}

static void add_worst_rules(const struct ruleset *ruleset, const struct forecast_part *part,
			    struct buffer *text)
{
	const struct block *block = &ruleset->blocks[part->hook];

	for (size_t i = 0; i < part->rule_count; i++) {
		const struct subject rule = { ruleset, part->hook, part->rules[i] };

		if (i)
			buffer_puts(text, ", ");
		describe_rule(&rule, &block->at, text);
	}
	if ((part->by_counted ? part->worst.counted : part->candidates) > part->rule_count)
		buffer_puts(text, ", ...");
}

void forecast_warn(const struct ruleset *ruleset, const struct forecast *forecast,
		   struct diagnostics *diagnostics)
{
	for (size_t i = 0; i < forecast->count; i++) {
		const struct forecast_part *part = &forecast->parts[i];
		_cleanup_buffer_ struct buffer rules = { 0 };

		if (!forecast_part_is_uneven(part))
			continue;
		add_worst_rules(ruleset, part, &rules);
		diagnostics_warn(diagnostics, ruleset, &ruleset->blocks[part->hook].at,
				 diagnostics_hint(diagnostics,
						  part->by_counted
							  ? "it meets and goes on behind %s"
							  : "it has to be compared with %s",
						  buffer_text(&rules)),
				 "the worst %s packet costs over 10 times the typical one: about "
				 "%.0f ns, not %.0f",
				 family_names[part->family], part->worst_ns, part->typical_ns);
	}
}

/* What the buckets take, if there are any: the table of addresses and a line for each rule. */
static size_t limit_bytes(const struct forecast *forecast)
{
	uint32_t carried = forecast->features[FW_INGRESS] | forecast->features[FW_EGRESS];

	return carried & FW_NEEDS_LIMITS ? (FW_LIMIT_LINES + FW_LIMIT_RULE_LINES) * FW_LINE : 0;
}

static void print_size(const char *what, size_t bytes)
{
	if (bytes < 1U << 20)
		printf("%s of %.1f KiB", what, (double)bytes / (1U << 10));
	else
		printf("%s of %.1f MiB", what, (double)bytes / (1U << 20));
}

static void print_hook(const struct block *block, enum fw_hook hook, uint32_t carried)
{
	const char *before = "; with ";
	size_t count = block->count - block->builtin_count;

	printf("  %s: %zu rule%s", hook_name(hook), count, count == 1 ? "" : "s");
	if (block->builtin_count)
		printf(" and %zu built in", block->builtin_count);
	for (size_t i = 0; i < FEATURES; i++) {
		if (!(carried & features[i].feature))
			continue;
		printf("%s%s", before, features[i].name);
		before = ", ";
	}
	putchar('\n');
}

static const char *form_name(const struct forecast_part *part)
{
	return part->form == COMPILE_GROUPS ? "tuples" : "terms";
}

/* "1 tuple", "3 tuples" */
static void print_forms(const struct forecast_part *part, size_t count)
{
	const char *name = form_name(part);

	printf("%zu %.*s", count, (int)strlen(name) - (count == 1), name);
}

static void print_amount(size_t count, const char *one, const char *many)
{
	if (count)
		printf(", %zu %s", count, count == 1 ? one : many);
}

static void print_part(const struct forecast_part *part)
{
	const struct cost *worst = &part->worst;

	printf("    %-5s  ", family_names[part->family]);
	print_forms(part, part->bits);
	printf("; classes: %zu source, %zu destination, %zu service", part->source_classes,
	       part->destination_classes, part->service_classes);
	if (part->form == COMPILE_GROUPS)
		printf("; longest chain: %zu", part->longest_chain);
	printf("\n           worst packet: compared with %s", part->exact ? "" : "at least ");
	print_forms(part, part->candidates);
	print_amount(worst->counted, "rule that goes on", "rules that go on");
	print_amount(worst->limits, "limit", "limits");
	print_amount(worst->sets + worst->full_sets, "live look-up", "live look-ups");
	if (worst->new_flow || worst->state)
		printf(", %s", worst->new_flow ? "a new flow" : "its state");
	if (worst->cookie)
		printf(", a SYN answered");
	printf(", about %.0f ns over parsing (typical %.0f)\n", part->worst_ns, part->typical_ns);
}

void forecast_print(const struct ruleset *ruleset, const struct forecast *forecast)
{
	printf("forecast: ");
	print_size("tables", forecast->image_bytes);
	if (limit_bytes(forecast))
		print_size(", buckets", limit_bytes(forecast));
	putchar('\n');
	for (int hook = 0; hook < FW_HOOKS; hook++) {
		if (!ruleset->blocks[hook].present)
			continue;
		print_hook(&ruleset->blocks[hook], hook, forecast->features[hook]);
		for (size_t i = 0; i < forecast->count; i++)
			if ((int)forecast->parts[i].hook == hook)
				print_part(&forecast->parts[i]);
	}
}

static json_t *part_to_json(const struct ruleset *ruleset, const struct forecast_part *part)
{
	const struct block *block = &ruleset->blocks[part->hook];
	json_t *rules = json_array();

	for (size_t i = 0; i < part->rule_count; i++)
		json_array_append_new(rules,
				      json_string(rule_identity(&block->rules[part->rules[i]])));
	return json_told(json_pack(
		"{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:b, s:o, s:f, s:f, s:I, s:I, s:I, s:b, s:I, "
		"s:b}",
		"family", family_names[part->family], "form", form_name(part), "count",
		(json_int_t)part->bits, "source_classes", (json_int_t)part->source_classes,
		"destination_classes", (json_int_t)part->destination_classes, "service_classes",
		(json_int_t)part->service_classes, "worst_probes", (json_int_t)part->candidates,
		"worst_is_exact", part->exact, "worst_rules", rules, "worst_ns", part->worst_ns,
		"typical_ns", part->typical_ns, "longest_chain", (json_int_t)part->longest_chain,
		"worst_counted", (json_int_t)part->worst.counted, "worst_limits",
		(json_int_t)part->worst.limits, "worst_new_flow", part->worst.new_flow,
		"worst_live_lookups", (json_int_t)(part->worst.sets + part->worst.full_sets),
		"worst_syn_answered", part->worst.cookie));
}

static json_t *hook_to_json(const struct ruleset *ruleset, const struct forecast *forecast,
			    enum fw_hook hook)
{
	const struct block *block = &ruleset->blocks[hook];
	json_t *carried = json_array();
	json_t *families = json_array();

	for (size_t i = 0; i < FEATURES; i++)
		if (forecast->features[hook] & features[i].feature)
			json_array_append_new(carried, json_string(features[i].name));
	for (size_t i = 0; i < forecast->count; i++)
		if (forecast->parts[i].hook == hook)
			json_array_append_new(families, part_to_json(ruleset, &forecast->parts[i]));
	return json_told(json_pack("{s:I, s:I, s:o, s:o}", "rules",
				   (json_int_t)(block->count - block->builtin_count), "builtin",
				   (json_int_t)block->builtin_count, "features", carried,
				   "families", families));
}

void forecast_print_json(const struct ruleset *ruleset, const struct forecast *forecast)
{
	json_t *hooks = json_object();

	for (int hook = 0; hook < FW_HOOKS; hook++)
		if (ruleset->blocks[hook].present)
			json_object_set_new(hooks, hook_name(hook),
					    hook_to_json(ruleset, forecast, hook));
	json_write(json_told(json_pack("{s:I, s:I, s:o}", "table_bytes",
				       (json_int_t)forecast->image_bytes, "limit_bytes",
				       (json_int_t)limit_bytes(forecast), "hooks", hooks)));
}
