/* SPDX-License-Identifier: GPL-2.0-only */
/* Read, change, switch: under one lock, so that no other fwctl's change is lost between. */
#include "commands/change.h"

#include <string.h>

#include "base/buffer.h"
#include "base/message.h"
#include "commands/running.h"
#include "language/language.h"

static enum exit_status change_install(const struct context *context, struct dataplane *dataplane,
				       const struct generation *before, struct ruleset *ruleset)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	struct install_input input = {
		.context = context,
		.ruleset = ruleset,
		.origin = before->origin,
	};
	struct installed installed;

	/* `watch` switches too, and changes nothing. */
	buffer_reserve(&text, before->length); /* about as much */
	ruleset_print(ruleset, &text);
	input.text = &text;
	input.origin.changes += strcmp(buffer_text(&text), before->text) != 0;
	if (running_install(dataplane, &input, &installed))
		return EXIT_FAILED;
	installed_tell(&installed, ruleset, context->command->name, &context->started);
	installed_free(&installed);
	return EXIT_DONE;
}

enum exit_status running_change(const struct context *context, change_function *change, void *data)
{
	struct dataplane *dataplane;
	struct generation *generation = NULL;
	struct ruleset *ruleset = NULL;
	enum exit_status status = EXIT_FAILED;

	dataplane = dataplane_open_running(context);
	if (!dataplane)
		return EXIT_FAILED;
	if (!running_read(dataplane, &generation, &ruleset)) {
		status = change(ruleset, context, data);
		if (status == EXIT_DONE)
			status = change_install(context, dataplane, generation, ruleset);
	}
	ruleset_free(&ruleset);
	generation_free(&generation);
	dataplane_close(&dataplane);
	return status;
}
