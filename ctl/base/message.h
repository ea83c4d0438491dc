/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the program talks to its user outside a command's own output: one line each, "fwctl: ..."
 * to standard error. Diagnostics of rule files have their own form (language/diagnostic.h).
 */
#ifndef FWCTL_BASE_MESSAGE_H
#define FWCTL_BASE_MESSAGE_H

#include <stdarg.h>
#include <stdbool.h>

enum message_level {
	MESSAGE_ERROR,	 /* what failed; always shown */
	MESSAGE_WARNING, /* what the user should look at; not with -q */
	MESSAGE_INFO,	 /* what was done; not with -q */
	MESSAGE_DETAIL,	 /* how it was done; only with -v */
};

/* Shows messages up to `level`: MESSAGE_INFO unless told otherwise. */
void message_set_level(enum message_level level);
bool message_is_shown(enum message_level level);

void message_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void message_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void message_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void message_detail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* For output that another library formats: no prefix, no newline of its own. */
void message_raw(enum message_level level, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));

/* Says that memory ran out and ends the program with status 1. */
void message_out_of_memory(void) __attribute__((noreturn));

#endif
