/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rules that run, and putting others in their place. What `apply`, `add` and `delete` have in
 * common; every failure is told here, in one line.
 */
#ifndef FWCTL_COMMANDS_RUNNING_H
#define FWCTL_COMMANDS_RUNNING_H

#include "base/buffer.h"
#include "commands/command.h"
#include "commands/interfaces.h"
#include "dataplane/sets.h"
#include "language/model.h"

/* Opens the data plane as the global options say. NULL after a message. */
struct dataplane *dataplane_open_told(const struct context *context, bool change);

/* The same to change what runs: NULL too, and no pins made, where nothing does. */
struct dataplane *dataplane_open_running(const struct context *context);

/* The running generation and its rules, parsed again. 0; else a message was printed. */
int running_read(struct dataplane *dataplane, struct generation **ret_generation,
		 struct ruleset **ret_ruleset);

struct install_input {
	const struct context *context;
	struct ruleset *ruleset;
	const struct buffer *text; /* what ruleset_print() says of it, if that is known; or NULL */
	struct origin origin;
	bool need_all;	 /* a named interface that is not there is an error, not a warning */
	bool keep_going; /* an interface that refuses is told of, and the others are filtered */
	set_fill *fill;	 /* what live sets that are new hold at first; or NULL */
	void *fill_data;
};

struct installed {
	uint32_t generation;
	bool stays; /* it runs: also after a failure, where going back failed too */
	size_t image_size;
	struct attachment *attachments;
	size_t attachment_count;
};

/*
 * Compiles the ruleset, switches it in, and brings what is attached in line with it. Either all
 * of this or, after a message, nothing: an interface that refuses takes the old rules back.
 */
int running_install(struct dataplane *dataplane, const struct install_input *input,
		    struct installed *ret_installed);

/* Compiles the ruleset for the interfaces of this host, and no more. 0; else a message. */
int running_rehearse(struct ruleset *ruleset, bool need_all, size_t *ret_image_size);

/* --- installed.c */
void installed_free(struct installed *installed);
/* One line about what runs now: rules, interfaces, modes, generation. */
void installed_tell(const struct installed *installed, const struct ruleset *ruleset,
		    const char *what, const struct timespec *start);

/* False: there is nothing to attach anywhere. */
bool ruleset_has_block(const struct ruleset *ruleset);
#define NO_INTERFACE_WARNING                                                                  \
	"the rules name no interface, so nothing is filtered; add a line such as `interface " \
	"eth0`"
#define NO_BLOCK_WARNING "the rules have no ingress or egress block, so nothing is filtered"

/* Rules that the user wrote, of both hooks. */
size_t ruleset_count(const struct ruleset *ruleset);

#endif
