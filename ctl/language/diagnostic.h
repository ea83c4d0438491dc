/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is wrong or doubtful in a rule file, collected over a whole run and shown once:
 *
 *	fw.conf:3:22: error: 'shh' is not a port
 *	    pass tcp to port shh
 *	                     ^~~
 *	    hint: did you mean 'ssh'?
 *
 * Everything shown is copied, so diagnostics outlive the ruleset.
 */
#ifndef FWCTL_LANGUAGE_DIAGNOSTIC_H
#define FWCTL_LANGUAGE_DIAGNOSTIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "language/model.h"

#define DIAGNOSTIC_ERRORS_MAX	20
#define DIAGNOSTIC_WARNINGS_MAX 100

enum severity {
	SEVERITY_ERROR,
	SEVERITY_WARNING,
};

struct diagnostic {
	enum severity severity;
	const char *path;
	struct location at; /* line 0: about the file as a whole */
	const char *text;
	const char *source; /* the source line, made safe to show; NULL without a line */
	const char *caret;  /* blanks and ^~~~ under it */
	const char *hint;   /* or NULL */
};

struct diagnostics {
	struct arena *arena;
	struct diagnostic *items; /* errors and warnings as they came */
	size_t count;
	size_t capacity;
	size_t error_count; /* all, also those that are not kept */
	size_t warning_count;
	/* Where the line of the last one was found, so that many do not scan the file anew. */
	const char *cursor_text;
	const char *cursor;
	size_t cursor_line;
};

void diagnostics_init(struct diagnostics *diagnostics);
void diagnostics_free(struct diagnostics *diagnostics);

/* `hint` may be NULL. `at` points into a file of the ruleset. */
void diagnostics_error(struct diagnostics *diagnostics, const struct ruleset *ruleset,
		       const struct location *at, const char *hint, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
void diagnostics_warn(struct diagnostics *diagnostics, const struct ruleset *ruleset,
		      const struct location *at, const char *hint, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* About a file that has no line to show: it cannot be read, it is too large. */
void diagnostics_file_error(struct diagnostics *diagnostics, const char *path, const char *format,
			    ...) __attribute__((format(printf, 3, 4)));

/* Text for a hint, kept as long as the diagnostics. */
const char *diagnostics_hint(struct diagnostics *diagnostics, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* True once as many errors are there as are shown: there is no sense in going on. */
bool diagnostics_is_full(const struct diagnostics *diagnostics);

void diagnostics_print(const struct diagnostics *diagnostics, FILE *stream);

/* The same as plain text, one severity or both. */
enum diagnostic_filter {
	DIAGNOSTIC_ALL,
	DIAGNOSTIC_ERRORS,
	DIAGNOSTIC_WARNINGS,
};
void diagnostics_write(const struct diagnostics *diagnostics, enum diagnostic_filter filter,
		       bool colour, FILE *stream);

#endif
