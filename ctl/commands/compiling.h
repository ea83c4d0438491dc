/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Compiling in a thread of its own, while the command asks the kernel what is attached and gives
 * every rule a counter: at 10,000 rules either takes some milliseconds, and the processor has more
 * than one core.
 */
#ifndef FWCTL_COMMANDS_COMPILING_H
#define FWCTL_COMMANDS_COMPILING_H

#include "commands/interfaces.h"
#include "compiler/compile.h"
#include "dataplane/dataplane.h"

struct compiling;

/* Begins. The ruleset and the links stay as they are until compiling_free(). Never NULL. */
struct compiling *compiling_start(const struct ruleset *ruleset, const struct wanted_links *wanted);

/*
 * Waits for the image, and puts the counters of `plan` into it (NULL: none). It lives as long as
 * `compiling`. 0; else a message was printed.
 */
int compiling_finish(struct compiling *compiling, const struct plan *plan,
		     const struct image **ret_image);

/* Waits as well. NULL is fine. */
void compiling_free(struct compiling **compiling);

#endif
