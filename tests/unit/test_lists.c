/* SPDX-License-Identifier: GPL-2.0-only */
/* Lists that are so long that their trees have other nodes: every address around their elements. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "compiler/compile.h"
#include "fw/classify.h"
#include "rules.h"

/* Hosts of a network of 65,536 addresses: `count`, `step` apart. */
static const struct block_of_hosts {
	uint32_t count;
	uint32_t step;
} blocks[] = {
	{ 32768, 2 }, { 32768, 2 }, { 21845, 3 }, { 2000, 32 }, { 276, 200 },
	{ 275, 2 },   { 274, 239 }, { 126, 2 },	  { 125, 500 }, { 12, 2 },
	{ 11, 5000 }, { 5, 2 },	    { 4, 16384 }, { 1, 2 },	{ 0, 2 },
};

#define BLOCKS (sizeof(blocks) / sizeof(blocks[0]))

static bool is_listed(const struct block_of_hosts *block, uint32_t host)
{
	return host % block->step == 0 && host / block->step < block->count;
}

static void print_list(enum fw_family family, struct buffer *text)
{
	const char *separator = "";

	buffer_puts(text, "option essential off\nset long {");
	for (unsigned i = 0; i < BLOCKS; i++) {
		for (uint32_t k = 0; k < blocks[i].count; k++) {
			uint32_t host = k * blocks[i].step;

			if (family == FW_INET)
				buffer_printf(text, "%s 10.%u.%u.%u", separator, i, host >> 8,
					      host & 255);
			else
				buffer_printf(text, "%s 2001:db8::%x:0:0:%x", separator, i + 1,
					      host);
			separator = ",\n";
		}
	}
	buffer_puts(text, " }\ningress default pass {\ndrop from @long\n}\n");
}

static uint32_t classify(const struct image *image, enum fw_family family, unsigned block,
			 uint32_t host)
{
	struct fw_packet packet = { .family = family };
	struct fw_match_result result;

	if (family == FW_INET) {
		packet.source[0] = 10U << 24 | block << 16 | host;
	} else {
		packet.source[0] = 0x20010db8;
		packet.source[2] = (block + 1) << 16;
		packet.source[3] = host;
	}
	assert_int_equal(fw_classify(image->bytes, image->block - 1, FW_INGRESS, &packet, &result),
			 0);
	return result.record;
}

static void check_list(enum fw_family family)
{
	const uint32_t counters[] = { 0, 1 };
	_cleanup_buffer_ struct buffer text = { 0 };
	_cleanup_free_ char *error = NULL;
	struct compile_input input = { .counters = { counters, counters } };
	struct ruleset *ruleset;
	struct image image = { 0 };

	print_list(family, &text);
	ruleset = rules_read(buffer_text(&text));
	input.ruleset = ruleset;
	assert_int_equal(compile(&input, &image, &error), 0);
	for (unsigned i = 0; i < BLOCKS; i++)
		for (uint32_t host = 0; host < 65536; host++)
			if (classify(&image, family, i, host) != !is_listed(&blocks[i], host))
				fail_msg("family %d block %u host %u", family, i, host);
	image_free(&image);
	ruleset_free(&ruleset);
}

static void long_ipv4_lists_hold_their_elements_and_nothing_else(void **unused)
{
	(void)unused;
	check_list(FW_INET);
}

static void long_ipv6_lists_hold_their_elements_and_nothing_else(void **unused)
{
	(void)unused;
	check_list(FW_INET6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_ipv4_lists_hold_their_elements_and_nothing_else),
		cmocka_unit_test(long_ipv6_lists_hold_their_elements_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
