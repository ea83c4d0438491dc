// SPDX-License-Identifier: GPL-2.0-only
/* Numbers of CPUs, of machines that have gaps in them too. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cpus.h"

static void greatest_number_and_one_more_is_what_is_needed(void **state)
{
	(void)state;
	assert_int_equal(cpu_numbers_parse("0\n"), 1);
	assert_int_equal(cpu_numbers_parse("0-1\n"), 2);
	assert_int_equal(cpu_numbers_parse("0-127"), 128);
}

static void gaps_are_counted_in(void **state)
{
	(void)state;
	assert_int_equal(cpu_numbers_parse("0-3,8-11\n"), 12);
	assert_int_equal(cpu_numbers_parse("0,2,4,6\n"), 7);
	assert_int_equal(cpu_numbers_parse("8\n"), 9);
	assert_int_equal(cpu_numbers_parse("8-11,0-3\n"), 12);
}

static void what_is_no_list_is_refused(void **state)
{
	static const char *const none[] = { "",	    "\n",  "x",	 "0-",	 "0-3,",
					    ",3",   "0 1", "-1", "0--3", "99999999999999999999",
					    "65536" };

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(cpu_numbers_parse(none[i]), -EINVAL);
}

static void this_machine_has_some(void **state)
{
	(void)state;
	assert_true(cpu_numbers() >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(greatest_number_and_one_more_is_what_is_needed),
		cmocka_unit_test(gaps_are_counted_in),
		cmocka_unit_test(what_is_no_list_is_refused),
		cmocka_unit_test(this_machine_has_some),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
