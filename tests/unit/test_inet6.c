/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is IPv6's own in an image, against the reference evaluator: trees whose addresses begin
 * alike and otherwise, in all the ways that tables, tails and nodes below them can meet; and
 * records that hold hashes of addresses, which must not be mixed up where these are the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/evaluate.h"
#include "base/address.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "compiler/compile.h"
#include "compiler/hash.h"
#include "fw/classify.h"
#include "language/language.h"
#include "random.h"
#include "rules.h"

static struct random numbers;

static uint32_t below(uint32_t count)
{
	return random_next(&numbers) % count;
}

#define PICK(array) ((array)[below(sizeof(array) / sizeof((array)[0]))])

/* Few values a word, so that rules and packets meet. */
static void random_words(uint32_t word[4])
{
	static const uint32_t sites[] = { 0x20010db8, 0x20010db8, 0x20010db8, 0x20010db8,
					  0x20010db9, 0xfe800000, 0,	      0xffffffff };
	static const uint32_t subnets[] = { 0,	      1,	  0x10000,    0x1ffff,	 0xff00,
					    0x120000, 0x12345678, 0x12345600, 0xfffffffe };
	static const uint32_t hosts[] = { 0, 0, 0, 1, 2, 0x10000, 0xffff, 0x80000000, 0xffffffff };

	word[0] = PICK(sites);
	word[1] = below(3) ? PICK(subnets) : below(64) << 8 * below(4);
	word[2] = PICK(hosts);
	word[3] = below(3) ? PICK(hosts) : below(8);
}

static void write_prefix(struct buffer *buffer)
{
	static const uint8_t lengths[] = { 0,  1,  10, 16, 31, 32, 33,	40,  47,  48,  49,
					   56, 63, 64, 65, 72, 80, 112, 120, 127, 128, 128 };
	struct address address = { .family = FW_INET6 };
	unsigned length = PICK(lengths);
	char text[ADDRESS_TEXT_MAX];

	random_words(address.word);
	for (unsigned i = 0; i < 4; i++) {
		unsigned bits = length < 32 * i ? 0 : length - 32 * i;

		if (bits < 32)
			address.word[i] &= ~(UINT32_MAX >> bits);
	}
	address_print(&address, text);
	buffer_printf(buffer, "%s/%u", text, length);
}

static void write_side(struct buffer *buffer, const char *side)
{
	uint32_t count = 1 + (below(4) ? 0 : below(5));

	buffer_printf(buffer, " %s {", side);
	for (uint32_t i = 0; i < count; i++) {
		buffer_puts(buffer, i ? ", " : " ");
		write_prefix(buffer);
	}
	buffer_puts(buffer, " }");
}

static struct ruleset *random_rules(size_t count)
{
	_cleanup_buffer_ struct buffer buffer = { 0 };

	buffer_puts(&buffer, "option essential off\ningress default pass {\n");
	for (size_t i = 0; i < count; i++) {
		buffer_puts(&buffer, below(2) ? "drop" : "pass");
		if (below(4))
			write_side(&buffer, "from");
		if (below(2))
			write_side(&buffer, "to");
		buffer_printf(&buffer, " label r%zu\n", i);
	}
	buffer_puts(&buffer, "}\n");
	return rules_read(buffer_text(&buffer));
}

static void compile_rules(const struct ruleset *ruleset, enum compile_form form,
			  struct image *ret_image)
{
	size_t count = ruleset->blocks[FW_INGRESS].count + ruleset->blocks[FW_EGRESS].count + 2;
	_cleanup_free_ uint32_t *counters = calloc(count, sizeof(*counters));
	_cleanup_free_ char *error = NULL;
	struct compile_input input = { .ruleset = ruleset, .form = form };

	input.counters[FW_INGRESS] = counters;
	input.counters[FW_EGRESS] = counters;
	if (compile(&input, ret_image, &error))
		fail_msg("%s", error);
}

static void compare(const struct ruleset *ruleset, const struct image *image,
		    const struct fw_packet *packet)
{
	struct evaluation expected;
	struct fw_match_result result;

	evaluate(ruleset, FW_INGRESS, packet, NULL, &expected);
	assert_int_equal(fw_classify(image->bytes, image->block - 1, FW_INGRESS, packet, &result),
			 0);
	assert_int_equal(result.record, expected.rule == EVALUATE_DEFAULT
						? ruleset->blocks[FW_INGRESS].count
						: expected.rule);
}

static struct fw_packet packet_of(const uint32_t source[4], const uint32_t destination[4])
{
	struct fw_packet packet = { .family = FW_INET6, .protocol = 59, .vlan = FW_NO_VLAN };

	memcpy(packet.source, source, sizeof(packet.source));
	memcpy(packet.destination, destination, sizeof(packet.destination));
	return packet;
}

static void check_trees(enum compile_form form)
{
	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct ruleset *ruleset;
		struct image image;

		numbers.state = seed;
		ruleset = random_rules(4 + 2 * seed);
		compile_rules(ruleset, form, &image);
		for (int i = 0; i < 1000; i++) {
			uint32_t source[4], destination[4];
			struct fw_packet packet;

			random_words(source);
			random_words(destination);
			packet = packet_of(source, destination);
			compare(ruleset, &image, &packet);
		}
		image_free(&image);
		ruleset_free(&ruleset);
	}
}

static void trees_of_terms_lead_all_prefixes_like_the_evaluator(void **unused)
{
	(void)unused;
	check_trees(COMPILE_TERMS);
}

static void trees_of_groups_lead_all_prefixes_like_the_evaluator(void **unused)
{
	(void)unused;
	check_trees(COMPILE_GROUPS);
}

struct folded {
	uint32_t fold;
	uint32_t host;
};

static int compare_folded(const void *a, const void *b)
{
	const struct folded *x = a, *y = b;

	return (x->fold > y->fold) - (x->fold < y->fold);
}

static void host_words(uint32_t host, uint32_t word[4])
{
	const uint32_t words[4] = { 0x20010db8, (uint32_t)hash_mix(host), 0, 1 };

	memcpy(word, words, sizeof(words));
}

#define HOSTS (1U << 18) /* of so many, some 8 pairs share 32 bits */

/* Two hosts whose hashes are the same with the seed that a small group of hosts has. */
static void find_alike(uint32_t ret_hosts[2])
{
	struct fw_group masks = { .masks = { ~0ULL, ~0ULL, ~0ULL, ~0ULL }, .seed = hash_mix(1) };
	_cleanup_free_ struct folded *folded = calloc(HOSTS, sizeof(*folded));

	for (uint32_t i = 0; i < HOSTS; i++) {
		struct fw_packet packet = { .family = FW_INET6 };
		struct fw_probe probe;
		struct fw_group_key key;

		host_words(i, packet.source);
		fw_probe_init(&probe, &packet, 1);
		fw_group_key6(&masks, &probe, &key);
		folded[i] = (struct folded){ key.addresses >> 32, i };
	}
	qsort(folded, HOSTS, sizeof(*folded), compare_folded);
	for (uint32_t i = 1; i < HOSTS; i++)
		if (folded[i].fold == folded[i - 1].fold) {
			ret_hosts[0] = folded[i - 1].host;
			ret_hosts[1] = folded[i].host;
			return;
		}
	fail_msg("no two hosts are alike");
}

static void addresses_with_the_same_hash_are_told_apart(void **unused)
{
	_cleanup_buffer_ struct buffer buffer = { 0 };
	struct ruleset *ruleset;
	struct image image;
	uint32_t alike[2];

	(void)unused;
	find_alike(alike);
	buffer_puts(&buffer, "option essential off\ningress default pass {\n");
	for (int i = 0; i < 2; i++) {
		struct address address = { .family = FW_INET6 };
		char text[ADDRESS_TEXT_MAX];

		host_words(alike[i], address.word);
		address_print(&address, text);
		buffer_printf(&buffer, "drop from %s to 2001:db8::%d\n", text, i);
	}
	buffer_puts(&buffer, "}\n");
	ruleset = rules_read(buffer_text(&buffer));
	compile_rules(ruleset, COMPILE_GROUPS, &image);
	for (int i = 0; i < 4; i++) {
		const uint32_t to[4] = { 0x20010db8, 0, 0, i / 2 };
		struct fw_packet packet;
		uint32_t from[4];

		host_words(alike[i % 2], from);
		packet = packet_of(from, to);
		compare(ruleset, &image, &packet);
	}
	image_free(&image);
	ruleset_free(&ruleset);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trees_of_terms_lead_all_prefixes_like_the_evaluator),
		cmocka_unit_test(trees_of_groups_lead_all_prefixes_like_the_evaluator),
		cmocka_unit_test(addresses_with_the_same_hash_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
