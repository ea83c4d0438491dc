/* SPDX-License-Identifier: GPL-2.0-only */
/* Which links of this host a ruleset's `interface` lines mean. */
#ifndef FWCTL_COMMANDS_INTERFACES_H
#define FWCTL_COMMANDS_INTERFACES_H

#include "base/buffer.h"
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
	/* What a pattern fits, but cannot be filtered for the kind of its frames. */
	const struct link_info **skipped;
	size_t skipped_count;
};

/* 0 or -errno. Nothing is attached or changed. */
int wanted_links_find(const struct ruleset *ruleset, struct wanted_links *ret_wanted);
void wanted_links_free(struct wanted_links *wanted);

/*
 * The wanted link that the link is a part of, if it is not wanted itself: what is attached to the
 * whole runs natively on its parts. Or NULL.
 */
const struct link_info *wanted_whole(const struct wanted_links *wanted,
				     const struct link_info *link);

/*
 * Says which they are by index and name, to compare: an `index name` line for each, and one of
 * `index name of whole` for each part.
 */
void wanted_links_print(const struct wanted_links *wanted, struct buffer *buffer);

/* Is the link, by index and name, one of those in a text of wanted_links_print()? */
bool links_text_has(const char *text, const struct link_info *link);
/* Is it there as a part of that one? */
bool links_text_has_part(const char *text, const struct link_info *link,
			 const struct link_info *whole);

/* True if the `interface` line means a link of this name. A pattern does not mean the loopback. */
bool interface_means(const struct interface *line, const struct link_info *link);

/*
 * True if the block has `vlan` rules that may not match there, because hardware takes the tags out
 * before XDP. VLAN_WARNING says so of a link, named twice.
 */
bool vlan_rules_are_blind(const struct ruleset *ruleset, const struct attachment *attachment);
#define VLAN_WARNING                                                                              \
	"%s: rx-vlan-offload takes VLAN tags out before XDP, so `vlan` rules of ingress may not " \
	"match; see ethtool -K %s rxvlan off"

/* The same links as compile() wants them; freed by the caller. */
struct link *wanted_links_for_compiler(const struct wanted_links *wanted);

#endif
