/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything that `fwctl stats` tells, in the order in which it is told: the rules as they stand
 * in the file, the default behind each block, then what was counted under rules that are gone.
 */
#ifndef FWCTL_COMMANDS_REPORT_H
#define FWCTL_COMMANDS_REPORT_H

#include "commands/interfaces.h"
#include "dataplane/flows.h"
#include "dataplane/sets.h"
#include "language/model.h"

enum report_kind {
	REPORT_RULE,
	REPORT_BUILTIN,
	REPORT_DEFAULT,
	REPORT_REMOVED, /* not of the running generation; its packets still count in the totals */
};

struct report_line {
	enum fw_hook hook;
	enum report_kind kind;
	const char *label; /* or NULL */
	const char *text;  /* canonical; of a removed rule what is known of it */
	const char *identity;
	enum fw_action action;	 /* the last one */
	struct fw_counter total; /* under all actions that it ever had */
	struct fw_counter by_action[FW_ACTIONS];
	struct fw_counter limited; /* over its limit, and not in the total */
	bool has_limit;		   /* or had one that was exceeded */
};

struct report {
	struct generation *generation;
	struct ruleset *ruleset;
	struct statistics *statistics;
	struct flow_totals flows;
	struct attachment *attachments;
	size_t attachment_count;
	struct wanted_links wanted;
	struct live_set *sets;
	size_t set_count;
	struct report_line *lines;
	size_t count;
};

/* 0; else a message was printed. */
int report_read(struct dataplane *dataplane, struct report *ret_report);
void report_free(struct report *report);

/* Is there something to tell of this action: it is the line's, or it counted. */
bool report_has_action(const struct report_line *line, enum fw_action action);

/* "rule", "builtin", "default", "removed" */
const char *report_kind_name(enum report_kind kind);

/* "sent", "limited", "withheld", "failed" */
const char *answer_outcome_name(enum fw_answer_outcome outcome);
/* "passed", "declined", "sent", "right", "wrong" */
const char *cookie_outcome_name(enum fw_cookie_outcome outcome);

void report_print_table(const struct report *report);
void report_print_json(const struct report *report);
void report_print_prometheus(const struct report *report);

#endif
