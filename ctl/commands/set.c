/* SPDX-License-Identifier: GPL-2.0-only */
/* fwctl set: the elements of live sets, changed while the rules run. */
#include "commands/set.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/message.h"
#include "commands/lockout.h"
#include "commands/running.h"

struct dataplane *set_open(const struct context *context, const char *name, bool change,
			   struct live_set *ret_set)
{
	struct dataplane *dataplane;

	dataplane = change ? dataplane_open_running(context) : dataplane_open_told(context, false);
	if (dataplane && dataplane_find_set(dataplane, name, ret_set)) {
		message_error("%s: %s", context->command->name, dataplane_error(dataplane));
		dataplane_close(&dataplane);
	}
	return dataplane;
}

/* The running set that is to be changed, and the input made ready for it. NULL after a message. */
static struct dataplane *set_open_for(const struct context *context, const char *name,
				      struct set_input *input, struct live_set *ret_set)
{
	struct dataplane *dataplane = set_open(context, name, true, ret_set);

	if (dataplane)
		set_input_finish(input, ret_set);
	return dataplane;
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

/* Opens the set for input that must not cut the operator off. NULL after a message. */
static struct dataplane *set_open_safely(const struct context *context, const char *name,
					 struct set_input *input, bool replaced,
					 struct live_set *ret_set)
{
	struct dataplane *dataplane = set_open_for(context, name, input, ret_set);

	if (dataplane &&
	    lockout_by_set(context, dataplane, ret_set->name, &input->elements, replaced))
		dataplane_close(&dataplane);
	return dataplane;
}

enum exit_status set_add(const struct context *context, const char *name, struct set_input *input,
			 bool force)
{
	struct set_change change = { 0 };
	struct live_set set;
	struct dataplane *dataplane = force ? set_open_for(context, name, input, &set)
					    : set_open_safely(context, name, input, false, &set);
	int error;

	if (!dataplane)
		return EXIT_FAILED;
	error = dataplane_set_add(dataplane, &set, &input->elements, &change);
	if (error)
		message_error("%s: set %s: %s", context->command->name, set.name,
			      dataplane_error(dataplane));
	else
		message_info("set %s: %zu element%s added", set.name, change.added,
			     plural(change.added));
	if (change.renewed)
		message_info("set %s: %zu element%s there already: the time begins anew", set.name,
			     change.renewed, change.renewed == 1 ? " was" : "s were");
	if (input->doubles)
		message_info("set %s: %zu element%s given twice", set.name, input->doubles,
			     input->doubles == 1 ? " was" : "s were");
	dataplane_close(&dataplane);
	return error ? EXIT_FAILED : EXIT_DONE;
}

#define STILL_IN_MOST 32 /* elements that are looked up, so that bulk stays fast */

/* A larger network may hold what was deleted, or asked to be. */
static void set_tell_still_in(struct dataplane *dataplane, const struct live_set *set,
			      const struct set_elements *deleted)
{
	for (size_t i = 0; i < deleted->count && i < STILL_IN_MOST; i++) {
		_cleanup_elements_ struct set_elements found = { 0 };
		char text[ADDRESS_TEXT_MAX], by[ADDRESS_TEXT_MAX];

		if (dataplane_set_test(dataplane, set, &deleted->items[i].address, &found) ||
		    !found.count || found.items[0].length >= deleted->items[i].length)
			continue;
		set_element_print(&deleted->items[i], text);
		set_element_print(&found.items[0], by);
		message_warn("set %s: %s is in it still, with %s", set->name, text, by);
	}
}

enum exit_status set_delete(const struct context *context, const char *name,
			    struct set_input *input)
{
	struct set_change change = { 0 };
	struct live_set set;
	struct dataplane *dataplane = set_open_for(context, name, input, &set);
	int error;

	if (!dataplane)
		return EXIT_FAILED;
	error = dataplane_set_delete(dataplane, &set, &input->elements, &change);
	if (error)
		message_error("%s: %s", context->command->name, dataplane_error(dataplane));
	else
		message_info("set %s: %zu element%s deleted", set.name, change.deleted,
			     plural(change.deleted));
	if (change.missing)
		message_info("set %s: %zu element%s not in it", set.name, change.missing,
			     change.missing == 1 ? " was" : "s were");
	if (!error)
		set_tell_still_in(dataplane, &set, &input->elements);
	dataplane_close(&dataplane);
	return error ? EXIT_FAILED : EXIT_DONE;
}

static enum exit_status set_replace(const struct context *context, const char *name,
				    struct set_input *input, bool force)
{
	struct set_change change = { 0 };
	struct live_set set;
	struct dataplane *dataplane = force ? set_open_for(context, name, input, &set)
					    : set_open_safely(context, name, input, true, &set);
	int error;

	if (!dataplane)
		return EXIT_FAILED;
	error = dataplane_set_replace(dataplane, &set, &input->elements, force, &change);
	if (error)
		message_error("%s: set %s: %s", context->command->name, set.name,
			      dataplane_error(dataplane));
	else
		message_info("set %s: %zu element%s: %zu added, %zu deleted, %zu kept", set.name,
			     input->elements.count, plural(input->elements.count), change.added,
			     change.deleted, change.kept);
	dataplane_close(&dataplane);
	return error ? EXIT_FAILED : EXIT_DONE;
}

static enum exit_status set_flush(const struct context *context, const char *name)
{
	struct live_set set;
	struct dataplane *dataplane = set_open(context, name, true, &set);
	int error;

	if (!dataplane)
		return EXIT_FAILED;
	error = dataplane_set_flush(dataplane, &set);
	if (error)
		message_error("%s: %s", context->command->name, dataplane_error(dataplane));
	else
		message_info("set %s is empty; it held %llu element%s", set.name,
			     (unsigned long long)set.count, plural(set.count));
	dataplane_close(&dataplane);
	return error ? EXIT_FAILED : EXIT_DONE;
}

/* What the command line says besides the operands. */
struct set_options {
	bool json;
	bool force;
	const char *file;
};

/* set add|delete NAME ELEM... [timeout D] [--file FILE] */
static enum exit_status run_change(const struct context *context, const struct set_options *options,
				   int argc, char **argv)
{
	bool is_add = !strcmp(argv[0], "add");
	struct set_input input = {
		.what = "set",
		.timeout = SET_TIMEOUT_DEFAULT,
		.keyword = is_add ? "timeout" : NULL,
	};
	enum exit_status status = EXIT_USAGE;

	if (is_add && !set_timeout_take(context, &input, &argc, argv))
		return EXIT_USAGE;
	if (argc < 3 && !options->file)
		return usage_error(context,
				   "%s what? elements, `-` for standard input or --file FILE",
				   argv[0]);
	if (set_input_words(&input, argc - 2, argv + 2) &&
	    (!options->file || set_input_file(&input, options->file)))
		status = is_add ? set_add(context, argv[1], &input, options->force)
				: set_delete(context, argv[1], &input);
	set_input_free(&input);
	return status;
}

static enum exit_status run_replace(const struct context *context,
				    const struct set_options *options, int argc, char **argv)
{
	struct set_input input = { .what = "set", .keyword = "timeout" };
	enum exit_status status = EXIT_USAGE;

	if (!set_timeout_take(context, &input, &argc, argv))
		return EXIT_USAGE;
	if (argc != 3)
		return usage_error(context,
				   "replace takes a set and one file (`-`: standard input)");
	if (set_input_file(&input, argv[2]))
		status = set_replace(context, argv[1], &input, options->force);
	set_input_free(&input);
	return status;
}

static enum exit_status run_save(const struct context *context, const char *path)
{
	struct dataplane *dataplane = dataplane_open_told(context, false);
	enum exit_status status;

	if (!dataplane)
		return EXIT_FAILED;
	status = sets_save(context, dataplane, path);
	dataplane_close(&dataplane);
	return status;
}

/* The machine's own store is not for rules that are pinned elsewhere. NULL after a message. */
static const char *store_of(const struct context *context, int argc, char **argv)
{
	if (argc == 2)
		return argv[1];
	if (!strcmp(context->pin_dir, DEFAULT_PIN_DIR))
		return SET_STORE_FILE;
	message_error("set: %s which file? " SET_STORE_FILE " is for the rules in " DEFAULT_PIN_DIR,
		      argv[0]);
	return NULL;
}

static const struct verb {
	const char *name;
	const char *operands;
	int least; /* words, with its own */
	int most;
} verbs[] = {
	{ "list", "[NAME] [--json]", 1, 2 },
	{ "add", "NAME ELEM... [timeout D] [--file FILE] [--force]", 2, INT_MAX },
	{ "delete", "NAME ELEM... [--file FILE]", 2, INT_MAX },
	{ "replace", "NAME FILE [timeout D] [--force]", 2, INT_MAX },
	{ "flush", "NAME", 2, 2 },
	{ "test", "NAME ADDR", 3, 3 },
	{ "save", "[FILE]", 1, 2 },
	{ "restore", "[FILE]", 1, 2 },
};

/* Is it a verb, with as many words as it takes? Else a message. */
static bool verb_check(const struct context *context, int argc, char **argv)
{
	for (size_t i = 0; argc && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(argv[0], verbs[i].name) != 0)
			continue;
		if (argc >= verbs[i].least && argc <= verbs[i].most)
			return true;
		message_error("set: %s takes %s; usage: fwctl set %s %s", argv[0],
			      argc < verbs[i].least ? "more" : "less", argv[0], verbs[i].operands);
		return false;
	}
	usage_error(context, argc ? "`%s` is not understood" : "what?%s", argc ? argv[0] : "");
	return false;
}

enum exit_status command_set(struct context *context, int argc, char **argv)
{
	struct set_options options = { 0 };
	const struct argument arguments[] = {
		{ "--json", 0, ARGUMENT_FLAG, &options.json },
		{ "--force", 'f', ARGUMENT_FLAG, &options.force },
		{ "--file", 0, ARGUMENT_TEXT, &options.file },
		{ 0 },
	};
	const char *verb, *path;

	if (!arguments_take(context, arguments, OPERANDS_ANYWHERE, &argc, argv) ||
	    !verb_check(context, argc, argv))
		return EXIT_USAGE;
	verb = argv[0];
	if (!strcmp(verb, "list"))
		return set_list(context, argc == 2 ? argv[1] : NULL, options.json);
	if (!strcmp(verb, "add") || !strcmp(verb, "delete"))
		return run_change(context, &options, argc, argv);
	if (!strcmp(verb, "replace"))
		return run_replace(context, &options, argc, argv);
	if (!strcmp(verb, "flush"))
		return set_flush(context, argv[1]);
	if (!strcmp(verb, "test"))
		return set_test(context, argv[1], argv[2]);
	path = store_of(context, argc, argv);
	if (!path)
		return EXIT_USAGE;
	return *verb == 's' ? run_save(context, path) : sets_restore(context, path);
}
