/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables of names: sorted as they are searched, and found again by value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "language/names.h"

static const struct name_list *const lists[] = {
	&names_icmp_types, &names_icmp_codes, &names_icmp6_types, &names_icmp6_codes, &names_dscp,
	&names_ethertypes, &names_protocols,  &names_states,	  &names_timeouts,
};

static void every_name_finds_its_value(void **state)
{
	uint32_t value;

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (size_t j = 0; j < lists[i]->count; j++) {
			const struct name_value *item = &lists[i]->items[j];

			if (j)
				assert_true(strcmp(item[-1].name, item->name) < 0);
			assert_true(name_find(lists[i], item->name, strlen(item->name), &value));
			assert_int_equal(value, item->value);
			assert_string_equal(name_of(lists[i], item->value), item->name);
			assert_false(
				name_find(lists[i], item->name, strlen(item->name) - 1, &value) &&
				value == item->value);
		}
}

static void every_timeout_has_a_name(void **state)
{
	(void)state;
	for (uint32_t kind = 0; kind < TIMEOUT_KINDS; kind++)
		assert_non_null(name_of(&names_timeouts, kind));
}

static void code_points_follow_their_classes(void **state)
{
	char name[8];
	uint32_t value;

	(void)state;
	for (unsigned class = 0; class < 8; class ++) {
		snprintf(name, sizeof(name), "cs%u", class);
		assert_true(name_find(&names_dscp, name, 3, &value));
		assert_int_equal(value, class * 8);
	}
	for (unsigned class = 1; class <= 4; class ++)
		for (unsigned drop = 1; drop <= 3; drop++) {
			snprintf(name, sizeof(name), "af%u%u", class, drop);
			assert_true(name_find(&names_dscp, name, 4, &value));
			assert_int_equal(value, class * 8 + drop * 2);
		}
}

static void the_nearest_name_is_near(void **state)
{
	(void)state;
	assert_string_equal(name_nearest(&names_protocols, "tpc", 3), "tcp");
	assert_string_equal(name_nearest(&names_protocols, "icmpv6", 6), "icmp6");
	assert_null(name_nearest(&names_protocols, "x", 1));
	assert_null(name_nearest(&names_protocols, "completely", 10));
	assert_int_equal(text_distance("abc", 3, "abc", 3), 0);
	assert_int_equal(text_distance("abc", 3, "acb", 3), 1);
	assert_int_equal(text_distance("abc", 3, "ab", 2), 1);
	assert_int_equal(text_distance("abc", 3, "xbcd", 4), 2);
	assert_int_equal(text_distance("", 0, "abc", 3), 3);
}

static void a_file_of_names_is_read(void **state)
{
	char path[] = "/tmp/fwctl-names-XXXXXX";
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");
	struct arena *arena = arena_new();
	struct name_list list;
	uint32_t value;

	(void)state;
	fputs("# a comment\nssh 22/tcp secure # alias\nssh 22/udp\n\nbad x/tcp\nlone\n"
	      "high 65536/tcp\nweb\t80/tcp\nweb 4/ddp\n",
	      file);
	fclose(file);
	list = names_read(path, arena);
	unlink(path);
	assert_int_equal(list.count, 3);
	assert_true(name_find(&list, "ssh", 3, &value));
	assert_int_equal(value, 22);
	assert_true(name_find(&list, "secure", 6, &value));
	assert_int_equal(value, 22);
	assert_true(name_find(&list, "web", 3, &value));
	assert_int_equal(value, 80);
	assert_false(name_find(&list, "high", 4, &value));
	assert_int_equal(names_read(path, arena).count, 0);
	arena_free(&arena);
}

static void flags_go_both_ways(void **state)
{
	char text[16];
	uint8_t flags;

	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		flags_print((uint8_t)i, text);
		assert_true(flags_parse(text, strlen(text), &flags));
		assert_int_equal(flags, i);
	}
	assert_true(flags_parse("SA", 2, &flags));
	assert_int_equal(flags, 0x12);
	assert_false(flags_parse("SS", 2, &flags));
	assert_false(flags_parse("s", 1, &flags));
	assert_false(flags_parse("S\0", 2, &flags));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_name_finds_its_value),
		cmocka_unit_test(every_timeout_has_a_name),
		cmocka_unit_test(code_points_follow_their_classes),
		cmocka_unit_test(the_nearest_name_is_near),
		cmocka_unit_test(a_file_of_names_is_read),
		cmocka_unit_test(flags_go_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
