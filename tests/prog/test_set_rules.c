// SPDX-License-Identifier: GPL-2.0-only
/* vm: long */
/*
 * 64 live sets in rules that ask for more besides: the real programs on both hooks against the
 * reference evaluator, rule by rule. Which set holds which address is the same throughout.
 */
#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/evaluate.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "dataplane/internal.h"
#include "fw/parse.h"
#include "random.h"
#include "set_run.h"

#define ADDRESSES 48 /* of each family; the first few are in no set */
#define OUTSIDE	  8
#define PACKETS	  150 /* for each file of rules and each hook */
#define COUNTING  8   /* rules of a block that count and go on, at most */

static struct random numbers = { 1 };

/* By family and address: the sets that hold it, by name. */
static uint64_t members[2][ADDRESSES];

static uint32_t below(uint32_t count)
{
	return random_below(&numbers, count);
}

static struct address nth_address(unsigned family, unsigned number)
{
	struct address address = { .family = family ? FW_INET6 : FW_INET };

	address.word[0] = family ? 0x20010db8 : 0x0a000000 | number;
	if (family)
		address.word[3] = number;
	return address;
}

static void address_text(unsigned family, unsigned number, char *text, size_t size)
{
	snprintf(text, size, family ? "2001:db8::%x" : "10.0.0.%u", number);
}

/* Some of an address's sets hold it as a host, some as a network of its own. */
static void write_sets(struct buffer *text)
{
	for (unsigned set = 0; set < FW_MAX_LIVE_SETS; set++) {
		const char *comma = "";

		buffer_printf(text, "set s%u live size 200 {", set);
		for (unsigned i = 0; i < 2 * ADDRESSES; i++) {
			unsigned family = i / ADDRESSES, number = i % ADDRESSES;
			char address[64];

			if (!(members[family][number] >> set & 1))
				continue;
			address_text(family, number & ~(set & 1), address, sizeof(address));
			buffer_printf(text, "%s %s%s", comma, address,
				      !(set & 1) ? ""
				      : family	 ? "/127"
						 : "/31");
			comma = ",";
		}
		buffer_printf(text, " }\n");
	}
}

/* Odd sets hold networks of two addresses. */
static void choose_members(void)
{
	const uint64_t odd = 0xaaaaaaaaaaaaaaaaULL;

	for (unsigned family = 0; family < 2; family++) {
		uint64_t *sets = members[family];

		for (unsigned i = OUTSIDE; i < ADDRESSES; i++) {
			sets[i] = random_next(&numbers) & random_next(&numbers);
			/* Few are in half of all sets; many in one or two. */
			for (unsigned thin = i % 6; thin; thin--)
				sets[i] &= random_next(&numbers);
		}
		for (unsigned i = OUTSIDE; i < ADDRESSES; i += 2)
			sets[i + 1] = (sets[i + 1] & ~odd) | (sets[i] & odd);
	}
}

static void write_static(struct buffer *text, unsigned family)
{
	buffer_printf(text, family ? "2001:db8::%x/%u" : "10.0.0.%u/%u", below(ADDRESSES) & ~3U,
		      (family ? 128 : 32) - below(3));
}

/* Sets, an address, both, or neither; perhaps negated; perhaps with ports. */
static void write_side(struct buffer *text, const char *side, unsigned family)
{
	static const char *const ports[] = { "22", "{ 22, 80 }", "50-90", "not 53" };
	uint32_t kind = below(12), sets = kind < 3 || kind == 11 ? 0 : kind > 8 ? 1 + below(4) : 1;
	bool has_static = kind > 9;
	bool has_port = !below(4);

	if (!sets && !has_static && !has_port)
		return;
	buffer_printf(text, " %s", side);
	if (sets || has_static)
		buffer_printf(text, "%s {", below(4) ? "" : " not");
	for (uint32_t i = 0; i < sets; i++)
		buffer_printf(text, "%s @s%u", i ? "," : "", below(FW_MAX_LIVE_SETS));
	if (has_static) {
		buffer_printf(text, sets ? ", " : " ");
		write_static(text, family);
	}
	if (sets || has_static)
		buffer_printf(text, " }");
	if (has_port)
		buffer_printf(text, " port %s", random_pick(&numbers, ports));
}

static bool asks_ttl = true; /* without it sets alone decide how many rows are looked at */

static void write_rule(struct buffer *text, int number, bool may_count)
{
	static const char *const protocols[] = { "", "", " tcp", " tcp", " udp" };
	uint32_t action = below(8);
	unsigned family = below(2);

	buffer_printf(text, "%s%s",
		      !action && may_count ? "count"
		      : action < 4	   ? "pass"
					   : "drop",
		      random_pick(&numbers, protocols));
	write_side(text, "from", family);
	write_side(text, "to", family);
	if (asks_ttl && !below(3))
		buffer_printf(text, " ttl %s", below(2) ? "64" : "not 64");
	buffer_printf(text, " label r%d\n", number);
}

/* `many`: beside rules that are too many for a bit each. */
static void write_block(struct buffer *text, const char *hook, int rules, int many)
{
	buffer_printf(text, "%s default %s {\n", hook, below(2) ? "pass" : "drop");
	for (int i = 0; i < rules; i++)
		write_rule(text, i, i < COUNTING);
	for (int i = 0; i < many; i++)
		buffer_printf(text, "%s %s to 10.%d.%d.0/24 port %d label many%d\n",
			      i & 1 ? "drop" : "pass", i & 2 ? "tcp" : "udp", i / 256, i % 256,
			      i % 1000, i);
	buffer_printf(text, "}\n");
}

/* --- Packets ------------------------------------------------------------------------------ */

struct ports {
	uint16_t source;
	uint16_t destination;
	uint8_t rest[16];
};

#define FRAME_MOST (14 + 40 + 20)

static size_t network_write(uint8_t *at, unsigned family, const unsigned hosts[2], uint8_t protocol,
			    size_t payload)
{
	const struct address from = nth_address(family, hosts[0]);
	const struct address to = nth_address(family, hosts[1]);
	struct iphdr four = {
		.version = 4,
		.ihl = 5,
		.ttl = below(4) ? 64 : 1,
		.protocol = protocol,
		.tot_len = htons((uint16_t)(sizeof(four) + payload)),
		.saddr = htonl(from.word[0]),
		.daddr = htonl(to.word[0]),
	};
	struct ip6_hdr six = {
		.ip6_plen = htons((uint16_t)payload),
		.ip6_nxt = protocol,
		.ip6_hlim = four.ttl,
	};

	if (!family) {
		memcpy(at, &four, sizeof(four));
		return sizeof(four);
	}
	six.ip6_vfc = 0x60;
	for (int i = 0; i < 4; i++) {
		six.ip6_src.s6_addr32[i] = htonl(from.word[i]);
		six.ip6_dst.s6_addr32[i] = htonl(to.word[i]);
	}
	memcpy(at, &six, sizeof(six));
	return sizeof(six);
}

/* Returns its length. `hosts`: numbers of the addresses. */
static size_t frame_write(uint8_t bytes[FRAME_MOST], unsigned family, const unsigned hosts[2])
{
	static const uint16_t known[] = { 22, 80, 53, 60, 1000 };
	struct ether_header link = {
		.ether_type = htons(family ? ETHERTYPE_IPV6 : ETHERTYPE_IP),
	};
	bool is_tcp = below(2);
	struct tcphdr tcp = { .source = htons(random_pick(&numbers, known)),
			      .dest = htons(random_pick(&numbers, known)),
			      .doff = 5,
			      .syn = 1 };
	size_t payload = is_tcp ? sizeof(tcp) : 8, length = sizeof(link);

	memcpy(bytes, &link, sizeof(link));
	length += network_write(bytes + length, family, hosts, is_tcp ? IPPROTO_TCP : IPPROTO_UDP,
				payload);
	memcpy(bytes + length, &tcp, payload);
	if (!is_tcp) {
		bytes[length + 4] = 0;
		bytes[length + 5] = (uint8_t)payload;
		bytes[length + 6] = bytes[length + 7] = 0;
	}
	return length + payload;
}

/* From names of sets to their slots. */
static uint64_t slots_of(const struct ruleset *ruleset, uint64_t sets)
{
	uint64_t slots = 0;

	for (size_t i = 0; i < ruleset->set_count; i++)
		if (sets >> atoi(ruleset->sets[i].name + 1) & 1)
			slots |= 1ULL << ruleset->sets[i].live_index;
	return slots;
}

/* --- Judges ------------------------------------------------------------------------------- */

#define RULES_MOST 80 /* of those that ask for sets; the rest of a block counts as its last */

struct tally {
	uint64_t packets[FW_HOOKS][RULES_MOST + 1];
};

static void tally_read(struct filter *filter, struct tally *tally)
{
	struct statistics *statistics;
	char label[16];

	assert_int_equal(dataplane_read_statistics(filter->dataplane, &statistics), 0);
	for (int i = 0; i < FW_HOOKS * RULES_MOST; i++) {
		const struct rule_total *rule;

		snprintf(label, sizeof(label), "r%d", i % RULES_MOST);
		rule = statistics_find(statistics, i / RULES_MOST, label);
		tally->packets[i / RULES_MOST][i % RULES_MOST] = rule ? rule->total.packets : 0;
	}
	statistics_free(&statistics);
}

/* What the evaluator says of the packet; it is added to the tally. */
static enum fw_verdict judge(struct filter *filter, enum fw_hook hook, struct fw_packet *packet,
			     struct tally *tally)
{
	struct evaluation found;

	evaluate(filter->ruleset, hook, packet, "", &found);
	for (size_t i = 0; i < found.counted_count; i++)
		tally->packets[hook][found.counted[i]]++;
	if (found.rule < RULES_MOST && found.rule != EVALUATE_DEFAULT)
		tally->packets[hook][found.rule]++;
	return found.action == FW_PASS ? FW_VERDICT_PASS : FW_VERDICT_DROP;
}

static void one_packet(struct filter *filter, enum fw_hook hook, struct tally *tally)
{
	unsigned family = below(2), hosts[2] = { below(ADDRESSES), below(ADDRESSES) };
	uint8_t bytes[FRAME_MOST];
	const struct frame frame = { bytes, frame_write(bytes, family, hosts) };
	const struct fw_frame seen = { .data = bytes,
				       .data_end = bytes + frame.length,
				       .length = (__u32)frame.length,
				       .stripped_vlan = FW_NO_VLAN };
	struct fw_packet packet;

	assert_int_equal(fw_parse(&seen, &packet), 0);
	packet.source_sets = slots_of(filter->ruleset, members[family][hosts[0]]);
	packet.destination_sets = slots_of(filter->ruleset, members[family][hosts[1]]);
	assert_int_equal(filter_run(filter, hook, &frame), judge(filter, hook, &packet, tally));
}

/* Rules of both hooks, and PACKETS for each: every rule must count what the evaluator says. */
static void compare(struct filter *filter, const char *text)
{
	struct tally expected, counted;

	filter_apply(filter, text);
	tally_read(filter, &expected);
	for (int i = 0; i < FW_HOOKS * PACKETS; i++)
		one_packet(filter, i % FW_HOOKS, &expected);
	tally_read(filter, &counted);
	for (int hook = 0; hook < FW_HOOKS; hook++)
		for (int i = 0; i < RULES_MOST; i++)
			if (counted.packets[hook][i] != expected.packets[hook][i])
				fail_msg("rule r%d of hook %d counted %ld too many of\n%s", i, hook,
					 (long)(counted.packets[hook][i] -
						expected.packets[hook][i]),
					 text);
}

static void compare_random(struct filter *filter, int rules, int many)
{
	_cleanup_buffer_ struct buffer text = { 0 };

	asks_ttl = rules % 2;
	write_sets(&text);
	write_block(&text, "ingress", rules, many);
	write_block(&text, "egress", rules, many);
	buffer_printf(&text, "option essential off\n");
	compare(filter, buffer_text(&text));
}

static void rules_that_mix_sets_with_all_else_decide_like_the_evaluator(void **state)
{
	for (int round = 0; round < 30; round++)
		compare_random(*state, 1 + round * RULES_MOST / 30, 0);
}

static void so_they_do_beside_a_thousand_others(void **state)
{
	compare_random(*state, 30, 1100);
	compare_random(*state, 71, 1100);
}

/* So many that they can only be searched: what a set asks for is a candidate, and one that hits. */
static void each_of_64_sets_has_a_rule_among_five_thousand(void **state)
{
	_cleanup_buffer_ struct buffer text = { 0 };

	write_sets(&text);
	for (int hook = 0; hook < FW_HOOKS; hook++) {
		buffer_printf(&text, "%s default drop {\n", hook ? "egress" : "ingress");
		for (unsigned i = 0; i < FW_MAX_LIVE_SETS; i++)
			buffer_printf(&text, "%s tcp %s @s%u port { 22, 80 } label r%u\n",
				      i & 1 ? "drop" : "pass", i & 2 ? "from" : "to", i, i);
		for (unsigned i = 0; i < 5000; i++)
			buffer_printf(&text, "pass udp to 10.0.%u.%u/31 port %u label r%u\n",
				      i / 128, i % 128 * 2, i % 3 ? 53 : 60, FW_MAX_LIVE_SETS + i);
		buffer_printf(&text, "}\n");
	}
	buffer_printf(&text, "option essential off\n");
	compare(*state, buffer_text(&text));
}

/* The plain case, which the programs must not only take, but take in each of its forms. */
static void each_of_64_sets_has_a_rule_with_a_port(void **state)
{
	static const char *const forms[] = {
		"drop tcp from S to port 22",
		"drop tcp to S port 22",
		"pass tcp from not S to port 22",
		"drop from S to not O udp",
		"pass from { S, 10.0.0.0/30 } to O port { 22, 80 }",
	};

	for (size_t number = 0; number < sizeof(forms) / sizeof(forms[0]); number++) {
		_cleanup_buffer_ struct buffer text = { 0 };

		write_sets(&text);
		for (int hook = 0; hook < FW_HOOKS; hook++) {
			buffer_printf(&text, "%s default drop {\n", hook ? "egress" : "ingress");
			for (unsigned i = 0; i < FW_MAX_LIVE_SETS; i++) {
				const char *form = forms[number];
				char set[8], other[8];

				snprintf(set, sizeof(set), "@s%u", i);
				snprintf(other, sizeof(other), "@s%u", 63 - i);
				for (; *form; form++) {
					if (*form == 'S' || *form == 'O')
						buffer_puts(&text, *form == 'S' ? set : other);
					else
						buffer_printf(&text, "%c", *form);
				}
				buffer_printf(&text, " label r%u\n", i);
			}
			buffer_printf(&text, "}\n");
		}
		buffer_printf(&text, "option essential off\n");
		compare(*state, buffer_text(&text));
	}
}

/* --- Sets that come and go ---------------------------------------------------------------- */

struct toggling {
	volatile __u64 *occupied;
	uint64_t bit;
	atomic_bool ends;
};

static void *toggle(void *data)
{
	struct toggling *toggling = data;

	while (!atomic_load(&toggling->ends))
		*toggling->occupied ^= toggling->bit;
	return NULL;
}

/*
 * What a program knows of a set that empties is one word. It changes here faster than any command
 * could: a packet that read it twice would, between the two, take one set for another.
 */
static void a_set_that_empties_hides_no_other(void **state)
{
	const uint32_t packets = 100000;
	struct filter *filter = *state;
	struct fw_counter before, after;
	struct toggling toggling = { 0 };
	struct test_packet run = { .repeat = packets };
	struct test_verdict verdict;
	uint8_t bytes[PACKET_LENGTH];
	const struct address from = address_of("10.0.0.1"), to = address_of("10.9.9.9");
	pthread_t thread;
	int error;

	filter_apply(filter, "set first live { 10.0.0.2 }\nset second live { 10.0.0.1 }\n"
			     "ingress default pass {\n"
			     " pass from @first label r0\n drop from @second label r1\n}\n");
	assert_true(set_named(filter, "first").slot < set_named(filter, "second").slot);
	toggling.occupied = &filter->dataplane->maps.live->occupied[FW_SET_HOSTS][FW_INET - 1];
	toggling.bit = 1ULL << set_named(filter, "first").slot;
	packet_write4(&from, &to, bytes);
	run.frame = bytes;
	run.length = sizeof(bytes);
	before = filter_rule(filter, FW_INGRESS, "r1");
	assert_int_equal(pthread_create(&thread, NULL, toggle, &toggling), 0);
	error = dataplane_test_run(filter->dataplane, FW_INGRESS, &run, &verdict);
	atomic_store(&toggling.ends, true);
	pthread_join(thread, NULL);
	*toggling.occupied |= toggling.bit;
	if (error)
		fail_msg("%s", dataplane_error(filter->dataplane));
	after = filter_rule(filter, FW_INGRESS, "r1");
	assert_int_equal(after.packets - before.packets, packets);
	/* A set that no rule names keeps its slot for a generation. */
	for (int i = 0; i < 2; i++)
		filter_apply(filter, "ingress default pass {\n}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_that_empties_hides_no_other),
		cmocka_unit_test(each_of_64_sets_has_a_rule_with_a_port),
		cmocka_unit_test(rules_that_mix_sets_with_all_else_decide_like_the_evaluator),
		cmocka_unit_test(so_they_do_beside_a_thousand_others),
		cmocka_unit_test(each_of_64_sets_has_a_rule_among_five_thousand),
	};

	if (needs_root())
		return 77;
	choose_members();
	return cmocka_run_group_tests(tests, filter_setup, filter_teardown);
}
