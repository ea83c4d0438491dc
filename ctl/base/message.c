/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages to the user, by level. The level is the program's one piece of global state. */
#include "base/message.h"

#include <stdio.h>
#include <stdlib.h>

static enum message_level shown_level = MESSAGE_INFO;

void message_set_level(enum message_level level)
{
	shown_level = level;
}

bool message_is_shown(enum message_level level)
{
	return level <= shown_level;
}

void message_raw(enum message_level level, const char *format, va_list arguments)
{
	if (message_is_shown(level))
		vfprintf(stderr, format, arguments);
}

/* One line, kept whole among the lines of other processes. */
static void message_line(enum message_level level, const char *prefix, const char *format,
			 va_list arguments)
{
	if (!message_is_shown(level))
		return;
	flockfile(stderr);
	fprintf(stderr, "fwctl: %s", prefix);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	funlockfile(stderr);
}

void message_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	message_line(MESSAGE_ERROR, "", format, arguments);
	va_end(arguments);
}

void message_warn(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	message_line(MESSAGE_WARNING, "warning: ", format, arguments);
	va_end(arguments);
}

void message_info(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	message_line(MESSAGE_INFO, "", format, arguments);
	va_end(arguments);
}

void message_detail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	message_line(MESSAGE_DETAIL, "", format, arguments);
	va_end(arguments);
}

void message_out_of_memory(void)
{
	message_error("out of memory");
	exit(1);
}
