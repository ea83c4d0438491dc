// SPDX-License-Identifier: GPL-2.0-only
/* Limits against a model, on a clock of our own: exactness, changes, the table under floods. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/limits.h"
#include "fw/limit.h"

#define SECOND	  16000000000ULL /* ticks */
#define START	  (1000 * SECOND)
#define ARRAY(of) (sizeof(of) / sizeof((of)[0]))

static uint64_t random_state = 88172645463325252ULL;

static uint64_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* --- One bucket --------------------------------------------------------------------------- */

/* A token bucket as textbooks have it, in long double: tokens come with time, a packet takes some.
 */
struct model {
	const struct limit *limit;
	long double tokens;
	uint64_t last;
};

static int model_refuses(struct model *model, uint64_t amount, uint64_t now)
{
	const struct limit *limit = model->limit;
	long double most = limit_burst(limit);

	model->tokens += (long double)(now - model->last) * limit->rate / limit->seconds / SECOND;
	model->last = now;
	if (model->tokens > most)
		model->tokens = most;
	if (model->tokens < amount)
		return 1;
	model->tokens -= amount;
	return 0;
}

static const struct limit limits[] = {
	{ .unit = LIMIT_PACKETS, .rate = 10, .seconds = 1, .burst = 20 },
	{ .unit = LIMIT_PACKETS, .rate = 1, .seconds = 1, .burst = 1 },
	{ .unit = LIMIT_PACKETS, .rate = 1000, .seconds = 1 },
	{ .unit = LIMIT_PACKETS, .rate = 100, .seconds = 3600, .burst = 3 },
	{ .unit = LIMIT_PACKETS, .rate = 7, .seconds = 60, .burst = 700 },
	{ .unit = LIMIT_PACKETS, .rate = 14880000, .seconds = 1 },
	{ .unit = LIMIT_BITS, .rate = 1000, .seconds = 1, .burst = 20000 },
	{ .unit = LIMIT_BITS, .rate = 5000000, .seconds = 1 },
	{ .unit = LIMIT_BITS, .rate = 10000000000, .seconds = 1 },
	{ .unit = LIMIT_BITS, .rate = 400000000000, .seconds = 1, .burst = 1000000000000 },
};

/* Ten seconds of the limit's time at about twice its rate; what passed, against the model. */
static void assert_like_model(const struct limit *limit)
{
	struct model model = { limit, limit_burst(limit), START };
	struct fw_limit compiled;
	uint64_t now = START, passed = 0, expected = 0;
	__u64 full = 0;
	uint64_t frame = limit->unit == LIMIT_BITS ? 1514 * 8 : 1;
	uint64_t step = (uint64_t)((long double)frame * limit->seconds * SECOND / limit->rate / 2);

	limit_compile(limit, &compiled);
	for (unsigned i = 0; i < 200000; i++) {
		uint64_t bytes = 60 + random_next() % 1455;
		uint64_t amount = limit->unit == LIMIT_BITS ? bytes * 8 : 1;
		uint64_t cost = fw_limit_cost(&compiled, 1, bytes);

		now += random_next() % (2 * step + 1);
		if (i % 50000 == 0)
			now += 10 * SECOND;
		expected += model_refuses(&model, amount, now) ? 0 : amount;
		if (cost != FW_COST_NEVER &&
		    !fw_bucket_refuses(&full, compiled.tolerance, cost, now))
			passed += amount;
	}
	assert_true(expected > 0);
	assert_in_range(passed, expected - expected / 1000 - frame,
			expected + expected / 1000 + frame);
}

static void bucket_passes_what_the_model_passes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY(limits); i++)
		assert_like_model(&limits[i]);
}

/* Between any two moments no more than a burst and what the rate gives: no window has an edge. */
static void no_interval_has_more_than_a_burst_and_the_rate(void **state)
{
	static uint64_t times[100000];
	const struct limit limit = { .rate = 1000, .seconds = 1, .burst = 50 };
	struct fw_limit compiled;
	uint64_t now = START;
	__u64 full = 0;
	size_t count = 0;

	(void)state;
	limit_compile(&limit, &compiled);
	while (count < ARRAY(times)) {
		now += random_next() % (SECOND / 1500);
		if (random_next() % 1000 == 0)
			now += random_next() % SECOND;
		if (!fw_bucket_refuses(&full, compiled.tolerance, compiled.cost >> compiled.shift,
				       now))
			times[count++] = now;
	}
	for (size_t i = 0; i + 200 < ARRAY(times); i++)
		for (size_t more = 1; more < 200; more += 7)
			assert_true(more + 1 <=
				    50 + 1 + (times[i + more] - times[i]) * 1000 / SECOND);
}

static void packet_beyond_the_burst_never_fits(void **state)
{
	const struct limit limit = { .rate = 10, .seconds = 1, .burst = 44 };
	struct fw_limit compiled;

	(void)state;
	limit_compile(&limit, &compiled);
	assert_true(fw_limit_cost(&compiled, 45, 1) == FW_COST_NEVER);
	assert_true(fw_limit_cost(&compiled, 44, 1) <= compiled.tolerance);
	assert_true(fw_limit_cost(&compiled, UINT64_MAX / 2, 1) == FW_COST_NEVER);
}

/* Whatever the language lets through: nothing overflows, and a burst fits in the tolerance. */
static void extreme_limits_do_not_overflow(void **state)
{
	static const uint64_t rates[] = { 1, 3, 999, 1000000, 999999999999, 1000000000000 };
	static const uint32_t seconds[] = { 1, 60, 3600 };

	(void)state;
	for (size_t i = 0; i < ARRAY(rates) * ARRAY(seconds); i++) {
		struct limit limit = { .rate = rates[i / 3], .seconds = seconds[i % 3] };
		uint64_t most = limit.rate * (LIMIT_BURST_SECONDS / limit.seconds);
		struct fw_limit compiled;

		for (int bits = 0; bits < 2; bits++) {
			limit.unit = bits ? LIMIT_BITS : LIMIT_PACKETS;
			limit.burst = most < 1000000000000 ? most : 1000000000000;
			limit_compile(&limit, &compiled);
			assert_true(compiled.cost > 0 && compiled.most > 0);
			assert_true(compiled.tolerance < 1ULL << 60);
			assert_true((unsigned __int128)compiled.most * compiled.cost < 1ULL << 63);
			if (compiled.most >= 1514 * 8)
				assert_true(fw_limit_cost(&compiled, 1, 1514) <=
					    compiled.tolerance);
		}
	}
}

/* A bucket that stands further ahead than its burst, as after the limit was widened. */
static void debt_of_a_narrower_limit_shrinks_to_a_burst(void **state)
{
	__u64 full = START + 3600 * SECOND;

	(void)state;
	assert_int_equal(fw_bucket_refuses(&full, SECOND, SECOND / 10, START), 1);
	assert_true(full == START + SECOND);
	assert_int_equal(fw_bucket_refuses(&full, SECOND, SECOND / 10, START + SECOND / 10), 0);
}

/* --- The table of addresses --------------------------------------------------------------- */

struct table {
	struct fw_limit_head head;
	struct fw_limit_line *lines;
};

static void table_make(struct table *table, uint32_t lines)
{
	*table = (struct table){ .head = { .seed = { random_next(), random_next() },
					   .mask = lines - 1 } };
	table->lines = calloc(lines + 1, sizeof(*table->lines));
	assert_non_null(table->lines);
}

static int table_refuses(struct table *table, const struct fw_limit *limit, uint64_t address,
			 uint64_t now)
{
	uint64_t tag = fw_limit_tag(&table->head, limit->rule, address);

	return fw_line_refuses(&table->lines[fw_limit_line_of(&table->head, tag)], tag,
			       limit->tolerance, fw_limit_cost(limit, 1, 64), now);
}

static void tags_of_addresses_differ_and_spread(void **state)
{
	struct table table;
	uint32_t *used;
	unsigned most = 0;

	(void)state;
	table_make(&table, 1 << 16);
	used = calloc((1 << 16) + 1, sizeof(*used));
	assert_non_null(used);
	for (uint64_t i = 0; i < 1 << 18; i++) {
		uint64_t tag = fw_limit_tag(&table.head, 5, 0xffff0a000000ULL + i);
		uint32_t line = fw_limit_line_of(&table.head, tag);

		assert_in_range(line, 1, 1 << 16);
		used[line]++;
		if (used[line] > most)
			most = used[line];
	}
	assert_in_range(most, 4, 24); /* 4 on average */
	free(used);
	free(table.lines);
}

#define FLOOD 10000000U

struct flood {
	struct limit limit;
	uint64_t step;	 /* ticks between two packets of the flood */
	unsigned abuses; /* packets of the flood between two of the abuser */
};

/* How many packets of who is at its limit pass, and of who sends at half the limit's rate. */
static void flood_run(const struct flood *flood, double *ret_abuser, double *ret_user)
{
	struct fw_limit compiled;
	struct table table;
	uint64_t now = START, user_next = START, interval;
	unsigned abused = 0, used = 0, asked = 0;
	long double allowed;

	limit_compile(&flood->limit, &compiled);
	compiled.rule = 7;
	interval = 2 * (compiled.cost >> compiled.shift);
	table_make(&table, FW_LIMIT_LINES);
	for (unsigned i = 0; i < FLOOD; i++) {
		now += flood->step;
		table_refuses(&table, &compiled, random_next(), now);
		if (i % flood->abuses == 0)
			abused += !table_refuses(&table, &compiled, 0xffffc0000201, now);
		if (now < user_next)
			continue;
		user_next += interval;
		asked++;
		used += !table_refuses(&table, &compiled, 0xffffc0000202, now);
	}
	allowed = limit_burst(&flood->limit) +
		  (long double)(now - START) * flood->limit.rate / flood->limit.seconds / SECOND;
	*ret_abuser = (double)(abused / allowed);
	*ret_user = asked ? (double)used / asked : 1;
	free(table.lines);
}

static void ten_million_sources_neither_free_nor_starve_anyone(void **state)
{
	static const struct flood floods[] = {
		/* a million packets a second, for ten seconds */
		{ { .rate = 10, .seconds = 1, .burst = 20 }, SECOND / 1000000, 100 },
		{ { .rate = 200, .seconds = 1 }, SECOND / 1000000, 100 },
		{ { .rate = 10, .seconds = 60, .burst = 5 }, SECOND / 1000000, 1000 },
		/* ten million a second */
		{ { .rate = 100, .seconds = 1, .burst = 100 }, SECOND / 10000000, 1000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY(floods); i++) {
		double abuser, user;

		flood_run(&floods[i], &abuser, &user);
		print_message("flood %zu: abuser %.4f of its limit, user %.4f of its packets\n", i,
			      abuser, user);
		assert_true(abuser < 1.01);
		assert_true(abuser > 0.85); /* a few packets are an odd share */
		assert_true(user == 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bucket_passes_what_the_model_passes),
		cmocka_unit_test(no_interval_has_more_than_a_burst_and_the_rate),
		cmocka_unit_test(packet_beyond_the_burst_never_fits),
		cmocka_unit_test(extreme_limits_do_not_overflow),
		cmocka_unit_test(debt_of_a_narrower_limit_shrinks_to_a_burst),
		cmocka_unit_test(tags_of_addresses_differ_and_spread),
		cmocka_unit_test(ten_million_sources_neither_free_nor_starve_anyone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
