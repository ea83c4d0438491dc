/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fwctl check: what is wrong or doubtful in a rule file, and what its rules will cost. Needs no
 * privilege, touches nothing, and does not look at the interfaces of this host.
 */
#include <stdio.h>
#include <string.h>

#include "analysis/state_lint.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "base/message.h"
#include "commands/forecast_report.h"
#include "commands/load.h"
#include "commands/running.h"
#include "dataplane/flows.h"
#include "dataplane/sets.h"

/* What live sets will take of the kernel's memory, empty and full. */
static void sets_tell(const struct ruleset *ruleset)
{
	for (size_t i = 0; i < ruleset->set_count; i++) {
		const struct set *set = &ruleset->sets[i];
		uint64_t size = set->size ? set->size : SET_SIZE_DEFAULT;

		if (set->kind == SET_LIVE)
			message_info(
				"set %s: at most %llu elements, %.1f MiB of memory when empty, "
				"%.1f MiB when full of hosts, %.1f MiB of networks",
				set->name, (unsigned long long)size,
				(double)set_memory_empty(size) / (1 << 20),
				(double)set_memory_full(size, FW_SET_HOSTS) / (1 << 20),
				(double)set_memory_full(size, FW_SET_NETS) / (1 << 20));
	}
}

/* What flows will take, all of it at once. */
static void flows_tell(const struct ruleset *ruleset)
{
	uint64_t flows = ruleset->options.flows ? ruleset->options.flows : FW_FLOWS_DEFAULT;

	if (ruleset_uses_state(ruleset))
		message_info("flows: at most %llu, and %llu half open, %.1f MiB of memory",
			     (unsigned long long)flows, (unsigned long long)FW_FLOWS_HALF(flows),
			     (double)flows_memory(flows) / (1 << 20));
}

static void doubts_tell(const struct ruleset *ruleset, const struct forecast *forecast)
{
	struct diagnostics diagnostics;

	diagnostics_init(&diagnostics);
	forecast_warn(ruleset, forecast, &diagnostics);
	diagnostics_print(&diagnostics, stderr);
	diagnostics_free(&diagnostics);
}

/* What cannot be compiled cannot be applied: that is found out also where nothing is printed. */
static enum exit_status forecast_tell(const struct context *context, const struct ruleset *ruleset,
				      bool json)
{
	_cleanup_free_ char *reason = NULL;
	struct forecast forecast;
	int error = forecast_of(ruleset, &forecast, &reason);

	if (error) {
		message_error("cannot compile the rules: %s", reason ? reason : strerror(-error));
		return EXIT_FAILED;
	}
	if (!context->quiet)
		doubts_tell(ruleset, &forecast);
	if (json)
		forecast_print_json(ruleset, &forecast);
	else if (!context->quiet)
		forecast_print(ruleset, &forecast);
	return EXIT_DONE;
}

enum exit_status command_check(struct context *context, int argc, char **argv)
{
	bool json = false;
	const struct argument arguments[] = {
		{ "--json", 'j', ARGUMENT_FLAG, &json },
		{ 0 },
	};
	const char *path;
	struct ruleset *ruleset;
	enum exit_status status;
	size_t count;

	memory_prepare();
	if (!arguments_take_file(context, arguments, argc, argv, &path))
		return EXIT_USAGE;
	ruleset = rules_load(context, path, false);
	if (!ruleset)
		return EXIT_USAGE;
	count = ruleset_count(ruleset);
	message_info("%s: %zu rule%s, no error", path, count, count == 1 ? "" : "s");
	if (!ruleset->interface_count)
		message_info(NO_INTERFACE_WARNING);
	sets_tell(ruleset);
	flows_tell(ruleset);
	status = forecast_tell(context, ruleset, json);
	ruleset_free(&ruleset);
	return status;
}
