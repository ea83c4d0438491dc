// SPDX-License-Identifier: GPL-2.0-only
/*
 * SYN cookies at ingress, in a network namespace with real listeners: every byte of the answers,
 * who gets none, and the flows that begin with the acknowledgement of one.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/flows.h"
#include "dataplane/internal.h"
#include "prog_run.h"
#include "syn.h"

static uint32_t get(const uint8_t *at, unsigned bytes)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value = value << 8 | at[i];
	return value;
}

/* --- Running it ---------------------------------------------------------------------------- */

/* XDP_*; the frame becomes what the program made of it. */
static uint32_t run(struct filter *filter, struct bytes *frame)
{
	struct bytes after = {};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame->at,
		    .data_size_in = (uint32_t)frame->length, .data_out = after.at,
		    .data_size_out = sizeof(after.at), .repeat = 1);
	int fd;

	if (program_get(filter->dataplane, PROGRAM_INGRESS, false, &fd))
		fail_msg("%s", dataplane_error(filter->dataplane));
	assert_int_equal(bpf_prog_test_run_opts(fd, &options), 0);
	after.length = options.data_size_out;
	*frame = after;
	return options.retval;
}

static uint32_t run_shape(struct filter *filter, const struct shape *shape)
{
	struct bytes frame = shape_frame(shape);

	return run(filter, &frame);
}

static uint64_t counted(struct filter *filter, enum fw_cookie_outcome outcome)
{
	struct statistics *statistics;
	uint64_t packets;

	if (dataplane_read_statistics(filter->dataplane, &statistics))
		fail_msg("%s", dataplane_error(filter->dataplane));
	packets = statistics->cookies[outcome].packets;
	statistics_free(&statistics);
	return packets;
}

static void sysctl_set(const char *name, const char *value)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	fd = open(path, O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, value, strlen(value)), (ssize_t)strlen(value));
	close(fd);
}

static void listen_on(uint16_t port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int fd = socket(AF_INET6, SOCK_STREAM, 0), off = 0;

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
	assert_int_equal(listen(fd, 16), 0);
}

static void loopback_start(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	close(fd);
}

static int setup(void **state)
{
	const struct link_info loopback = { .index = 1, .mac = 0x020000000002 };
	struct filter *filter;

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	loopback_start();
	listen_on(OPEN_PORT);
	filter_setup(state);
	filter = *state;
	own_mac_note(&filter->dataplane->maps, &loopback, true);
	return 0;
}

#define RULES(options, rule)                                                                 \
	"option syncookie-after " options "\n"                                               \
	"option essential off\ningress default drop {\n" rule "\n}\negress default drop {\n" \
	"pass state established label answers\n}\n"
#define STATELESS "pass tcp syncookie label served"
#define STATEFUL  "pass state established label going\npass tcp syncookie keep state label served"

static struct filter *start(void **state, const char *rules)
{
	sysctl_set("ipv4/tcp_syncookies", "2");
	filter_apply(*state, rules);
	return *state;
}

/* --- The answer ---------------------------------------------------------------------------- */

static const struct shape shapes[] = {
	{ .options = LINUX_OPTIONS, .option_bytes = 20 },
	{ .options = LINUX_OPTIONS, .option_bytes = 20, .tags = 1 },
	{ .options = LINUX_OPTIONS, .option_bytes = 20, .tags = 2 },
	{ .options = MOST_OPTIONS, .option_bytes = 40 },
	{ .options = LINUX_OPTIONS, .option_bytes = 4, .behind = 100 },
	{ .options = LINUX_OPTIONS, .option_bytes = 20, .ip_options = 8 },
	{ .options = LINUX_OPTIONS, .option_bytes = 20, .ip_options = 24, .behind = 7 },
	{ .padding = 6 },
	{ .padding = 3 },
	{ .behind = 4 },
	{ .padding = 0 },
	{ .flags = SYN | 0xc0, .options = LINUX_OPTIONS, .option_bytes = 20 },
};

static void assert_network(const uint8_t *at, const struct shape *shape, unsigned header)
{
	struct bytes ends = {};
	unsigned address = shape->inet6 ? 16 : 4;

	shape_put_ends(&ends, shape);
	if (shape->inet6) {
		assert_int_equal(get(at, 4), 0x60000000);
		assert_int_equal(get(at + 4, 4), header << 16 | 6 << 8 | 64);
		at += 8;
	} else {
		assert_int_equal(get(at, 4), 0x45000000 | (20 + header));
		assert_int_equal(get(at + 4, 4), 0x4000);
		assert_int_equal(get(at + 8, 2), 64 << 8 | 6);
		assert_int_equal(bytes_sum(at, 20, 0), 0xffff);
		at += 12;
	}
	assert_memory_equal(at, ends.at + address, address);
	assert_memory_equal(at + address, ends.at, address);
}

static void assert_segment(const uint8_t *at, const struct shape *shape, unsigned header)
{
	unsigned addresses = shape->inet6 ? 32 : 8;

	assert_int_equal(get(at, 4), OPEN_PORT << 16 | CLIENT_PORT);
	assert_int_equal(get(at + 8, 4), SEQUENCE + 1);
	assert_int_equal(get(at + 12, 4), header / 4 << 28 | (SYN | ACK) << 16 | FW_COOKIE_WINDOW);
	assert_int_equal(get(at + 18, 2), 0);
	assert_int_equal(bytes_sum(at, header, bytes_sum(at - addresses, addresses, header + 6)),
			 0xffff);
	for (unsigned i = 20; i < header; i++) {
		/* As the client's own: of 1460 what the kernel's table has, else what all can. */
		const uint32_t mss = shape->option_bytes ? (shape->inet6 ? 1440 : 1460)
							 : (shape->inet6 ? 1220 : 536);

		assert_int_equal(at[i], i < 24 ? (0x02040000U | mss) >> 8 * (23 - i) & 0xff : 0);
	}
}

static void a_syn_becomes_its_answer_byte_for_byte(void **state)
{
	struct filter *filter = start(state, RULES("0/s", STATELESS));

	for (size_t i = 0; i < 2 * sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct shape shape = shapes[i / 2];
		struct bytes syn, frame;
		unsigned link = 14 + 4U * shape.tags, network, room, header;

		shape.inet6 = i % 2;
		network = shape.inet6 ? 40 : 20;
		syn = frame = shape_frame(&shape);
		room = (unsigned)frame.length - link - network;
		header = shape.option_bytes ? 20U + shape.option_bytes : room < 24 ? 20 : 24;
		assert_int_equal(run(filter, &frame), XDP_TX);
		assert_int_equal(frame.length, syn.length);
		assert_memory_equal(frame.at, syn.at + 6, 6);
		assert_memory_equal(frame.at + 6, syn.at, 6);
		assert_memory_equal(frame.at + 12, syn.at + 12, link - 12);
		assert_network(frame.at + link, &shape, header);
		assert_segment(frame.at + link + network, &shape, header);
	}
}

/* --- Who gets none ------------------------------------------------------------------------- */

static void only_syns_for_a_listener_of_this_host_are_answered(void **state)
{
	static const struct shape untouched[] = {
		{ .flags = ACK },
		{ .flags = RST },
		{ .flags = SYN | ACK },
		{ .flags = SYN | FIN },
		{ .flags = SYN | RST },
		{ .port = CLOSED_PORT },
		{ .more_fragments = true, .options = LINUX_OPTIONS, .option_bytes = 20 },
		{ .group = true },
		{ .other_mac = true },
	};
	struct filter *filter = start(state, RULES("0/s", STATELESS));
	uint64_t sent;

	for (size_t i = 0; i < 2 * sizeof(untouched) / sizeof(untouched[0]); i++) {
		struct shape shape = untouched[i / 2];
		struct bytes before, frame;

		shape.inet6 = i % 2;
		if (shape.inet6 && shape.more_fragments)
			continue;
		before = frame = shape_frame(&shape);
		sent = counted(filter, FW_COOKIE_SENT);
		assert_int_equal(run(filter, &frame), XDP_PASS);
		assert_int_equal(frame.length, before.length);
		assert_memory_equal(frame.at, before.at, before.length);
		assert_int_equal(counted(filter, FW_COOKIE_SENT), sent);
	}
}

/* What the host's routes would send on is not for a listener on any address. */
static void what_the_host_would_forward_is_not_answered(void **state)
{
	const struct shape syn = { .options = LINUX_OPTIONS, .option_bytes = 20 };
	struct filter *filter = start(state, RULES("0/s", STATELESS));

	assert_int_equal(system("ip route add 192.0.2.2/32 dev lo"), 0);
	sysctl_set("ipv4/conf/all/forwarding", "1");
	assert_int_equal(run_shape(filter, &syn), XDP_PASS);
	sysctl_set("ipv4/conf/all/forwarding", "0");
	assert_int_equal(system("ip route del 192.0.2.2/32 dev lo"), 0);
	sysctl_set("ipv4/conf/all/forwarding", "1");
	assert_int_equal(system("ip addr add 192.0.2.2/32 dev lo"), 0);
	assert_int_equal(run_shape(filter, &syn), XDP_TX);
	assert_int_equal(system("ip addr del 192.0.2.2/32 dev lo"), 0);
	sysctl_set("ipv4/conf/all/forwarding", "0");
}

/* The kernel says when: never, when the listener's queue is full, always. */
static void the_host_answers_itself_where_its_kernel_gives_no_cookie(void **state)
{
	struct filter *filter = start(state, RULES("0/s", STATELESS));
	const struct shape syn = {};
	uint64_t declined = counted(filter, FW_COOKIE_DECLINED);

	sysctl_set("ipv4/tcp_syncookies", "0");
	assert_int_equal(run_shape(filter, &syn), XDP_PASS);
	sysctl_set("ipv4/tcp_syncookies", "1");
	assert_int_equal(run_shape(filter, &syn), XDP_PASS);
	assert_int_equal(counted(filter, FW_COOKIE_DECLINED), declined + 2);
	sysctl_set("ipv4/tcp_syncookies", "2");
	assert_int_equal(run_shape(filter, &syn), XDP_TX);
	assert_int_equal(counted(filter, FW_COOKIE_DECLINED), declined + 2);
}

static void syns_within_the_rate_reach_the_host(void **state)
{
	struct filter *filter = start(state, RULES("1000000/s", STATELESS));
	uint64_t passed = counted(filter, FW_COOKIE_PASSED);
	struct fw_counter served = filter_rule(filter, FW_INGRESS, "served");
	const struct shape syn = { .options = LINUX_OPTIONS, .option_bytes = 20 };
	struct bytes before = shape_frame(&syn), frame = before;
	int answered = 0;

	assert_int_equal(run(filter, &frame), XDP_PASS);
	assert_memory_equal(frame.at, before.at, before.length);
	assert_int_equal(counted(filter, FW_COOKIE_PASSED), passed + 1);
	/* One a second, and one at once: of many the rest is answered. */
	filter_apply(filter, RULES("1/s", STATELESS));
	for (int i = 0; i < 1000; i++)
		answered += run_shape(filter, &syn) == XDP_TX;
	assert_in_range(answered, 900, 999);
	assert_int_equal(filter_rule(filter, FW_INGRESS, "served").packets, served.packets + 1001);
}

/* --- Flows --------------------------------------------------------------------------------- */

/* The cookie of the answer to the client's SYN. */
static uint32_t cookie_of(struct filter *filter, const struct shape *syn)
{
	struct bytes frame = shape_frame(syn);

	assert_int_equal(run(filter, &frame), XDP_TX);
	return get(frame.at + 14 + (syn->inet6 ? 40 : 20) + 4, 4);
}

static struct shape ack_of(const struct shape *syn, uint32_t cookie)
{
	return (struct shape){
		.inet6 = syn->inet6,
		.client = syn->client,
		.flags = ACK,
		.sequence = SEQUENCE + 1,
		.acknowledgement = cookie + 1,
	};
}

static struct flow_totals flows_of(struct filter *filter)
{
	struct flow_totals totals;

	if (dataplane_flow_totals(filter->dataplane, &totals))
		fail_msg("%s", dataplane_error(filter->dataplane));
	return totals;
}

static enum flow_answer flow_is_established(const struct flow *flow, void *data)
{
	*(bool *)data = flow->state == FW_FLOW_ESTABLISHED && flow->sent[0].packets == 2 &&
			flow->source_port == CLIENT_PORT && !strcmp(flow->rule, "served");
	return FLOW_GO_ON;
}

static void the_acknowledgement_of_a_cookie_begins_an_assured_flow(void **state)
{
	for (uint32_t i = 0; i < 2; i++) {
		struct filter *filter = start(state, RULES("0/s", STATEFUL));
		const struct shape syn = { .inet6 = i, .client = 10 };
		uint64_t right = counted(filter, FW_COOKIE_RIGHT);
		struct fw_counter going = filter_rule(filter, FW_INGRESS, "going");
		struct shape ack;
		bool good = false;

		dataplane_flows_forget(filter->dataplane);
		ack = ack_of(&syn, cookie_of(filter, &syn));
		assert_int_equal(flows_of(filter).tables[FW_FLOWS_HALF_OPEN].present, 0);
		assert_int_equal(flows_of(filter).tables[FW_FLOWS_ASSURED].present, 0);
		assert_int_equal(run_shape(filter, &ack), XDP_PASS);
		assert_int_equal(counted(filter, FW_COOKIE_RIGHT), right + 1);
		assert_int_equal(flows_of(filter).tables[FW_FLOWS_HALF_OPEN].present, 0);
		assert_int_equal(flows_of(filter).tables[FW_FLOWS_ASSURED].present, 1);
		/* What follows is established, and not asked about again. */
		ack.behind = 100;
		assert_int_equal(run_shape(filter, &ack), XDP_PASS);
		assert_int_equal(filter_rule(filter, FW_INGRESS, "going").packets,
				 going.packets + 1);
		assert_int_equal(counted(filter, FW_COOKIE_RIGHT), right + 1);
		dataplane_flows_visit(filter->dataplane, flow_is_established, &good, NULL);
		assert_true(good);
	}
}

static void other_acknowledgements_begin_none(void **state)
{
	struct filter *filter = start(state, RULES("0/s", STATEFUL));
	const struct shape syn = { .client = 20 }, other = { .client = 21 };
	uint64_t wrong = counted(filter, FW_COOKIE_WRONG);
	uint32_t cookie = cookie_of(filter, &syn);
	struct shape ack = ack_of(&syn, cookie + 7);

	dataplane_flows_forget(filter->dataplane);
	assert_int_equal(run_shape(filter, &ack), XDP_PASS);
	ack = ack_of(&other, cookie);
	assert_int_equal(run_shape(filter, &ack), XDP_PASS);
	ack = ack_of(&syn, cookie);
	ack.sequence++;
	assert_int_equal(run_shape(filter, &ack), XDP_PASS);
	assert_int_equal(counted(filter, FW_COOKIE_WRONG), wrong + 3);
	assert_int_equal(flows_of(filter).tables[FW_FLOWS_ASSURED].present, 0);
	ack.flags = RST;
	assert_int_equal(run_shape(filter, &ack), XDP_PASS);
	assert_int_equal(counted(filter, FW_COOKIE_WRONG), wrong + 3);
}

static void a_flood_leaves_nothing_behind(void **state)
{
	struct filter *filter = start(state, RULES("0/s", STATEFUL));
	struct flow_totals before, after;
	int answered = 0;

	dataplane_flows_forget(filter->dataplane);
	before = flows_of(filter);
	for (uint32_t i = 1; i <= 50000; i++) {
		const struct shape syn = { .inet6 = true, .client = i << 8 };

		answered += run_shape(filter, &syn) == XDP_TX;
	}
	after = flows_of(filter);
	assert_int_equal(answered, 50000);
	assert_memory_equal(&after, &before, sizeof(after));
}

/* A SYN that was passed left a flow behind; the next one was answered here. */
static void a_half_open_flow_gives_way_to_that_of_the_cookie(void **state)
{
	struct filter *filter = start(state, RULES("1000000/s", STATEFUL));
	const struct shape syn = { .client = 30 };
	struct shape ack;

	/* A slower rate than this one has left the bucket empty: the clock has to tick. */
	run_shape(filter, &syn);
	usleep(100000);
	dataplane_flows_forget(filter->dataplane);
	assert_int_equal(run_shape(filter, &syn), XDP_PASS);
	assert_int_equal(flows_of(filter).tables[FW_FLOWS_HALF_OPEN].present, 1);
	filter_apply(filter, RULES("0/s", "pass tcp syncookie keep state label served"));
	ack = ack_of(&syn, cookie_of(filter, &syn));
	assert_int_equal(run_shape(filter, &ack), XDP_PASS);
	assert_int_equal(flows_of(filter).tables[FW_FLOWS_HALF_OPEN].present, 0);
	assert_int_equal(flows_of(filter).tables[FW_FLOWS_ASSURED].present, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_syn_becomes_its_answer_byte_for_byte),
		cmocka_unit_test(only_syns_for_a_listener_of_this_host_are_answered),
		cmocka_unit_test(what_the_host_would_forward_is_not_answered),
		cmocka_unit_test(the_host_answers_itself_where_its_kernel_gives_no_cookie),
		cmocka_unit_test(syns_within_the_rate_reach_the_host),
		cmocka_unit_test(the_acknowledgement_of_a_cookie_begins_an_assured_flow),
		cmocka_unit_test(other_acknowledgements_begin_none),
		cmocka_unit_test(a_flood_leaves_nothing_behind),
		cmocka_unit_test(a_half_open_flow_gives_way_to_that_of_the_cookie),
	};
	int skipped = needs_root();

	return skipped ? skipped : cmocka_run_group_tests(tests, setup, filter_teardown);
}
