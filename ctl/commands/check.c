/* SPDX-License-Identifier: GPL-2.0-only */
/* fwctl check: what is wrong or doubtful in a rule file. Needs no privilege, touches nothing. */
#include "base/message.h"
#include "commands/load.h"
#include "commands/running.h"

enum exit_status command_check(struct context *context, int argc, char **argv)
{
	const struct argument arguments[] = { { 0 } };
	const char *path = DEFAULT_RULE_FILE;
	struct ruleset *ruleset;
	size_t count;

	if (!arguments_take(context, arguments, OPERANDS_ANYWHERE, &argc, argv))
		return EXIT_USAGE;
	if (argc > 1)
		return usage_error(context, "one rule file, not %d", argc);
	if (argc)
		path = argv[0];
	ruleset = rules_load(context, path, false);
	if (!ruleset)
		return EXIT_USAGE;
	count = ruleset_count(ruleset);
	message_info("%s: %zu rule%s, no error", path, count, count == 1 ? "" : "s");
	ruleset_free(&ruleset);
	return EXIT_DONE;
}
