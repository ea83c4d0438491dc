// SPDX-License-Identifier: GPL-2.0-only
/*
 * Live sets through the real programs. The greater part is a comparison with a model: lists that
 * are searched from end to end, with the reference evaluator for the rules. Each of 100,000 random
 * changes is followed by a packet on one of the hooks.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/evaluate.h"
#include "dataplane/sets.h"
#include "prog_run.h"

#define STEPS 100000 /* or as many as FWCTL_TEST_STEPS says, for machines that are emulated */

static uint64_t random_state = 0x2545f4914f6cdd1dULL;

static uint32_t pick(uint32_t bound)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 33) % bound;
}

/* --- Packets ------------------------------------------------------------------------------ */

struct udp4 {
	struct ether_header link;
	struct iphdr network;
	struct udphdr transport;
} __attribute__((packed));

struct udp6 {
	struct ether_header link;
	struct ip6_hdr network;
	struct udphdr transport;
} __attribute__((packed));

static enum fw_verdict run4(struct filter *filter, enum fw_hook hook, const struct address *from,
			    const struct address *to)
{
	struct udp4 packet = {
		.link.ether_type = htons(ETHERTYPE_IP),
		.network = {
			.version = 4,
			.ihl = 5,
			.ttl = 64,
			.protocol = IPPROTO_UDP,
			.tot_len = htons(sizeof(packet) - sizeof(packet.link)),
			.saddr = htonl(from->word[0]),
			.daddr = htonl(to->word[0]),
		},
		.transport = { .source = htons(1), .dest = htons(2), .len = htons(8) },
	};
	const struct frame frame = { &packet, sizeof(packet) };

	return filter_run(filter, hook, &frame);
}

static enum fw_verdict run6(struct filter *filter, enum fw_hook hook, const struct address *from,
			    const struct address *to)
{
	struct udp6 packet = {
		.link.ether_type = htons(ETHERTYPE_IPV6),
		.network.ip6_nxt = IPPROTO_UDP,
		.network.ip6_hlim = 64,
		.network.ip6_plen = htons(8),
		.transport = { .source = htons(1), .dest = htons(2), .len = htons(8) },
	};
	const struct frame frame = { &packet, sizeof(packet) };

	packet.network.ip6_vfc = 0x60;
	for (int i = 0; i < 4; i++) {
		packet.network.ip6_src.s6_addr32[i] = htonl(from->word[i]);
		packet.network.ip6_dst.s6_addr32[i] = htonl(to->word[i]);
	}
	return filter_run(filter, hook, &frame);
}

static enum fw_verdict run(struct filter *filter, enum fw_hook hook, const struct address *from,
			   const struct address *to)
{
	return from->family == FW_INET ? run4(filter, hook, from, to)
				       : run6(filter, hook, from, to);
}

static struct address address_of(const char *text)
{
	struct address address;

	assert_true(address_parse(text, strlen(text), &address));
	return address;
}

static enum fw_verdict run_text(struct filter *filter, const char *from)
{
	const struct address source = address_of(from);
	const struct address target = address_of(strchr(from, ':') ? "2001:db8::ffff" : "10.9.9.9");

	return run(filter, FW_INGRESS, &source, &target);
}

/* --- Changes ------------------------------------------------------------------------------ */

static struct live_set set_named(struct filter *filter, const char *name)
{
	struct live_set set;

	if (dataplane_find_set(filter->dataplane, name, &set))
		fail_msg("%s", dataplane_error(filter->dataplane));
	return set;
}

static struct set_element element_of(const char *text, uint32_t expires)
{
	const char *slash = strchr(text, '/');
	struct set_element element = { .expires = expires, .added = 1 };

	assert_true(address_parse(text, slash ? (size_t)(slash - text) : strlen(text),
				  &element.address));
	element.length = element.address.family == FW_INET ? 32 : 128;
	if (slash)
		element.length = (uint8_t)atoi(slash + 1);
	return element;
}

static int add(struct filter *filter, const char *name, const char *text, uint32_t expires)
{
	struct set_element element = element_of(text, expires);
	const struct set_elements elements = { &element, 1, 1 };
	const struct live_set set = set_named(filter, name);
	struct set_change change;

	return dataplane_set_add(filter->dataplane, &set, &elements, &change);
}

static void delete (struct filter *filter, const char *name, const char *text)
{
	struct set_element element = element_of(text, 0);
	const struct set_elements elements = { &element, 1, 1 };
	const struct live_set set = set_named(filter, name);
	struct set_change change;

	assert_int_equal(dataplane_set_delete(filter->dataplane, &set, &elements, &change), 0);
	assert_int_equal(change.deleted, 1);
}

/* --- Single behaviours -------------------------------------------------------------------- */

static void an_element_counts_from_when_it_is_added_until_it_is_deleted(void **state)
{
	struct filter *filter = *state;

	filter_apply(filter, "set s1 live\ningress default pass {\n drop from @s1\n}\n");
	assert_int_equal(run_text(filter, "10.0.0.1"), FW_VERDICT_PASS);
	assert_int_equal(add(filter, "s1", "10.0.0.1", 0), 0);
	assert_int_equal(run_text(filter, "10.0.0.1"), FW_VERDICT_DROP);
	assert_int_equal(run_text(filter, "10.0.0.2"), FW_VERDICT_PASS);
	delete (filter, "s1", "10.0.0.1");
	assert_int_equal(run_text(filter, "10.0.0.1"), FW_VERDICT_PASS);
}

static void not_in_a_set_holds_for_both_families(void **state)
{
	struct filter *filter = *state;

	filter_apply(filter, "set s2 live { 10.0.0.0/8 }\n"
			     "ingress default pass {\n drop from not @s2\n}\n");
	assert_int_equal(run_text(filter, "10.0.0.1"), FW_VERDICT_PASS);
	assert_int_equal(run_text(filter, "11.0.0.1"), FW_VERDICT_DROP);
	assert_int_equal(run_text(filter, "2001:db8::1"), FW_VERDICT_DROP);
	assert_int_equal(add(filter, "s2", "2001:db8::/64", 0), 0);
	assert_int_equal(run_text(filter, "2001:db8::1"), FW_VERDICT_PASS);
	assert_int_equal(run_text(filter, "2001:db8:0:1::1"), FW_VERDICT_DROP);
}

static void a_longer_prefix_hides_no_shorter_one_of_another_set(void **state)
{
	struct filter *filter = *state;

	filter_apply(filter, "set wide live\nset narrow live\n"
			     "ingress default pass {\n drop from @wide\n}\n"
			     "egress default pass {\n drop from @narrow\n}\n");
	assert_int_equal(add(filter, "wide", "10.0.0.0/8", 0), 0);
	assert_int_equal(add(filter, "narrow", "10.0.0.0/24", 0), 0);
	assert_int_equal(add(filter, "narrow", "10.0.0.1", 0), 0);
	assert_int_equal(run_text(filter, "10.0.0.1"), FW_VERDICT_DROP);
	assert_int_equal(run_text(filter, "10.0.1.1"), FW_VERDICT_DROP);
}

static void an_expired_longer_prefix_hides_no_shorter_one(void **state)
{
	struct filter *filter = *state;
	uint32_t past = boot_seconds();
	char text[32];

	filter_apply(filter, "set s4 live\ningress default pass {\n drop from @s4\n}\n");
	assert_int_equal(add(filter, "s4", "0.0.0.0/0", 0), 0);
	for (int length = 1; length <= 32; length++) {
		snprintf(text, sizeof(text), "128.0.0.0/%d", length);
		assert_int_equal(add(filter, "s4", text, past), 0);
	}
	assert_int_equal(run_text(filter, "128.0.0.0"), FW_VERDICT_DROP);
	delete (filter, "s4", "0.0.0.0/0");
	assert_int_equal(run_text(filter, "128.0.0.0"), FW_VERDICT_PASS);
}

static void an_element_expires_to_the_second(void **state)
{
	struct filter *filter = *state;
	uint32_t expires = boot_expiry(1);

	filter_apply(filter, "set s5 live\ningress default pass {\n drop from @s5\n}\n");
	assert_int_equal(add(filter, "s5", "10.0.0.1", expires), 0);
	assert_int_equal(add(filter, "s5", "10.1.0.0/16", expires), 0);
	while (boot_seconds() < expires) {
		enum fw_verdict host = run_text(filter, "10.0.0.1");
		enum fw_verdict net = run_text(filter, "10.1.0.1");

		if (boot_seconds() < expires) {
			assert_int_equal(host, FW_VERDICT_DROP);
			assert_int_equal(net, FW_VERDICT_DROP);
		}
		usleep(1000);
	}
	assert_int_equal(run_text(filter, "10.0.0.1"), FW_VERDICT_PASS);
	assert_int_equal(run_text(filter, "10.1.0.1"), FW_VERDICT_PASS);
}

static void a_full_set_refuses_and_evicts_nothing_but_what_has_expired(void **state)
{
	struct filter *filter = *state;

	filter_apply(filter, "set s6 live size 3\ningress default pass {\n drop from @s6\n}\n");
	assert_int_equal(add(filter, "s6", "10.0.0.1", 0), 0);
	assert_int_equal(add(filter, "s6", "10.0.1.0/24", 0), 0);
	assert_int_equal(add(filter, "s6", "2001:db8::1", 0), 0);
	assert_int_equal(add(filter, "s6", "10.0.0.2", 0), -ENOSPC);
	assert_non_null(strstr(dataplane_error(filter->dataplane), "holds 3 of at most 3"));
	assert_int_equal(set_named(filter, "s6").refused, 1);
	/* Those that are in can be renewed. */
	assert_int_equal(add(filter, "s6", "10.0.0.1", boot_seconds()), 0);
	assert_int_equal(add(filter, "s6", "10.0.0.2", 0), 0);
	assert_int_equal(run_text(filter, "10.0.0.1"), FW_VERDICT_PASS);
	assert_int_equal(run_text(filter, "10.0.0.2"), FW_VERDICT_DROP);
	assert_int_equal(run_text(filter, "10.0.1.2"), FW_VERDICT_DROP);
	assert_int_equal(run_text(filter, "2001:db8::1"), FW_VERDICT_DROP);
}

static void packets_are_counted_on_elements_of_a_set_with_counters_only(void **state)
{
	struct filter *filter = *state;
	struct set_elements elements = { 0 };
	struct live_set set;

	filter_apply(filter, "set with live counters\nset without live\n"
			     "ingress default pass {\n drop from @with\n drop from @without\n}\n");
	assert_int_equal(add(filter, "with", "10.0.0.0/24", 0), 0);
	assert_int_equal(add(filter, "without", "10.0.0.1", 0), 0);
	run_text(filter, "10.0.0.1");
	run_text(filter, "10.0.0.1");
	/* Another time for the same element keeps what it counted. */
	assert_int_equal(add(filter, "with", "10.0.0.0/24", boot_expiry(100)), 0);
	set = set_named(filter, "with");
	assert_int_equal(dataplane_set_read(filter->dataplane, &set, &elements), 0);
	assert_int_equal(elements.count, 1);
	assert_int_equal(elements.items[0].packets, 2);
	assert_int_equal(elements.items[0].bytes, 2 * sizeof(struct udp4));
	set_elements_free(&elements);
	set = set_named(filter, "without");
	assert_int_equal(dataplane_set_read(filter->dataplane, &set, &elements), 0);
	assert_int_equal(elements.items[0].packets, 0);
	set_elements_free(&elements);
}

static void elements_and_counts_outlive_generations_and_sizes(void **state)
{
	struct filter *filter = *state;
	struct set_elements elements = { 0 };
	struct live_set set;
	char text[32];

	filter_apply(filter,
		     "set s8 live size 100 counters\ningress default pass {\n drop from @s8\n}\n");
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), i & 1 ? "10.0.0.%d" : "2001:db8::%d", i);
		assert_int_equal(add(filter, "s8", text, 0), 0);
	}
	run_text(filter, "10.0.0.1");
	/* Another order of sets, larger, then smaller than what is in it. */
	filter_apply(filter, "set t live\nset s8 live size 5000 counters\n"
			     "ingress default pass {\n drop from @t\n drop from @s8\n}\n");
	run_text(filter, "10.0.0.1");
	filter_apply(filter,
		     "set s8 live size 10 counters\ningress default pass {\n drop from @s8\n}\n");
	assert_int_equal(run_text(filter, "10.0.0.1"), FW_VERDICT_DROP);
	assert_int_equal(run_text(filter, "2001:db8::98"), FW_VERDICT_DROP);
	set = set_named(filter, "s8");
	assert_int_equal(set.count, 100);
	assert_int_equal(add(filter, "s8", "10.0.0.200", 0), -ENOSPC);
	assert_int_equal(dataplane_set_read(filter->dataplane, &set, &elements), 0);
	assert_int_equal(elements.count, 100);
	assert_int_equal(elements.items[0].packets, 3);
	set_elements_free(&elements);
}

/* 64 sets in 8 rules, and 16 sets in 16 rules, of a data plane whose slots are all free. */
static void many_sets_are_told_apart(int sets, int rules)
{
	struct filter own = { 0 };
	char *text = NULL, *error = NULL, address[64], label[16];
	size_t length;
	FILE *stream = open_memstream(&text, &length);

	assert_int_equal(dataplane_open_private(FW_IMAGE_SIZE_1, &own.dataplane, &error), 0);
	for (int i = 0; i < sets; i++)
		fprintf(stream, "set s%d live { 10.0.%d.0/24, 2001:db8:%x::1 }\n", i, i, i);
	fprintf(stream, "ingress default pass {\n");
	for (int i = 0; i < rules; i++) {
		fprintf(stream, " %s from { @s%d", i & 1 ? "drop" : "pass", i * (sets / rules));
		for (int j = 1; j < sets / rules; j++)
			fprintf(stream, ", @s%d", i * (sets / rules) + j);
		fprintf(stream, " } label r%d\n", i);
	}
	fprintf(stream, "}\n");
	fclose(stream);
	filter_apply(&own, text);
	for (int i = 0; i < sets; i++) {
		int rule = i / (sets / rules);
		enum fw_verdict expected = rule & 1 ? FW_VERDICT_DROP : FW_VERDICT_PASS;
		uint64_t before;

		snprintf(label, sizeof(label), "r%d", rule);
		before = filter_rule(&own, FW_INGRESS, label).packets;
		snprintf(address, sizeof(address), "10.0.%d.7", i);
		assert_int_equal(run_text(&own, address), expected);
		snprintf(address, sizeof(address), "2001:db8:%x::1", i);
		assert_int_equal(run_text(&own, address), expected);
		assert_int_equal(filter_rule(&own, FW_INGRESS, label).packets, before + 2);
	}
	free(text);
	ruleset_free(&own.ruleset);
	dataplane_close(&own.dataplane);
}

static void sixty_four_sets_are_told_apart(void **state)
{
	(void)state;
	many_sets_are_told_apart(FW_MAX_LIVE_SETS, 8);
	many_sets_are_told_apart(16, 16);
}

static void a_replacement_touches_only_what_differs(void **state)
{
	struct filter *filter = *state;
	struct set_elements elements = { 0 };
	struct set_change change;
	struct set_element element;
	struct live_set set;
	char text[32];

	filter_apply(filter, "set s10 live counters\ningress default pass {\n drop from @s10\n}\n");
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "10.0.%d.0/24", i);
		assert_int_equal(add(filter, "s10", text, 0), 0);
	}
	run_text(filter, "10.0.99.1");
	for (int i = 40; i < 140; i++) {
		snprintf(text, sizeof(text), "10.0.%d.0/24", i);
		element = element_of(text, 0);
		set_elements_add(&elements, &element);
	}
	set = set_named(filter, "s10");
	set_elements_unite(&elements);
	assert_int_equal(dataplane_set_replace(filter->dataplane, &set, &elements, false, &change),
			 0);
	assert_int_equal(change.added, 40);
	assert_int_equal(change.deleted, 40);
	assert_int_equal(change.kept, 60);
	assert_int_equal(run_text(filter, "10.0.139.1"), FW_VERDICT_DROP);
	assert_int_equal(run_text(filter, "10.0.39.1"), FW_VERDICT_PASS);
	/* Most of it gone: somebody's download failed. */
	elements.count = 40;
	assert_int_equal(dataplane_set_replace(filter->dataplane, &set, &elements, false, &change),
			 -EDOM);
	assert_int_equal(run_text(filter, "10.0.139.1"), FW_VERDICT_DROP);
	assert_int_equal(dataplane_set_replace(filter->dataplane, &set, &elements, true, &change),
			 0);
	assert_int_equal(run_text(filter, "10.0.139.1"), FW_VERDICT_PASS);
	set_elements_free(&elements);
	assert_int_equal(dataplane_set_read(filter->dataplane, &set, &elements), 0);
	assert_int_equal(elements.count, 40);
	set_elements_free(&elements);
}

/* --- The model ---------------------------------------------------------------------------- */

#define MODEL_SETS 3
#define MODEL_SIZE 120

static const char *const model_names[MODEL_SETS] = { "a", "b", "c" };

struct model {
	struct set_elements sets[MODEL_SETS];
};

static const char *const model_rules[] = {
	"drop from @a to not @c\n pass from @a\n drop to @b\n pass from not @b to @c\n",
	"pass from @c to @c\n drop from { @a, 10.0.0.32/28 }\n pass to { @b, 2001:db8::20/124 }\n",
	"drop from not { @a, @b }\n pass to @c udp\n drop inet6 to @b\n pass from @b\n",
	"pass to not @a\n drop from @b to @c\n pass from @a\n",
};

static void model_apply(struct filter *filter, int variant)
{
	char text[1024];

	/* Slots stay with names, in whatever order they stand. */
	snprintf(text, sizeof(text),
		 "set %s live size %d\nset %s live size %d\nset %s live size %d\n"
		 "ingress default drop {\n %s}\negress default pass {\n %s}\n"
		 "option essential off\n",
		 model_names[variant % 3], MODEL_SIZE, model_names[(variant + 1) % 3], MODEL_SIZE,
		 model_names[(variant + 2) % 3], MODEL_SIZE, model_rules[variant],
		 model_rules[(variant + 1) % 4]);
	filter_apply(filter, text);
}

static struct address model_address(unsigned family)
{
	struct address address = { .family = family ? FW_INET6 : FW_INET };

	if (family) {
		address.word[0] = 0x20010db8;
		address.word[3] = pick(64);
	} else {
		address.word[0] = 0x0a000000 | pick(64);
	}
	return address;
}

static struct set_element model_element(void)
{
	unsigned family = pick(2), bits = family ? 128 : 32;
	struct set_element element = { .address = model_address(family), .added = 1 };
	uint32_t now = boot_seconds(), kind = pick(8);
	struct address last;

	element.length = (uint8_t)(pick(2) ? bits : bits - pick(8));
	if (!pick(50))
		element.length = (uint8_t)pick(bits);
	prefix_bounds(&element.address, element.length, &element.address, &last);
	element.expires = kind < 3 ? 0 : kind < 5 ? now + 1 + pick(3) : kind < 6 ? now : now + 1000;
	return element;
}

static bool is_valid(const struct set_element *element, uint32_t now)
{
	return !element->expires || element->expires > now;
}

static struct set_element *model_find(struct set_elements *set, const struct set_element *element)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->items[i].length == element->length &&
		    set->items[i].address.family == element->address.family &&
		    !words_compare(set->items[i].address.word, element->address.word))
			return &set->items[i];
	return NULL;
}

/* What has expired is out of the model at once. */
static void model_expire(struct model *model, uint32_t now)
{
	for (int i = 0; i < MODEL_SETS; i++) {
		struct set_elements *set = &model->sets[i];
		size_t kept = 0;

		for (size_t j = 0; j < set->count; j++)
			if (is_valid(&set->items[j], now))
				set->items[kept++] = set->items[j];
		set->count = kept;
	}
}

static int model_add(struct set_elements *set, const struct set_element *element)
{
	struct set_element *found = model_find(set, element);

	if (found)
		*found = *element;
	else if (set->count >= MODEL_SIZE)
		return -ENOSPC;
	else
		set_elements_add(set, element);
	return 0;
}

static void model_delete(struct set_elements *set, const struct set_element *element)
{
	struct set_element *found = model_find(set, element);

	if (found)
		*found = set->items[--set->count];
}

static bool model_holds(const struct set_elements *set, const struct address *address, uint32_t now)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct set_element *element = &set->items[i];
		struct address first, last;

		if (element->address.family != address->family || !is_valid(element, now))
			continue;
		prefix_bounds(address, element->length, &first, &last);
		if (!words_compare(first.word, element->address.word))
			return true;
	}
	return false;
}

static uint64_t model_sets(struct filter *filter, const struct model *model,
			   const struct address *address, uint32_t now)
{
	uint64_t sets = 0;

	for (size_t i = 0; i < filter->ruleset->set_count; i++) {
		const struct set *set = &filter->ruleset->sets[i];

		if (model_holds(&model->sets[set->name[0] - 'a'], address, now))
			sets |= 1ULL << set->live_index;
	}
	return sets;
}

static enum fw_verdict model_judge(struct filter *filter, const struct model *model,
				   enum fw_hook hook, const struct address addresses[2])
{
	uint32_t now = boot_seconds();
	struct fw_packet packet = {
		.family = addresses[0].family,
		.protocol = IPPROTO_UDP,
		.source_port = 1,
		.destination_port = 2,
		.has = FW_HAS_PORTS | FW_HAS_MAC,
		.vlan = FW_NO_VLAN,
		.ttl = 64,
		.source_sets = model_sets(filter, model, &addresses[0], now),
		.destination_sets = model_sets(filter, model, &addresses[1], now),
	};
	struct evaluation evaluation;

	memcpy(packet.source, addresses[0].word, sizeof(packet.source));
	memcpy(packet.destination, addresses[1].word, sizeof(packet.destination));
	evaluate(filter->ruleset, hook, &packet, "", &evaluation);
	return evaluation.action == FW_PASS ? FW_VERDICT_PASS : FW_VERDICT_DROP;
}

/* The model takes over what is in the set: a second ended while it was being changed. */
static void model_read(struct filter *filter, struct model *model, int number)
{
	const struct live_set set = set_named(filter, model_names[number]);

	set_elements_free(&model->sets[number]);
	assert_int_equal(dataplane_set_read(filter->dataplane, &set, &model->sets[number]), 0);
	model_expire(model, boot_seconds());
}

static void step_change(struct filter *filter, struct model *model)
{
	int number = (int)pick(MODEL_SETS);
	struct set_element element = model_element();
	const struct set_elements one = { &element, 1, 1 };
	const struct live_set set = set_named(filter, model_names[number]);
	uint32_t before = boot_seconds(), kind = pick(1000);
	struct set_change change;
	int error = 0, expected = 0;

	model_expire(model, before);
	if (kind < 1) {
		assert_int_equal(dataplane_set_flush(filter->dataplane, &set), 0);
		model->sets[number].count = 0;
	} else if (kind < 600) {
		error = dataplane_set_add(filter->dataplane, &set, &one, &change);
		expected = model_add(&model->sets[number], &element);
	} else {
		error = dataplane_set_delete(filter->dataplane, &set, &one, &change);
		model_delete(&model->sets[number], &element);
	}
	if (boot_seconds() != before)
		model_read(filter, model, number);
	else
		assert_int_equal(error, expected);
}

static void step_replace(struct filter *filter, struct model *model)
{
	int number = (int)pick(MODEL_SETS);
	const struct live_set set = set_named(filter, model_names[number]);
	struct set_elements elements = { 0 };
	struct set_change change;

	for (uint32_t i = pick(60); i; i--) {
		const struct set_element element = model_element();

		set_elements_add(&elements, &element);
	}
	set_elements_unite(&elements);
	assert_int_equal(dataplane_set_replace(filter->dataplane, &set, &elements, true, &change),
			 0);
	set_elements_free(&model->sets[number]);
	model->sets[number] = elements;
}

static void step_judge(struct filter *filter, const struct model *model)
{
	unsigned family = pick(2);
	const struct address addresses[2] = { model_address(family), model_address(family) };
	enum fw_hook hook = pick(2);
	uint32_t before = boot_seconds();
	enum fw_verdict verdict = run(filter, hook, &addresses[0], &addresses[1]);
	enum fw_verdict expected = model_judge(filter, model, hook, addresses);

	if (boot_seconds() == before)
		assert_int_equal(verdict, expected);
}

static void a_model_agrees_after_each_of_100000_changes(void **state)
{
	struct filter *filter = *state;
	struct model model = { 0 };
	unsigned verdicts[2] = { 0 };
	const char *text = getenv("FWCTL_TEST_STEPS");
	int steps = text ? atoi(text) : STEPS;

	model_apply(filter, 0);
	for (int i = 0; i < MODEL_SETS; i++) {
		const struct live_set set = set_named(filter, model_names[i]);

		assert_int_equal(dataplane_set_flush(filter->dataplane, &set), 0);
	}
	for (int i = 0; i < steps; i++) {
		uint32_t kind = pick(2000);

		if (kind < 1)
			model_apply(filter, (int)pick(4));
		else if (kind < 5)
			step_replace(filter, &model);
		else
			step_change(filter, &model);
		step_judge(filter, &model);
	}
	for (int i = 0; i < MODEL_SETS; i++)
		set_elements_free(&model.sets[i]);
	/* Both verdicts must have been seen, or the rules tell nothing. */
	for (int i = 0; i < 2; i++)
		verdicts[i] = (unsigned)filter_hook(filter, i).pass.packets;
	assert_true(verdicts[0] > 100 && verdicts[1] > 100);
	assert_true(filter_hook(filter, FW_INGRESS).drop.packets > 100);
	assert_true(filter_hook(filter, FW_EGRESS).drop.packets > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_element_counts_from_when_it_is_added_until_it_is_deleted),
		cmocka_unit_test(not_in_a_set_holds_for_both_families),
		cmocka_unit_test(a_longer_prefix_hides_no_shorter_one_of_another_set),
		cmocka_unit_test(an_expired_longer_prefix_hides_no_shorter_one),
		cmocka_unit_test(an_element_expires_to_the_second),
		cmocka_unit_test(a_full_set_refuses_and_evicts_nothing_but_what_has_expired),
		cmocka_unit_test(packets_are_counted_on_elements_of_a_set_with_counters_only),
		cmocka_unit_test(elements_and_counts_outlive_generations_and_sizes),
		cmocka_unit_test(sixty_four_sets_are_told_apart),
		cmocka_unit_test(a_replacement_touches_only_what_differs),
		cmocka_unit_test(a_model_agrees_after_each_of_100000_changes),
	};

	if (needs_root())
		return 77;
	return cmocka_run_group_tests(tests, filter_setup, filter_teardown);
}
