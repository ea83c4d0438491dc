/* SPDX-License-Identifier: GPL-2.0-only */
/* fwctl stats: what every rule and reason did. */
#include "commands/command.h"
#include "commands/report.h"
#include "commands/running.h"

enum exit_status command_stats(struct context *context, int argc, char **argv)
{
	bool json = false, prometheus = false;
	const struct argument arguments[] = {
		{ "--json", 'j', ARGUMENT_FLAG, &json },
		{ "--prometheus", 0, ARGUMENT_FLAG, &prometheus },
		{ 0 },
	};
	struct dataplane *dataplane;
	struct report report;
	int error;

	if (!arguments_take_alone(context, arguments, argc, argv))
		return EXIT_USAGE;
	if (json && prometheus)
		return usage_error(context, "--json and --prometheus exclude each other");
	dataplane = dataplane_open_told(context, false);
	if (!dataplane)
		return EXIT_FAILED;
	error = report_read(dataplane, &report);
	if (!error) {
		if (json)
			report_print_json(&report);
		else if (prometheus)
			report_print_prometheus(&report);
		else
			report_print_table(&report);
		report_free(&report);
	}
	dataplane_close(&dataplane);
	return error ? EXIT_FAILED : EXIT_DONE;
}
