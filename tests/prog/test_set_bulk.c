// SPDX-License-Identifier: GPL-2.0-only
/* vm: long */
/*
 * Many elements at once, on kernels that take batches and such that do not, and packets that are
 * counted while elements are changed under them.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/set_internal.h"
#include "set_run.h"

#define RULES "ingress default pass {\n drop from @%s\n}\n"
#define MANY  300

static void rules_apply(struct filter *filter, const char *name, const char *what)
{
	char text[256];

	snprintf(text, sizeof(text), "set %s live %s\n" RULES, name, what, name);
	filter_apply(filter, text);
}

static struct set_element element_numbered(struct set_map map, uint32_t number, uint32_t expires)
{
	uint32_t high = number / 256 + 1, low = number % 256;
	bool is_net = map.kind == FW_SET_NETS;
	char text[64];

	if (map.family)
		snprintf(text, sizeof(text), is_net ? "2001:db8:%x:%x::/64" : "2001:db8::%x:%x",
			 high, low);
	else
		snprintf(text, sizeof(text), is_net ? "10.%u.%u.0/24" : "10.0.%u.%u", high, low);
	return element_of(text, expires);
}

/* Of each of the four maps, so many, from the first on. */
static struct set_elements elements_make(uint32_t first, uint32_t count, uint32_t expires)
{
	struct set_elements elements = { 0 };

	for (unsigned i = 0; i < FW_SET_KINDS * FW_SET_FAMILIES; i++) {
		const struct set_map map = { i / FW_SET_FAMILIES, i % FW_SET_FAMILIES };

		for (uint32_t number = first; number < first + count; number++) {
			struct set_element element = element_numbered(map, number, expires);

			set_elements_add(&elements, &element);
		}
	}
	set_elements_sort(&elements);
	return elements;
}

static struct set_change add_many(struct filter *filter, const char *name,
				  struct set_elements elements, int expected)
{
	const struct live_set set = set_named(filter, name);
	struct set_change change;

	assert_int_equal(dataplane_set_add(filter->dataplane, &set, &elements, &change), expected);
	set_elements_free(&elements);
	return change;
}

static struct set_change delete_many(struct filter *filter, const char *name,
				     struct set_elements elements)
{
	const struct live_set set = set_named(filter, name);
	struct set_change change;

	assert_int_equal(dataplane_set_delete(filter->dataplane, &set, &elements, &change), 0);
	set_elements_free(&elements);
	return change;
}

static void many_come_and_go(struct filter *filter)
{
	struct set_change change;
	struct set_elements read;
	struct live_set set;

	rules_apply(filter, "many", "size 5000 counters");
	change = add_many(filter, "many", elements_make(0, MANY, 0), 0);
	assert_int_equal(change.added, 4 * MANY);
	assert_int_equal(packet_run_text(filter, "10.0.1.7"), FW_VERDICT_DROP);
	assert_int_equal(packet_run_text(filter, "2001:db8:2:1::1"), FW_VERDICT_DROP);
	/* Half of them again, with another time: they keep what they counted. */
	change = add_many(filter, "many", elements_make(MANY / 2, MANY, boot_expiry(100)), 0);
	assert_int_equal(change.added, 2 * MANY);
	assert_int_equal(change.renewed, 2 * MANY);
	change = add_many(filter, "many", elements_make(0, MANY, boot_expiry(100)), 0);
	assert_int_equal(change.renewed, 4 * MANY);
	set = set_named(filter, "many");
	assert_int_equal(set.count, 6 * MANY);
	assert_int_equal(dataplane_set_read(filter->dataplane, &set, &read), 0);
	assert_int_equal(read.count, 6 * MANY);
	assert_int_equal(read.items[7].packets, 1);
	assert_int_equal(read.items[7].bytes, PACKET_LENGTH);
	for (size_t i = 0; i < read.count; i++)
		assert_true(read.items[i].expires);
	set_elements_free(&read);
	/* Every other run of them is not there. */
	change = delete_many(filter, "many", elements_make(MANY, MANY, 0));
	assert_int_equal(change.deleted, 2 * MANY);
	assert_int_equal(change.missing, 2 * MANY);
	change = delete_many(filter, "many", elements_make(0, 2 * MANY, 0));
	assert_int_equal(change.deleted, 4 * MANY);
	assert_int_equal(change.missing, 4 * MANY);
	assert_int_equal(set_named(filter, "many").count, 0);
	assert_int_equal(packet_run_text(filter, "10.0.1.7"), FW_VERDICT_PASS);
}

static void many_come_and_go_in_batches(void **state)
{
	many_come_and_go(*state);
}

static void many_come_and_go_where_a_kernel_refuses_batches(void **state)
{
	set_batch_fault = BATCH_REFUSED;
	many_come_and_go(*state);
	set_batch_fault = BATCH_WORKS;
}

static void many_come_and_go_where_a_kernel_stops_in_batches(void **state)
{
	set_batch_fault = BATCH_STOPS;
	many_come_and_go(*state);
	set_batch_fault = BATCH_WORKS;
}

/* What the kernel itself does when a hash is full: no switch of ours. */
static void a_batch_that_stops_tells_how_far_it_came(void **state)
{
	const struct set_map map = { FW_SET_HOSTS, 0 };
	struct set_elements elements = elements_make(0, MANY, 0);
	const struct set_element *hosts[MANY];
	size_t count = 0, done;
	int fd = set_map_create(map, 100);

	(void)state;
	for (size_t i = 0; i < elements.count; i++)
		if (set_map_of(&elements.items[i]).kind == FW_SET_HOSTS &&
		    elements.items[i].address.family == FW_INET)
			hosts[count++] = &elements.items[i];
	assert_true(fd >= 0);
	assert_int_equal(count, MANY);
	assert_int_equal(set_map_update(fd, map, hosts, count, &done), -E2BIG);
	assert_int_equal(done, 100);
	assert_int_equal(set_map_delete(fd, map, hosts + 50, 100, &done), 0);
	assert_int_equal(done, 50);
	set_elements_free(&elements);
	close(fd);
}

static void what_does_not_fit_is_refused_and_the_rest_is_in(void **state)
{
	struct filter *filter = *state;
	struct set_change change;
	struct live_set set;

	rules_apply(filter, "full", "size 500");
	change = add_many(filter, "full", elements_make(0, MANY, 0), -ENOSPC);
	assert_int_equal(change.added, 500);
	assert_int_equal(change.refused, 4 * MANY - 500);
	assert_int_equal(set_named(filter, "full").count, 500);
	assert_int_equal(set_named(filter, "full").refused, 4 * MANY - 500);
	/* Those that are in are renewed all the same. */
	change = add_many(filter, "full", elements_make(0, MANY, boot_expiry(100)), -ENOSPC);
	assert_int_equal(change.renewed, 500);
	/* And when they have expired, there is room. */
	set = set_named(filter, "full");
	assert_int_equal(dataplane_set_flush(filter->dataplane, &set), 0);
	change = add_many(filter, "full", elements_make(0, 125, boot_seconds()), 0);
	assert_int_equal(change.added, 500);
	change = add_many(filter, "full", elements_make(1000, 100, 0), 0);
	assert_int_equal(change.added, 400);
}

static void a_full_set_is_replaced_and_never_empty(void **state)
{
	struct filter *filter = *state;
	struct set_elements elements = elements_make(MANY, MANY, 0);
	struct set_change change;
	struct live_set set;

	rules_apply(filter, "whole", "size 1200");
	add_many(filter, "whole", elements_make(0, MANY, 0), 0);
	set = set_named(filter, "whole");
	assert_int_equal(set.count, 1200);
	assert_int_equal(dataplane_set_replace(filter->dataplane, &set, &elements, true, &change),
			 0);
	assert_int_equal(change.added, 1200);
	assert_int_equal(change.deleted, 1200);
	assert_int_equal(change.refused, 0);
	assert_int_equal(set_named(filter, "whole").refused, 0);
	set_elements_free(&elements);
}

/* --- Packets meanwhile -------------------------------------------------------------------- */

/* Where machines are emulated (FWCTL_TEST_STEPS), there is less of all. */
#define TURNS  30
#define RENEWS 300
#define REPEAT 20000

static bool is_slow(void)
{
	return getenv("FWCTL_TEST_STEPS");
}

struct traffic {
	int program;
	unsigned repeat;
	uint8_t packet[PACKET_LENGTH];
	uint64_t sent;
	bool stop;
};

static void *traffic_run(void *data)
{
	struct traffic *traffic = data;

	while (!__atomic_load_n(&traffic->stop, __ATOMIC_RELAXED)) {
		LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = traffic->packet,
			    .data_size_in = sizeof(traffic->packet), .repeat = traffic->repeat);

		if (bpf_prog_test_run_opts(traffic->program, &options))
			break;
		__atomic_add_fetch(&traffic->sent, traffic->repeat, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void traffic_wait(const struct traffic *traffic)
{
	uint64_t before = __atomic_load_n(&traffic->sent, __ATOMIC_RELAXED);

	while (__atomic_load_n(&traffic->sent, __ATOMIC_RELAXED) == before)
		sched_yield();
}

/* Packets from an element while `change` is called again and again; all must have counted. */
static void assert_counts_all(struct filter *filter, const char *from, const char *element,
			      void (*change)(struct filter *filter, unsigned turn))
{
	const struct address source = address_of(from), target = address_of("10.9.9.9");
	struct traffic traffic = { .repeat = is_slow() ? REPEAT / 100 : REPEAT };
	struct set_elements read;
	struct live_set set;
	pthread_t thread;

	rules_apply(filter, "busy", "size 1000 counters");
	assert_int_equal(set_add_text(filter, "busy", element, 0), 0);
	packet_write4(&source, &target, traffic.packet);
	assert_int_equal(program_get(filter->dataplane, PROGRAM_INGRESS, false, &traffic.program),
			 0);
	assert_int_equal(pthread_create(&thread, NULL, traffic_run, &traffic), 0);
	for (unsigned turn = 0; turn < (is_slow() ? TURNS / 10 : TURNS); turn++) {
		traffic_wait(&traffic);
		change(filter, turn);
	}
	__atomic_store_n(&traffic.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	set = set_named(filter, "busy");
	assert_int_equal(dataplane_set_read(filter->dataplane, &set, &read), 0);
	assert_int_equal(read.count, 1);
	assert_int_equal(read.items[0].packets, traffic.sent);
	assert_int_equal(read.items[0].bytes, traffic.sent * PACKET_LENGTH);
	set_elements_free(&read);
	assert_int_equal(dataplane_set_flush(filter->dataplane, &set), 0);
}

static void renew(struct filter *filter, const char *element, unsigned turn)
{
	unsigned renews = is_slow() ? RENEWS / 10 : RENEWS;
	uint32_t expires = boot_expiry(1000) + turn * renews;

	for (unsigned i = 0; i < renews; i++)
		assert_int_equal(set_add_text(filter, "busy", element, expires + i), 0);
}

static void renew_host(struct filter *filter, unsigned turn)
{
	renew(filter, "10.0.0.1", turn);
}

static void renew_net(struct filter *filter, unsigned turn)
{
	renew(filter, "10.0.0.0/24", turn);
}

static void resize(struct filter *filter, unsigned turn)
{
	rules_apply(filter, "busy", turn & 1 ? "size 1000 counters" : "size 3000 counters");
}

static void no_packet_is_lost_when_an_element_is_renewed(void **state)
{
	assert_counts_all(*state, "10.0.0.1", "10.0.0.1", renew_host);
	assert_counts_all(*state, "10.0.0.7", "10.0.0.0/24", renew_net);
}

static void no_packet_is_lost_when_a_set_is_resized(void **state)
{
	assert_counts_all(*state, "10.0.0.1", "10.0.0.1", resize);
}

/* What the kernel says that a map takes. */
static uint64_t map_bytes(int fd)
{
	char path[64], line[128];
	unsigned long long bytes = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			break;
	fclose(file);
	return bytes;
}

static uint64_t set_bytes(struct filter *filter, const char *name)
{
	const struct live_set set = set_named(filter, name);
	uint64_t bytes = 0;

	for (unsigned i = 0; i < FW_SET_KINDS * FW_SET_FAMILIES; i++) {
		const struct set_map map = { i / FW_SET_FAMILIES, i % FW_SET_FAMILIES };
		int fd = set_map_open(filter->dataplane, map, set.slot);

		assert_true(fd >= 0);
		bytes += map_bytes(fd);
		close(fd);
	}
	return bytes;
}

/* All four maps of a set against one of the kernel's own that holds the same. */
static void assert_takes_little_more(struct filter *filter, struct set_map map)
{
	const uint32_t count = 20000;
	const struct live_set set = set_named(filter, "large");
	struct set_elements elements = { 0 };
	struct set_change change;
	uint64_t empty, own;
	int fd = set_map_create(map, count);

	assert_true(fd >= 0);
	for (uint32_t i = 0; i < count; i++) {
		struct set_element element = element_numbered(map, i, 0);

		set_elements_add(&elements, &element);
	}
	empty = map_bytes(fd);
	assert_int_equal(set_map_fill(fd, map, elements.items, count), 0);
	own = map_bytes(fd);
	close(fd);
	set_elements_sort(&elements);
	assert_int_equal(dataplane_set_flush(filter->dataplane, &set), 0);
	assert_int_equal(dataplane_set_add(filter->dataplane, &set, &elements, &change), 0);
	set_elements_free(&elements);
	print_message("IPv%c %s: %llu bytes each, %llu in a map of the kernel alone\n",
		      map.family ? '6' : '4', map.kind == FW_SET_HOSTS ? "hosts" : "networks",
		      (unsigned long long)set_bytes(filter, "large") / count,
		      (unsigned long long)own / count);
	/* Kernels before 6.4 do not know, but reckon with what a map may hold. */
	if (own > empty)
		assert_in_range(set_bytes(filter, "large"), own, own + 64ULL * count);
}

static void an_element_takes_at_most_64_bytes_more_than_in_a_map_of_the_kernel(void **state)
{
	rules_apply(*state, "large", "size 20000");
	for (unsigned i = 0; i < FW_SET_KINDS * FW_SET_FAMILIES; i++)
		assert_takes_little_more(
			*state, (struct set_map){ i / FW_SET_FAMILIES, i % FW_SET_FAMILIES });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_come_and_go_in_batches),
		cmocka_unit_test(many_come_and_go_where_a_kernel_refuses_batches),
		cmocka_unit_test(many_come_and_go_where_a_kernel_stops_in_batches),
		cmocka_unit_test(a_batch_that_stops_tells_how_far_it_came),
		cmocka_unit_test(what_does_not_fit_is_refused_and_the_rest_is_in),
		cmocka_unit_test(a_full_set_is_replaced_and_never_empty),
		cmocka_unit_test(no_packet_is_lost_when_an_element_is_renewed),
		cmocka_unit_test(no_packet_is_lost_when_a_set_is_resized),
		cmocka_unit_test(
			an_element_takes_at_most_64_bytes_more_than_in_a_map_of_the_kernel),
	};

	if (needs_root())
		return 77;
	return cmocka_run_group_tests(tests, filter_setup, filter_teardown);
}
