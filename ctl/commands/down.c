/* SPDX-License-Identifier: GPL-2.0-only */
/* fwctl down: nothing of ours is left in the kernel. */
#include <errno.h>

#include "base/message.h"
#include "commands/running.h"

enum exit_status command_down(struct context *context, int argc, char **argv)
{
	const struct argument arguments[] = { { 0 } };
	struct dataplane *dataplane;
	int error;

	if (!arguments_take_alone(context, arguments, argc, argv))
		return EXIT_USAGE;
	dataplane = dataplane_open_told(context, true);
	if (!dataplane)
		return EXIT_FAILED;
	error = dataplane_remove(dataplane);
	if (error)
		message_error("down: %s", dataplane_error(dataplane));
	else
		message_info("nothing is filtered any more, and no pin is left in %s",
			     context->pin_dir);
	dataplane_close(&dataplane);
	return error ? EXIT_FAILED : EXIT_DONE;
}
