/* SPDX-License-Identifier: GPL-2.0-only */
/* fwbench trie LIST LINK: fills an LPM_TRIE and leaves a program on the link that asks it. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "bench.h"
#include "trie.skel.h"

struct trie_key {
	uint32_t length;
	struct in_addr address;
};

static int read_key(char *line, struct trie_key *key)
{
	char *slash = strchr(line, '/');

	line[strcspn(line, "\n")] = 0;
	key->length = slash ? (uint32_t)atoi(slash + 1) : 32;
	if (slash)
		*slash = 0;
	return inet_aton(line, &key->address) && key->length <= 32 ? 0 : -EINVAL;
}

/* Batches into an LPM_TRIE fail on some kernels, so one by one. */
static int fill(FILE *file, int map)
{
	uint32_t value = 1;
	char line[64];
	int error = 0;

	rewind(file);
	while (!error && fgets(line, sizeof(line), file)) {
		struct trie_key key;

		error = read_key(line, &key);
		if (!error)
			error = bpf_map_update_elem(map, &key, &value, BPF_ANY);
	}
	return error;
}

static uint32_t count_lines(FILE *file)
{
	uint32_t count = 0;
	int character;

	while ((character = fgetc(file)) != EOF)
		count += character == '\n';
	return count;
}

int bench_trie(int count, char **words)
{
	_cleanup_fclose_ FILE *file = count == 2 ? fopen(words[0], "re") : NULL;
	struct trie_bpf *skeleton;
	int error;

	if (!file || !if_nametoindex(words[1])) {
		fprintf(stderr, "usage: fwbench trie LIST LINK\n");
		return 2;
	}
	skeleton = trie_bpf__open();
	if (!skeleton)
		return 1;
	bpf_map__set_max_entries(skeleton->maps.prefixes, count_lines(file) + 1);
	error = trie_bpf__load(skeleton);
	if (!error)
		error = fill(file, bpf_map__fd(skeleton->maps.prefixes));
	if (!error)
		error = bpf_xdp_attach((int)if_nametoindex(words[1]),
				       bpf_program__fd(skeleton->progs.trie_drop), 0, NULL);
	trie_bpf__destroy(skeleton);
	if (error)
		fprintf(stderr, "fwbench: trie: %s\n", strerror(-error));
	return error ? 1 : 0;
}
