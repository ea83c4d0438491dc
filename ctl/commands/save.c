/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fwctl save: the running rules, written to a file that applies again. The file holds canonical
 * text: comments and includes of the original are not in it. So what is overwritten stays beside it
 * as FILE.bak, and a file that is not what was applied or saved last needs --force.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/digest.h"
#include "base/message.h"
#include "commands/replace.h"
#include "commands/running.h"
#include "commands/set.h"
#include "language/language.h"

struct saving {
	const char *path;
	bool force;
	struct dataplane *dataplane;
	struct generation *generation;
	struct ruleset *ruleset;
	struct buffer text; /* what is to be written */
};

/* What is there already. */
enum found {
	FOUND_NOTHING,
	FOUND_SAME,
	FOUND_OTHER,
	FOUND_REFUSAL, /* a message was printed */
};

/* Is the path the file that the running rules came from? */
static bool is_source(const struct saving *saving)
{
	char absolute[PATH_MAX];

	return realpath(saving->path, absolute) &&
	       !strcmp(absolute, saving->generation->origin.source);
}

/* May this text, which is not what would be written, be overwritten? */
static enum found other_judge(const struct saving *saving, const struct source_file *file)
{
	const struct origin *origin = &saving->generation->origin;

	if (saving->force)
		return FOUND_OTHER;
	if (!is_source(saving)) {
		message_error("save: %s is there already and is not the file that the running "
			      "rules came from (%s); --force overwrites it",
			      saving->path, origin->source);
		return FOUND_REFUSAL;
	}
	if (digest_of(file->text, file->length) != origin->digest) {
		message_error("save: %s was changed after it was applied; `fwctl apply` it, or "
			      "overwrite it with --force",
			      saving->path);
		return FOUND_REFUSAL;
	}
	return FOUND_OTHER;
}

static enum found target_look(const struct saving *saving)
{
	struct source_file file;
	struct arena *arena;
	struct stat status;
	enum found found;
	int error;

	if (stat(saving->path, &status) && errno == ENOENT)
		return FOUND_NOTHING;
	if (!S_ISREG(status.st_mode)) {
		message_error("save: %s is not a file", saving->path);
		return FOUND_REFUSAL;
	}
	arena = arena_new();
	error = file_reader_system.read(&file_reader_system, saving->path, arena, &file);
	if (error) {
		message_error("save: cannot read %s, which is there already: %s", saving->path,
			      strerror(-error));
		found = FOUND_REFUSAL;
	} else if (file.length == saving->text.length &&
		   !memcmp(file.text, buffer_text(&saving->text), file.length)) {
		found = FOUND_SAME;
	} else {
		found = other_judge(saving, &file);
	}
	arena_free(&arena);
	return found;
}

static int target_write(const struct saving *saving, enum found found)
{
	const char *path = saving->path;
	int error = found == FOUND_OTHER ? file_keep(path) : 0;

	if (error) {
		message_error("save: cannot keep the old %s as %s.bak: %s; nothing was written",
			      path, path, strerror(-error));
		return error;
	}
	error = file_replace(path, buffer_text(&saving->text), saving->text.length);
	if (error)
		message_error("save: cannot write %s: %s%s", path, strerror(-error),
			      found == FOUND_OTHER ? "; it is as it was" : "");
	return error;
}

static enum exit_status save_to_file(const struct saving *saving)
{
	enum found found = target_look(saving);
	size_t count = ruleset_count(saving->ruleset);

	if (found == FOUND_REFUSAL)
		return EXIT_FAILED;
	if (found != FOUND_SAME && target_write(saving, found))
		return EXIT_FAILED;
	message_info("%s: %s generation %u, %zu rule%s", saving->path,
		     found == FOUND_SAME ? "holds already" : "saved", saving->generation->number,
		     count, count == 1 ? "" : "s");
	if (is_source(saving) &&
	    dataplane_mark_saved(saving->dataplane,
				 digest_of(buffer_text(&saving->text), saving->text.length)))
		message_warn("the next `fwctl save` will want --force: %s",
			     dataplane_error(saving->dataplane));
	return EXIT_DONE;
}

static enum exit_status save(struct saving *saving, bool to_output)
{
	if (running_read(saving->dataplane, &saving->generation, &saving->ruleset))
		return EXIT_FAILED;
	ruleset_print(saving->ruleset, &saving->text);
	if (!to_output)
		return save_to_file(saving);
	fwrite(buffer_text(&saving->text), 1, saving->text.length, stdout);
	return EXIT_DONE;
}

static bool has_live_sets(const struct ruleset *ruleset)
{
	for (size_t i = 0; ruleset && i < ruleset->set_count; i++)
		if (ruleset->sets[i].kind == SET_LIVE)
			return true;
	return false;
}

/* The elements of live sets go to a file of their own: FILE.sets unless told otherwise. */
static enum exit_status save_sets(const struct context *context, const struct saving *saving,
				  const char *sets)
{
	char beside[PATH_MAX];

	if (!sets) {
		snprintf(beside, sizeof(beside), "%s.sets", saving->path);
		sets = strcmp(saving->path, DEFAULT_RULE_FILE) ||
				       strcmp(context->pin_dir, DEFAULT_PIN_DIR)
			       ? beside
			       : SET_STORE_FILE;
	}
	return sets_save(context, saving->dataplane, sets);
}

enum exit_status command_save(struct context *context, int argc, char **argv)
{
	struct saving saving = { .path = DEFAULT_RULE_FILE };
	const char *sets = NULL;
	const struct argument arguments[] = {
		{ "--force", 'f', ARGUMENT_FLAG, &saving.force },
		{ "--sets", 0, ARGUMENT_TEXT, &sets },
		{ 0 },
	};
	enum exit_status status;
	bool to_output;

	if (!arguments_take(context, arguments, OPERANDS_ANYWHERE, &argc, argv))
		return EXIT_USAGE;
	if (argc > 1)
		return usage_error(context, "one file, not %d", argc);
	if (argc)
		saving.path = argv[0];
	to_output = !strcmp(saving.path, "-");
	saving.dataplane =
		to_output ? dataplane_open_told(context, false) : dataplane_open_running(context);
	if (!saving.dataplane)
		return EXIT_FAILED;
	status = save(&saving, to_output);
	if (status == EXIT_DONE && (sets || (!to_output && has_live_sets(saving.ruleset))))
		status = save_sets(context, &saving, sets);
	buffer_free(&saving.text);
	ruleset_free(&saving.ruleset);
	generation_free(&saving.generation);
	dataplane_close(&saving.dataplane);
	return status;
}
