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
 * NULL after a message. All frames come in on, or leave by, the loopback, which the rules are told
 * is called `interface`; NULL or "": it has no name that a rule could match.
 */
struct kernel_judge *kernel_judge_open(const struct ruleset *ruleset, const char *interface);
void kernel_judge_close(struct kernel_judge **judge);

/*
 * Runs the program on the frame. True if verdict and counted rule or reason are those of the
 * explanation, or if the kernel cannot be asked about such a frame, which `text` then says. False
 * if they differ, or if the kernel failed: `text` says how.
 */
bool kernel_judge_agrees(struct kernel_judge *judge, const struct explanation *explanation,
			 const struct captured_frame *frame, struct buffer *text);

#endif
