/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The program that answers what rules reject: on which interfaces it is wanted, and bringing it
 * there and away. Failures are told here, in one line.
 */
#ifndef FWCTL_COMMANDS_ANSWERING_H
#define FWCTL_COMMANDS_ANSWERING_H

#include "commands/interfaces.h"

/* Do rules of a block that the link is filtered by reject? */
bool ruleset_rejects(const struct ruleset *ruleset);

/* Where the program is. */
struct answering {
	struct attachment *items;
	size_t count;
};

/* 0, or -errno after a message. */
int answering_read(struct dataplane *dataplane, struct answering *ret_answering);
void answering_free(struct answering *answering);

bool answering_has(const struct answering *answering, const struct link_info *link);

/* True if a wanted link lacks the program though rules reject. */
bool answering_lacks(const struct answering *answering, const struct ruleset *ruleset,
		     const struct wanted_links *wanted);

/*
 * Puts the program on every wanted link if rules reject. With `keep_going` what refuses is told
 * of, and the others get it; else the first failure ends it.
 */
int answering_attach(struct dataplane *dataplane, const struct ruleset *ruleset,
		     const struct wanted_links *wanted, bool keep_going);

/* Takes it off links that are not wanted, and off all if no rule rejects. */
void answering_detach_others(struct dataplane *dataplane, const struct ruleset *ruleset,
			     const struct wanted_links *wanted);

/* Takes it off where it was not `before`. */
void answering_restore(struct dataplane *dataplane, const struct answering *before);

#endif
