/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fwbench parse: what reading rules costs, in CPU time and in memory. Each case is a process of
 * its own, whose peak the kernel keeps; the one that writes the files is another. Reports, and
 * fails only if what was read is not what was written.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "plane.h"
#include "rules.h"

#define RULES	 100000
#define PREFIXES 1400000
#define RUNS	 5

/* --- Files to read ------------------------------------------------------------------------ */

static int write_rules(FILE *file)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	struct bench_set set;

	bench_set_generate(1, RULES, false, &set);
	bench_set_print(&set, &text);
	bench_set_free(&set);
	return fputs(buffer_text(&text), file) < 0;
}

/* Hosts and networks of both families as in a block list, none in another and in no order. */
static int write_prefixes(FILE *file)
{
	for (uint32_t i = 0; i < PREFIXES; i++) {
		uint32_t block = i * 2654435761u & 0x3fffff; /* an odd factor only reorders */

		if (i % 5 == 0)
			fprintf(file, "2001:%x:%x::/48\n", block >> 16, block & 0xffff);
		else if (i % 5 == 1)
			fprintf(file, "%u.%u.%u.0/24\n", 128 + (block >> 16), block >> 8 & 255,
				block & 255);
		else
			fprintf(file, "%u.%u.%u.%u\n", 1 + (block >> 16), block >> 8 & 255,
				block & 255, i % 251);
	}
	return ferror(file);
}

static int write_list(FILE *file)
{
	return fprintf(file, "set list file \"prefixes.txt\"\n"
			     "ingress default pass {\n    drop from @list\n}\n") < 0;
}

static int write_file(const char *path, int (*write_text)(FILE *file))
{
	FILE *file = fopen(path, "w");
	int failed;

	if (!file)
		return 1;
	failed = write_text(file);
	return (fclose(file) != 0) | failed;
}

/* --- Cases -------------------------------------------------------------------------------- */

static int write_all(void)
{
	return write_file("rules.conf", write_rules) | write_file("prefixes.txt", write_prefixes) |
	       write_file("list.conf", write_list);
}

static int read_rules(void)
{
	struct ruleset *ruleset = rules_read("rules.conf");
	int failed = !ruleset || ruleset->blocks[FW_INGRESS].count != RULES;

	ruleset_free(&ruleset);
	return failed;
}

static int read_prefixes(void)
{
	struct ruleset *ruleset = rules_read("list.conf");
	const struct address_ranges *ranges = ruleset ? &ruleset->sets[0].ranges : NULL;
	/* Some networks touch, and are one range. */
	int failed = !ranges || ranges->inet_count + ranges->inet6_count < PREFIXES / 10 * 9;

	ruleset_free(&ruleset);
	return failed;
}

static const struct {
	const char *name;
	int (*run)(void);
} cases[] = {
	{ "read 100,000 rules", read_rules },
	{ "read a set file of 1.4 M prefixes", read_prefixes },
};

static double seconds(const struct timeval *time)
{
	return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

/* 0, or 1 after a message. */
static int run_apart(int (*run)(void), struct rusage *ret_usage)
{
	pid_t child = fork();
	int status;

	if (!child)
		_exit(run());
	if (child < 0 || wait4(child, &status, 0, ret_usage) != child) {
		fprintf(stderr, "fwbench: %s\n", strerror(errno));
		return 1;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		fprintf(stderr, "fwbench: what was read is not what was written\n");
		return 1;
	}
	return 0;
}

static int run_case(size_t number)
{
	double best = 1e9, worst = 0;
	struct rusage usage;

	for (int i = 0; i < RUNS; i++) {
		double time;

		if (run_apart(cases[number].run, &usage))
			return 1;
		time = seconds(&usage.ru_utime) + seconds(&usage.ru_stime);
		best = time < best ? time : best;
		worst = time > worst ? time : worst;
	}
	printf("%-36s %.2f to %.2f s CPU, peak %ld MB\n", cases[number].name, best, worst,
	       usage.ru_maxrss >> 10);
	return 0;
}

int bench_parse(int count, char **words)
{
	char directory[] = "/tmp/fwbench-XXXXXX";
	struct rusage usage;
	int failed;

	(void)words;
	if (count || !mkdtemp(directory) || chdir(directory)) {
		fprintf(stderr, count ? "usage: fwbench parse\n" : "fwbench: no directory\n");
		return 2;
	}
	failed = run_apart(write_all, &usage);
	for (size_t i = 0; !failed && i < sizeof(cases) / sizeof(cases[0]); i++)
		failed = run_case(i);
	unlink("rules.conf");
	unlink("prefixes.txt");
	unlink("list.conf");
	return rmdir(directory) || failed;
}
