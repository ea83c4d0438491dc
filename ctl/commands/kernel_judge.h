/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The real programs on compiled rules, run on single frames by the kernel (BPF_PROG_TEST_RUN) and
 * compared with what the reference evaluator says. Nothing is pinned, attached or locked.
 */
#ifndef FWCTL_COMMANDS_KERNEL_JUDGE_H
#define FWCTL_COMMANDS_KERNEL_JUDGE_H

#include "analysis/capture.h"
#include "analysis/explain.h"

struct kernel_judge;

/*
 * NULL after a message. Live sets hold what the rule file says, and get their places. All frames
 * come in on, or leave by, the loopback, which the rules are told is called `interface`; NULL or
 * "": it has no name that a rule could match.
 */
struct kernel_judge *kernel_judge_open(struct ruleset *ruleset, const char *interface);
void kernel_judge_close(struct kernel_judge **judge);

enum kernel_opinion {
	KERNEL_SAME,	  /* verdict and counted rule or reason are those of the explanation */
	KERNEL_NOT_ASKED, /* it cannot be asked about such a frame */
	KERNEL_DIFFERS,
	KERNEL_FAILED, /* and will fail on others */
};

/* Runs the program on the frame and adds to `text` what came of it. */
enum kernel_opinion kernel_judge_ask(struct kernel_judge *judge,
				     const struct explanation *explanation,
				     const struct captured_frame *frame, struct buffer *text);

#endif
