// SPDX-License-Identifier: GPL-2.0-only
/* The harness can fail: wrong expectations end a process of cmocka's with a failure. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "prog_run.h"

static const char rules[] = "option essential off\n"
			    "ingress default drop {\n pass tcp label ssh\n}\n";

static void expects_the_wrong_verdict(void **state)
{
	struct frame frame = frame_named("tcp_syn");

	filter_apply(*state, rules);
	assert_decides(*state, FW_INGRESS, &frame, FW_VERDICT_DROP, "ssh");
}

static void expects_the_wrong_rule(void **state)
{
	struct frame frame = frame_named("tcp_syn");

	filter_apply(*state, rules);
	assert_decides(*state, FW_INGRESS, &frame, FW_VERDICT_PASS, "default");
}

static void expects_what_is_right(void **state)
{
	struct frame frame = frame_named("tcp_syn");

	filter_apply(*state, rules);
	assert_decides(*state, FW_INGRESS, &frame, FW_VERDICT_PASS, "ssh");
}

static void names_a_packet_that_is_not_there(void **state)
{
	(void)state;
	frame_named("no_such_packet");
}

/* The exit status of a cmocka run of its own, which says nothing. */
static int status_of(const struct CMUnitTest *test)
{
	const struct CMUnitTest tests[] = { *test };
	pid_t child;
	int status;

	fflush(NULL);
	child = fork();
	if (!child) {
		if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
			_exit(99);
		_exit(cmocka_run_group_tests(tests, filter_setup, filter_teardown));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void right_expectations_pass_and_wrong_ones_fail(void **state)
{
	const struct CMUnitTest right = cmocka_unit_test(expects_what_is_right);
	const struct CMUnitTest wrong[] = {
		cmocka_unit_test(expects_the_wrong_verdict),
		cmocka_unit_test(expects_the_wrong_rule),
		cmocka_unit_test(names_a_packet_that_is_not_there),
	};

	(void)state;
	assert_int_equal(status_of(&right), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(status_of(&wrong[i]), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_expectations_pass_and_wrong_ones_fail),
	};
	int skipped = needs_root();

	return skipped ? skipped : cmocka_run_group_tests(tests, NULL, NULL);
}
