/* SPDX-License-Identifier: GPL-2.0-only */
/* What of ours is on which interface, when rules change. Failures are told here, in one line. */
#ifndef FWCTL_COMMANDS_ATTACHING_H
#define FWCTL_COMMANDS_ATTACHING_H

#include "commands/interfaces.h"
#include "commands/running.h"

/* NULL if nothing of ours is on the link's hook. */
const struct attachment *attachment_find(const struct installed *installed,
					 const struct link_info *link, enum fw_hook hook);

/*
 * Attaches to every wanted interface, and fills in installed->attachments, which the caller frees.
 * On failure puts back what was there before; with input->keep_going, what refuses something new
 * goes on with what it has.
 */
int links_attach(struct dataplane *dataplane, const struct install_input *input,
		 const struct wanted_links *wanted, const struct installed *before,
		 struct installed *installed);

/* Lets go of what was attached before and is not wanted any more. */
void links_detach_others(struct dataplane *dataplane, const struct installed *before,
			 const struct installed *installed);

#endif
