/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How much the compiler takes: what is said to fit does, what does not is refused with the bound
 * and rules named, and shapes that were made to hurt are one or the other.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/evaluate.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "compiler/forecast.h"
#include "fw/classify.h"
#include "language/language.h"
#include "random.h"
#include "rules.h"

static struct random numbers;

static uint64_t next(void)
{
	return random_next(&numbers);
}

static int compile_rules(const struct ruleset *ruleset, struct image *ret_image,
			 struct forecast *forecast, char **ret_error)
{
	size_t count = ruleset->blocks[FW_INGRESS].count + 1;
	_cleanup_free_ uint32_t *counters = memory_new(count, sizeof(*counters));
	uint32_t none = 0;
	struct compile_input input = { .ruleset = ruleset, .forecast = forecast };

	input.counters[FW_INGRESS] = counters;
	input.counters[FW_EGRESS] = &none;
	return compile(&input, ret_image, ret_error);
}

/* A rule of a shape: writes its matches. */
typedef void write_fn(struct buffer *buffer, uint32_t number);

static struct ruleset *make_rules(write_fn *write_matches, uint32_t count)
{
	_cleanup_buffer_ struct buffer text = { 0 };

	numbers.state = 1;
	buffer_puts(&text, "option essential off\ningress default pass {\n");
	for (uint32_t i = 0; i < count; i++) {
		buffer_puts(&text, "drop ");
		write_matches(&text, i);
		buffer_printf(&text, " label r%u\n", i);
	}
	buffer_puts(&text, "}\n");
	return rules_read(buffer_text(&text));
}

static uint16_t draw_port(void)
{
	return next();
}

static void write_range(struct buffer *buffer, const char *side)
{
	uint16_t a = draw_port(), b = draw_port();

	buffer_printf(buffer, " %s port %u-%u", side, a < b ? a : b, a < b ? b : a);
}

static void one_range(struct buffer *buffer, uint32_t number)
{
	(void)number;
	buffer_puts(buffer, "tcp");
	write_range(buffer, "to");
}

static void two_ranges(struct buffer *buffer, uint32_t number)
{
	(void)number;
	buffer_puts(buffer, "tcp");
	write_range(buffer, "from");
	write_range(buffer, "to");
}

static void range_of_few_hosts(struct buffer *buffer, uint32_t number)
{
	uint32_t low = next() % 60000;

	buffer_printf(buffer, "tcp to 10.0.%u.%u port %u-%u", number % 4, number % 250, low,
		      low + (uint32_t)(next() % 2000));
}

static void one_tuple(struct buffer *buffer, uint32_t number)
{
	uint32_t source = next(), destination = next();

	(void)number;
	buffer_printf(buffer, "tcp from %u.%u.%u.0/24 to %u.%u.%u.%u port %u", source >> 24,
		      source >> 16 & 255, source >> 8 & 255, destination >> 24,
		      destination >> 16 & 255, destination >> 8 & 255, destination & 255,
		      (uint32_t)(next() % 1000));
}

static void one_prefix(struct buffer *buffer, uint32_t number)
{
	uint32_t length = 8 + number % 25, address = (uint32_t)next() & ~0U << (32 - length);

	buffer_printf(buffer, "from %u.%u.%u.%u/%u", address >> 24, address >> 16 & 255,
		      address >> 8 & 255, address & 255, length);
}

/* Each prefix length of the one address with each of the other, and again for other ports. */
static void crossed(struct buffer *buffer, uint32_t number)
{
	uint32_t lengths[2] = { 1 + number % 32, 1 + number / 32 % 32 };
	uint32_t source = 0xc0a85555 & ~0U << (32 - lengths[0]);
	uint32_t destination = 0x0a0a0a0a & ~0U << (32 - lengths[1]);

	buffer_printf(buffer, "tcp from %u.%u.%u.%u/%u to %u.%u.%u.%u/%u port %u", source >> 24,
		      source >> 16 & 255, source >> 8 & 255, source & 255, lengths[0],
		      destination >> 24, destination >> 16 & 255, destination >> 8 & 255,
		      destination & 255, lengths[1], 1 + number / 1024);
}

/*
 * For a packet between the two addresses, most words of the groups' rows have bits of both sides
 * and none in common: of each pair of prefix lengths only one side matches. Then come the groups
 * that are asked in vain, for each side matches in another rule, and at last the rule that matches.
 */
#define APART_TUPLES (24 * 24 * 3)

static uint32_t apart_vain; /* so many are asked in vain */

static void apart(struct buffer *buffer, uint32_t number)
{
	static const char *const services[] = { "", "port 80", "port 80-81" };
	uint32_t tuple = number % APART_TUPLES, copy = number / APART_TUPLES;
	uint32_t lengths[2] = { 9 + tuple % 24, 9 + tuple / 24 % 24 };
	uint32_t sides[2] = { 0xc0a85555, 0x0a0a0a0a };
	bool vain = tuple >= APART_TUPLES - apart_vain, last = tuple == APART_TUPLES - 1;
	bool matches[2] = { copy == 0 && (vain || tuple % 2),
			    vain ? copy == 1 : copy == 0 && tuple % 2 == 0 };

	for (int i = 0; i < 2; i++) {
		uint32_t other = (sides[i] ^ 1U << 31) ^ ((uint32_t)next() & ~(1U << 31));
		uint32_t address = matches[i] || (last && copy == 2) ? sides[i] : other;

		address &= ~0U << (32 - lengths[i]);
		buffer_printf(buffer, "%s %u.%u.%u.%u/%u ", i ? "to" : "tcp from", address >> 24,
			      address >> 16 & 255, address >> 8 & 255, address & 255, lengths[i]);
	}
	buffer_puts(buffer, services[tuple / 576]);
}

static void draw_packet(struct fw_packet *packet)
{
	static const uint32_t near[] = { 0xc0a85555, 0x0a0a0a0a, 0x0a000001, 0x0a000164 };

	*packet = (struct fw_packet){
		.family = FW_INET,
		.ethertype = 0x0800,
		.vlan = FW_NO_VLAN,
		.protocol = 6,
		.has = FW_HAS_PORTS,
		.source_port = draw_port(),
		.destination_port = next() & 1 ? draw_port() : 1 + next() % 4,
	};
	packet->source[0] = next() & 1 ? near[next() % 4] : (uint32_t)next();
	packet->destination[0] = next() & 1 ? near[next() % 4] : (uint32_t)next();
}

static void compiles(write_fn *write_matches, uint32_t count)
{
	struct ruleset *ruleset = make_rules(write_matches, count);
	_cleanup_free_ char *error = NULL;
	struct image image;

	if (compile_rules(ruleset, &image, NULL, &error))
		fail_msg("%u rules: %s", count, error);
	for (int i = 0; i < 40; i++) {
		struct fw_packet packet;
		struct evaluation expected;
		struct fw_match_result result;

		draw_packet(&packet);
		evaluate(ruleset, FW_INGRESS, &packet, NULL, &expected);
		assert_int_equal(
			fw_classify(image.bytes, image.block - 1, FW_INGRESS, &packet, &result), 0);
		assert_int_equal(result.record,
				 expected.rule == EVALUATE_DEFAULT ? count : expected.rule);
	}
	image_free(&image);
	ruleset_free(&ruleset);
}

/* Compiled or refused, but not compiled to what judges the packet between the addresses wrong. */
static bool compiles_or_not(write_fn *write_matches, uint32_t count)
{
	struct ruleset *ruleset = make_rules(write_matches, count);
	_cleanup_free_ char *error = NULL;
	struct fw_packet packet;
	struct evaluation expected;
	struct fw_match_result result;
	bool compiled;
	struct image image;

	compiled = !compile_rules(ruleset, &image, NULL, &error);
	if (compiled) {
		draw_packet(&packet);
		packet.source[0] = 0xc0a85555;
		packet.destination[0] = 0x0a0a0a0a;
		packet.destination_port = 80;
		evaluate(ruleset, FW_INGRESS, &packet, NULL, &expected);
		assert_int_equal(
			fw_classify(image.bytes, image.block - 1, FW_INGRESS, &packet, &result), 0);
		assert_int_equal(result.record, expected.rule);
		image_free(&image);
	}
	ruleset_free(&ruleset);
	return compiled;
}

static void is_refused(write_fn *write_matches, uint32_t count, const char *bound)
{
	struct ruleset *ruleset = make_rules(write_matches, count);
	_cleanup_free_ char *error = NULL;
	struct image image;

	assert_int_equal(compile_rules(ruleset, &image, NULL, &error), -E2BIG);
	if (!strstr(error, bound) || !strstr(error, "'r"))
		fail_msg("neither %s nor a rule is named: %s", bound, error);
	assert_null(strchr(error, '\n'));
	ruleset_free(&ruleset);
}

static void takes_10000_rules_with_a_port_range_each(void **unused)
{
	(void)unused;
	compiles(one_range, 10000);
	compiles(range_of_few_hosts, 10000);
}

static void takes_many_rules_of_one_tuple_and_many_prefixes(void **unused)
{
	(void)unused;
	compiles(one_tuple, 20000);
	compiles(one_prefix, 20000);
}

/* A bit for each rule is not led astray, but there are only 4096 of those. */
static void takes_4096_rules_that_overlap_in_all_ways(void **unused)
{
	(void)unused;
	compiles(crossed, 4096);
	compiles(two_ranges, 4096);
}

static void refuses_more_that_overlap_in_all_ways_and_says_why(void **unused)
{
	(void)unused;
	is_refused(crossed, 6000, "more than 40 ");
	is_refused(two_ranges, 6000, "more than 4096 ");
}

static void counts_the_words_that_are_left_empty(void **unused)
{
	(void)unused;
	for (apart_vain = 16; apart_vain <= 40; apart_vain += 4) {
		bool compiled = compiles_or_not(apart, 3 * APART_TUPLES);

		assert_true(compiled || apart_vain > 16);
	}
}

static void makes_set(struct set *set, size_t count)
{
	struct range4 *ranges = memory_new(count, sizeof(*ranges));

	for (size_t i = 0; i < count; i++)
		ranges[i].low = ranges[i].high = i * 2654 + i % 3;
	set->ranges.inet = ranges;
	set->ranges.inet_count = count;
}

static int compile_set(size_t prefixes, uint32_t rules, struct image *image, char **error)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	struct ruleset *ruleset;
	struct set *set;
	int result;

	buffer_puts(&text, "option essential off\nset s { 192.0.2.1 }\n"
			   "ingress default pass {\ndrop from @s\n");
	numbers.state = 1;
	for (uint32_t i = 1; i < rules; i++) {
		buffer_puts(&text, "drop ");
		one_tuple(&text, i);
		buffer_puts(&text, "\n");
	}
	buffer_puts(&text, "}\n");
	ruleset = rules_read(buffer_text(&text));
	set = &ruleset->sets[0];
	makes_set(set, prefixes);
	result = compile_rules(ruleset, image, NULL, error);
	free((void *)(uintptr_t)set->ranges.inet);
	ruleset_free(&ruleset);
	return result;
}

static uint32_t record_of(const struct image *image, uint32_t source)
{
	struct fw_packet packet = { .family = FW_INET, .source = { source }, .protocol = 17 };
	struct fw_match_result result;

	assert_int_equal(fw_classify(image->bytes, image->block - 1, FW_INGRESS, &packet, &result),
			 0);
	return result.record;
}

static void takes_100000_rules_and_1500000_prefixes(void **unused)
{
	_cleanup_free_ char *error = NULL;
	struct image image;

	(void)unused;
	if (compile_set(1500000, 100000, &image, &error))
		fail_msg("%s", error);
	assert_in_range(image.size, 16 << 20, 64 << 20);
	assert_int_equal(record_of(&image, 1234567u * 2654 + 1234567 % 3), 0);
	assert_int_equal(record_of(&image, 1234567u * 2654 + 1234567 % 3 + 1), 100000);
	image_free(&image);
}

static void refuses_a_rule_and_a_prefix_too_many_and_names_the_bounds(void **unused)
{
	_cleanup_free_ char *rules = NULL, *prefixes = NULL;
	struct ruleset *ruleset = rules_read("ingress default pass {\ndrop udp\n}\n");
	size_t count = ruleset->blocks[FW_INGRESS].count;
	struct image image;

	(void)unused;
	/* The bound is looked at before the rules: it needs none behind the number. */
	ruleset->blocks[FW_INGRESS].count = FW_MAX_RULES + 1 - ruleset->blocks[FW_EGRESS].count;
	assert_int_equal(compile_rules(ruleset, &image, NULL, &rules), -E2BIG);
	assert_string_equal(rules, "250001 rules; at most 250000 can be loaded");
	ruleset->blocks[FW_INGRESS].count = count;
	ruleset_free(&ruleset);
	ruleset = rules_read("set s { 192.0.2.1 }\ningress default pass {\ndrop from @s\n}\n");
	ruleset->sets[0].ranges.inet_count = 4000001;
	assert_int_equal(compile_rules(ruleset, &image, NULL, &prefixes), -E2BIG);
	assert_string_equal(prefixes,
			    "the sets hold 4000001 prefixes; at most 4000000 can be loaded");
	ruleset_free(&ruleset);
}

/* Hosts spread over all of IPv6 share nothing: each has nodes of its own. */
static void refuses_what_needs_more_than_the_largest_image(void **unused)
{
	const size_t count = 2400000;
	struct range6 *ranges = memory_new(count, sizeof(*ranges));
	struct ruleset *ruleset =
		rules_read("set s { 2001:db8::1 }\ningress default pass {\ndrop from @s\n}\n");
	_cleanup_free_ char *error = NULL;
	struct image image;

	(void)unused;
	numbers.state = 1;
	for (size_t i = 0; i < count; i++) {
		uint64_t top = (i * 7000000000000ULL) + (next() & 0xffffffff);

		ranges[i].low[0] = top >> 32;
		ranges[i].low[1] = top;
		ranges[i].low[2] = next();
		ranges[i].low[3] = next();
		memcpy(ranges[i].high, ranges[i].low, sizeof(ranges[i].low));
	}
	ruleset->sets[0].ranges.inet6 = ranges;
	ruleset->sets[0].ranges.inet6_count = count;
	assert_int_equal(compile_rules(ruleset, &image, NULL, &error), -E2BIG);
	assert_string_equal(error, "the compiled rules need more than 256 MB");
	ruleset_free(&ruleset);
	free(ranges);
}

static void images_are_as_large_as_their_rules_need(void **unused)
{
	static const size_t prefixes[] = { 1, 200000, 1 };
	size_t sizes[3];

	(void)unused;
	for (int i = 0; i < 3; i++) {
		_cleanup_free_ char *error = NULL;
		struct image image;

		assert_int_equal(compile_set(prefixes[i], 2, &image, &error), 0);
		sizes[i] = image.size;
		image_free(&image);
	}
	assert_in_range(sizes[0], 1, FW_IMAGE_SIZE_0);
	assert_in_range(sizes[1], FW_IMAGE_SIZE_0 + 1, FW_IMAGE_SIZE_2);
	assert_int_equal(sizes[2], sizes[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_10000_rules_with_a_port_range_each),
		cmocka_unit_test(takes_many_rules_of_one_tuple_and_many_prefixes),
		cmocka_unit_test(takes_4096_rules_that_overlap_in_all_ways),
		cmocka_unit_test(refuses_more_that_overlap_in_all_ways_and_says_why),
		cmocka_unit_test(counts_the_words_that_are_left_empty),
		cmocka_unit_test(takes_100000_rules_and_1500000_prefixes),
		cmocka_unit_test(refuses_a_rule_and_a_prefix_too_many_and_names_the_bounds),
		cmocka_unit_test(refuses_what_needs_more_than_the_largest_image),
		cmocka_unit_test(images_are_as_large_as_their_rules_need),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
