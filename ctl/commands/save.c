/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fwctl save: the running rules, written to a file that applies again. The file holds canonical
 * text: comments and includes of the original are not in it. So what is overwritten stays beside it
 * as FILE.bak, and a file that was changed since the rules were made needs --force.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/message.h"
#include "commands/replace.h"
#include "commands/running.h"
#include "language/language.h"

/* True if the file may be overwritten: it is not there, or is as old as the rules that run. */
static bool may_replace(const struct generation *generation, const char *path)
{
	char absolute[PATH_MAX];
	struct stat status;

	if (stat(path, &status))
		return true;
	if (!realpath(path, absolute) || strcmp(absolute, generation->source)) {
		message_error("save: %s is there already and is not the file that the running "
			      "rules came from (%s); --force overwrites it",
			      path, generation->source);
		return false;
	}
	if (status.st_mtime > generation->applied) {
		message_error("save: %s was changed after it was applied; `fwctl apply` it, or "
			      "overwrite it with --force",
			      path);
		return false;
	}
	return true;
}

static enum exit_status save_to(const struct generation *generation, const struct ruleset *ruleset,
				const char *path)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	int error;

	ruleset_print(ruleset, &text);
	error = file_keep(path);
	if (error) {
		message_error("save: cannot keep the old %s as %s.bak: %s; nothing was written",
			      path, path, strerror(-error));
		return EXIT_FAILED;
	}
	error = file_replace(path, buffer_text(&text), text.length);
	if (error) {
		message_error("save: cannot write %s: %s; it is as it was", path, strerror(-error));
		return EXIT_FAILED;
	}
	message_info("%s: saved generation %u, %zu rules", path, generation->number,
		     ruleset_count(ruleset));
	return EXIT_DONE;
}

enum exit_status command_save(struct context *context, int argc, char **argv)
{
	bool force = false;
	const struct argument arguments[] = {
		{ "--force", 'f', ARGUMENT_FLAG, &force },
		{ 0 },
	};
	const char *path = DEFAULT_RULE_FILE;
	struct dataplane *dataplane;
	struct generation *generation = NULL;
	struct ruleset *ruleset = NULL;
	enum exit_status status = EXIT_FAILED;

	if (!arguments_take(context, arguments, OPERANDS_ANYWHERE, &argc, argv))
		return EXIT_USAGE;
	if (argc > 1)
		return usage_error(context, "one file, not %d", argc);
	if (argc)
		path = argv[0];
	dataplane = dataplane_open_told(context, false);
	if (!dataplane)
		return EXIT_FAILED;
	if (!running_read(dataplane, &generation, &ruleset) &&
	    (force || may_replace(generation, path)))
		status = save_to(generation, ruleset, path);
	ruleset_free(&ruleset);
	generation_free(&generation);
	dataplane_close(&dataplane);
	return status;
}
