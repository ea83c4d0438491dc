// SPDX-License-Identifier: GPL-2.0-only
/*
 * Orphans: programs of fwctl that are attached, while nobody has their pins any more because they
 * were removed by hand. Nobody else can manage them, so whoever meets one may replace or remove it.
 *
 * It is told by its name and its maps, and by its `active`, which is pinned in no bpf file system
 * that this process sees.
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <mntent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/internal.h"

#define ACTIVE_PIN   "active"
#define ACTIVE_MAP   "fw_active"
#define DEPTH_MOST   8 /* directories below a mount: --pin-dir may be deep */
#define PROGRAM_MAPS 64

static bool pin_is_map(const char *path, uint32_t wanted)
{
	_cleanup_close_ int fd = bpf_obj_get(path);
	uint32_t id;

	return fd >= 0 && !map_id(fd, &id) && id == wanted;
}

/* Is the map pinned as `active` in the directory or below? */
static bool directory_pins(const char *path, uint32_t wanted, unsigned depth)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	bool found = false;

	while (directory && !found && (entry = readdir(directory))) {
		_cleanup_free_ char *below = NULL;

		if (entry->d_name[0] == '.' || asprintf(&below, "%s/%s", path, entry->d_name) < 0)
			continue;
		if (entry->d_type == DT_DIR && depth < DEPTH_MOST)
			found = directory_pins(below, wanted, depth + 1);
		else if (!strcmp(entry->d_name, ACTIVE_PIN))
			found = pin_is_map(below, wanted);
	}
	if (directory)
		closedir(directory);
	return found;
}

/* Also true if it cannot be told. */
static bool map_is_pinned(uint32_t id)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *mount;
	bool found = !mounts;

	while (mounts && !found && (mount = getmntent(mounts))) {
		if (!strcmp(mount->mnt_type, "bpf"))
			found = directory_pins(mount->mnt_dir, id, 0);
	}
	if (mounts)
		endmntent(mounts);
	return found;
}

static uint32_t active_of(const uint32_t *maps, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		_cleanup_close_ int fd = bpf_map_get_fd_by_id(maps[i]);
		struct bpf_map_info info = {};
		uint32_t length = sizeof(info);

		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &length) &&
		    !strcmp(info.name, ACTIVE_MAP))
			return info.id;
	}
	return 0;
}

bool program_is_orphan(uint32_t id, enum program program)
{
	_cleanup_close_ int fd = bpf_prog_get_fd_by_id(id);
	uint32_t maps[PROGRAM_MAPS], active, length = sizeof(struct bpf_prog_info);
	struct bpf_prog_info info = { .nr_map_ids = PROGRAM_MAPS, .map_ids = (uintptr_t)maps };

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length) ||
	    strcmp(info.name, program_name(program)) != 0)
		return false;
	active = active_of(maps, info.nr_map_ids < PROGRAM_MAPS ? info.nr_map_ids : PROGRAM_MAPS);
	return active && !map_is_pinned(active);
}
