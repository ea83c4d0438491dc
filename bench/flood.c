/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fwbench flood: sends live frames (BPF_PROG_TEST_RUN) into veth interfaces and tells what one
 * packet costs, sender and receiver together: both run on one CPU, to completion. Interfaces take
 * turns, so that what else the machine does falls on all of them alike. Each line of the file is
 * the source address and UDP destination port of a packet.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "bench.h"
#include "flood.h"
#include "flood.skel.h"
#include "timing.h"

#define TURNS_MAX 64
#define TURN_NS	  40e6 /* of sending: long enough to average, short enough to be let alone */

struct flood_choices {
	const char *senders;
	uint64_t turns;
	uint64_t packets; /* 0: as many as fit a turn */
	char **links;
	size_t link_count;
};

struct flood_link {
	const char *name;
	uint32_t index;
	uint32_t packets;
	uint64_t sent;
	uint64_t received_before;
	double ns[TURNS_MAX];
};

static int read_senders(const char *path, struct flood_sender *senders)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	char address[64];
	unsigned port;
	size_t count = 0;

	if (!file)
		return -errno;
	while (count < FLOOD_SENDERS && fscanf(file, "%63s %u", address, &port) == 2) {
		struct in_addr source;

		if (!inet_aton(address, &source))
			return -EINVAL;
		senders[count++] = (struct flood_sender){ ntohl(source.s_addr), port };
	}
	for (size_t i = count; count && i < FLOOD_SENDERS; i++)
		senders[i] = senders[i % count];
	return count ? 0 : -ENODATA;
}

static int map_senders(struct flood_bpf *skeleton, const char *path)
{
	size_t size = FLOOD_SENDERS * sizeof(struct flood_sender);
	void *senders = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			     bpf_map__fd(skeleton->maps.senders), 0);
	int error;

	if (senders == MAP_FAILED)
		return -errno;
	error = read_senders(path, senders);
	munmap(senders, size);
	return error;
}

/* To the address that scripts give every receiver; the program adds source, port and checksum. */
static void make_frame(unsigned char frame[FLOOD_FRAME], uint32_t *ret_sum)
{
	static const unsigned char head[] = {
		2, 0, 0,  0, 0, 2, 2, 0,  0,  0, 0, 1, 8, 0, 0x45,
		0, 0, 50, 0, 0, 0, 0, 64, 17, 0, 0, 0, 0, 0, 0,
	};

	memset(frame, 0, FLOOD_FRAME);
	memcpy(frame, head, sizeof(head));
	for (int i = 0; i < 4; i++)
		frame[30 + i] = (unsigned char)(FLOOD_DESTINATION >> (24 - 8 * i));
	frame[34] = 0x80; /* from port 32768 */
	frame[39] = 30;	  /* length of the datagram */
	*ret_sum = 0;
	for (int i = 14; i < 34; i += 2)
		*ret_sum += (uint32_t)(frame[i] << 8 | frame[i + 1]);
}

static int flood_link(struct flood_bpf *skeleton, struct flood_link *link, uint32_t packets,
		      double *ret_ns)
{
	unsigned char frame[FLOOD_FRAME];
	uint32_t sum;
	int error;
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = (int)packets, .flags = BPF_F_TEST_XDP_LIVE_FRAMES);

	make_frame(frame, &sum);
	skeleton->bss->link = link->index;
	error = bpf_prog_test_run_opts(bpf_program__fd(skeleton->progs.flood_send), &options);
	link->sent += packets;
	*ret_ns = options.duration;
	return error;
}

/* A veth counts as sent what its peer has taken, of this namespace's /proc/net/dev. */
static int read_received(const char *name, uint64_t *ret_received)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/self/net/dev", "re");
	char line[512], found[64];
	unsigned long long packets;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, " %63[^:]: %*u %*u %*u %*u %*u %*u %*u %*u %*u %llu", found,
			   &packets) == 2 &&
		    !strcmp(found, name)) {
			*ret_received = packets;
			return 0;
		}
	}
	return -ENODEV;
}

static int open_links(const struct flood_choices *choices, struct flood_link *links)
{
	for (size_t i = 0; i < choices->link_count; i++) {
		links[i].name = choices->links[i];
		links[i].index = if_nametoindex(links[i].name);
		if (!links[i].index || read_received(links[i].name, &links[i].received_before)) {
			fprintf(stderr, "fwbench: there is no interface %s\n", links[i].name);
			return -ENODEV;
		}
	}
	return 0;
}

/* First few packets tell how many fill a turn. */
static int choose_packets(struct flood_bpf *skeleton, struct flood_link *link,
			  const struct flood_choices *choices)
{
	double ns;
	int error = 0;

	if (choices->packets) {
		link->packets = (uint32_t)choices->packets;
		return 0;
	}
	for (int i = 0; !error && i < 2; i++)
		error = flood_link(skeleton, link, 640, &ns);
	if (!error)
		link->packets = ns < 20 ? 2000000 : (uint32_t)(TURN_NS / ns) + 640;
	return error;
}

static int take_turns(struct flood_bpf *skeleton, const struct flood_choices *choices,
		      struct flood_link *links)
{
	int error = 0;

	for (size_t i = 0; !error && i < choices->link_count; i++)
		error = choose_packets(skeleton, &links[i], choices);
	for (size_t turn = 0; turn < choices->turns; turn++)
		for (size_t i = 0; !error && i < choices->link_count; i++)
			error = flood_link(skeleton, &links[i], links[i].packets,
					   &links[i].ns[turn]);
	return error;
}

/* What was lost on the way cost nothing: then the figures are worth nothing either. */
static int report(struct flood_link *link, size_t turns)
{
	uint64_t received;

	if (read_received(link->name, &received))
		return -ENODEV;
	received -= link->received_before;
	median(link->ns, turns);
	printf("{\"link\":\"%s\",", link->name);
	if (received == link->sent)
		printf("\"ns\":%.1f,\"least_ns\":%.1f,\"most_ns\":%.1f", link->ns[turns / 2],
		       link->ns[0], link->ns[turns - 1]);
	else
		printf("\"rejected\":true");
	printf(",\"sent\":%llu,\"received\":%llu}\n", (unsigned long long)link->sent,
	       (unsigned long long)received);
	return 0;
}

static int flood(const struct flood_choices *choices, struct flood_link *links)
{
	struct flood_bpf *skeleton = flood_bpf__open();
	unsigned char frame[FLOOD_FRAME];
	uint32_t sum;
	int error;

	if (!skeleton)
		return -errno;
	make_frame(frame, &sum);
	skeleton->rodata->header_sum = sum;
	error = flood_bpf__load(skeleton);
	if (!error)
		error = map_senders(skeleton, choices->senders);
	if (!error)
		error = open_links(choices, links);
	if (!error)
		error = take_turns(skeleton, choices, links);
	for (size_t i = 0; !error && i < choices->link_count; i++)
		error = report(&links[i], choices->turns);
	flood_bpf__destroy(skeleton);
	return error;
}

static int read_choices(int count, char **words, struct flood_choices *choices)
{
	int i = 0;

	*choices = (struct flood_choices){ .turns = 5 };
	for (; i + 1 < count && words[i][0] == '-'; i += 2) {
		uint64_t *value = !strcmp(words[i], "--turns")	   ? &choices->turns
				  : !strcmp(words[i], "--packets") ? &choices->packets
								   : NULL;

		if (!value || number_parse_text(words[i + 1], 1, UINT32_MAX / 2, value))
			return -EINVAL;
	}
	if (i + 1 >= count || choices->turns > TURNS_MAX)
		return -EINVAL;
	choices->senders = words[i];
	choices->links = words + i + 1;
	choices->link_count = (size_t)(count - i - 1);
	return 0;
}

int bench_flood(int count, char **words)
{
	const struct sched_param priority = { .sched_priority = 1 };
	_cleanup_free_ struct flood_link *links = NULL;
	struct flood_choices choices;
	int error;

	if (read_choices(count, words, &choices)) {
		fprintf(stderr, "usage: fwbench flood [--turns N] [--packets N] SENDERS LINK...\n");
		return 2;
	}
	links = calloc(choices.link_count, sizeof(*links));
	if (!links)
		return 1;
	pin_to_last_cpu();
	/* The kernel does not count time in which others run; but then neither what the receiver
	 * does meanwhile in a thread of its own. So nobody else may run; if not, the turn is noise.
	 */
	sched_setscheduler(0, SCHED_FIFO, &priority);
	error = flood(&choices, links);
	if (error)
		fprintf(stderr, "fwbench: flood: %s\n", strerror(-error));
	return error ? 1 : 0;
}
