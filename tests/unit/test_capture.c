/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames out of capture files that are written here byte by byte. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "analysis/capture.h"
#include "base/cleanup.h"

#define ETHERNET  1
#define LINUX_SLL 113

struct bytes {
	uint8_t at[512];
	size_t count;
};

static void add32(struct bytes *bytes, uint32_t value)
{
	memcpy(bytes->at + bytes->count, &value, sizeof(value));
	bytes->count += sizeof(value);
}

/* libpcap's own format: header, then a header and the bytes of each frame. */
static struct bytes pcap_header(uint32_t link_type)
{
	struct bytes bytes = { .count = 0 };

	add32(&bytes, 0xa1b2c3d4);
	add32(&bytes, 2 | 4 << 16); /* version 2.4 */
	add32(&bytes, 0);
	add32(&bytes, 0);
	add32(&bytes, 65535);
	add32(&bytes, link_type);
	return bytes;
}

static void pcap_add(struct bytes *bytes, uint32_t captured, uint32_t length, uint8_t fill)
{
	add32(bytes, 0);
	add32(bytes, 0);
	add32(bytes, captured);
	add32(bytes, length);
	memset(bytes->at + bytes->count, fill, captured);
	bytes->count += captured;
}

/* pcapng: section header, interface description, one enhanced packet of 20 bytes. */
static struct bytes pcapng(uint32_t link_type)
{
	struct bytes bytes = { .count = 0 };

	add32(&bytes, 0x0a0d0d0a);
	add32(&bytes, 28);
	add32(&bytes, 0x1a2b3c4d);
	add32(&bytes, 1);
	add32(&bytes, UINT32_MAX);
	add32(&bytes, UINT32_MAX);
	add32(&bytes, 28);
	add32(&bytes, 1);
	add32(&bytes, 20);
	add32(&bytes, link_type);
	add32(&bytes, 65535);
	add32(&bytes, 20);
	add32(&bytes, 6);
	add32(&bytes, 52);
	add32(&bytes, 0);
	add32(&bytes, 0);
	add32(&bytes, 0);
	add32(&bytes, 20);
	add32(&bytes, 20);
	memset(bytes.at + bytes.count, 0x77, 20);
	bytes.count += 20;
	add32(&bytes, 52);
	return bytes;
}

/* Writes the bytes to a file of their own; the caller removes it. */
static void write_file(const struct bytes *bytes, char path[32])
{
	_cleanup_close_ int fd = -1;

	strcpy(path, "/tmp/fwctl-capture-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes->at, bytes->count), bytes->count);
}

static struct capture *open_bytes(const struct bytes *bytes)
{
	_cleanup_buffer_ struct buffer error = { 0 };
	struct capture *capture = NULL;
	char path[32];

	write_file(bytes, path);
	if (capture_open(path, &capture, &error))
		fail_msg("%s", buffer_text(&error));
	unlink(path);
	return capture;
}

static void assert_refused(const struct bytes *bytes, const char *wanted)
{
	_cleanup_buffer_ struct buffer error = { 0 };
	struct capture *capture = NULL;
	char path[32];

	write_file(bytes, path);
	assert_int_not_equal(capture_open(path, &capture, &error), 0);
	unlink(path);
	assert_null(capture);
	assert_non_null(strstr(buffer_text(&error), wanted));
	assert_non_null(strstr(buffer_text(&error), path));
}

static void reads_each_frame_with_its_length_on_the_wire(void **state)
{
	_cleanup_buffer_ struct buffer error = { 0 };
	struct bytes bytes = pcap_header(ETHERNET);
	struct captured_frame frame;
	struct capture *capture;

	(void)state;
	pcap_add(&bytes, 20, 20, 0x11);
	pcap_add(&bytes, 30, 1500, 0x22);
	capture = open_bytes(&bytes);
	assert_int_equal(capture_next(capture, &frame, &error), 1);
	assert_int_equal(frame.captured, 20);
	assert_int_equal(frame.length, 20);
	assert_int_equal(frame.bytes[19], 0x11);
	assert_int_equal(capture_next(capture, &frame, &error), 1);
	assert_int_equal(frame.captured, 30);
	assert_int_equal(frame.length, 1500);
	assert_int_equal(capture_next(capture, &frame, &error), 0);
	capture_close(&capture);
	assert_null(capture);
}

static void reads_pcapng(void **state)
{
	_cleanup_buffer_ struct buffer error = { 0 };
	struct bytes bytes = pcapng(ETHERNET);
	struct captured_frame frame;
	struct capture *capture = open_bytes(&bytes);

	(void)state;
	assert_int_equal(capture_next(capture, &frame, &error), 1);
	assert_int_equal(frame.captured, 20);
	assert_int_equal(frame.bytes[0], 0x77);
	assert_int_equal(capture_next(capture, &frame, &error), 0);
	capture_close(&capture);
}

static void refuses_other_link_types_by_name(void **state)
{
	struct bytes old = pcap_header(LINUX_SLL), new = pcapng(LINUX_SLL);

	(void)state;
	assert_refused(&old, "link type is LINUX_SLL");
	assert_refused(&new, "link type is LINUX_SLL");
}

static void says_what_is_wrong_with_a_file(void **state)
{
	_cleanup_buffer_ struct buffer error = { 0 };
	struct bytes none = { .count = 0 }, text = { .at = "this is no capture at all", 25 };
	struct bytes cut = pcap_header(ETHERNET);
	struct captured_frame frame;
	struct capture *capture = NULL;

	(void)state;
	assert_refused(&none, "cannot read the capture");
	assert_refused(&text, "cannot read the capture");
	assert_int_not_equal(capture_open("/nonexistent/file", &capture, &error), 0);
	assert_non_null(strstr(buffer_text(&error), "No such file"));

	pcap_add(&cut, 20, 20, 0x11);
	cut.count -= 5;
	capture = open_bytes(&cut);
	buffer_clear(&error);
	assert_int_equal(capture_next(capture, &frame, &error), -EINVAL);
	assert_non_null(strstr(buffer_text(&error), "truncated"));
	capture_close(&capture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_each_frame_with_its_length_on_the_wire),
		cmocka_unit_test(reads_pcapng),
		cmocka_unit_test(refuses_other_link_types_by_name),
		cmocka_unit_test(says_what_is_wrong_with_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
