/* SPDX-License-Identifier: GPL-2.0-only */
/* Nothing of an input is used if any of it is wrong; the message names the first wrong line. */
#include "commands/set_input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/message.h"
#include "base/number.h"
#include "language/language.h"

/* Where an element stands, for messages. */
struct place {
	const char *what;
	const char *path; /* NULL: the command line */
	size_t line;
};

static void complain(const struct place *place, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void complain(const struct place *place, const char *format, ...)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	va_list arguments;

	va_start(arguments, format);
	buffer_vprintf(&text, format, arguments);
	va_end(arguments);
	if (place->path)
		message_error("%s: %s:%zu: %s; nothing was changed", place->what, place->path,
			      place->line, buffer_text(&text));
	else
		message_error("%s: %s; nothing was changed", place->what, buffer_text(&text));
}

/* Enough of the text for a message, with what is not text made visible. */
static const char *show(const char *text, size_t length)
{
	static char shown[72];
	size_t shown_length = length < sizeof(shown) - 8 ? length : sizeof(shown) - 8;

	for (size_t i = 0; i < shown_length; i++)
		shown[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	strcpy(shown + shown_length, shown_length < length ? "..." : "");
	return shown;
}

static bool parse_prefix(const struct place *place, const char *text, size_t length,
			 const char *slash, struct address bounds[2])
{
	struct address address;
	uint64_t prefix;
	uint64_t limits[2] = { 0, 128 };
	char network[ADDRESS_TEXT_MAX];

	if (!address_parse(text, (size_t)(slash - text), &address))
		return false;
	limits[1] = address.family == FW_INET ? 32 : 128;
	if (number_parse(slash + 1, length - (size_t)(slash - text) - 1, NUMBER_DECIMAL, limits,
			 &prefix))
		return false;
	prefix_bounds(&address, (unsigned)prefix, &bounds[0], &bounds[1]);
	if (words_compare(address.word, bounds[0].word)) {
		address_print(&bounds[0], network);
		message_warn(
			"%s: %s has bits set behind its prefix length; the network %s/%u is used",
			place->path ? place->path : place->what, show(text, length), network,
			(unsigned)prefix);
	}
	return true;
}

static bool parse_span(const char *text, size_t length, const char *dash, struct address bounds[2])
{
	return address_parse(text, (size_t)(dash - text), &bounds[0]) &&
	       address_parse(dash + 1, length - (size_t)(dash - text) - 1, &bounds[1]) &&
	       bounds[0].family == bounds[1].family &&
	       words_compare(bounds[0].word, bounds[1].word) <= 0;
}

static bool parse_timeout(const char *text, size_t length, uint64_t *ret_seconds)
{
	uint64_t seconds;

	if (length == 5 && !memcmp(text, "never", 5)) {
		*ret_seconds = 0;
		return true;
	}
	if (duration_parse(text, length, &seconds) || !seconds || seconds >= SET_LATER)
		return false;
	*ret_seconds = seconds;
	return true;
}

/* Is it a word of the command line that says how long, but not as this command wants it? */
static bool means_time(const struct set_input *input, const struct place *place, const char *text,
		       size_t length)
{
	uint64_t seconds;

	return input->keyword && !place->path &&
	       (!strcmp(text, "for") || !strcmp(text, "timeout") ||
		parse_timeout(text, length, &seconds));
}

static bool parse_element(struct set_input *input, const struct place *place, const char *text,
			  size_t length, uint32_t expires)
{
	const char *slash = memchr(text, '/', length), *dash = memchr(text, '-', length);
	struct set_element element = { .expires = expires };
	struct address bounds[2];
	bool good;

	if (slash)
		good = parse_prefix(place, text, length, slash, bounds);
	else if (dash)
		good = parse_span(text, length, dash, bounds);
	else
		good = address_parse(text, length, &bounds[0]);
	if (!good && means_time(input, place, text, length)) {
		complain(place, "how long is written at the end: %s 10min", input->keyword);
		return false;
	}
	if (!good) {
		complain(place, "'%s' is not an address, a prefix or a span of addresses",
			 show(text, length));
		return false;
	}
	if (slash || dash) {
		set_elements_add_span(&input->elements, &bounds[0], &bounds[1], &element);
	} else {
		element.address = bounds[0];
		element.length = bounds[0].family == FW_INET ? 32 : 128;
		set_elements_add(&input->elements, &element);
	}
	return true;
}

bool set_timeout_take(const struct context *context, struct set_input *input, int *argc,
		      char **argv)
{
	const char *keyword = input->keyword;

	input->timeout = SET_TIMEOUT_DEFAULT;
	if (*argc && !strcmp(argv[*argc - 1], keyword)) {
		usage_error(context, "how long? %s stands at the end", keyword);
		return false;
	}
	if (*argc < 2 || strcmp(argv[*argc - 2], keyword) != 0)
		return true;
	if (!parse_timeout(argv[*argc - 1], strlen(argv[*argc - 1]), &input->timeout)) {
		usage_error(context, "%s %s: not a time such as 90s, 10min, 1h30min, 7d or never",
			    keyword, argv[*argc - 1]);
		return false;
	}
	*argc -= 2;
	return true;
}

/* The next word of a line. */
static const char *word_next(const char **at, const char *end, size_t *ret_length)
{
	const char *word = *at, *stop;

	while (word < end && (*word == ' ' || *word == '\t' || *word == '\r'))
		word++;
	stop = word;
	while (stop < end && *stop != ' ' && *stop != '\t' && *stop != '\r' && *stop != '#')
		stop++;
	*ret_length = (size_t)(stop - word);
	*at = stop;
	return word;
}

static bool parse_line(struct set_input *input, const struct place *place, const char *line,
		       const char *end)
{
	size_t length, more, time_length;
	const char *word, *keyword, *time_text;
	uint64_t seconds;
	uint32_t expires = SET_LATER;

	for (const char *at = line; at < end && *at != '#'; at++) {
		if ((*at >= ' ' && *at <= '~') || *at == '\t' || *at == '\r')
			continue;
		complain(place, "byte 0x%02x is not text", (uint8_t)*at);
		return false;
	}
	word = word_next(&line, end, &length);
	if (!length)
		return true;
	keyword = word_next(&line, end, &more);
	if (more) {
		time_text = word_next(&line, end, &time_length);
		if (more != 7 || memcmp(keyword, "timeout", 7) != 0 ||
		    !parse_timeout(time_text, time_length, &seconds)) {
			complain(place, "one element a line, and behind it only `timeout D`");
			return false;
		}
		expires = (uint32_t)seconds;
	}
	return parse_element(input, place, word, length, expires);
}

bool set_input_file(struct set_input *input, const char *path)
{
	struct place place = { input->what, !strcmp(path, "-") ? "standard input" : path, 0 };
	struct arena *arena = arena_new();
	struct source_file file;
	int error = file_reader_system.read(&file_reader_system, path, arena, &file);
	bool good = !error;

	if (error)
		message_error("%s: cannot read %s: %s; nothing was changed", input->what,
			      place.path,
			      error == -EFBIG ? "it is larger than 100 MB" : strerror(-error));
	for (const char *line = good ? file.text : NULL, *end = line ? line + file.length : NULL;
	     good && line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));

		if (!newline)
			newline = end;
		place.line++;
		good = newline - line <= (ptrdiff_t)LINE_LENGTH_MAX;
		if (!good)
			complain(&place, "the line is longer than %lu bytes",
				 LINE_LENGTH_MAX + 0UL);
		else
			good = parse_line(input, &place, line, newline);
		line = newline + 1;
	}
	arena_free(&arena);
	return good;
}

bool set_input_words(struct set_input *input, int count, char **words)
{
	const struct place place = { .what = input->what };

	for (int i = 0; i < count; i++) {
		if (!strcmp(words[i], "-")) {
			if (!set_input_file(input, "-"))
				return false;
		} else if (!parse_element(input, &place, words[i], strlen(words[i]), SET_LATER)) {
			return false;
		}
	}
	return true;
}

void set_input_finish(struct set_input *input, const struct live_set *set)
{
	uint64_t timeout = input->timeout == SET_TIMEOUT_DEFAULT ? set->timeout : input->timeout;
	uint32_t common = boot_expiry(timeout), now = (uint32_t)time(NULL);

	for (size_t i = 0; i < input->elements.count; i++) {
		struct set_element *element = &input->elements.items[i];

		element->expires =
			element->expires == SET_LATER ? common : boot_expiry(element->expires);
		element->added = now;
	}
	input->doubles += set_elements_unite(&input->elements);
}

void set_input_free(struct set_input *input)
{
	set_elements_free(&input->elements);
}

bool set_address_parse(const struct context *context, const char *text, struct address *ret_address)
{
	if (address_parse(text, strlen(text), ret_address))
		return true;
	usage_error(context, "'%s' is not an address", show(text, strlen(text)));
	return false;
}
