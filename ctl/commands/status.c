/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fwctl status: what is attached where, and whether that is what the rules ask for. Exit status 1
 * if anything that should be filtered is not.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buffer.h"
#include "base/message.h"
#include "commands/answering.h"
#include "commands/cookies.h"
#include "commands/hook.h"
#include "commands/interfaces.h"
#include "commands/json.h"
#include "commands/running.h"
#include "language/language.h"

struct state {
	struct generation *generation;
	struct ruleset *ruleset;
	struct attachment *attachments;
	size_t attachment_count;
	struct answering answering;
	struct wanted_links wanted;
	json_t *problems; /* texts */
	json_t *warnings; /* texts of what does not change the exit status */
};

static void text_add(json_t *texts, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void text_add(json_t *texts, const char *format, ...)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	va_list arguments;

	va_start(arguments, format);
	buffer_vprintf(&text, format, arguments);
	va_end(arguments);
	json_array_append_new(texts, json_told(json_string(buffer_text(&text))));
}

/* --- What is wrong ------------------------------------------------------------------------ */

static const struct attachment *attachment_find(const struct state *state, uint32_t link,
						enum fw_hook hook)
{
	for (size_t i = 0; i < state->attachment_count; i++) {
		if (state->attachments[i].link.index == link && state->attachments[i].hook == hook)
			return &state->attachments[i];
	}
	return NULL;
}

static void wanted_check(struct state *state)
{
	for (size_t i = 0; i < state->wanted.count * FW_HOOKS; i++) {
		const struct link_info *link = state->wanted.items[i / FW_HOOKS].link;
		enum fw_hook hook = i % FW_HOOKS;

		if (!state->ruleset->blocks[hook].present)
			continue;
		if (!attachment_find(state, link->index, hook))
			text_add(state->problems,
				 "%s %s is not filtered: our program is not on it; "
				 "`fwctl apply` puts it there",
				 link->name, hook_name(hook));
	}
	for (size_t i = 0; i < state->wanted.missing_count; i++) {
		const struct interface *line = state->wanted.missing[i];

		if (!line->is_pattern)
			text_add(state->problems, "there is no interface %s", line->pattern);
	}
	for (size_t i = 0; i < state->wanted.skipped_count; i++)
		text_add(
			state->warnings,
			"%s is not filtered: its frames (link type %u) are neither Ethernet nor IP",
			state->wanted.skipped[i]->name, state->wanted.skipped[i]->type);
	if (!state->ruleset->interface_count)
		text_add(state->problems, "the rules name no interface, so nothing is filtered");
	else if (!ruleset_has_block(state->ruleset))
		text_add(state->problems, NO_BLOCK_WARNING);
	else if (!state->attachment_count)
		text_add(state->problems, "no interface is filtered");
}

static bool is_wanted(const struct state *state, const struct attachment *attachment)
{
	if (!state->ruleset->blocks[attachment->hook].present)
		return false;
	for (size_t i = 0; i < state->wanted.count; i++) {
		if (state->wanted.items[i].link->index == attachment->link.index)
			return true;
	}
	return false;
}

static void attachments_check(struct state *state)
{
	for (size_t i = 0; i < state->attachment_count; i++) {
		const struct attachment *item = &state->attachments[i];
		const char *doubt;

		if (!is_wanted(state, item))
			text_add(state->problems,
				 "%s %s is filtered, but the rules do not ask for it",
				 item->link.name, hook_name(item->hook));
		else if (!links_text_has(state->generation->links, &item->link))
			text_add(state->problems,
				 "%s had another name when the rules were compiled, so `on` may "
				 "mean the wrong interface; `fwctl watch` or `apply` mends it",
				 item->link.name);
		if (vlan_rules_are_blind(state->ruleset, item))
			text_add(state->warnings, VLAN_WARNING, item->link.name, item->link.name);
		doubt = cookies_link_doubt(state->ruleset, item);
		if (doubt)
			text_add(state->warnings, "%s: %s", item->link.name, doubt);
		if (!item->current)
			text_add(state->problems,
				 "%s %s runs the program of another fwctl version; "
				 "`fwctl apply` replaces it",
				 item->link.name, hook_name(item->hook));
	}
}

/* Their packets come in by the program of the whole, and `on` has to know. */
static void parts_check(struct state *state)
{
	for (size_t i = 0; i < state->wanted.link_count; i++) {
		const struct link_info *link = &state->wanted.links[i];
		const struct link_info *whole = wanted_whole(&state->wanted, link);
		const struct attachment *found =
			whole ? attachment_find(state, whole->index, FW_INGRESS) : NULL;

		if (found && !strcmp(found->mode, "native") &&
		    !links_text_has_part(state->generation->links, link, whole))
			text_add(state->problems,
				 "%s was no part of %s when the rules were compiled, so `on` may "
				 "miss its packets; `fwctl watch` or `apply` mends it",
				 link->name, whole->name);
	}
}

static void answering_check(struct state *state)
{
	for (size_t i = 0; i < state->wanted.count && ruleset_rejects(state->ruleset); i++) {
		const struct link_info *link = state->wanted.items[i].link;

		if (!answering_has(&state->answering, link))
			text_add(state->problems,
				 "%s: what rules reject is dropped and not answered: the program "
				 "that answers is not on it; `fwctl apply` puts it there",
				 link->name);
	}
	for (size_t i = 0; i < state->answering.count; i++) {
		if (!state->answering.items[i].current)
			text_add(state->problems,
				 "%s: the program that answers is of another fwctl version; "
				 "`fwctl apply` replaces it",
				 state->answering.items[i].link.name);
	}
}

static int state_read(struct dataplane *dataplane, struct state *state)
{
	int error = running_read(dataplane, &state->generation, &state->ruleset);
	const char *doubt;

	if (error)
		return error;
	error = dataplane_attachments(dataplane, &state->attachments, &state->attachment_count);
	if (error) {
		message_error("cannot see what is attached: %s", dataplane_error(dataplane));
		return error;
	}
	error = answering_read(dataplane, &state->answering);
	if (error)
		return error;
	error = wanted_links_find(state->ruleset, &state->wanted);
	if (error) {
		message_error("cannot list the network interfaces: %s", strerror(-error));
		return error;
	}
	state->problems = json_told(json_array());
	state->warnings = json_told(json_array());
	wanted_check(state);
	attachments_check(state);
	parts_check(state);
	answering_check(state);
	doubt = cookies_doubt(state->ruleset);
	if (doubt)
		text_add(state->warnings, "%s", doubt);
	return 0;
}

static void state_free(struct state *state)
{
	json_decref(state->problems);
	json_decref(state->warnings);
	wanted_links_free(&state->wanted);
	free(state->attachments);
	answering_free(&state->answering);
	ruleset_free(&state->ruleset);
	generation_free(&state->generation);
}

/* --- Telling it --------------------------------------------------------------------------- */

static void time_text(int64_t seconds, char *buffer, size_t size)
{
	time_t when = (time_t)seconds;
	struct tm broken;

	if (!localtime_r(&when, &broken) || !strftime(buffer, size, "%Y-%m-%dT%H:%M:%S%z", &broken))
		snprintf(buffer, size, "%" PRId64, seconds);
}

static size_t own_rules(const struct block *block)
{
	return block->count - block->builtin_count;
}

static size_t limited_rules(const struct block *block)
{
	size_t count = 0;

	for (size_t i = 0; i < block->count; i++)
		count += block->rules[i].limit != NULL;
	return count;
}

static void block_text(const struct block *block, enum fw_hook hook)
{
	printf("%s: %zu rule%s and %zu built in", hook_name(hook), own_rules(block),
	       own_rules(block) == 1 ? "" : "s", block->builtin_count);
	if (limited_rules(block))
		printf(", %zu with a limit", limited_rules(block));
	printf(", %s\n", default_text(block->default_action));
}

static void status_text(const struct state *state)
{
	const struct generation *generation = state->generation;
	char when[64];
	size_t index;
	json_t *text;

	time_text(generation->applied, when, sizeof(when));
	printf("generation %u of %s, applied %s, %" PRIu64 " bytes of tables\n", generation->number,
	       generation->origin.source, when, (uint64_t)generation->image_size);
	if (generation->origin.changes)
		printf("changed since by add or delete: %u, not saved\n",
		       generation->origin.changes);
	for (int hook = 0; hook < FW_HOOKS; hook++) {
		const struct block *block = &state->ruleset->blocks[hook];

		if (block->present)
			block_text(block, hook);
	}
	for (size_t i = 0; i < state->attachment_count; i++) {
		const struct attachment *item = &state->attachments[i];
		const char *place =
			item->hook == FW_EGRESS ? ""
			: item->alone
				? ", alone: no other XDP program fits beside it (libxdp's dispatcher "
				  "needs BPF_PROG_TYPE_EXT of the kernel)"
				: ", in libxdp's dispatcher";

		printf("%s %s: %s%s, program %u%s\n", item->link.name, hook_name(item->hook),
		       item->mode, place, item->program_id,
		       item->link.up ? "" : ", the link is down");
	}
	for (size_t i = 0; i < state->answering.count; i++)
		printf("%s answers: %s, program %u\n", state->answering.items[i].link.name,
		       state->answering.items[i].mode, state->answering.items[i].program_id);
	json_array_foreach(state->problems, index, text)
		printf("problem: %s\n", json_string_value(text));
	json_array_foreach(state->warnings, index, text)
		printf("warning: %s\n", json_string_value(text));
	if (!json_array_size(state->problems))
		printf("filtering as configured\n");
}

static json_t *attachments_to_json(const struct state *state)
{
	json_t *list = json_array();

	for (size_t i = 0; i < state->attachment_count; i++) {
		const struct attachment *item = &state->attachments[i];

		json_array_append_new(
			list,
			json_told(json_pack("{s:s, s:s, s:s, s:b, s:b, s:b, s:I}", "interface",
					    item->link.name, "hook", hook_name(item->hook), "mode",
					    item->mode, "alone", item->alone, "current",
					    item->current, "up", item->link.up, "program",
					    (json_int_t)item->program_id)));
	}
	return list;
}

/* Where what rules reject is answered. */
static json_t *answering_to_json(const struct answering *answering)
{
	json_t *list = json_array();

	for (size_t i = 0; i < answering->count; i++) {
		const struct attachment *item = &answering->items[i];

		json_array_append_new(list, json_told(json_pack("{s:s, s:s, s:b, s:I}", "interface",
								item->link.name, "mode", item->mode,
								"current", item->current, "program",
								(json_int_t)item->program_id)));
	}
	return list;
}

static json_t *hooks_to_json(const struct ruleset *ruleset)
{
	json_t *hooks = json_object();

	for (int hook = 0; hook < FW_HOOKS; hook++) {
		const struct block *block = &ruleset->blocks[hook];

		if (block->present)
			json_object_set_new(
				hooks, hook_name(hook),
				json_told(json_pack("{s:I, s:I, s:I, s:s}", "rules",
						    (json_int_t)own_rules(block), "builtin",
						    (json_int_t)block->builtin_count, "limits",
						    (json_int_t)limited_rules(block), "default",
						    action_name(block->default_action))));
	}
	return hooks;
}

static void status_json(const struct state *state)
{
	const struct generation *generation = state->generation;
	char when[64];

	time_text(generation->applied, when, sizeof(when));
	json_write(json_told(
		json_pack("{s:b, s:I, s:s, s:I, s:s, s:I, s:o, s:o, s:o, s:O, s:O}",
			  "as_configured", json_array_size(state->problems) == 0, "generation",
			  (json_int_t)generation->number, "source", generation->origin.source,
			  "unsaved_changes", (json_int_t)generation->origin.changes, "applied",
			  when, "image_bytes", (json_int_t)generation->image_size, "hooks",
			  hooks_to_json(state->ruleset), "attachments", attachments_to_json(state),
			  "answers", answering_to_json(&state->answering), "problems",
			  state->problems, "warnings", state->warnings)));
}

enum exit_status command_status(struct context *context, int argc, char **argv)
{
	bool json = false;
	const struct argument arguments[] = {
		{ "--json", 'j', ARGUMENT_FLAG, &json },
		{ 0 },
	};
	struct dataplane *dataplane;
	struct state state = { 0 };
	enum exit_status status = EXIT_FAILED;

	if (!arguments_take_alone(context, arguments, argc, argv))
		return EXIT_USAGE;
	dataplane = dataplane_open_told(context, false);
	if (!dataplane)
		return EXIT_FAILED;
	if (!state_read(dataplane, &state)) {
		if (json)
			status_json(&state);
		else
			status_text(&state);
		if (!json_array_size(state.problems))
			status = EXIT_DONE;
	}
	state_free(&state);
	dataplane_close(&dataplane);
	return status;
}
