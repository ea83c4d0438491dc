/* SPDX-License-Identifier: GPL-2.0-only */
#include "commands/kernel_judge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/message.h"
#include "compiler/compile.h"
#include "dataplane/dataplane.h"
#include "dataplane/flows.h"
#include "dataplane/sets.h"

#define LOOPBACK       1    /* its index in every network namespace */
#define FRAME_SMALLEST 14   /* the kernel wants a link-layer header */
#define FRAME_LARGEST  3400 /* what a test run of XDP holds besides its own room, in one page */

struct kernel_judge {
	struct ruleset *ruleset;
	struct dataplane *dataplane;
	uint8_t *frame; /* as long as it was on the wire */
};

static int install_rules(struct kernel_judge *judge, const struct link *link)
{
	struct ruleset few = *judge->ruleset; /* one flow at a time */
	struct compile_input input = {
		.ruleset = &few,
		.links = link,
		.link_count = link->name && *link->name,
		.no_limits = true,
	};
	_cleanup_free_ char *error = NULL;
	struct switch_input change = { .origin = { .source = "explain" }, .text = "" };
	struct image image = { 0 };
	struct plan *plan = NULL;
	uint32_t number;
	int status;

	few.options.flows = FW_FLOWS_LEAST;
	status = dataplane_plan(judge->dataplane, judge->ruleset, &plan);
	if (status) {
		message_error("%s", dataplane_error(judge->dataplane));
		return status;
	}
	for (int hook = 0; hook < FW_HOOKS; hook++) {
		input.counters[hook] = plan->counters[hook];
		input.limits[hook] = plan->limits[hook];
	}
	/* With what the file says: explain() takes sets to be as they are when they are new. */
	status = dataplane_prepare_sets(judge->dataplane, plan, judge->ruleset, NULL, NULL);
	if (status)
		message_error("%s", dataplane_error(judge->dataplane));
	else if ((status = compile(&input, &image, &error)))
		message_error("%s", error);
	if (!status) {
		change.plan = plan;
		change.image = image.bytes;
		change.image_size = image.size;
		status = dataplane_switch(judge->dataplane, &change, &number);
		if (status)
			message_error("%s", dataplane_error(judge->dataplane));
	}
	image_free(&image);
	plan_free(&plan);
	return status;
}

struct kernel_judge *kernel_judge_open(struct ruleset *ruleset, const char *interface)
{
	const struct link link = { .name = interface, .index = LOOPBACK };
	struct kernel_judge *judge = calloc(1, sizeof(*judge));
	_cleanup_free_ char *error = NULL;

	if (!judge)
		message_out_of_memory();
	judge->ruleset = ruleset;
	judge->frame = calloc(1, FRAME_LARGEST);
	if (!judge->frame)
		message_out_of_memory();
	if (dataplane_open_private(FW_IMAGE_SIZE_3, &judge->dataplane, &error)) {
		message_error("%s", error);
		kernel_judge_close(&judge);
	} else if (install_rules(judge, &link)) {
		kernel_judge_close(&judge);
	}
	return judge;
}

void kernel_judge_close(struct kernel_judge **judge)
{
	if (!*judge)
		return;
	dataplane_close(&(*judge)->dataplane);
	free((*judge)->frame);
	free(*judge);
	*judge = NULL;
}

static const char *identity(const struct ruleset *ruleset, const struct explanation *explanation)
{
	if (explanation->evaluation.rule == EVALUATE_DEFAULT)
		return "default";
	return rule_identity(
		&ruleset->blocks[explanation->met.hook].rules[explanation->evaluation.rule]);
}

/* Packets that were counted where this one has to be. */
static int count(struct kernel_judge *judge, const struct explanation *explanation,
		 uint64_t *ret_packets)
{
	enum fw_hook hook = explanation->met.hook;
	struct statistics *statistics;
	const struct rule_total *total;
	int status = dataplane_read_statistics(judge->dataplane, &statistics);

	if (status)
		return status;
	total = statistics_find(statistics, hook, identity(judge->ruleset, explanation));
	*ret_packets = total ? total->total.packets : 0;
	if (explanation->reason)
		*ret_packets = statistics->reasons[hook][explanation->reason].packets;
	statistics_free(&statistics);
	return 0;
}

/* Why the kernel cannot be asked, or NULL. */
static const char *find_obstacle(const struct kernel_judge *judge,
				 const struct explanation *explanation,
				 const struct captured_frame *frame)
{
	const struct fw_packet *packet = &explanation->met.packet;

	if (!judge->ruleset->blocks[explanation->met.hook].present)
		return "not asked: no program is attached without a block";
	if (frame->captured < FRAME_SMALLEST)
		return "not asked: it runs programs on 14 bytes and more";
	if (explanation->met.hook == FW_EGRESS &&
	    (explanation->reason == FW_REASON_IPV4_TRUNCATED ||
	     explanation->reason == FW_REASON_IPV6_TRUNCATED))
		return "not asked: some kernels refuse to run egress on half an IP header";
	if (frame->length > FRAME_LARGEST)
		return "not asked: the frame is too long for a test run";
	if (explanation->reason == FW_REASON_HEADER_NOT_LINEAR)
		return "not asked: the capture holds only a part of the headers";
	if (!(packet->has & FW_HAS_MAC) && !explanation->reason)
		return "not asked: a test run needs a link-layer header";
	if (packet->state & FW_STATE_RELATED && !(packet->has & FW_IS_FRAGMENT))
		return "not asked: the packet that the error is about is not known";
	return NULL;
}

/* Each packet is asked about alone, whatever state those before left behind. */
static bool suppose_flow(struct kernel_judge *judge, const struct fw_packet *packet)
{
	int error = 0;

	dataplane_flows_forget(judge->dataplane);
	if (packet->state & ~FW_STATE_NEW)
		error = dataplane_flow_suppose(judge->dataplane, packet);
	/* Where no rule asks, the state does not matter. */
	return !error || error == -ENOENT;
}

enum kernel_opinion kernel_judge_ask(struct kernel_judge *judge,
				     const struct explanation *explanation,
				     const struct captured_frame *frame, struct buffer *text)
{
	const struct test_packet test = { .frame = judge->frame, .length = frame->length };
	const char *obstacle = find_obstacle(judge, explanation, frame);
	struct test_verdict verdict;
	uint64_t before, after;

	if (obstacle) {
		buffer_puts(text, obstacle);
		return KERNEL_NOT_ASKED;
	}
	memset(judge->frame, 0, FRAME_LARGEST);
	memcpy(judge->frame, frame->bytes, frame->captured);
	if (!suppose_flow(judge, &explanation->met.packet)) {
		buffer_puts(text, "not asked: such a packet belongs to no flow");
		return KERNEL_NOT_ASKED;
	}
	if (count(judge, explanation, &before) ||
	    dataplane_test_run(judge->dataplane, explanation->met.hook, &test, &verdict) ||
	    count(judge, explanation, &after)) {
		buffer_puts(text, dataplane_error(judge->dataplane));
		return KERNEL_FAILED;
	}
	buffer_printf(text, "the program says %s, and %s %s",
		      verdict.verdict == FW_VERDICT_PASS ? "pass" : "drop",
		      after == before + 1 ? "counts it as" : "does not count it as",
		      explanation->reason ? fw_reason_name(explanation->reason)
					  : identity(judge->ruleset, explanation));
	if (verdict.verdict == explanation->verdict && after == before + 1)
		return KERNEL_SAME;
	return KERNEL_DIFFERS;
}
