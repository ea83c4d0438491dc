/* SPDX-License-Identifier: GPL-2.0-only */
/* Files that are replaced in one step. */
#ifndef FWCTL_COMMANDS_REPLACE_H
#define FWCTL_COMMANDS_REPLACE_H

#include <stddef.h>

/*
 * Writes a new file beside the old one and renames it over it: at any moment, also after a power
 * cut, the path names the old contents or the new. Mode and owner stay; a new file gets 0644. A
 * symbolic link is followed. 0 or -errno, and then the old file is as it was.
 */
int file_replace(const char *path, const char *text, size_t length);

/* Keeps what the path names now as PATH.bak, over an older one. 0 also if there is nothing. */
int file_keep(const char *path);

#endif
