/* SPDX-License-Identifier: GPL-2.0-only */
/* fwctl explain: which rule decides a packet, written as text or captured, and why. */
#include "analysis/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/capture.h"
#include "analysis/packet_frame.h"
#include "base/message.h"
#include "commands/command.h"
#include "commands/kernel_judge.h"
#include "commands/load.h"
#include "fw/parse.h"
#include "language/language.h"

/* What the command line asks for. */
struct question {
	struct context *context;
	const char *rules;
	const char *packet;
	const char *pcap;
	const char *hook;
	const char *interface;
	bool json;
	bool kernel;
	struct explain_options options;
	struct ruleset *ruleset;
	struct kernel_judge *judge; /* with --kernel */
};

static bool question_read(struct question *question, int argc, char **argv)
{
	const struct argument arguments[] = {
		{ "--rules", 0, ARGUMENT_TEXT, &question->rules },
		{ "--packet", 0, ARGUMENT_TEXT, &question->packet },
		{ "--pcap", 0, ARGUMENT_TEXT, &question->pcap },
		{ "--hook", 0, ARGUMENT_TEXT, &question->hook },
		{ "--interface", 0, ARGUMENT_TEXT, &question->interface },
		{ "--why", 0, ARGUMENT_FLAG, &question->options.why },
		{ "--kernel", 0, ARGUMENT_FLAG, &question->kernel },
		{ "--json", 0, ARGUMENT_FLAG, &question->json },
		{ 0 },
	};
	const struct context *context = question->context;

	if (!arguments_take(question->context, arguments, OPERANDS_ANYWHERE, &argc, argv))
		return false;
	if (context->help)
		return false;
	if (argc)
		usage_error(context, "'%s' is not expected", argv[0]);
	else if (!question->rules)
		usage_error(context, "--rules FILE is missing");
	else if (!question->packet == !question->pcap)
		usage_error(context, "either --packet TEXT or --pcap FILE");
	else if (question->packet && (question->hook || question->interface))
		usage_error(context, "a packet's text says hook and interface itself");
	else if (question->hook && strcmp(question->hook, "ingress") != 0 &&
		 strcmp(question->hook, "egress") != 0)
		usage_error(context, "--hook is ingress or egress, not '%s'", question->hook);
	else if (question->interface && strlen(question->interface) >= IF_NAMESIZE)
		usage_error(context, "'%s' is too long for an interface", question->interface);
	else
		return true;
	return false;
}

static void print_answer(const struct question *question, const struct explanation *explanation)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	json_t *object;
	char *line;

	if (!question->json) {
		explanation_print(question->ruleset, explanation, &question->options, &text);
		fputs(buffer_text(&text), stdout);
		return;
	}
	object = explanation_json(question->ruleset, explanation, &question->options);
	line = json_dumps(object, JSON_COMPACT);
	if (!line)
		message_out_of_memory();
	puts(line);
	free(line);
	json_decref(object);
}

/* Prints what is to be said of the packet, and of the kernel if it says something else. */
static enum kernel_opinion answer(const struct question *question, struct explanation *explanation,
				  const struct captured_frame *frame)
{
	static const char *const opinions[] = { "same", "not-asked", "differs", "failed" };
	_cleanup_buffer_ struct buffer text = { 0 };
	enum kernel_opinion opinion = KERNEL_SAME;

	if (question->judge) {
		opinion = kernel_judge_ask(question->judge, explanation, frame, &text);
		explanation->kernel = opinions[opinion];
		explanation->kernel_text = buffer_text(&text);
	}
	print_answer(question, explanation);
	fflush(stdout);
	if (opinion == KERNEL_DIFFERS)
		message_error("packet %zu: the kernel differs from the rules: %s; "
			      "this is a fault in fwctl",
			      explanation->number, buffer_text(&text));
	else if (opinion == KERNEL_FAILED)
		message_error("%s", buffer_text(&text));
	return opinion;
}

static enum exit_status status_of(enum kernel_opinion opinion)
{
	return opinion == KERNEL_SAME || opinion == KERNEL_NOT_ASKED ? EXIT_DONE : EXIT_FAILED;
}

static enum exit_status explain_text(const struct question *question,
				     struct explanation *explanation)
{
	_cleanup_buffer_ struct buffer bytes = { 0 };
	struct captured_frame frame;

	packet_frame(&explanation->met.packet, &bytes);
	frame.bytes = (const uint8_t *)buffer_text(&bytes);
	frame.captured = frame.length = (uint32_t)bytes.length;
	explain(question->ruleset, explanation);
	return status_of(answer(question, explanation, &frame));
}

static void parse_captured(const struct question *question, const struct captured_frame *captured,
			   struct explanation *explanation)
{
	const struct fw_frame frame = {
		.data = captured->bytes,
		.data_end = captured->bytes + captured->captured,
		.length = captured->length,
		.stripped_vlan = FW_NO_VLAN,
	};
	struct met_packet *met = &explanation->met;

	explanation->reason = fw_parse(&frame, &met->packet);
	met->packet.state = met->packet.family == FW_OTHER ? 0 : FW_STATE_NEW;
	met->hook = question->hook && question->hook[0] == 'e' ? FW_EGRESS : FW_INGRESS;
	if (question->interface)
		strcpy(met->interface, question->interface);
}

static enum exit_status explain_capture(struct question *question)
{
	_cleanup_buffer_ struct buffer error = { 0 };
	enum kernel_opinion opinion = KERNEL_SAME;
	enum exit_status status = EXIT_DONE;
	struct captured_frame frame;
	struct capture *capture;
	size_t number = 0;
	int more = 0;

	if (capture_open(question->pcap, &capture, &error)) {
		message_error("%s", buffer_text(&error));
		return EXIT_FAILED;
	}
	question->options.numbered = true;
	while (opinion != KERNEL_FAILED && (more = capture_next(capture, &frame, &error)) > 0) {
		struct explanation explanation = { .number = ++number };

		parse_captured(question, &frame, &explanation);
		explain(question->ruleset, &explanation);
		opinion = answer(question, &explanation, &frame);
		if (status_of(opinion) != EXIT_DONE)
			status = EXIT_FAILED;
	}
	capture_close(&capture);
	if (more < 0) {
		message_error("%s", buffer_text(&error));
		return EXIT_FAILED;
	}
	return status;
}

static enum exit_status explain_all(struct question *question, struct explanation *explanation)
{
	const char *interface = question->packet ? explanation->met.interface : question->interface;
	enum exit_status status;

	if (question->kernel) {
		question->judge = kernel_judge_open(question->ruleset, interface);
		if (!question->judge)
			return EXIT_FAILED;
	}
	status = question->packet ? explain_text(question, explanation) : explain_capture(question);
	kernel_judge_close(&question->judge);
	return status;
}

enum exit_status command_explain(struct context *context, int argc, char **argv)
{
	struct explanation explanation = { .number = 1 };
	_cleanup_buffer_ struct buffer error = { 0 };
	struct context told = *context;
	struct question question = { .context = context };
	enum exit_status status;

	if (!question_read(&question, argc, argv))
		return context->help ? EXIT_DONE : EXIT_USAGE;
	if (question.packet && packet_text_parse(question.packet, &explanation.met, &error)) {
		message_error("--packet: %s", buffer_text(&error));
		return EXIT_USAGE;
	}
	told.quiet = true; /* `check` is for warnings */
	question.ruleset = rules_load(&told, question.rules, question.kernel);
	if (!question.ruleset)
		return EXIT_USAGE;
	status = explain_all(&question, &explanation);
	ruleset_free(&question.ruleset);
	return status;
}
