/* SPDX-License-Identifier: GPL-2.0-only */
/* One thread for one image. Nothing of the ruleset may change while it runs. */
#include "commands/compiling.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/message.h"

struct compiling {
	struct compile_input input;
	struct link *links;
	pthread_t thread;
	bool runs; /* the thread was started, and not waited for yet */
	struct image image;
	char *reason;
	int error;
};

static void *compile_apart(void *data)
{
	struct compiling *compiling = data;

	compiling->error = compile(&compiling->input, &compiling->image, &compiling->reason);
	return NULL;
}

struct compiling *compiling_start(const struct ruleset *ruleset, const struct wanted_links *wanted)
{
	struct compiling *compiling = memory_new(1, sizeof(*compiling));

	compiling->links = wanted_links_for_compiler(wanted);
	compiling->input = (struct compile_input){
		.ruleset = ruleset,
		.links = compiling->links,
		.link_count = wanted->link_count,
	};
	compiling->runs = !pthread_create(&compiling->thread, NULL, compile_apart, compiling);
	/* Where no thread is to be had, it is done at once. */
	if (!compiling->runs)
		compile_apart(compiling);
	return compiling;
}

static void compiling_wait(struct compiling *compiling)
{
	if (compiling->runs)
		pthread_join(compiling->thread, NULL);
	compiling->runs = false;
}

int compiling_finish(struct compiling *compiling, const struct plan *plan,
		     const struct image **ret_image)
{
	compiling_wait(compiling);
	if (compiling->error) {
		message_error("cannot compile the rules: %s",
			      compiling->reason ? compiling->reason : strerror(-compiling->error));
		return compiling->error;
	}
	for (int hook = 0; plan && hook < FW_HOOKS; hook++) {
		compiling->input.counters[hook] = plan->counters[hook];
		compiling->input.limits[hook] = plan->limits[hook];
	}
	image_number(&compiling->image, &compiling->input);
	*ret_image = &compiling->image;
	return 0;
}

void compiling_free(struct compiling **compiling)
{
	struct compiling *freed = *compiling;

	if (!freed)
		return;
	compiling_wait(freed);
	image_free(&freed->image);
	free(freed->links);
	free(freed->reason);
	free(freed);
	*compiling = NULL;
}
