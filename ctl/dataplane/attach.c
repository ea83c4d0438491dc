// SPDX-License-Identifier: GPL-2.0-only
/* Both hooks of all interfaces: attach, detach, what is attached, and taking everything away. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <bpf/bpf.h>

#include "dataplane/internal.h"

#define FREE_RETRY 20	/* milliseconds */
#define FREE_MOST  3000 /* milliseconds that the kernel may take to free a program */

int dataplane_attach(struct dataplane *dataplane, const struct link_info *link, enum fw_hook hook,
		     enum attach_mode mode, struct attachment *ret_attachment)
{
	int error;

	if (!dataplane->pin_dir)
		return fail(dataplane, -EINVAL, "a private data plane is attached to nothing");
	if (hook == FW_EGRESS)
		return tc_attach(dataplane, link, PROGRAM_EGRESS, ret_attachment);
	error = xdp_attach(dataplane, link, mode, ret_attachment);
	if (error)
		return error;
	ret_attachment->no_vlan_tags = link_takes_vlan_tags(link);
	own_macs_note(&dataplane->maps, link, ret_attachment->mode, mode == ATTACH_NATIVE);
	ret_attachment->answers_syns =
		own_macs_are_noted(&dataplane->maps, link, ret_attachment->mode);
	return 0;
}

int dataplane_detach(struct dataplane *dataplane, const struct link_info *link, enum fw_hook hook)
{
	if (hook == FW_EGRESS)
		return tc_detach(dataplane, link, PROGRAM_EGRESS);
	own_mac_note(&dataplane->maps, link, false);
	return xdp_detach(dataplane, link);
}

void dataplane_answer_syns(struct dataplane *dataplane, const struct link_info *link,
			   bool may_answer)
{
	own_mac_note(&dataplane->maps, link, may_answer);
}

int dataplane_attach_answers(struct dataplane *dataplane, const struct link_info *link,
			     struct attachment *ret_attachment)
{
	int error = session_need_maps(dataplane);

	return error ? error : tc_attach(dataplane, link, PROGRAM_ANSWER, ret_attachment);
}

int dataplane_detach_answers(struct dataplane *dataplane, const struct link_info *link)
{
	return tc_detach(dataplane, link, PROGRAM_ANSWER);
}

static int query(struct dataplane *dataplane, const struct link_info *link, enum program program,
		 struct attachment *ret_attachment)
{
	int error;

	if (program != PROGRAM_INGRESS)
		return tc_query(dataplane, link, program, ret_attachment);
	error = xdp_query(dataplane, link, ret_attachment);
	if (error)
		return error;
	ret_attachment->no_vlan_tags = link_takes_vlan_tags(link);
	ret_attachment->answers_syns =
		own_macs_are_noted(&dataplane->maps, link, ret_attachment->mode);
	return 0;
}

/* The programs from `first` to `last` on all interfaces. */
static int attachments_read(struct dataplane *dataplane, enum program first, enum program last,
			    struct attachment **ret_attachments, size_t *ret_count)
{
	_cleanup_free_ struct link_info *links = NULL;
	_cleanup_free_ struct attachment *attachments = NULL;
	size_t link_count, count = 0;
	int error = links_read(&links, &link_count);

	if (error)
		return fail(dataplane, error, "cannot read the network interfaces");
	attachments = calloc(link_count * PROGRAMS + 1, sizeof(*attachments));
	if (!attachments)
		return fail(dataplane, -ENOMEM, "not enough memory");
	for (size_t i = 0; i < link_count; i++) {
		for (enum program program = first; program <= last; program++) {
			error = query(dataplane, &links[i], program, &attachments[count]);
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

int dataplane_attachments(struct dataplane *dataplane, struct attachment **ret_attachments,
			  size_t *ret_count)
{
	return attachments_read(dataplane, PROGRAM_INGRESS, PROGRAM_EGRESS, ret_attachments,
				ret_count);
}

int dataplane_answers(struct dataplane *dataplane, struct attachment **ret_attachments,
		      size_t *ret_count)
{
	return attachments_read(dataplane, PROGRAM_ANSWER, PROGRAM_ANSWER, ret_attachments,
				ret_count);
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

void dataplane_clean_gone(struct dataplane *dataplane)
{
	tc_pins_clean(dataplane);
	dispatchers_clean(dataplane);
}

/* What was attached in this namespace, before it was detached. */
struct detached {
	struct attachment *items;
	size_t count;
};

static bool was_here(const struct detached *detached, uint32_t program)
{
	for (size_t i = 0; i < detached->count; i++) {
		if (detached->items[i].program_id == program)
			return true;
	}
	return false;
}

/*
 * A program that uses our maps and was not attached here; 0 if there is none. Those of here are not
 * looked at, because libxdp keeps them open for as long as we live.
 */
static uint32_t program_left(const struct dataplane *dataplane, const struct detached *detached)
{
	uint32_t id = 0;
	bool current;

	while (!bpf_prog_get_next_id(id, &id)) {
		if (!was_here(detached, id) &&
		    program_is_ours(dataplane, id, PROGRAM_INGRESS, &current))
			return id;
	}
	return 0;
}

/*
 * With the pins gone, programs in other namespaces could not be managed from there any more (and
 * TCX links would end): so they stay until those are down too. The kernel takes a moment to free
 * what was detached.
 */
static int check_nothing_left(struct dataplane *dataplane, const struct detached *detached)
{
	const struct timespec pause = { .tv_nsec = FREE_RETRY * 1000000L };
	uint32_t left = 0;

	dataplane_clean_gone(dataplane);
	for (unsigned i = 0; i * FREE_RETRY < FREE_MOST; i++) {
		left = program_left(dataplane, detached);
		if (!left)
			return 0;
		nanosleep(&pause, NULL);
	}
	return fail(dataplane, -EBUSY,
		    "the rules filter in another network namespace too (program %u, see bpftool "
		    "net), so the pins stay; nothing is filtered in this one any more; run fwctl "
		    "down there",
		    left);
}

static int links_detach(struct dataplane *dataplane)
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
		error = dataplane_detach_answers(dataplane, &links[i]);
		if (error)
			return error;
	}
	return 0;
}

int dataplane_remove(struct dataplane *dataplane)
{
	struct detached detached = { 0 };
	int error = attachments_read(dataplane, PROGRAM_INGRESS, PROGRAM_ANSWER, &detached.items,
				     &detached.count);

	if (!error)
		error = links_detach(dataplane);
	if (!error)
		error = check_nothing_left(dataplane, &detached);
	free(detached.items);
	return error ? error : dataplane_discard(dataplane);
}
