/* SPDX-License-Identifier: GPL-2.0-only */
#include "dataplane/libxdp_fds.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OPEN_FDS "/proc/self/fd"

static void mark_open(struct libxdp_fds *fds)
{
	DIR *directory = opendir(OPEN_FDS);
	const struct dirent *entry;

	memset(fds, 0, sizeof(*fds));
	while (directory && (entry = readdir(directory))) {
		long fd = entry->d_name[0] == '.' ? -1 : strtol(entry->d_name, NULL, 10);

		if (fd >= 0 && fd < LIBXDP_FDS && fd != dirfd(directory))
			fds->bits[fd / 64] |= 1ULL << fd % 64;
	}
	if (directory)
		closedir(directory);
}

void libxdp_fds_note(struct libxdp_fds *ret_fds)
{
	mark_open(ret_fds);
}

static bool is_program(int fd)
{
	static const char program[] = "anon_inode:bpf-prog";
	char path[sizeof(OPEN_FDS) + 16], target[sizeof(program)] = "";

	snprintf(path, sizeof(path), OPEN_FDS "/%d", fd);
	return readlink(path, target, sizeof(target) - 1) > 0 && !strcmp(target, program);
}

void libxdp_fds_close(const struct libxdp_fds *before)
{
	struct libxdp_fds now;

	mark_open(&now);
	for (int fd = 0; fd < LIBXDP_FDS; fd++)
		if (now.bits[fd / 64] & ~before->bits[fd / 64] & 1ULL << fd % 64 && is_program(fd))
			close(fd);
}
