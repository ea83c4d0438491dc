/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The differential test: random rules and packets, on which all judges must agree.
 *
 *	differential [--seed N] [--comparisons N | --seconds N] [--round N] [--no-nft]
 *	differential --prove      each judge is made wrong in turn, and must be found out
 *	differential --pcap DIR   all Ethernet frames of the captures below the directory
 *
 * A round is one random rule file and a batch of frames for each hook; it is decided by the seed
 *and its number alone. Exit status 0: all agree; 1: they do not; 77: this cannot be run here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/number.h"
#include "round.h"

#define SKIPPED 77

struct arguments {
	uint64_t seed;
	uint64_t comparisons;
	uint64_t seconds;
	uint64_t round; /* UINT64_MAX: all */
	const char *pcap;
	bool prove;
	bool with_nft;
};

static int usage(void)
{
	fputs("usage: differential [--seed N] [--comparisons N | --seconds N] [--round N] [--no-nft]\n"
	      "       differential --prove [--seed N]\n"
	      "       differential --pcap DIR [--seed N]\n",
	      stderr);
	return 2;
}

/* The flags without a value; false if `name` is none of them. */
static bool read_flag(const char *name, struct arguments *ret)
{
	if (!strcmp(name, "--prove"))
		ret->prove = true;
	else if (!strcmp(name, "--no-nft"))
		ret->with_nft = false;
	else
		return false;
	return true;
}

static int read_value(const char *name, const char *value, struct arguments *ret)
{
	if (!strcmp(name, "--seed"))
		return number_parse_text(value, 0, UINT64_MAX, &ret->seed);
	if (!strcmp(name, "--comparisons"))
		return number_parse_text(value, 1, UINT64_MAX, &ret->comparisons);
	if (!strcmp(name, "--seconds"))
		return number_parse_text(value, 1, UINT32_MAX, &ret->seconds);
	if (!strcmp(name, "--round"))
		return number_parse_text(value, 0, UINT64_MAX - 1, &ret->round);
	if (strcmp(name, "--pcap") != 0)
		return -EINVAL;
	ret->pcap = value;
	return 0;
}

static int read_arguments(int argc, char **argv, struct arguments *ret)
{
	for (int i = 1; i < argc; i++) {
		if (read_flag(argv[i], ret))
			continue;
		if (i + 1 == argc || read_value(argv[i], argv[i + 1], ret))
			return -EINVAL;
		i++;
	}
	return 0;
}

static const char *why_not_here(bool with_nft)
{
	if (geteuid() != 0)
		return "needs root, for BPF programs and network devices";
	if (with_nft && system("nft --version >/dev/null 2>&1"))
		return "needs nft";
	return NULL;
}

static bool is_done(const struct arguments *arguments, const struct tally *tally, time_t start)
{
	if (arguments->seconds)
		return time(NULL) - start >= (time_t)arguments->seconds;
	return tally->compared >= arguments->comparisons;
}

/* A compiler that refuses what it is given would make the test an empty one. */
static bool too_many_refused(const struct tally *tally)
{
	return tally->too_large > 10 + tally->rounds / 10;
}

static int run_rounds(struct bench *bench, const struct arguments *arguments)
{
	struct tally tally = { 0 };
	time_t start = time(NULL);
	struct round round = { .seed = arguments->seed,
			       .number = arguments->round == UINT64_MAX ? 0 : arguments->round,
			       .largest = SIZE_MAX };
	bool agreed = true;

	do {
		agreed = round_run(bench, &round, &tally);
		round.number++;
		if (too_many_refused(&tally)) {
			puts("too many rule files are too large when compiled");
			agreed = false;
		}
	} while (agreed && arguments->round == UINT64_MAX && !is_done(arguments, &tally, start));
	tally_print(&tally);
	printf("%s: seed %llu, %llu rounds, %llu packets, %llu of them judged by all four, %ld s\n",
	       agreed ? "agreed" : "DISAGREED", (unsigned long long)arguments->seed,
	       (unsigned long long)tally.rounds, (unsigned long long)tally.packets,
	       (unsigned long long)tally.compared, (long)(time(NULL) - start));
	if (!agreed)
		printf("again: --seed %llu --round %llu\n", (unsigned long long)arguments->seed,
		       (unsigned long long)round.number - 1);
	return agreed ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct arguments arguments = { .comparisons = 20000,
				       .round = UINT64_MAX,
				       .seed = (uint64_t)time(NULL) << 16 ^ (uint64_t)getpid(),
				       .with_nft = true };
	struct bench bench;
	const char *why;
	int status;

	if (read_arguments(argc, argv, &arguments))
		return usage();
	setvbuf(stdout, NULL, _IOLBF, 0);
	why = why_not_here(arguments.with_nft);
	if (why) {
		printf("skipped: %s\n", why);
		return SKIPPED;
	}
	printf("seed %llu\n", (unsigned long long)arguments.seed);
	if (bench_open(arguments.with_nft, &bench))
		return 1;
	if (arguments.prove)
		status = prove(&bench, arguments.seed);
	else if (arguments.pcap)
		status = captures_run(&bench, arguments.seed, arguments.pcap);
	else
		status = run_rounds(&bench, &arguments);
	bench_close(&bench);
	return status;
}
