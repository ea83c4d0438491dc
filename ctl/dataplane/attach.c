// SPDX-License-Identifier: GPL-2.0-only
/* Both hooks of all interfaces: attach, detach, what is attached, and taking everything away. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "dataplane/internal.h"

int dataplane_attach(struct dataplane *dataplane, const struct link_info *link, enum fw_hook hook,
		     enum attach_mode mode, struct attachment *ret_attachment)
{
	int error;

	if (!dataplane->pin_dir)
		return fail(dataplane, -EINVAL, "a private data plane is attached to nothing");
	if (hook == FW_EGRESS)
		return tc_attach(dataplane, link, ret_attachment);
	error = xdp_attach(dataplane, link, mode, ret_attachment);
	if (!error)
		ret_attachment->no_vlan_tags = link_takes_vlan_tags(link);
	return error;
}

int dataplane_detach(struct dataplane *dataplane, const struct link_info *link, enum fw_hook hook)
{
	return hook == FW_INGRESS ? xdp_detach(dataplane, link) : tc_detach(dataplane, link);
}

static int query(struct dataplane *dataplane, const struct link_info *link, enum fw_hook hook,
		 struct attachment *ret_attachment)
{
	int error;

	if (hook == FW_EGRESS)
		return tc_query(dataplane, link, ret_attachment);
	error = xdp_query(dataplane, link, ret_attachment);
	if (!error)
		ret_attachment->no_vlan_tags = link_takes_vlan_tags(link);
	return error;
}

int dataplane_attachments(struct dataplane *dataplane, struct attachment **ret_attachments,
			  size_t *ret_count)
{
	_cleanup_free_ struct link_info *links = NULL;
	_cleanup_free_ struct attachment *attachments = NULL;
	size_t link_count, count = 0;
	int error = links_read(&links, &link_count);

	if (error)
		return fail(dataplane, error, "cannot read the network interfaces");
	attachments = calloc(link_count * FW_HOOKS + 1, sizeof(*attachments));
	if (!attachments)
		return fail(dataplane, -ENOMEM, "not enough memory");
	for (size_t i = 0; i < link_count; i++) {
		for (enum fw_hook hook = 0; hook < FW_HOOKS; hook++) {
			error = query(dataplane, &links[i], hook, &attachments[count]);
			if (!error)
				count++;
			else if (error != -ENOENT && error != -ENODEV)
				return error;
		}
	}
	*ret_attachments = take_ptr(attachments);
	*ret_count = count;
	return 0;
}

void pins_remove(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (unlinkat(fd, entry->d_name, 0))
			pins_remove(fd, entry->d_name);
		crash_point();
	}
	if (directory)
		closedir(directory);
	unlinkat(parent, name, AT_REMOVEDIR);
}

int dataplane_discard(struct dataplane *dataplane)
{
	_cleanup_free_ char *removing = NULL;
	struct stat info;

	/* In one step, because half a layout cannot be opened again. */
	if (asprintf(&removing, "%s/" PINS_REMOVING, dataplane->pin_dir) < 0)
		return fail(dataplane, -ENOMEM, "not enough memory");
	if (rename(dataplane->layout_dir, removing) && errno != ENOENT)
		return fail(dataplane, -errno, "cannot remove %s: %s", dataplane->layout_dir,
			    strerror(errno));
	crash_point();
	pins_remove(AT_FDCWD, removing);
	if (!stat(removing, &info))
		return fail(dataplane, -EIO, "cannot remove all of %s", removing);
	rmdir(dataplane->pin_dir);
	return 0;
}

/* Links of other namespaces go with their pins; XDP programs there stay until fwctl down there. */
int dataplane_remove(struct dataplane *dataplane)
{
	_cleanup_free_ struct link_info *links = NULL;
	size_t count;
	int error = links_read(&links, &count);

	if (error)
		return fail(dataplane, error, "cannot read the network interfaces");
	for (size_t i = 0; i < count; i++) {
		for (enum fw_hook hook = 0; hook < FW_HOOKS; hook++) {
			error = dataplane_detach(dataplane, &links[i], hook);
			if (error)
				return error;
		}
	}
	return dataplane_discard(dataplane);
}
