/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fwctl watch: keeps the running rules on the interfaces that they name while interfaces come, go
 * and are renamed. It changes no rules: what runs is switched in again for the links that are
 * there now, by the same steps as `add`.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/message.h"
#include "commands/change.h"
#include "commands/running.h"

/* Another fwctl may hold the lock, or an interface be gone again: then it is tried anew. */
#define RETRY_MILLISECONDS 2000

static volatile sig_atomic_t ended;

static void end(int signal)
{
	(void)signal;
	ended = 1;
}

/*
 * The links that `interface` lines mean, by name and index: while they stay the same, so does
 * what rules can say of them, for packets come from no others.
 */
struct sight {
	struct link_info *links;
	size_t count;
};

static int sight_take(const struct ruleset *ruleset, struct sight *ret_sight)
{
	struct wanted_links wanted;
	struct sight sight = { 0 };
	int error = wanted_links_find(ruleset, &wanted);

	if (error)
		return error;
	sight.links = calloc(wanted.count + 1, sizeof(*sight.links));
	if (!sight.links)
		message_out_of_memory();
	for (size_t i = 0; i < wanted.count; i++)
		sight.links[sight.count++] = *wanted.items[i].link;
	wanted_links_free(&wanted);
	*ret_sight = sight;
	return 0;
}

static bool sight_equal(const struct sight *a, const struct sight *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (a->links[i].index != b->links[i].index ||
		    strcmp(a->links[i].name, b->links[i].name))
			return false;
	}
	return true;
}

static enum exit_status change_nothing(struct ruleset *ruleset, const struct context *context,
				       void *data)
{
	(void)ruleset;
	(void)context;
	(void)data;
	return EXIT_DONE;
}

/* The rules that run now, NULL if none do: then there is nothing to keep in line. */
static struct ruleset *rules_running(const struct context *context)
{
	const struct dataplane_options options = { .pin_dir = context->pin_dir };
	struct dataplane *dataplane = NULL;
	struct generation *generation = NULL;
	struct ruleset *ruleset = NULL;
	_cleanup_free_ char *error = NULL;

	if (dataplane_open(&options, &dataplane, &error)) {
		message_detail("watch: %s", error);
		return NULL;
	}
	if (dataplane_read_generation(dataplane, &generation) != -ENOENT) {
		generation_free(&generation);
		if (running_read(dataplane, &generation, &ruleset))
			ruleset = NULL;
	}
	generation_free(&generation);
	dataplane_close(&dataplane);
	return ruleset;
}

/* Puts the rules on the links of now, if these are others than before. False: try again. */
static bool bring_in_line(const struct context *context, struct sight *seen)
{
	struct ruleset *ruleset = rules_running(context);
	struct context step = *context;
	struct sight now = { 0 };
	bool done = true;

	if (!ruleset)
		return true;
	if (sight_take(ruleset, &now)) {
		done = false;
	} else if (!sight_equal(seen, &now)) {
		clock_gettime(CLOCK_MONOTONIC, &step.started);
		done = running_change(&step, change_nothing, NULL) == EXIT_DONE;
	}
	free(done ? seen->links : now.links);
	if (done)
		*seen = now;
	ruleset_free(&ruleset);
	return done;
}

static enum exit_status watch(const struct context *context, struct link_watch *links)
{
	struct sight seen = { 0 };
	int error = 0;

	while (!ended) {
		bool done = bring_in_line(context, &seen);

		error = link_watch_wait(links, done ? -1 : RETRY_MILLISECONDS);
		if (error && error != -ETIMEDOUT && error != -EINTR)
			break;
		error = 0;
	}
	free(seen.links);
	if (error)
		message_error("watch: cannot hear of interfaces any more: %s", strerror(-error));
	return error ? EXIT_FAILED : EXIT_DONE;
}

enum exit_status command_watch(struct context *context, int argc, char **argv)
{
	const struct argument arguments[] = { { 0 } };
	const struct sigaction action = { .sa_handler = end };
	struct link_watch *links = NULL;
	enum exit_status status;
	sigset_t block, before;
	int error;

	if (!arguments_take(context, arguments, OPERANDS_ANYWHERE, &argc, argv))
		return EXIT_USAGE;
	if (argc)
		return usage_error(context, "watch takes no operand");
	/* Signals come in only while it waits, so that none is missed and no step is cut short. */
	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, &before);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	error = link_watch_open(&before, &links);
	if (error) {
		message_error("watch: cannot open a netlink socket: %s", strerror(-error));
		return EXIT_FAILED;
	}
	status = watch(context, links);
	link_watch_close(&links);
	return status;
}
