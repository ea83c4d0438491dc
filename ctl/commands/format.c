/* SPDX-License-Identifier: GPL-2.0-only */
/* fwctl format: a rule file in canonical layout, comments kept. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/message.h"
#include "commands/command.h"
#include "commands/replace.h"
#include "language/language.h"

static enum exit_status format_write(const char *path, const struct buffer *text)
{
	int error = file_replace(path, text->text, text->length);

	if (!error)
		return EXIT_DONE;
	message_error("cannot write %s: %s; it is as it was", path, strerror(-error));
	return EXIT_FAILED;
}

static enum exit_status format_file(const struct source_file *file, bool write)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	struct diagnostics diagnostics;
	enum exit_status status = EXIT_DONE;
	bool same;

	diagnostics_init(&diagnostics);
	if (format_text(file, &diagnostics, &text))
		status = EXIT_USAGE;
	diagnostics_print(&diagnostics, stderr);
	diagnostics_free(&diagnostics);
	if (status)
		return status;
	same = text.length == file->length && !memcmp(buffer_text(&text), file->text, text.length);
	if (!write)
		fwrite(buffer_text(&text), 1, text.length, stdout);
	else if (!same)
		status = format_write(file->path, &text);
	return status;
}

enum exit_status command_format(struct context *context, int argc, char **argv)
{
	bool write = false;
	const struct argument arguments[] = {
		{ "--write", 'w', ARGUMENT_FLAG, &write },
		{ 0 },
	};
	struct arena *arena;
	struct source_file file;
	enum exit_status status;
	int error;

	if (!arguments_take(context, arguments, OPERANDS_ANYWHERE, &argc, argv))
		return EXIT_USAGE;
	if (argc != 1)
		return usage_error(context, "which rule file?");
	if (write && !strcmp(argv[0], "-"))
		return usage_error(context, "standard input cannot be written to");
	arena = arena_new();
	error = file_reader_system.read(&file_reader_system, argv[0], arena, &file);
	if (error) {
		message_error("cannot read %s: %s", argv[0], strerror(-error));
		status = EXIT_USAGE;
	} else {
		status = format_file(&file, write);
	}
	arena_free(&arena);
	return status;
}
