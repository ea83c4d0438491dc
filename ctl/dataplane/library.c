// SPDX-License-Identifier: GPL-2.0-only
/*
 * What libbpf and libxdp have to say goes to the user with -v only. Without it the warnings are
 * kept, because the cause of a failure stands in them: extack text, the verifier's last words.
 */
#include <bpf/libbpf.h>
#include <string.h>
#include <xdp/libxdp.h>

#include "base/buffer.h"
#include "base/message.h"
#include "dataplane/internal.h"

#define KEPT_MAX (64U << 10) /* of a verifier log only the end matters */

static struct buffer kept;
static char cause[256];

static void keep(bool warning, const char *format, va_list arguments)
{
	va_list copy;

	/* Since 5.11 no limit of memory locks applies: the hint sends one astray. */
	if (strstr(format, "ulimit -l"))
		return;
	va_copy(copy, arguments);
	message_raw(MESSAGE_DETAIL, format, copy);
	va_end(copy);
	if (!warning)
		return;
	buffer_vprintf(&kept, format, arguments);
	if (kept.length > KEPT_MAX) {
		size_t end = kept.length - KEPT_MAX / 2;
		char *tail = strdup(kept.text + end);

		buffer_clear(&kept);
		if (tail)
			buffer_puts(&kept, tail);
		free(tail);
	}
}

static int from_libbpf(enum libbpf_print_level level, const char *format, va_list arguments)
{
	if (level != LIBBPF_DEBUG)
		keep(level == LIBBPF_WARN, format, arguments);
	return 0;
}

static int from_libxdp(enum libxdp_print_level level, const char *format, va_list arguments)
{
	if (level != LIBXDP_DEBUG)
		keep(level == LIBXDP_WARN, format, arguments);
	return 0;
}

void library_listen(void)
{
	libbpf_set_print(from_libbpf);
	libxdp_set_print(from_libxdp);
}

void library_forget(void)
{
	buffer_clear(&kept);
}

/* Copies one line without its end, and without the library's own prefixes. */
static const char *line_copy(const char *line)
{
	size_t length = strcspn(line, "\n");

	if (length >= sizeof(cause))
		length = sizeof(cause) - 1;
	memcpy(cause, line, length);
	cause[length] = '\0';
	return cause;
}

const char *library_cause(void)
{
	static const char extack[] = "Kernel error message: ";
	const char *text = buffer_text(&kept), *line, *last = NULL;

	line = strstr(text, extack);
	if (line)
		return line_copy(line + strlen(extack));
	/* The verifier's verdict is the line before its statistics. */
	line = strstr(text, "\nprocessed ");
	if (line) {
		while (line > text && line[-1] != '\n')
			line--;
		return line_copy(line);
	}
	for (line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (*line != '\n')
			last = line;
	if (!last)
		return "";
	for (size_t i = 0; i < 2; i++) {
		static const char *const prefixes[] = { "libbpf: ", "libxdp: " };
		size_t length = strlen(prefixes[i]);

		if (!strncmp(last, prefixes[i], length))
			last += length;
	}
	return line_copy(last);
}
