/* SPDX-License-Identifier: GPL-2.0-only */
/* Replaces a file by rename(2): written, synced, then put in its place, and the directory synced.
 */
#include "commands/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

static int write_all(int fd, const char *text, size_t length)
{
	while (length) {
		ssize_t written = write(fd, text, length);

		if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0) {
			text += written;
			length -= (size_t)written;
		}
	}
	return 0;
}

/* Gives the new file what the old one had; the owner only as far as we may. */
static int attributes_copy(int fd, const char *target)
{
	struct stat status;

	if (stat(target, &status))
		return errno == ENOENT ? (fchmod(fd, 0644) ? -errno : 0) : -errno;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	if (fchown(fd, status.st_uid, status.st_gid) && errno != EPERM)
		return -errno;
	return fchmod(fd, status.st_mode & 07777) ? -errno : 0;
}

static int directory_sync(const char *path)
{
	char directory[PATH_MAX];
	const char *slash = strrchr(path, '/');
	_cleanup_close_ int fd = -1;

	snprintf(directory, sizeof(directory), "%.*s", slash ? (int)(slash - path) + 1 : 1,
		 slash ? path : ".");
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) ? -errno : 0;
}

int file_replace(const char *path, const char *text, size_t length)
{
	char target[PATH_MAX], temporary[PATH_MAX + 16];
	_cleanup_close_ int fd = -1;
	int error;

	if (!realpath(path, target))
		snprintf(target, sizeof(target), "%s", path);
	snprintf(temporary, sizeof(temporary), "%s.XXXXXX", target);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	error = attributes_copy(fd, target);
	if (!error)
		error = write_all(fd, text, length);
	if (!error && (fsync(fd) || rename(temporary, target)))
		error = -errno;
	if (error) {
		unlink(temporary);
		return error;
	}
	return directory_sync(target);
}

int file_keep(const char *path)
{
	char target[PATH_MAX], kept[PATH_MAX + 8];

	if (!realpath(path, target))
		return errno == ENOENT ? 0 : -errno;
	snprintf(kept, sizeof(kept), "%s.bak", target);
	if (unlink(kept) && errno != ENOENT)
		return -errno;
	return link(target, kept) ? -errno : 0;
}
