/* SPDX-License-Identifier: GPL-2.0-only */
/* fwctl apply: a rule file becomes the running rules, wholly or not at all. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/memory.h"
#include "base/message.h"
#include "commands/load.h"
#include "commands/running.h"
#include "commands/set.h"

/* Compiles and looks for the interfaces, but needs no privilege and touches nothing. */
static enum exit_status apply_dry(struct ruleset *ruleset, const char *path, bool missing_ok)
{
	size_t count = ruleset_count(ruleset), size;

	if (running_rehearse(ruleset, !missing_ok, &size))
		return EXIT_FAILED;
	message_info("%s: %zu rule%s, %zu bytes of tables; nothing was changed", path, count,
		     count == 1 ? "" : "s", size);
	return EXIT_DONE;
}

/* `buffer` has room for PATH_MAX. */
static struct origin origin_of(const struct ruleset *ruleset, const char *path, char *buffer)
{
	const struct source_file *file = &ruleset->files[0];

	if (!strcmp(path, "-"))
		return (struct origin){ .source = "standard input" };
	return (struct origin){
		.source = realpath(path, buffer) ? buffer : path,
		.digest = digest_of(file->text, file->length),
	};
}

static enum exit_status apply_real(const struct context *context, struct ruleset *ruleset,
				   const char *path, struct set_store *store, bool missing_ok)
{
	struct dataplane *dataplane;
	struct installed installed;
	char absolute[PATH_MAX];
	struct install_input input = {
		.context = context,
		.ruleset = ruleset,
		.origin = origin_of(ruleset, path, absolute),
		.need_all = !missing_ok,
		.fill = store ? set_store_fill : NULL,
		.fill_data = store,
	};
	int error;

	dataplane = dataplane_open_told(context, true);
	if (!dataplane)
		return EXIT_FAILED;
	error = running_install(dataplane, &input, &installed);
	if (!error) {
		installed_tell(&installed, ruleset, path, &context->started);
		installed_free(&installed);
	}
	dataplane_close(&dataplane);
	return error ? EXIT_FAILED : EXIT_DONE;
}

enum exit_status command_apply(struct context *context, int argc, char **argv)
{
	bool dry_run = false, missing_ok = false, failed = false;
	const char *sets = NULL;
	const struct argument arguments[] = {
		{ "--sets", 0, ARGUMENT_TEXT, &sets },
		{ "--dry-run", 'n', ARGUMENT_FLAG, &dry_run },
		{ "--missing-ok", 0, ARGUMENT_FLAG, &missing_ok },
		{ 0 },
	};
	const char *path;
	struct set_store *store = NULL;
	struct ruleset *ruleset;
	enum exit_status status;

	memory_prepare();
	if (!arguments_take_file(context, arguments, argc, argv, &path))
		return EXIT_USAGE;
	ruleset = rules_load(context, path, true);
	if (!ruleset)
		return EXIT_USAGE;
	/* A file of set elements that is damaged keeps no rule from being applied. */
	if (sets)
		store = set_store_read(sets, &failed);
	status = dry_run ? apply_dry(ruleset, path, missing_ok)
			 : apply_real(context, ruleset, path, store, missing_ok);
	if (failed) {
		message_error("the live sets were not filled from %s", sets);
		status = EXIT_FAILED;
	}
	set_store_free(&store);
	ruleset_free(&ruleset);
	return status;
}
