// SPDX-License-Identifier: GPL-2.0-only
/* 10 million spoofed SYNs, while 1,000 connections stay alive. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "dataplane/flow_internal.h"
#include "talk_run.h"

#define FLOOD	    10000000 /* or as many as FWCTL_TEST_STEPS says, for machines that are emulated */
#define CONNECTIONS 1000
#define BATCHES	    20

#define INSN(opcode, to, from, distance, number) \
	((struct bpf_insn){ .code = (opcode),    \
			    .dst_reg = (to),     \
			    .src_reg = (from),   \
			    .off = (distance),   \
			    .imm = (number) })

/*
 * A program that runs before ours on the same frame and gives it another source address and port
 * each time: all 2^32 in turn. So one system call sends as many packets as one likes.
 */
static int spoofer_load(int programs)
{
	const struct bpf_insn instructions[] = {
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 6, 1, 0, 0),
		INSN(BPF_LDX | BPF_MEM | BPF_W, 2, 1, offsetof(struct xdp_md, data), 0),
		INSN(BPF_LDX | BPF_MEM | BPF_W, 3, 1, offsetof(struct xdp_md, data_end), 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 4, 2, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 4, 0, 0, 54),
		INSN(BPF_JMP | BPF_JGT | BPF_X, 4, 3, 9, 0),
		INSN(BPF_LDX | BPF_MEM | BPF_W, 4, 2, 26, 0), /* IPv4 source */
		INSN(BPF_ALU | BPF_ADD | BPF_K, 4, 0, 0, (int)0x9e3779b1),
		INSN(BPF_STX | BPF_MEM | BPF_W, 2, 4, 26, 0),
		INSN(BPF_STX | BPF_MEM | BPF_H, 2, 4, 34, 0), /* source port */
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 1, 6, 0, 0),
		INSN(BPF_LD | BPF_DW | BPF_IMM, 2, BPF_PSEUDO_MAP_FD, 0, programs),
		INSN(0, 0, 0, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_tail_call),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, XDP_ABORTED),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_flags = BPF_F_XDP_HAS_FRAGS,
		    .expected_attach_type = BPF_XDP);

	return bpf_prog_load(BPF_PROG_TYPE_XDP, "spoofer", "GPL", instructions,
			     sizeof(instructions) / sizeof(instructions[0]), &options);
}

static void flood(int spoofer, uint32_t count, struct talk_frame *syn)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = syn->bytes, .data_out = syn->bytes,
		    .data_size_in = (uint32_t)syn->length, .data_size_out = sizeof(syn->bytes),
		    .repeat = (int)count);

	assert_int_equal(bpf_prog_test_run_opts(spoofer, &options), 0);
	assert_int_equal(options.retval, XDP_PASS);
}

/* Passes, without a look at the counters: there are many of these. */
static bool passes(struct filter *filter, uint32_t connection, bool from_server,
		   const struct talk_packet *like)
{
	const struct talk talk = { .filter = filter,
				   .protocol = IPPROTO_TCP,
				   .port = (uint16_t)(1024 + connection) };
	struct talk_packet packet = talk_packet_of(&talk, from_server);
	struct talk_frame made;
	struct frame frame;

	packet.flags = like->flags;
	packet.sequence = like->sequence;
	packet.acknowledgement = like->acknowledgement;
	talk_build(&packet, &made);
	frame = (struct frame){ made.bytes, made.length };
	return filter_run(filter, from_server ? FW_EGRESS : FW_INGRESS, &frame) == FW_VERDICT_PASS;
}

static const struct talk_packet syn_of_client = { .flags = SYN, .sequence = 100 };
static const struct talk_packet answer = { .flags = SYN | ACK,
					   .sequence = 5000,
					   .acknowledgement = 101 };
static const struct talk_packet of_client = { .flags = ACK,
					      .sequence = 101,
					      .acknowledgement = 5001 };
static const struct talk_packet of_server = { .flags = ACK,
					      .sequence = 5001,
					      .acknowledgement = 101 };

static void connect_all(struct filter *filter)
{
	for (uint32_t i = 0; i < CONNECTIONS; i++)
		assert_true(passes(filter, i, false, &syn_of_client) &&
			    passes(filter, i, true, &answer) &&
			    passes(filter, i, false, &of_client));
}

static void assert_alive(struct filter *filter, uint32_t connection)
{
	if (!passes(filter, connection, false, &of_client) ||
	    !passes(filter, connection, true, &of_server))
		fail_msg("connection %u is gone", connection);
}

static uint32_t flood_size(void)
{
	const char *text = getenv("FWCTL_TEST_STEPS");

	return text ? (uint32_t)atoi(text) : FLOOD;
}

static int entry_count(const struct fw_flow_key *key, const struct fw_flow_entry *entry, void *data)
{
	(void)key;
	(void)entry;
	(*(uint64_t *)data)++;
	return 0;
}

/* By what stands in the table, not by what was counted. */
static uint64_t half_open_entries(struct filter *filter)
{
	_cleanup_close_ int fd =
		flow_place_open(filter->dataplane->maps.flow_tables, FW_FLOWS_HALF_OPEN);
	uint64_t count = 0;

	assert_int_equal(flow_table_walk(fd, entry_count, &count), 0);
	return count;
}

/* SYNs from everywhere, all of them passed and recorded, and no connection suffers. */
static void a_flood_of_syns_pushes_out_its_own_kind_only(void **state)
{
	struct filter *filter = *state;
	_cleanup_close_ int programs = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, NULL, 4, 4, 1, NULL);
	_cleanup_close_ int spoofer = spoofer_load(programs);
	struct talk talk = { .filter = filter, .client_hook = FW_INGRESS, .protocol = IPPROTO_TCP };
	struct flow_totals before, after;
	struct talk_packet packet;
	struct talk_frame syn;
	uint32_t first = 0, size = flood_size() / BATCHES;
	int ingress;

	filter_apply(filter,
		     "option essential off\noption flows 8192\ningress default drop {\n"
		     " pass state established label established\n"
		     " pass tcp to port 80 flags S/SA keep state label kept\n}\n"
		     "egress default drop {\n pass state established label established\n}\n");
	assert_int_equal(program_get(filter->dataplane, PROGRAM_INGRESS, false, &ingress), 0);
	assert_true(spoofer >= 0);
	assert_int_equal(bpf_map_update_elem(programs, &first, &ingress, 0), 0);
	connect_all(filter);
	before = talk_totals(filter);
	assert_int_equal(before.tables[FW_FLOWS_ASSURED].present, CONNECTIONS);
	assert_int_equal(half_open_entries(filter), 0);
	packet = talk_packet_of(&talk, false);
	packet.flags = SYN;
	talk_build(&packet, &syn);
	for (uint32_t batch = 0; batch < BATCHES; batch++) {
		flood(spoofer, size, &syn);
		for (uint32_t i = batch; i < CONNECTIONS; i += BATCHES)
			assert_alive(filter, i);
	}
	for (uint32_t i = 0; i < CONNECTIONS; i++)
		assert_alive(filter, i);
	after = talk_totals(filter);
	assert_int_equal(after.tables[FW_FLOWS_ASSURED].present, CONNECTIONS);
	assert_int_equal(after.tables[FW_FLOWS_ASSURED].evicted,
			 before.tables[FW_FLOWS_ASSURED].evicted);
	assert_int_equal(after.tables[FW_FLOWS_HALF_OPEN].inserted -
				 before.tables[FW_FLOWS_HALF_OPEN].inserted,
			 size * BATCHES);
	assert_int_equal(after.failed, 0);
	/* The counter says how many had to go: each SYN is a flow of its own, and those are left.
	 */
	assert_int_equal(after.tables[FW_FLOWS_HALF_OPEN].evicted -
				 before.tables[FW_FLOWS_HALF_OPEN].evicted,
			 size * BATCHES - half_open_entries(filter));
	assert_int_equal(after.tables[FW_FLOWS_HALF_OPEN].deleted, CONNECTIONS);
	assert_in_range(after.tables[FW_FLOWS_HALF_OPEN].present, 1, FW_FLOWS_HALF(8192));
	/* A new connection is served in the midst of it. */
	talk.port = 60000;
	talk_shake_hands(&talk);
	print_message("%u SYNs: %llu half-open flows pushed out, %llu left\n", size * BATCHES,
		      (unsigned long long)after.tables[FW_FLOWS_HALF_OPEN].evicted,
		      (unsigned long long)after.tables[FW_FLOWS_HALF_OPEN].present);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flood_of_syns_pushes_out_its_own_kind_only),
	};
	int skipped = needs_root();

	return skipped ? skipped : cmocka_run_group_tests(tests, filter_setup, filter_teardown);
}
