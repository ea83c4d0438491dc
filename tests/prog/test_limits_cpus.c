// SPDX-License-Identifier: GPL-2.0-only
/* vm: no, the CPUs of an emulated machine take turns, and lose the clock meanwhile */
/* A limit under a flood of all CPUs at once, against what a bucket gives to the same packets. */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "prog_run.h"

#define BATCH	    5000
#define BATCHES_MAX 100000

struct runner {
	struct filter *filter;
	struct frame frame;
	int cpu;
	pthread_t thread;
};

/* When each batch of any runner was through. */
static double batches[BATCHES_MAX];
static unsigned batch_count;

#define SPREAD_RATE    200000
#define SPREAD_BURST   400000 /* two seconds: the CPUs may be away for so long */
#define SPREAD_SECONDS 2

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_BOOTTIME, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int batch_run(struct filter *filter, const struct frame *frame, uint32_t count)
{
	const struct test_packet packet = { .frame = frame->bytes,
					    .length = frame->length,
					    .repeat = count };
	struct test_verdict verdict;

	return dataplane_test_run(filter->dataplane, FW_INGRESS, &packet, &verdict);
}

static void *runner_run(void *argument)
{
	struct runner *runner = argument;
	double end = now() + SPREAD_SECONDS;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(runner->cpu, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	while (now() < end) {
		if (batch_run(runner->filter, &runner->frame, BATCH))
			return argument;
		batches[__atomic_fetch_add(&batch_count, 1, __ATOMIC_RELAXED) % BATCHES_MAX] =
			now();
	}
	return NULL;
}

static void runners_run(struct filter *filter, const struct frame *frame)
{
	struct runner runners[4] = {};
	int count = (int)sysconf(_SC_NPROCESSORS_ONLN);

	count = count > 4 ? 4 : count;
	for (int i = 0; i < count; i++) {
		runners[i] = (struct runner){ .filter = filter, .frame = *frame, .cpu = i };
		assert_int_equal(pthread_create(&runners[i].thread, NULL, runner_run, &runners[i]),
				 0);
	}
	for (int i = 0; i < count; i++) {
		void *failed;

		pthread_join(runners[i].thread, &failed);
		assert_null(failed);
	}
}

static double least(double a, double b)
{
	return a < b ? a : b;
}

/* What a full bucket gives to these batches, and has left, at `end`. */
static double given_until(double start, double end)
{
	double held = SPREAD_BURST, given = 0;

	assert_in_range(batch_count, 1, BATCHES_MAX);
	for (unsigned i = 0; i < batch_count; i++) {
		held = least(SPREAD_BURST, held + SPREAD_RATE * (batches[i] - start));
		start = batches[i];
		given += least(BATCH, held);
		held -= least(BATCH, held);
	}
	return given + least(SPREAD_BURST, held + SPREAD_RATE * (end - start));
}

/* From a full bucket to an empty one: how many can have passed, at least and at most. */
static void run_on_all_cpus(struct filter *filter, double ret_bounds[2])
{
	struct frame frame = frame_named("tcp_syn");
	double start;

	filter_run(filter, FW_INGRESS, &frame); /* loads the program */
	batch_count = 0;
	start = now();
	runners_run(filter, &frame);
	ret_bounds[0] = given_until(start, now());
	assert_int_equal(batch_run(filter, &frame, 2 * SPREAD_BURST), 0);
	ret_bounds[1] = SPREAD_BURST + SPREAD_RATE * (now() - start);
}

static void limit_is_exact_on_all_cpus_together(void **state)
{
	for (int i = 0; i < 2; i++) {
		char rules[256], label[16];
		double bounds[2];
		uint64_t passed;

		snprintf(label, sizeof(label), "all%d", i);
		snprintf(rules, sizeof(rules),
			 "option essential off\ningress default drop {\n"
			 "pass tcp limit %d/s burst %d %s label %s\n}\n",
			 SPREAD_RATE, SPREAD_BURST, i ? "per source" : "", label);
		filter_apply(*state, rules);
		run_on_all_cpus(*state, bounds);
		passed = filter_rule(*state, FW_INGRESS, label).packets;
		print_message(
			"%s: %llu passed of %.0f to %.0f, %llu over\n", label,
			(unsigned long long)passed, bounds[0], bounds[1],
			(unsigned long long)filter_limited(*state, FW_INGRESS, label).packets);
		assert_in_range(passed, 0.99 * bounds[0], 1.001 * bounds[1] + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limit_is_exact_on_all_cpus_together),
	};
	int skipped = needs_root();

	return skipped ? skipped : cmocka_run_group_tests(tests, filter_setup, filter_teardown);
}
