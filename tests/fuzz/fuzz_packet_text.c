/* SPDX-License-Identifier: GPL-2.0-only */
/* Any text as a packet: what is read is printed as a text that is read as the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/packet_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(int holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	_cleanup_buffer_ struct buffer input = { 0 };
	_cleanup_buffer_ struct buffer text = { 0 };
	_cleanup_buffer_ struct buffer again = { 0 };
	_cleanup_buffer_ struct buffer error = { 0 };
	struct met_packet met, read;

	buffer_add(&input, (const char *)bytes, size);
	if (packet_text_parse(buffer_text(&input), &met, &error)) {
		check(error.length > 0);
		return 0;
	}
	packet_text_print(&met, &text);
	check(!packet_text_parse(buffer_text(&text), &read, &error));
	check(!memcmp(&met, &read, sizeof(met)));
	packet_text_print(&read, &again);
	check(!strcmp(buffer_text(&text), buffer_text(&again)));
	return 0;
}
