/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fwbench rules: a set as rules of the language, or as nft would have them. Rules only, without
 * what stands around them.
 */
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "base/number.h"
#include "bench.h"
#include "rules.h"

static void print_nft_side(const struct bench_rule *rule, int side)
{
	struct address address = { .family = FW_INET, .word = { rule->address[side] } };
	bool source = !side;
	char text[ADDRESS_TEXT_MAX];

	if (rule->length[side]) {
		address_print(&address, text);
		printf("ip %s %s/%u ", source ? "saddr" : "daddr", text, rule->length[side]);
	}
	if (rule->low[side] || rule->high[side] != UINT16_MAX)
		printf("th %s %u-%u ", source ? "sport" : "dport", rule->low[side],
		       rule->high[side]);
}

/* nft wants to know the protocol before it looks at ports, and a port as a range of one. */
static void print_nft(const struct bench_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct bench_rule *rule = &set->rules[i];

		if (!rule->any_protocol)
			printf("meta l4proto %u ", rule->protocol);
		print_nft_side(rule, 0);
		print_nft_side(rule, 1);
		printf("counter drop\n");
	}
}

static void print_fwctl(const struct bench_set *set)
{
	_cleanup_buffer_ struct buffer buffer = { 0 };

	bench_set_print_rules(set, &buffer);
	fputs(buffer_text(&buffer), stdout);
}

int bench_rules(int count, char **words)
{
	bool nft = count && !strcmp(words[0], "--nft");
	struct bench_set set;
	uint64_t rules;
	int error = 0;

	if (count == 3 && !strcmp(words[1], "--classbench")) {
		error = bench_set_read(words[2], NULL, &set);
	} else if (count == 2 && !number_parse_text(words[1], 1, 10000000, &rules)) {
		bench_set_generate(1, rules, false, &set);
	} else {
		fprintf(stderr, "usage: fwbench rules --fwctl|--nft RULES | --classbench FILE\n");
		return 2;
	}
	if (error) {
		fprintf(stderr, "fwbench: %s: %s\n", words[2], strerror(-error));
		return 1;
	}
	if (nft)
		print_nft(&set);
	else
		print_fwctl(&set);
	bench_set_free(&set);
	return 0;
}
