/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of commands, and which one runs. */
#include <stdio.h>
#include <string.h>

#include "base/message.h"
#include "commands/command.h"

static const struct command commands[] = {
	{ "apply", command_apply, "[FILE] [--dry-run] [--missing-ok] [--sets FILE]",
	  "put the rules of a file into force, in one atomic step" },
	{ "check", command_check, "[FILE] [--json]",
	  "say what is wrong or doubtful in a rule file" },
	{ "format", command_format, "FILE [--write]", "print a rule file in canonical layout" },
	{ "list", command_list, "[-n] [--json]", "print the rules that are running" },
	{ "stats", command_stats, "[--json | --prometheus]",
	  "print packets and bytes of every rule and reason" },
	{ "status", command_status, "[--json]", "say what is attached where, and if it is intact" },
	{ "diff", command_diff, "OLD NEW [--json] [--exit-code]",
	  "say which packets two rule files judge differently" },
	{ "add", command_add, "[--before LABEL | --after LABEL | --at N] ingress|egress RULE...",
	  "add a rule to the running ones" },
	{ "delete", command_delete, "[ingress|egress] LABEL|N|RULE...", "delete a running rule" },
	{ "save", command_save, "[FILE] [--force] [--sets FILE]",
	  "write the running rules to a file" },
	{ "explain", command_explain,
	  "--rules FILE --packet TEXT [--why] [--kernel] [--json]\n"
	  "--rules FILE --pcap FILE [--hook ingress|egress] [--interface IF] [--why] [--kernel] "
	  "[--json]",
	  "say which rule decides a packet, and why" },
	{ "watch", command_watch, "", "keep the rules on their interfaces as these come and go" },
	{ "set", command_set,
	  "list [NAME] [--json]\n"
	  "add NAME ELEM... [timeout D] [--file FILE] [--force]\n"
	  "delete NAME ELEM... [--file FILE]\n"
	  "replace NAME FILE [timeout D] [--force]\n"
	  "flush NAME\ntest NAME ADDR\nsave [FILE]\nrestore [FILE]",
	  "list and change the elements of live sets" },
	{ "ban", command_ban, "ADDR... [for D] [--force]",
	  "add to the set that `option ban-set` names" },
	{ "unban", command_unban, "ADDR...", "delete from the set that `option ban-set` names" },
	{ "flows", command_flows,
	  "[list | count | delete | flush] [PROTOCOL] [from ADDR [port N]] [to ADDR [port N]] "
	  "[address ADDR] [port N] [state STATE] [rule LABEL] [on INTERFACE] [--json]",
	  "list, count and delete the flows that `keep state` records" },
	{ "down", command_down, "", "detach, and remove everything that is pinned" },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_overview(void)
{
	printf("usage: fwctl [OPTIONS] COMMAND ...\n\ncommands:\n");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-8s %s\n", commands[i].name, commands[i].summary);
	printf("\noptions, before or behind the command:\n"
	       "  --pin-dir DIR    where maps and links are pinned (%s)\n"
	       "  --wait SECONDS   how long to wait for another fwctl (%d)\n"
	       "  -q, --quiet      errors only\n"
	       "  -v, --verbose    also how things were done\n"
	       "  -h, --help       this, or the usage of a command\n"
	       "  --version        the version\n"
	       "\nexit status: 0 done, 1 failed, 2 wrong usage or an error in the rules\n"
	       "see also: fwctl(8), fwctl.conf(5)\n",
	       DEFAULT_PIN_DIR, DEFAULT_WAIT_SECONDS);
}

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	}
	return NULL;
}

static enum exit_status command_run(struct context *context, int argc, char **argv)
{
	enum exit_status status;

	context->command = command_find(argv[0]);
	if (!context->command)
		return usage_error(context, "there is no command '%s'", argv[0]);
	status = context->command->run(context, argc - 1, argv + 1);
	if (context->help) {
		usage_print(context->command);
		return EXIT_DONE;
	}
	if (fflush(stdout) || ferror(stdout)) {
		message_error("cannot write the output: %m; nothing else went wrong");
		return EXIT_FAILED;
	}
	return status;
}

int main(int argc, char **argv)
{
	bool version = false;
	const struct argument arguments[] = {
		{ "--version", 'V', ARGUMENT_FLAG, &version },
		{ 0 },
	};
	struct context context = {
		.pin_dir = DEFAULT_PIN_DIR,
		.wait_seconds = DEFAULT_WAIT_SECONDS,
	};
	int count = argc - 1;

	clock_gettime(CLOCK_MONOTONIC, &context.started);
	if (!arguments_take(&context, arguments, OPERANDS_LAST, &count, argv + 1) && !context.help)
		return EXIT_USAGE;
	if (version) {
		printf("fwctl %s\n", FWCTL_VERSION);
		return EXIT_DONE;
	}
	if (context.help) {
		print_overview();
		return EXIT_DONE;
	}
	if (!count)
		return usage_error(&context, "no command is named");
	return command_run(&context, count, argv + 1);
}
