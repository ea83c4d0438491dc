/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a ruleset to the running rules. The order matters: everything that can fail and changes no
 * packet's verdict comes first, then what answers where rules reject, then the switch, then new
 * interfaces (they never see the old rules), and last what is not wanted any more is detached.
 */
#include "commands/running.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/message.h"
#include "commands/answering.h"
#include "commands/attaching.h"
#include "commands/compiling.h"
#include "commands/cookies.h"
#include "commands/flows_report.h"
#include "language/language.h"

static struct dataplane *open_told(const struct context *context, bool change, bool running)
{
	const struct dataplane_options options = {
		.pin_dir = context->pin_dir,
		.change = change,
		.running = running,
		.wait_seconds = context->wait_seconds,
	};
	struct dataplane *dataplane = NULL;
	_cleanup_free_ char *error = NULL;

	if (!dataplane_open(&options, &dataplane, &error))
		return dataplane;
	message_error("%s: %s", context->command->name, error);
	return NULL;
}

struct dataplane *dataplane_open_told(const struct context *context, bool change)
{
	return open_told(context, change, !change);
}

struct dataplane *dataplane_open_running(const struct context *context)
{
	return open_told(context, true, true);
}

/* --- What runs ---------------------------------------------------------------------------- */

static int generation_parse(const struct generation *generation, struct ruleset **ret_ruleset)
{
	const struct source_file file = { RUNNING_RULES, generation->text, generation->length };
	struct source_file *files = calloc(generation->file_count + 1, sizeof(*files));
	struct diagnostics diagnostics;
	struct file_reader reader;
	int error;

	if (!files)
		message_out_of_memory();
	for (size_t i = 0; i < generation->file_count; i++)
		files[i] =
			(struct source_file){ generation->files[i].path, generation->files[i].text,
					      generation->files[i].length };
	reader = file_reader_memory(files, generation->file_count);
	diagnostics_init(&diagnostics);
	error = ruleset_parse_text(&file, &reader, &diagnostics, ret_ruleset);
	if (error) {
		diagnostics_write(&diagnostics, DIAGNOSTIC_ERRORS, false, stderr);
		message_error("cannot read the running rules back: another fwctl wrote them; apply "
			      "the rule file again");
	}
	diagnostics_free(&diagnostics);
	free(files);
	return error;
}

int running_read(struct dataplane *dataplane, struct generation **ret_generation,
		 struct ruleset **ret_ruleset)
{
	struct generation *generation = NULL;
	int error = dataplane_read_generation(dataplane, &generation);

	if (error) {
		message_error("cannot read the running rules: %s", dataplane_error(dataplane));
		return error;
	}
	error = generation_parse(generation, ret_ruleset);
	if (error) {
		generation_free(&generation);
		return error;
	}
	*ret_generation = generation;
	return 0;
}

size_t ruleset_count(const struct ruleset *ruleset)
{
	size_t count = 0;

	for (int hook = 0; hook < FW_HOOKS; hook++)
		count += ruleset->blocks[hook].count - ruleset->blocks[hook].builtin_count;
	return count;
}

/* --- One generation ----------------------------------------------------------------------- */

/* The contents of file sets as they were compiled, so that they need not be read again. */
static struct generation_file *files_of(const struct ruleset *ruleset, size_t *ret_count)
{
	struct generation_file *files = calloc(ruleset->set_count + 1, sizeof(*files));
	size_t count = 0;

	if (!files)
		message_out_of_memory();
	for (size_t i = 0; i < ruleset->set_count; i++) {
		const struct set *set = &ruleset->sets[i];
		struct buffer text = { 0 };

		if (set->kind != SET_FILE)
			continue;
		address_ranges_print(&set->ranges, &text);
		files[count].path = set->path;
		files[count].length = text.length;
		files[count++].text = buffer_take(&text);
	}
	*ret_count = count;
	return files;
}

static void files_free(struct generation_file *files, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free((void *)(uintptr_t)files[i].text);
	free(files);
}

/* What goes into a generation besides its image. */
struct making {
	struct ruleset *ruleset;
	const struct buffer *text;
	set_fill *fill;
	void *fill_data;
	struct origin origin;
	const struct wanted_links *wanted;
	struct compiling *compiling; /* its image, if that is begun: compiling_start_early() */
	struct plan *plan;
	bool back; /* to the rules before */
};

static void switch_failed_tell(const struct dataplane *dataplane, const struct making *making)
{
	if (making->back)
		message_error("cannot switch back: %s", dataplane_error(dataplane));
	else
		message_error("cannot switch to the new rules: %s; what runs is unchanged",
			      dataplane_error(dataplane));
}

/* Switches to the image, when it is there; until then the texts that go with it are printed. */
static int generation_switch(struct dataplane *dataplane, const struct making *making,
			     struct installed *installed)
{
	_cleanup_buffer_ struct buffer printed = { 0 };
	_cleanup_buffer_ struct buffer links = { 0 };
	const struct buffer *text = making->text ? making->text : &printed;
	struct switch_input input = {
		.plan = making->plan,
		.fail_drop = making->ruleset->options.fail_drop,
		.origin = making->origin,
	};
	struct generation_file *files;
	const struct image *image;
	int error;

	if (!making->text)
		ruleset_print(making->ruleset, &printed);
	input.text = buffer_text(text);
	input.length = text->length;
	wanted_links_print(making->wanted, &links);
	input.links = buffer_text(&links);
	files = files_of(making->ruleset, &input.file_count);
	input.files = files;
	error = compiling_finish(making->compiling, making->plan, &image);
	if (!error) {
		input.image = image->bytes;
		input.image_size = installed->image_size = image->size;
		error = dataplane_switch(dataplane, &input, &installed->generation);
		if (error)
			switch_failed_tell(dataplane, making);
	}
	files_free(files, input.file_count);
	return error;
}

/*
 * An image names live sets by their slots, which generation_make() gives them: with any, it begins
 * to compile only then.
 */
static struct compiling *compiling_start_early(const struct ruleset *ruleset,
					       const struct wanted_links *wanted)
{
	for (size_t i = 0; i < ruleset->set_count; i++)
		if (ruleset->sets[i].kind == SET_LIVE)
			return NULL;
	return compiling_start(ruleset, wanted);
}

/* Plans and switches. */
static int generation_make(struct dataplane *dataplane, struct making *making,
			   struct installed *installed)
{
	int error = dataplane_plan(dataplane, making->ruleset, &making->plan);

	if (error) {
		message_error("cannot give every rule a counter: %s", dataplane_error(dataplane));
		return error;
	}
	error = dataplane_prepare_sets(dataplane, making->plan, making->ruleset, making->fill,
				       making->fill_data);
	if (error) {
		message_error("cannot make the live sets: %s", dataplane_error(dataplane));
	} else {
		if (!making->compiling)
			making->compiling = compiling_start(making->ruleset, making->wanted);
		error = generation_switch(dataplane, making, installed);
	}
	plan_free(&making->plan);
	return error;
}

/* --- What is missing or lost ---------------------------------------------------------------- */

/* Says what is missing. An error only where the caller needs all of them. */
static int missing_tell(const struct ruleset *ruleset, const struct wanted_links *wanted,
			bool need_all)
{
	int error = 0;

	for (size_t i = 0; i < wanted->missing_count; i++) {
		const struct interface *line = wanted->missing[i];

		if (line->is_pattern) {
			message_warn("no interface matches \"%s\" now", line->pattern);
		} else if (!need_all) {
			message_warn("there is no interface %s; `fwctl watch` filters it when it "
				     "appears",
				     line->pattern);
		} else {
			message_error("%s:%u: there is no interface %s (`ip link` lists them); "
				      "nothing was changed. With --missing-ok the others are "
				      "filtered, and `fwctl watch` adds it when it appears",
				      ruleset->files[line->at.file].path, line->at.line,
				      line->pattern);
			error = -ENODEV;
		}
	}
	for (size_t i = 0; i < wanted->skipped_count; i++)
		message_warn("%s is not filtered: its frames (link type %u) are neither Ethernet "
			     "nor IP",
			     wanted->skipped[i]->name, wanted->skipped[i]->type);
	if (!ruleset->interface_count)
		message_warn(NO_INTERFACE_WARNING);
	else if (!ruleset_has_block(ruleset))
		message_warn(NO_BLOCK_WARNING);
	return error;
}

/* What `add` and `delete` did is lost, unless the file says the same as what ran. */
static void lost_changes_tell(const struct install_input *input, const struct generation *before)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	const char *verb;

	if (!before || !before->origin.changes || input->origin.changes)
		return;
	verb = before->origin.changes == 1 ? "is" : "are";
	ruleset_print(input->ruleset, &text);
	if (strcmp(buffer_text(&text), before->text))
		message_warn("%u change%s made since by add or delete %s not in %s, and %s gone",
			     before->origin.changes, before->origin.changes == 1 ? "" : "s", verb,
			     input->origin.source, verb);
}

/* --- All together ------------------------------------------------------------------------- */

/* Is everything attached that was? A message for each that is not. */
static bool all_is_back(struct dataplane *dataplane, const struct installed *before)
{
	struct installed now = { 0 };
	bool all = true;

	if (dataplane_attachments(dataplane, &now.attachments, &now.attachment_count)) {
		message_error("cannot see what is attached: %s", dataplane_error(dataplane));
		return false;
	}
	for (size_t i = 0; i < before->attachment_count; i++) {
		const struct attachment *old = &before->attachments[i];

		if (attachment_find(&now, &old->link, old->hook))
			continue;
		message_error("%s %s is NOT FILTERED any more", old->link.name,
			      old->hook == FW_INGRESS ? "ingress" : "egress");
		all = false;
	}
	installed_free(&now);
	return all;
}

/* Back to the rules before, on the interfaces that they want; an error: the new ones run still. */
static int roll_back(struct dataplane *dataplane, const struct generation *before,
		     const struct installed *attached)
{
	struct ruleset *ruleset = NULL;
	struct installed restored = { 0 };
	struct wanted_links wanted = { 0 };
	struct making making = { .origin = before->origin, .wanted = &wanted, .back = true };
	int error = generation_parse(before, &ruleset);

	making.ruleset = ruleset;
	if (!error) {
		error = wanted_links_find(ruleset, &wanted);
		if (error)
			message_error("cannot list the network interfaces: %s", strerror(-error));
	}
	if (!error) {
		making.compiling = compiling_start_early(ruleset, &wanted);
		error = generation_make(dataplane, &making, &restored);
		compiling_free(&making.compiling);
	}
	if (error)
		message_error("going back failed as well: the new rules run, but only on what was "
			      "filtered before; see `fwctl status`");
	else if (all_is_back(dataplane, attached))
		message_info("the rules that ran before are running again");
	wanted_links_free(&wanted);
	ruleset_free(&ruleset);
	return error;
}

/* Switches, attaches, and goes back if that fails. */
static int install_answered(struct dataplane *dataplane, const struct install_input *input,
			    const struct generation *before, struct making *making,
			    struct installed *installed)
{
	struct installed old = { 0 };
	int error = dataplane_attachments(dataplane, &old.attachments, &old.attachment_count);

	if (error) {
		message_error("cannot see what is attached: %s", dataplane_error(dataplane));
		return error;
	}
	error = generation_make(dataplane, making, installed);
	if (!error) {
		error = links_attach(dataplane, input, making->wanted, &old, installed);
		installed->stays = !error;
		if (error && before && roll_back(dataplane, before, &old))
			installed->stays = true;
	}
	if (!error)
		links_detach_others(dataplane, &old, installed);
	installed_free(&old);
	return error;
}

/*
 * The program that answers is there before rules reject anything, and goes when they do no more:
 * what it does not answer would go up the stack as it was marked. Where rules that failed could not
 * be taken back, it stays for them.
 */
static int install_over(struct dataplane *dataplane, const struct install_input *input,
			const struct generation *before, const struct wanted_links *wanted,
			struct installed *installed)
{
	struct answering answering = { 0 };
	struct making making = {
		.ruleset = input->ruleset,
		.text = input->text,
		.origin = input->origin,
		.wanted = wanted,
		.compiling = compiling_start_early(input->ruleset, wanted),
		.fill = input->fill,
		.fill_data = input->fill_data,
	};
	int error = answering_read(dataplane, &answering);

	if (!error)
		error = answering_attach(dataplane, input->ruleset, wanted, input->keep_going);
	if (!error)
		error = install_answered(dataplane, input, before, &making, installed);
	compiling_free(&making.compiling);
	if (error && !installed->stays)
		answering_restore(dataplane, &answering);
	else
		answering_detach_others(dataplane, input->ruleset, wanted);
	if (!error)
		dataplane_clean_gone(dataplane);
	answering_free(&answering);
	return error;
}

/* From the switch until all is attached no signal ends the program: that would be half a change. */
static void signals_hold(sigset_t *ret_before)
{
	static const int held[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++)
		sigaddset(&set, held[i]);
	sigprocmask(SIG_BLOCK, &set, ret_before);
}

int running_install(struct dataplane *dataplane, const struct install_input *input,
		    struct installed *ret_installed)
{
	struct installed installed = { 0 };
	struct wanted_links wanted = { 0 };
	struct generation *before = NULL;
	sigset_t signals;
	int error = dataplane_read_generation(dataplane, &before);
	bool is_first = error == -ENOENT;

	if (error && !is_first) {
		message_error("cannot read the running rules: %s", dataplane_error(dataplane));
		return error;
	}
	error = wanted_links_find(input->ruleset, &wanted);
	if (error)
		message_error("cannot list the network interfaces: %s", strerror(-error));
	else
		error = missing_tell(input->ruleset, &wanted, input->need_all);
	if (!error)
		error = cookies_check(input->ruleset);
	signals_hold(&signals);
	if (!error)
		error = install_over(dataplane, input, before, &wanted, &installed);
	if (!error)
		lost_changes_tell(input, before);
	if (!error && dataplane_settle_sets(dataplane))
		message_warn("%s", dataplane_error(dataplane));
	if (!error)
		flows_settle_told(dataplane, input->ruleset);
	/* Where nothing ran before, nothing is left behind: what was attached is off by now. */
	if (error && is_first)
		dataplane_discard(dataplane);
	generation_free(&before);
	wanted_links_free(&wanted);
	if (error)
		installed_free(&installed);
	else
		*ret_installed = installed;
	sigprocmask(SIG_SETMASK, &signals, NULL);
	return error;
}

int running_rehearse(struct ruleset *ruleset, bool need_all, size_t *ret_image_size)
{
	struct wanted_links wanted = { 0 };
	struct compiling *compiling = NULL;
	const struct image *image = NULL;
	int error = wanted_links_find(ruleset, &wanted);

	if (error) {
		message_error("cannot list the network interfaces: %s", strerror(-error));
		return error;
	}
	error = missing_tell(ruleset, &wanted, need_all);
	if (!error) {
		compiling = compiling_start(ruleset, &wanted);
		error = compiling_finish(compiling, NULL, &image);
		if (!error)
			*ret_image_size = image->size;
	}
	compiling_free(&compiling);
	wanted_links_free(&wanted);
	return error;
}
