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
#include <time.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/message.h"
#include "commands/answering.h"
#include "commands/cookies.h"
#include "commands/hook.h"
#include "commands/running.h"

/* Another fwctl may hold the lock, or an interface refuse: tried anew, ever more seldom. */
#define RETRY_SECONDS	   2
#define RETRY_SECONDS_MOST 60

/* The kernel tells nobody when a TCX program goes: looked for now and then. */
#define LOOK_SECONDS 30

static volatile sig_atomic_t ended;

static void end(int signal)
{
	(void)signal;
	ended = 1;
}

/* What runs, and what it should run on now. */
struct sight {
	struct generation *generation;
	struct ruleset *ruleset;
	struct wanted_links wanted;
	struct buffer links; /* of `wanted`, as text */
	struct attachment *attachments;
	size_t attachment_count;
	struct answering answering;
};

static void sight_free(struct sight *sight)
{
	wanted_links_free(&sight->wanted);
	buffer_free(&sight->links);
	free(sight->attachments);
	answering_free(&sight->answering);
	ruleset_free(&sight->ruleset);
	generation_free(&sight->generation);
}

/* -ENOENT: nothing runs. sight_free() also after a failure. */
static int sight_take(struct dataplane *dataplane, struct sight *sight)
{
	int error = dataplane_read_generation(dataplane, &sight->generation);

	if (error == -ENOENT)
		return error;
	generation_free(&sight->generation);
	error = running_read(dataplane, &sight->generation, &sight->ruleset);
	if (error)
		return error;
	error = wanted_links_find(sight->ruleset, &sight->wanted);
	if (!error)
		error = dataplane_attachments(dataplane, &sight->attachments,
					      &sight->attachment_count);
	if (!error)
		error = answering_read(dataplane, &sight->answering);
	wanted_links_print(&sight->wanted, &sight->links);
	return error;
}

static bool lacks(const struct sight *sight, const struct link_info *link, enum fw_hook hook)
{
	if (!sight->ruleset->blocks[hook].present)
		return false;
	for (size_t i = 0; i < sight->attachment_count; i++) {
		if (sight->attachments[i].link.index == link->index &&
		    sight->attachments[i].hook == hook)
			return false;
	}
	return true;
}

/* Has the link another MAC address than we know, so that XDP does not answer SYNs there? */
static bool lacks_mac(const struct sight *sight, const struct link_info *link, enum fw_hook hook)
{
	for (size_t i = 0; i < sight->attachment_count; i++) {
		const struct attachment *item = &sight->attachments[i];

		if (item->link.index == link->index && item->hook == hook)
			return cookies_want_mac(sight->ruleset, item);
	}
	return false;
}

static bool lacks_any(const struct sight *sight)
{
	for (size_t i = 0; i < sight->wanted.count * FW_HOOKS; i++) {
		const struct link_info *link = sight->wanted.items[i / FW_HOOKS].link;

		if (lacks(sight, link, i % FW_HOOKS) || lacks_mac(sight, link, i % FW_HOOKS))
			return true;
	}
	return answering_lacks(&sight->answering, sight->ruleset, &sight->wanted);
}

/* Were the rules compiled for other links, or for the same by other names? */
static bool is_stale(const struct sight *sight)
{
	return strcmp(buffer_text(&sight->links), sight->generation->links) != 0;
}

/* Attaches what is missing, and makes no generation for it. */
static void sight_complete(struct dataplane *dataplane, const struct sight *sight, bool told)
{
	if (answering_lacks(&sight->answering, sight->ruleset, &sight->wanted))
		answering_attach(dataplane, sight->ruleset, &sight->wanted, true);
	for (size_t i = 0; i < sight->wanted.count * FW_HOOKS; i++) {
		const struct wanted_link *item = &sight->wanted.items[i / FW_HOOKS];
		struct attachment attachment;
		const char *hook = hook_name(i % FW_HOOKS);
		bool new_mac = lacks_mac(sight, item->link, i % FW_HOOKS);

		if (!new_mac && !lacks(sight, item->link, i % FW_HOOKS))
			continue;
		if (!dataplane_attach(dataplane, item->link, i % FW_HOOKS, item->line->mode,
				      &attachment))
			message_info(new_mac ? "watch: %s has another MAC address"
					     : "watch: %s %s is filtered again",
				     item->link->name, hook);
		else if (!told)
			message_error("watch: cannot filter %s on %s: %s", hook, item->link->name,
				      dataplane_error(dataplane));
	}
}

/* With the lock: 0 if all is in line afterwards. */
static int sight_mend(const struct context *context, struct dataplane *dataplane, bool told)
{
	struct sight before = { 0 }, after = { 0 };
	struct installed installed;
	int error = sight_take(dataplane, &before);
	const struct install_input input = {
		.context = context,
		.ruleset = before.ruleset,
		.origin = before.generation ? before.generation->origin : (struct origin){ 0 },
		.keep_going = true,
	};

	if (!error && !is_stale(&before)) {
		sight_complete(dataplane, &before, told);
	} else if (!error) {
		error = running_install(dataplane, &input, &installed);
		if (!error) {
			installed_tell(&installed, before.ruleset, "watch", &context->started);
			installed_free(&installed);
		}
	}
	if (!error)
		error = sight_take(dataplane, &after);
	if (!error && (is_stale(&after) || lacks_any(&after)))
		error = -EAGAIN;
	sight_free(&before);
	sight_free(&after);
	return error;
}

/* What the last try came to. */
struct trial {
	char *links;   /* that it failed with; NULL: it did not */
	unsigned wait; /* seconds until the next */
	time_t next;
};

static time_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

static void trial_failed(struct trial *trial, const char *links)
{
	bool again = trial->links && !strcmp(trial->links, links);

	trial->wait = again ? trial->wait * 2 : RETRY_SECONDS;
	if (trial->wait > RETRY_SECONDS_MOST)
		trial->wait = RETRY_SECONDS_MOST;
	trial->next = now() + trial->wait;
	free(trial->links);
	trial->links = strdup(links);
	if (!trial->links)
		message_out_of_memory();
}

/* Looks, and mends what is not as it should be: with the same links not before its time. */
static void bring_in_line(const struct context *context, struct trial *trial)
{
	const struct dataplane_options options = { .pin_dir = context->pin_dir };
	struct context step = *context;
	struct dataplane *dataplane = NULL;
	struct sight sight = { 0 };
	_cleanup_free_ char *reason = NULL;
	int error = dataplane_open(&options, &dataplane, &reason);

	if (!error)
		error = sight_take(dataplane, &sight);
	else
		message_detail("watch: %s", reason);
	dataplane_close(&dataplane);
	if (!error && (is_stale(&sight) || lacks_any(&sight))) {
		const char *links = buffer_text(&sight.links);
		bool again = trial->links && !strcmp(trial->links, links);

		if (again && now() < trial->next) {
			sight_free(&sight);
			return;
		}
		clock_gettime(CLOCK_MONOTONIC, &step.started);
		dataplane = dataplane_open_running(&step);
		error = dataplane ? sight_mend(&step, dataplane, again) : -EAGAIN;
		dataplane_close(&dataplane);
	}
	if (error && error != -ENOENT) {
		trial_failed(trial, buffer_text(&sight.links));
	} else {
		free(trial->links);
		trial->links = NULL;
	}
	sight_free(&sight);
}

static enum exit_status watch(const struct context *context, struct link_watch *links)
{
	struct trial trial = { 0 };
	int error = 0;

	while (!ended) {
		time_t left = LOOK_SECONDS;

		bring_in_line(context, &trial);
		if (trial.links)
			left = trial.next > now() ? trial.next - now() : 1;
		error = link_watch_wait(links, (int)left * 1000);
		if (error && error != -ETIMEDOUT && error != -EINTR)
			break;
		error = 0;
	}
	free(trial.links);
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

	if (!arguments_take_alone(context, arguments, argc, argv))
		return EXIT_USAGE;
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
