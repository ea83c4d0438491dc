/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <string.h>

#include "bench.h"

static const struct {
	const char *name;
	int (*run)(int count, char **words);
} commands[] = {
	{ "classify", bench_classify }, { "flood", bench_flood }, { "limits", bench_limits },
	{ "parse", bench_parse },	{ "rules", bench_rules }, { "sets", bench_sets },
	{ "state", bench_state },	{ "steps", bench_steps }, { "trie", bench_trie },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 2, argv + 2);
	fprintf(stderr,
		"usage: fwbench classify | flood | limits | parse | rules | sets | state | steps | trie ...\n");
	return 2;
}
