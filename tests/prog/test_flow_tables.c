// SPDX-License-Identifier: GPL-2.0-only
/* vm: long */
/*
 * The tables of flows as fwctl keeps them: made for rules that use state, made anew for another
 * size, listed, counted, held against new rules, taken away. The flows here are put in by hand;
 * what packets make of them is tested elsewhere.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "dataplane/flow_internal.h"
#include "dataplane/sets.h"
#include "prog_run.h"

#define KEEPS "egress default drop {\npass state established\npass tcp to port 80 keep state\n}\n"

static struct flow_totals totals_of(struct filter *filter)
{
	struct flow_totals totals;

	if (dataplane_flow_totals(filter->dataplane, &totals))
		fail_msg("%s", dataplane_error(filter->dataplane));
	return totals;
}

static void put(struct filter *filter, enum fw_flow_table table, const struct fw_flow_key *key,
		const struct fw_flow_entry *entry)
{
	int fd = flow_place_open(filter->dataplane->maps.flow_tables, table);

	assert_true(fd >= 0);
	assert_int_equal(bpf_map_update_elem(fd, key, entry, BPF_ANY), 0);
	close(fd);
}

/* 192.0.2.1 asks port `port` of 198.51.100.`last`, and that is the upper end. */
static struct fw_flow_key key_of(unsigned number, uint16_t port, uint8_t last)
{
	return (struct fw_flow_key){
		.lower = { 0xc0000201 },
		.upper = { 0xc6336400 + last },
		.lower_port = (uint16_t)(10000 + number),
		.upper_port = port,
		.family = FW_INET,
		.protocol = FW_PROTOCOL_TCP,
	};
}

static struct fw_flow_entry entry_of(uint32_t seconds)
{
	struct fw_flow_entry entry = {
		.sides[FW_FLOW_ORIGINATOR] = { .packets = 3, .bytes = 300 },
		.sides[FW_FLOW_RESPONDER] = { .packets = 2, .bytes = 2000 },
		.expires = boot_seconds() + seconds,
		.created = boot_seconds() - 7,
		.rule = UINT32_MAX,
		.hook = FW_EGRESS,
	};

	for (int i = 0; i < FW_FLOW_DIRECTIONS; i++)
		entry.sides[i].flags = FW_SIDE_SEEN | FW_SIDE_SYN | FW_SIDE_ACKED;
	return entry;
}

static void put_many(struct filter *filter, unsigned count, uint16_t port, uint8_t last)
{
	const struct fw_flow_entry entry = entry_of(1000);

	for (unsigned i = 0; i < count; i++) {
		const struct fw_flow_key key = key_of(i, port, last);

		put(filter, FW_FLOWS_ASSURED, &key, &entry);
	}
}

/* As if the programs had counted so many. */
static void set_inserted(struct filter *filter, uint64_t assured)
{
	size_t cpus = (size_t)libbpf_num_possible_cpus();
	struct fw_flow_counts *counts = calloc(cpus, sizeof(*counts));
	uint32_t zero = 0;

	assert_non_null(counts);
	counts[cpus - 1].inserted[FW_FLOWS_ASSURED] = assured - 1;
	counts[0].inserted[FW_FLOWS_ASSURED] += 1;
	assert_int_equal(bpf_map_update_elem(filter->dataplane->maps.flow_counts, &zero, counts, 0),
			 0);
	free(counts);
}

static void tables_are_there_while_rules_use_state(void **state)
{
	struct filter *filter = *state;

	filter_apply(filter, "egress default pass { }\n");
	assert_false(totals_of(filter).recording);
	filter_apply(filter, "option flows 5000\n" KEEPS);
	assert_true(totals_of(filter).recording);
	assert_int_equal(totals_of(filter).tables[FW_FLOWS_ASSURED].size, 5000);
	assert_int_equal(totals_of(filter).tables[FW_FLOWS_HALF_OPEN].size, FW_FLOWS_HALF(5000));
	put_many(filter, 10, 80, 1);
	/* One generation without: it may be taken back. */
	filter_apply(filter, "egress default pass { }\n");
	assert_int_equal(totals_of(filter).tables[FW_FLOWS_ASSURED].present, 10);
	filter_apply(filter, "option flows 5000\n" KEEPS);
	assert_int_equal(totals_of(filter).tables[FW_FLOWS_ASSURED].present, 10);
	filter_apply(filter, "egress default pass { }\n");
	filter_apply(filter, "egress default pass {\ndrop udp\n}\n");
	assert_false(totals_of(filter).recording);
	filter_apply(filter, "egress default pass {\npass state new\n}\n");
	assert_int_equal(totals_of(filter).tables[FW_FLOWS_ASSURED].size, FW_FLOWS_DEFAULT);
	assert_int_equal(totals_of(filter).tables[FW_FLOWS_ASSURED].present, 0);
}

static void another_size_keeps_the_flows(void **state)
{
	static const unsigned sizes[] = { 20000, 8192, 50000, 4096 };
	struct filter *filter = *state;
	const struct fw_flow_entry entry = entry_of(1000), old = entry_of(0);
	char rules[256];

	filter_apply(filter, "option flows 4000\n" KEEPS);
	put_many(filter, 2000, 80, 2);
	put(filter, FW_FLOWS_HALF_OPEN, &(struct fw_flow_key){ .family = FW_INET }, &entry);
	put(filter, FW_FLOWS_HALF_OPEN, &(struct fw_flow_key){ .family = FW_INET6 }, &old);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct flow_totals totals;

		snprintf(rules, sizeof(rules), "option flows %u\n" KEEPS, sizes[i]);
		filter_apply(filter, rules);
		totals = totals_of(filter);
		assert_int_equal(totals.tables[FW_FLOWS_ASSURED].size, sizes[i]);
		assert_int_equal(totals.tables[FW_FLOWS_ASSURED].present, 2000);
		assert_int_equal(totals.tables[FW_FLOWS_HALF_OPEN].present, 1);
		assert_int_equal(totals.tables[FW_FLOWS_HALF_OPEN].expired, 0);
	}
}

/* What a change needs may come before the switch, what may lose flows only behind all else. */
static void a_smaller_table_waits_until_the_change_is_complete(void **state)
{
	struct filter *filter = *state;
	struct flow_totals totals;

	filter_apply(filter, "option flows 20000\n" KEEPS);
	put_many(filter, 5000, 80, 9);
	totals = totals_of(filter);
	/* As an apply does that fails behind it. */
	assert_int_equal(flows_prepare(filter->dataplane, 1024), 0);
	assert_int_equal(totals_of(filter).tables[FW_FLOWS_ASSURED].present,
			 totals.tables[FW_FLOWS_ASSURED].present);
	assert_in_range(totals.tables[FW_FLOWS_ASSURED].present, 5000, 20000);
	filter_apply(filter, "option flows 1024\n" KEEPS);
	totals = totals_of(filter);
	assert_int_equal(totals.tables[FW_FLOWS_ASSURED].size, 1024);
	assert_int_equal(totals.tables[FW_FLOWS_HALF_OPEN].size, FW_FLOWS_HALF(1024));
	assert_in_range(totals.tables[FW_FLOWS_ASSURED].present, 512, 1024);
}

static bool is_in(int fd, const struct fw_flow_key *key)
{
	struct fw_flow_entry entry;

	return !bpf_map_lookup_elem(fd, key, &entry);
}

/* The programs go on with the old table while it is copied, and then with the new one. */
static void what_ends_or_moves_while_a_table_is_copied_does_not_come_back(void **state)
{
	struct filter *filter = *state;
	const struct fw_flow_entry entry = entry_of(1000), expired = entry_of(0);
	struct flow_table_total before, after;
	struct fw_flow_key keys[6];
	struct flow_move move = { .table = FW_FLOWS_ASSURED };

	filter_apply(filter, "egress default pass { }\n");
	filter_apply(filter, "egress default pass { }\n");
	filter_apply(filter, "option flows 5000\n" KEEPS);
	for (unsigned i = 0; i < 6; i++) {
		keys[i] = key_of(i, 80, 10);
		if (i != 3)
			put(filter, FW_FLOWS_ASSURED, &keys[i], i == 5 ? &expired : &entry);
	}
	before = totals_of(filter).tables[FW_FLOWS_ASSURED];
	set_inserted(filter, before.deleted + before.evicted + 6);
	move.from = flow_place_open(filter->dataplane->maps.flow_tables, FW_FLOWS_ASSURED);
	move.to = flow_table_create(6000);
	assert_int_equal(flow_move_begin(&move), 0);
	/* 0 stays; 1 ends; 2 ends and begins anew; 3 becomes assured; */
	assert_int_equal(flow_delete(filter->dataplane, FW_FLOWS_ASSURED, move.from, &keys[1]), 0);
	assert_int_equal(flow_delete(filter->dataplane, FW_FLOWS_ASSURED, move.from, &keys[2]), 0);
	put(filter, FW_FLOWS_HALF_OPEN, &keys[2], &entry);
	put(filter, FW_FLOWS_ASSURED, &keys[3], &entry);
	assert_int_equal(flow_place(filter->dataplane->maps.flow_tables, FW_FLOWS_ASSURED, move.to),
			 0);
	/* 4 ends and begins anew behind the switch; 5 had expired. */
	assert_int_equal(flow_delete(filter->dataplane, FW_FLOWS_ASSURED, move.to, &keys[4]), 0);
	put(filter, FW_FLOWS_HALF_OPEN, &keys[4], &entry);
	assert_int_equal(flow_move_finish(filter->dataplane, &move), 0);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(is_in(move.to, &keys[i]), i == 0 || i == 3);
	/* None of them was pushed out. */
	after = totals_of(filter).tables[FW_FLOWS_ASSURED];
	assert_int_equal(after.evicted, before.evicted);
	assert_int_equal(after.deleted, before.deleted + 4);
	close(move.from);
	close(move.to);
}

struct seen {
	struct flow last;
	char rule[64];
	unsigned count;
	uint16_t unwanted;
};

static enum flow_answer flow_see(const struct flow *flow, void *data)
{
	struct seen *seen = data;

	seen->last = *flow;
	snprintf(seen->rule, sizeof(seen->rule), "%s", flow->rule ? flow->rule : "");
	seen->count++;
	return flow->source_port == seen->unwanted ? FLOW_DELETE : FLOW_GO_ON;
}

static struct seen see(struct filter *filter, uint16_t unwanted, uint64_t *ret_deleted)
{
	struct seen seen = { .unwanted = unwanted };

	if (dataplane_flows_visit(filter->dataplane, flow_see, &seen, ret_deleted))
		fail_msg("%s", dataplane_error(filter->dataplane));
	return seen;
}

static void clear(struct filter *filter)
{
	filter_apply(filter, "egress default pass { }\n");
	filter_apply(filter, "egress default pass { }\n");
	filter_apply(filter, "option flows 5000\n" KEEPS);
}

static void a_flow_is_told_from_its_originator(void **state)
{
	struct filter *filter = *state;
	const uint32_t start = boot_seconds();
	struct fw_flow_entry entry = entry_of(100);
	const struct fw_flow_key key = key_of(0, 80, 3);
	uint32_t lasted;
	struct seen seen;

	clear(filter);
	entry.from_upper = 1;
	put(filter, FW_FLOWS_ASSURED, &key, &entry);
	seen = see(filter, 0, NULL);
	lasted = boot_seconds() - start;
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.last.source.word[0], 0xc6336403);
	assert_int_equal(seen.last.source_port, 80);
	assert_int_equal(seen.last.destination.word[0], 0xc0000201);
	assert_int_equal(seen.last.destination_port, 10000);
	assert_int_equal(seen.last.protocol, FW_PROTOCOL_TCP);
	assert_string_equal(flow_state_name(seen.last.state), "established");
	assert_in_range(seen.last.age, 7, 7 + lasted);
	assert_in_range(seen.last.left, 100 - lasted, 100);
	assert_int_equal(seen.last.sent[FW_FLOW_RESPONDER].bytes, 2000);
	assert_string_equal(seen.rule, "");
}

static void a_flow_names_the_rule_that_recorded_it(void **state)
{
	struct filter *filter = *state;
	const struct fw_flow_key key = key_of(0, 80, 3);
	bool found = false;

	clear(filter);
	for (uint32_t i = 0; i < 64 && !found; i++) {
		struct fw_flow_entry entry = entry_of(100);

		entry.rule = i;
		entry.generation = FW_ACTIVE_GENERATION(maps_active(&filter->dataplane->maps));
		put(filter, FW_FLOWS_ASSURED, &key, &entry);
		found = !strcmp(see(filter, 0, NULL).rule, "pass tcp to port 80 keep state");
	}
	assert_true(found);
}

/* Rules come and go until the index of the one that recorded the flow is another's. */
static void a_flow_is_never_told_to_be_of_a_rule_that_came_later(void **state)
{
	struct filter *filter = *state;
	const struct fw_flow_key key = key_of(0, 80, 3);
	struct fw_flow_entry entry = entry_of(1000);

	clear(filter);
	entry.generation = FW_ACTIVE_GENERATION(maps_active(&filter->dataplane->maps));
	entry.rule = 0;
	do {
		put(filter, FW_FLOWS_ASSURED, &key, &entry);
		assert_true(entry.rule < 4096);
	} while (strcmp(see(filter, 0, NULL).rule, "pass tcp to port 80 keep state") &&
		 ++entry.rule);
	for (unsigned round = 0; round < 4; round++) {
		_cleanup_buffer_ struct buffer rules = { 0 };

		buffer_printf(&rules, "option flows 5000\negress default drop {\npass state "
				      "established\npass udp keep state\n");
		for (unsigned i = 0; i < 900; i++)
			buffer_printf(&rules, "pass udp to port %u label round%u-%u\n", i + 1,
				      round, i);
		buffer_printf(&rules, "}\n");
		filter_apply(filter, buffer_text(&rules));
	}
	assert_string_equal(see(filter, 0, NULL).rule, "");
	/* One that it records is. */
	entry.generation = FW_ACTIVE_GENERATION(maps_active(&filter->dataplane->maps));
	put(filter, FW_FLOWS_ASSURED, &key, &entry);
	assert_memory_equal(see(filter, 0, NULL).rule, "round", 5);
}

static void deleted_flows_are_not_evicted_ones(void **state)
{
	struct filter *filter = *state;
	struct flow_table_total total, before;
	uint64_t deleted = 0;

	clear(filter);
	before = totals_of(filter).tables[FW_FLOWS_ASSURED];
	put_many(filter, 50, 80, 4);
	/* What went before this test: all that were put in or found to be gone. */
	set_inserted(filter, before.deleted + before.evicted + 50);
	assert_int_equal(see(filter, 10007, &deleted).count, 50);
	assert_int_equal(deleted, 1);
	total = totals_of(filter).tables[FW_FLOWS_ASSURED];
	assert_int_equal(total.present, 49);
	assert_int_equal(total.deleted, before.deleted + 1);
	assert_int_equal(total.evicted, before.evicted);
	/* Two more were put in and are not there. */
	set_inserted(filter, before.deleted + before.evicted + 52);
	assert_int_equal(totals_of(filter).tables[FW_FLOWS_ASSURED].evicted, before.evicted + 2);
}

static void a_full_table_counts_what_it_pushed_out(void **state)
{
	struct filter *filter = *state;
	struct flow_table_total before, total;

	filter_apply(filter, "egress default pass { }\n");
	filter_apply(filter, "egress default pass { }\n");
	filter_apply(filter, "option flows 1024\n" KEEPS);
	before = totals_of(filter).tables[FW_FLOWS_ASSURED];
	put_many(filter, 5000, 80, 5);
	set_inserted(filter, before.deleted + before.evicted + 5000);
	total = totals_of(filter).tables[FW_FLOWS_ASSURED];
	assert_in_range(total.present, 512, 1024);
	assert_int_equal(total.present + total.evicted - before.evicted, 5000);
}

static void new_rules_delete_what_they_refuse(void **state)
{
	static const char rules[] =
		"option flows 5000\noption recheck-flows on\n"
		"set bad live { 198.51.100.7 }\n"
		"ingress default drop {\npass state established\npass icmp type echo-request keep "
		"state\n}\negress default drop {\npass state established\ndrop to @bad\n"
		"pass tcp to port 80 keep state\n}\n";
	struct filter *filter = *state;
	struct fw_flow_entry entry = entry_of(100);
	struct fw_flow_key ping = { .lower = { 1 }, .upper = { 2 }, .family = FW_INET };
	uint64_t deleted = 0;

	clear(filter);
	put_many(filter, 20, 80, 6); /* stay */
	put_many(filter, 30, 81, 6); /* another port */
	put_many(filter, 7, 80, 7);  /* in the set */
	ping.protocol = FW_PROTOCOL_ICMP;
	entry.hook = FW_INGRESS;
	ping.query = 8;
	put(filter, FW_FLOWS_HALF_OPEN, &ping, &entry);
	ping.query = 13; /* timestamp */
	put(filter, FW_FLOWS_HALF_OPEN, &ping, &entry);
	ping.query = 8;
	entry.hook = FW_EGRESS;
	ping.lower[0] = 3;
	put(filter, FW_FLOWS_HALF_OPEN, &ping, &entry);
	filter_apply(filter, rules);
	if (dataplane_flows_recheck(filter->dataplane, &deleted))
		fail_msg("%s", dataplane_error(filter->dataplane));
	assert_int_equal(deleted, 30 + 7 + 1 + 1);
	assert_int_equal(see(filter, 0, NULL).count, 20 + 1);
	assert_int_equal(dataplane_flows_recheck(filter->dataplane, &deleted), 0);
	assert_int_equal(deleted, 0);
}

static void a_table_that_does_not_fit_is_refused_by_its_size(void **state)
{
	struct filter *filter = *state;
	struct flow_totals before, after;

	clear(filter);
	put_many(filter, 10, 80, 8);
	before = totals_of(filter);
	/* An entry takes above 192 bytes. */
	assert_int_equal(flows_prepare(filter->dataplane, memory_available() / 128), -ENOMEM);
	assert_non_null(strstr(dataplane_error(filter->dataplane), "option flows"));
	after = totals_of(filter);
	assert_memory_equal(&before.tables, &after.tables, sizeof(before.tables));
}

/* What the kernel says of a table. */
static unsigned long long memory_of(struct filter *filter, enum fw_flow_table table)
{
	int fd = flow_place_open(filter->dataplane->maps.flow_tables, table);
	unsigned long long bytes = 0;
	char path[64], line[128];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		sscanf(line, "memlock: %llu", &bytes);
	fclose(file);
	close(fd);
	return bytes;
}

static void the_forecast_of_memory_is_what_the_kernel_takes(void **state)
{
	struct filter *filter = *state;
	unsigned long long bytes;

	filter_apply(filter, "option flows 100000\n" KEEPS);
	bytes = memory_of(filter, FW_FLOWS_ASSURED) + memory_of(filter, FW_FLOWS_HALF_OPEN);
	print_message("note: forecast %llu, the kernel says %llu\n",
		      (unsigned long long)flows_memory(100000), bytes);
	/* Kernels before 6.4 count keys and values only. */
	assert_in_range(flows_memory(100000), bytes / 10 * 9, bytes / 10 * 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_there_while_rules_use_state),
		cmocka_unit_test(another_size_keeps_the_flows),
		cmocka_unit_test(a_smaller_table_waits_until_the_change_is_complete),
		cmocka_unit_test(what_ends_or_moves_while_a_table_is_copied_does_not_come_back),
		cmocka_unit_test(a_flow_is_told_from_its_originator),
		cmocka_unit_test(a_flow_names_the_rule_that_recorded_it),
		cmocka_unit_test(a_flow_is_never_told_to_be_of_a_rule_that_came_later),
		cmocka_unit_test(deleted_flows_are_not_evicted_ones),
		cmocka_unit_test(a_full_table_counts_what_it_pushed_out),
		cmocka_unit_test(new_rules_delete_what_they_refuse),
		cmocka_unit_test(a_table_that_does_not_fit_is_refused_by_its_size),
		cmocka_unit_test(the_forecast_of_memory_is_what_the_kernel_takes),
	};

	return needs_root() ? 77 : cmocka_run_group_tests(tests, filter_setup, filter_teardown);
}
