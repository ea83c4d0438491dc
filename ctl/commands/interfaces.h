/* SPDX-License-Identifier: GPL-2.0-only */
/* Which links of this host a ruleset's `interface` lines mean. */
#ifndef FWCTL_COMMANDS_INTERFACES_H
#define FWCTL_COMMANDS_INTERFACES_H

#include "compiler/compile.h"
#include "dataplane/dataplane.h"
#include "language/model.h"

struct wanted_link {
	const struct link_info *link;
	const struct interface *line; /* the first line that names it */
};

struct wanted_links {
	struct link_info *links; /* all that there are */
	size_t link_count;
	struct wanted_link *items;
	size_t count;
	const struct interface **missing; /* lines that no link answers to */
	size_t missing_count;
};

/* 0 or -errno. Nothing is attached or changed. */
int wanted_links_find(const struct ruleset *ruleset, struct wanted_links *ret_wanted);
void wanted_links_free(struct wanted_links *wanted);

/* True if the `interface` line means a link of this name. A pattern does not mean the loopback. */
bool interface_means(const struct interface *line, const struct link_info *link);

/* The same links as compile() wants them; freed by the caller. */
struct link *wanted_links_for_compiler(const struct wanted_links *wanted);

#endif
