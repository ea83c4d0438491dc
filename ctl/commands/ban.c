/* SPDX-License-Identifier: GPL-2.0-only */
/* fwctl ban, fwctl unban: elements of the live set that `option ban-set` names. */
#include "commands/set.h"

enum exit_status command_ban(struct context *context, int argc, char **argv)
{
	bool force = false;
	const struct argument arguments[] = {
		{ "--force", 'f', ARGUMENT_FLAG, &force },
		{ 0 },
	};
	struct set_input input = { .what = "ban", .keyword = "for" };
	enum exit_status status = EXIT_USAGE;

	if (!arguments_take(context, arguments, OPERANDS_ANYWHERE, &argc, argv) ||
	    !set_timeout_take(context, &input, &argc, argv))
		return EXIT_USAGE;
	if (!argc)
		return usage_error(context, "whom? addresses, prefixes, or `-` for standard input");
	if (set_input_words(&input, argc, argv))
		status = set_add(context, NULL, &input, force);
	set_input_free(&input);
	return status;
}

enum exit_status command_unban(struct context *context, int argc, char **argv)
{
	const struct argument arguments[] = { { 0 } };
	struct set_input input = { .what = "unban", .timeout = SET_TIMEOUT_DEFAULT };
	enum exit_status status = EXIT_USAGE;

	if (!arguments_take(context, arguments, OPERANDS_ANYWHERE, &argc, argv))
		return EXIT_USAGE;
	if (!argc)
		return usage_error(context, "whom? addresses, prefixes, or `-` for standard input");
	if (set_input_words(&input, argc, argv))
		status = set_delete(context, NULL, &input);
	set_input_free(&input);
	return status;
}
