/* SPDX-License-Identifier: GPL-2.0-only */
#include "commands/answering.h"

#include <stdlib.h>

#include "base/message.h"

/* The program is for both hooks, so one rule of either block wants it on every link. */
bool ruleset_rejects(const struct ruleset *ruleset)
{
	for (int hook = 0; hook < FW_HOOKS; hook++) {
		const struct block *block = &ruleset->blocks[hook];

		for (size_t i = 0; i < block->count; i++) {
			if (block->rules[i].action == FW_REJECT)
				return true;
		}
	}
	return false;
}

int answering_read(struct dataplane *dataplane, struct answering *ret_answering)
{
	int error = dataplane_answers(dataplane, &ret_answering->items, &ret_answering->count);

	if (error)
		message_error("cannot see what answers rejected packets: %s",
			      dataplane_error(dataplane));
	return error;
}

void answering_free(struct answering *answering)
{
	free(answering->items);
	*answering = (struct answering){ 0 };
}

bool answering_has(const struct answering *answering, const struct link_info *link)
{
	for (size_t i = 0; i < answering->count; i++) {
		if (answering->items[i].link.index == link->index)
			return true;
	}
	return false;
}

bool answering_lacks(const struct answering *answering, const struct ruleset *ruleset,
		     const struct wanted_links *wanted)
{
	if (!ruleset_rejects(ruleset))
		return false;
	for (size_t i = 0; i < wanted->count; i++) {
		if (!answering_has(answering, wanted->items[i].link))
			return true;
	}
	return false;
}

int answering_attach(struct dataplane *dataplane, const struct ruleset *ruleset,
		     const struct wanted_links *wanted, bool keep_going)
{
	int error = 0;

	if (!ruleset_rejects(ruleset))
		return 0;
	for (size_t i = 0; i < wanted->count && !error; i++) {
		const struct link_info *link = wanted->items[i].link;
		struct attachment attachment;

		error = dataplane_attach_answers(dataplane, link, &attachment);
		if (error)
			message_error("cannot answer what rules reject on %s: %s", link->name,
				      dataplane_error(dataplane));
		if (keep_going)
			error = 0;
	}
	return error;
}

static bool is_wanted(const struct wanted_links *wanted, const struct link_info *link)
{
	for (size_t i = 0; i < wanted->count; i++) {
		if (wanted->items[i].link->index == link->index)
			return true;
	}
	return false;
}

static void detach_told(struct dataplane *dataplane, const struct link_info *link)
{
	if (dataplane_detach_answers(dataplane, link))
		message_warn("the program that answers is on %s still: %s", link->name,
			     dataplane_error(dataplane));
}

void answering_detach_others(struct dataplane *dataplane, const struct ruleset *ruleset,
			     const struct wanted_links *wanted)
{
	struct answering now = { 0 };
	bool rejects = ruleset_rejects(ruleset);

	if (answering_read(dataplane, &now))
		return;
	for (size_t i = 0; i < now.count; i++) {
		if (!rejects || !is_wanted(wanted, &now.items[i].link))
			detach_told(dataplane, &now.items[i].link);
	}
	answering_free(&now);
}

void answering_restore(struct dataplane *dataplane, const struct answering *before)
{
	struct answering now = { 0 };

	if (answering_read(dataplane, &now))
		return;
	for (size_t i = 0; i < now.count; i++) {
		if (!answering_has(before, &now.items[i].link))
			detach_told(dataplane, &now.items[i].link);
	}
	answering_free(&now);
}
