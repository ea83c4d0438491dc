/* SPDX-License-Identifier: GPL-2.0-only */
/* What rules with `syncookie` ask of the host, and whether it is there. */
#ifndef FWCTL_COMMANDS_COOKIES_H
#define FWCTL_COMMANDS_COOKIES_H

#include "dataplane/dataplane.h"
#include "language/diagnostic.h"
#include "language/language.h"

/* The first rule that answers with SYN cookies, or NULL. */
const struct rule *ruleset_cookie_rule(const struct ruleset *ruleset);

/* Why cookies are of no use in this network namespace, or NULL: one line. */
const char *cookies_doubt(const struct ruleset *ruleset);

/* The same as a warning at the rule. */
void cookies_warn(const struct ruleset *ruleset, struct diagnostics *diagnostics);

/* Why SYNs that come in by this attachment are left to the host, or NULL. */
const char *cookies_link_doubt(const struct ruleset *ruleset, const struct attachment *attachment);

/* Is it because the link has another MAC address since? dataplane_attach() learns it. */
bool cookies_want_mac(const struct ruleset *ruleset, const struct attachment *attachment);

/* 0, or -EOPNOTSUPP after a message: this kernel makes no cookies for programs. */
int cookies_check(const struct ruleset *ruleset);

#endif
