/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Collects diagnostics and shows them. Nothing from a rule file reaches a terminal but letters:
 * what could steer one is shown as '?'.
 */
#include "language/diagnostic.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/message.h"
#include "language/lexer.h"

#define EXCERPT_MAX	160U /* bytes of a source line that are shown */
#define EXCERPT_BEFORE	100U /* of them before the token, in a longer line */
#define EXCERPT_OMITTED "..."

void diagnostics_init(struct diagnostics *diagnostics)
{
	*diagnostics = (struct diagnostics){ .arena = arena_new() };
}

void diagnostics_free(struct diagnostics *diagnostics)
{
	arena_free(&diagnostics->arena);
	free(diagnostics->items);
	*diagnostics = (struct diagnostics){ 0 };
}

bool diagnostics_is_full(const struct diagnostics *diagnostics)
{
	return diagnostics->error_count >= DIAGNOSTIC_ERRORS_MAX;
}

/* The start of a line, counted on from the last one that was asked for where that is before it. */
static const char *find_line(struct diagnostics *diagnostics, const struct source_file *file,
			     uint32_t line)
{
	const char *end = file->text + file->length;
	const char *cursor = file->text;
	size_t at = 1;

	if (diagnostics->cursor_text == file->text && diagnostics->cursor_line <= line) {
		cursor = diagnostics->cursor;
		at = diagnostics->cursor_line;
	}
	for (; at < line; at++) {
		const char *newline = memchr(cursor, '\n', (size_t)(end - cursor));

		if (!newline)
			return NULL;
		cursor = newline + 1;
	}
	diagnostics->cursor_text = file->text;
	diagnostics->cursor = cursor;
	diagnostics->cursor_line = line;
	return cursor;
}

/*
 * One letter of the source as it is shown: tabs and ASCII as they are, UTF-8 whole, the rest as
 * '?'. C1 controls, which are UTF-8 too, steer some terminals. Returns the bytes used.
 */
static size_t add_letter(struct buffer *buffer, const char *text, const char *end)
{
	uint8_t first = (uint8_t)text[0];
	size_t length = text_utf8_length(text, end);

	if (first == '\t' || (first >= ' ' && first <= '~')) {
		buffer_putc(buffer, (char)first);
		return 1;
	}
	if (!length || (first == 0xc2 && (uint8_t)text[1] < 0xa0)) {
		buffer_putc(buffer, '?');
		return 1;
	}
	buffer_add(buffer, text, length);
	return length;
}

/* The line (or the part of it around the token) and what goes under it. */
static void make_excerpt(struct arena *arena, const char *line, const char *end,
			 struct diagnostic *ret_diagnostic)
{
	_cleanup_buffer_ struct buffer source = { 0 };
	_cleanup_buffer_ struct buffer caret = { 0 };
	const struct location *at = &ret_diagnostic->at;
	const char *token = line + at->column - 1, *cursor = line, *stop = end;
	uint32_t wide = 0;

	if (token > end)
		token = end;
	if (end - line > EXCERPT_MAX && token - line > EXCERPT_BEFORE) {
		cursor = token - EXCERPT_BEFORE;
		buffer_puts(&source, EXCERPT_OMITTED);
		buffer_puts(&caret, "   ");
	}
	if (stop - cursor > EXCERPT_MAX)
		stop = cursor + EXCERPT_MAX;
	while (cursor < stop) {
		const char *here = cursor;

		cursor += add_letter(&source, cursor, end);
		if (here < token)
			buffer_putc(&caret, *here == '\t' ? '\t' : ' ');
		else if (here < token + at->length)
			buffer_putc(&caret, wide++ ? '~' : '^');
	}
	if (stop < end)
		buffer_puts(&source, EXCERPT_OMITTED);
	if (!wide)
		buffer_putc(&caret, '^');
	ret_diagnostic->source = arena_strndup(arena, buffer_text(&source), source.length);
	ret_diagnostic->caret = arena_strndup(arena, buffer_text(&caret), caret.length);
}

static struct diagnostic *add(struct diagnostics *diagnostics, enum severity severity)
{
	size_t *seen = severity == SEVERITY_ERROR ? &diagnostics->error_count
						  : &diagnostics->warning_count;
	size_t bound = severity == SEVERITY_ERROR ? DIAGNOSTIC_ERRORS_MAX : DIAGNOSTIC_WARNINGS_MAX;
	struct diagnostic *diagnostic;

	if ((*seen)++ >= bound)
		return NULL;
	if (diagnostics->count == diagnostics->capacity) {
		diagnostics->capacity = diagnostics->capacity ? diagnostics->capacity * 2 : 16;
		diagnostics->items = reallocarray(diagnostics->items, diagnostics->capacity,
						  sizeof(diagnostics->items[0]));
		if (!diagnostics->items)
			message_out_of_memory();
	}
	diagnostic = &diagnostics->items[diagnostics->count++];
	*diagnostic = (struct diagnostic){ .severity = severity };
	return diagnostic;
}

static char *print_text(struct arena *arena, const char *format, va_list arguments)
{
	_cleanup_buffer_ struct buffer text = { 0 };

	buffer_vprintf(&text, format, arguments);
	return arena_strndup(arena, buffer_text(&text), text.length);
}

static void locate(struct diagnostics *diagnostics, struct diagnostic *diagnostic,
		   const struct ruleset *ruleset, const struct location *at)
{
	const struct source_file *file = &ruleset->files[at->file];
	const char *line, *end;

	diagnostic->at = *at;
	diagnostic->path = arena_strndup(diagnostics->arena, file->path, strlen(file->path));
	if (!at->line)
		return;
	line = find_line(diagnostics, file, at->line);
	if (!line)
		return;
	end = memchr(line, '\n', (size_t)(file->text + file->length - line));
	if (!end)
		end = file->text + file->length;
	if (end > line && end[-1] == '\r')
		end--;
	make_excerpt(diagnostics->arena, line, end, diagnostic);
}

/* What a finding says besides its text. */
struct finding {
	enum severity severity;
	const struct ruleset *ruleset;
	const struct location *at;
	const char *hint;
};

static void tell(struct diagnostics *diagnostics, const struct finding *finding, const char *format,
		 va_list arguments)
{
	struct diagnostic *diagnostic = add(diagnostics, finding->severity);

	if (!diagnostic)
		return;
	diagnostic->hint = finding->hint;
	diagnostic->text = print_text(diagnostics->arena, format, arguments);
	locate(diagnostics, diagnostic, finding->ruleset, finding->at);
}

void diagnostics_error(struct diagnostics *diagnostics, const struct ruleset *ruleset,
		       const struct location *at, const char *hint, const char *format, ...)
{
	const struct finding finding = { SEVERITY_ERROR, ruleset, at, hint };
	va_list arguments;

	va_start(arguments, format);
	tell(diagnostics, &finding, format, arguments);
	va_end(arguments);
}

void diagnostics_warn(struct diagnostics *diagnostics, const struct ruleset *ruleset,
		      const struct location *at, const char *hint, const char *format, ...)
{
	const struct finding finding = { SEVERITY_WARNING, ruleset, at, hint };
	va_list arguments;

	va_start(arguments, format);
	tell(diagnostics, &finding, format, arguments);
	va_end(arguments);
}

void diagnostics_file_error(struct diagnostics *diagnostics, const char *path, const char *format,
			    ...)
{
	struct diagnostic *diagnostic = add(diagnostics, SEVERITY_ERROR);
	va_list arguments;

	if (!diagnostic)
		return;
	va_start(arguments, format);
	diagnostic->text = print_text(diagnostics->arena, format, arguments);
	va_end(arguments);
	diagnostic->path = arena_strndup(diagnostics->arena, path, strlen(path));
}

const char *diagnostics_hint(struct diagnostics *diagnostics, const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = print_text(diagnostics->arena, format, arguments);
	va_end(arguments);
	return text;
}

/* By file, as they were opened, then by place. What is about a whole file comes first. */
static int compare_places(const void *a, const void *b)
{
	const struct diagnostic *const *x = a, *const *y = b;
	const struct location *p = &(*x)->at, *q = &(*y)->at;

	if (p->file != q->file)
		return p->file < q->file ? -1 : 1;
	if (p->line != q->line)
		return p->line < q->line ? -1 : 1;
	if (p->column != q->column)
		return p->column < q->column ? -1 : 1;
	return *x < *y ? -1 : *x > *y;
}

static void write_one(const struct diagnostic *diagnostic, bool colour, FILE *stream)
{
	bool is_error = diagnostic->severity == SEVERITY_ERROR;
	const char *bold = colour ? "\033[1m" : "", *plain = colour ? "\033[0m" : "";
	const char *tint = !colour ? "" : is_error ? "\033[1;31m" : "\033[1;35m";
	const char *green = colour ? "\033[1;32m" : "";

	fprintf(stream, "%s%s:", bold, diagnostic->path);
	if (diagnostic->at.line && strcmp(diagnostic->path, RUNNING_RULES) != 0)
		fprintf(stream, "%u:%u:", diagnostic->at.line, diagnostic->at.column);
	fprintf(stream, "%s %s%s:%s %s\n", plain, tint, is_error ? "error" : "warning", plain,
		diagnostic->text);
	if (diagnostic->source)
		fprintf(stream, "%s\n%s%s%s\n", diagnostic->source, green, diagnostic->caret,
			plain);
	if (diagnostic->hint)
		fprintf(stream, "hint: %s\n", diagnostic->hint);
}

static void write_severity(const struct diagnostics *diagnostics, enum severity severity,
			   bool colour, FILE *stream)
{
	const struct diagnostic **sorted;
	size_t count = 0;

	if (!diagnostics->count)
		return;
	sorted = calloc(diagnostics->count, sizeof(void *));
	if (!sorted)
		message_out_of_memory();
	for (size_t i = 0; i < diagnostics->count; i++)
		if (diagnostics->items[i].severity == severity)
			sorted[count++] = &diagnostics->items[i];
	qsort(sorted, count, sizeof(void *), compare_places);
	for (size_t i = 0; i < count; i++)
		write_one(sorted[i], colour, stream);
	free(sorted);
}

void diagnostics_write(const struct diagnostics *diagnostics, enum diagnostic_filter filter,
		       bool colour, FILE *stream)
{
	if (filter != DIAGNOSTIC_WARNINGS) {
		write_severity(diagnostics, SEVERITY_ERROR, colour, stream);
		if (diagnostics_is_full(diagnostics))
			fprintf(stream, "%d errors are shown, there may be more\n",
				DIAGNOSTIC_ERRORS_MAX);
	}
	if (filter != DIAGNOSTIC_ERRORS) {
		write_severity(diagnostics, SEVERITY_WARNING, colour, stream);
		if (diagnostics->warning_count > DIAGNOSTIC_WARNINGS_MAX)
			fprintf(stream, "%zu more warnings are not shown\n",
				diagnostics->warning_count - DIAGNOSTIC_WARNINGS_MAX);
	}
}

static bool stream_has_colour(FILE *stream)
{
	const char *terminal = getenv("TERM");

	return isatty(fileno(stream)) && !getenv("NO_COLOR") && terminal &&
	       strcmp(terminal, "dumb") != 0;
}

void diagnostics_print(const struct diagnostics *diagnostics, FILE *stream)
{
	diagnostics_write(diagnostics, DIAGNOSTIC_ALL, stream_has_colour(stream), stream);
}
