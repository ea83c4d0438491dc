/* SPDX-License-Identifier: GPL-2.0-only */
/* The subcommands of fwbench. Each takes the words behind its name and returns the exit status. */
#ifndef FWBENCH_BENCH_H
#define FWBENCH_BENCH_H

int bench_classify(int count, char **words);
int bench_flood(int count, char **words);
int bench_limits(int count, char **words);
int bench_steps(int count, char **words);
int bench_parse(int count, char **words);
int bench_rules(int count, char **words);
int bench_sets(int count, char **words);
int bench_state(int count, char **words);
int bench_trie(int count, char **words);

#endif
