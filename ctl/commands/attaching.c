/* SPDX-License-Identifier: GPL-2.0-only */
/* Brings what is attached in line with the interfaces that the rules name, or back. */
#include "commands/attaching.h"

#include <stdlib.h>
#include <string.h>

#include "base/message.h"

bool ruleset_has_block(const struct ruleset *ruleset)
{
	return ruleset->blocks[FW_INGRESS].present || ruleset->blocks[FW_EGRESS].present;
}

static bool attachment_is(const struct attachment *attachment, const struct link_info *link,
			  enum fw_hook hook)
{
	return attachment->link.index == link->index && attachment->hook == hook;
}

const struct attachment *attachment_find(const struct installed *installed,
					 const struct link_info *link, enum fw_hook hook)
{
	for (size_t i = 0; i < installed->attachment_count; i++) {
		if (attachment_is(&installed->attachments[i], link, hook))
			return &installed->attachments[i];
	}
	return NULL;
}

/* Takes off what is new, and gives back the mode that the others had. */
static void links_restore(struct dataplane *dataplane, const struct installed *before,
			  const struct installed *installed)
{
	for (size_t i = 0; i < installed->attachment_count; i++) {
		const struct attachment *new = &installed->attachments[i];
		const struct attachment *old = attachment_find(before, &new->link, new->hook);
		struct attachment restored;
		int error = 0;

		if (!old)
			error = dataplane_detach(dataplane, &new->link, new->hook);
		else if (strcmp(old->mode, new->mode) != 0)
			error = dataplane_attach(dataplane, &new->link, new->hook,
						 strcmp(old->mode, "generic") ? ATTACH_NATIVE
									      : ATTACH_GENERIC,
						 &restored);
		if (error)
			message_error("cannot put %s back: %s", new->link.name,
				      dataplane_error(dataplane));
		if (old && old->hook == FW_INGRESS)
			dataplane_answer_syns(dataplane, &old->link, old->answers_syns);
	}
}

/* What refuses something new goes on with what it has. */
static void attachment_keep(struct installed *installed, const struct installed *before,
			    const struct link_info *link, enum fw_hook hook)
{
	const struct attachment *old = attachment_find(before, link, hook);

	if (old)
		installed->attachments[installed->attachment_count++] = *old;
}

int links_attach(struct dataplane *dataplane, const struct install_input *input,
		 const struct wanted_links *wanted, const struct installed *before,
		 struct installed *installed)
{
	int error = 0;

	installed->attachments =
		calloc(wanted->count * FW_HOOKS + 1, sizeof(*installed->attachments));
	if (!installed->attachments)
		message_out_of_memory();
	for (size_t i = 0; i < wanted->count * FW_HOOKS && !error; i++) {
		const struct wanted_link *item = &wanted->items[i / FW_HOOKS];
		enum fw_hook hook = i % FW_HOOKS;

		if (!input->ruleset->blocks[hook].present)
			continue;
		error = dataplane_attach(dataplane, item->link, hook, item->line->mode,
					 &installed->attachments[installed->attachment_count]);
		if (error)
			message_error("cannot filter %s on %s: %s",
				      hook == FW_INGRESS ? "ingress" : "egress", item->link->name,
				      dataplane_error(dataplane));
		else
			installed->attachment_count++;
		if (error && input->keep_going) {
			attachment_keep(installed, before, item->link, hook);
			error = 0;
		}
	}
	if (error)
		links_restore(dataplane, before, installed);
	return error;
}

void links_detach_others(struct dataplane *dataplane, const struct installed *before,
			 const struct installed *installed)
{
	for (size_t i = 0; i < before->attachment_count; i++) {
		const struct attachment *old = &before->attachments[i];

		if (attachment_find(installed, &old->link, old->hook))
			continue;
		if (dataplane_detach(dataplane, &old->link, old->hook))
			message_warn("%s is filtered still, though the rules do not name it: %s",
				     old->link.name, dataplane_error(dataplane));
		else
			message_info("%s %s is not filtered any more", old->link.name,
				     old->hook == FW_INGRESS ? "ingress" : "egress");
	}
}
