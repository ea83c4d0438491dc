// SPDX-License-Identifier: GPL-2.0-only
/* TCX (kernel 6.6): a pinned link on the interface, before all others. */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "dataplane/tc_internal.h"

/* Newer than the <linux/bpf.h> of the oldest system that we build on. */
#define LINK_TCX   11
#define TCX_BEFORE (1U << 3) /* with nothing named: before all others */
#define TCX_LINKS  64	     /* that the kernel has on one interface */

static int tcx_info(int link, struct tcx_info *ret_info)
{
	uint32_t length = sizeof(*ret_info);
	int error;

	memset(ret_info, 0, sizeof(*ret_info));
	error = bpf_obj_get_info_by_fd(link, ret_info, &length);
	if (!error && ret_info->type != LINK_TCX)
		error = -EUCLEAN;
	return error;
}

/* Which links are on the interface. None on a kernel without TCX. */
struct tcx_links {
	uint32_t ids[TCX_LINKS];
	uint32_t count;
};

static int tcx_links_read(uint32_t interface, uint32_t attach_type, struct tcx_links *ret_links)
{
	uint32_t programs[TCX_LINKS] = { 0 };
	struct {
		uint32_t interface;
		uint32_t attach_type;
		uint32_t query_flags;
		uint32_t attach_flags;
		uint64_t programs;
		uint32_t count;
		uint32_t pad;
		uint64_t program_flags;
		uint64_t links;
		uint64_t link_flags;
		uint64_t revision;
	} query = {
		.interface = interface,
		.attach_type = attach_type,
		.programs = (uintptr_t)programs,
		.count = TCX_LINKS,
		.links = (uintptr_t)ret_links->ids,
	};

	*ret_links = (struct tcx_links){ .count = 0 };
	if (syscall(SYS_bpf, BPF_PROG_QUERY, &query, sizeof(query)))
		/* What an older kernel says: it knows no such type, or no such field. */
		return errno == EINVAL || errno == E2BIG ? 0 : -errno;
	ret_links->count = query.count < TCX_LINKS ? query.count : TCX_LINKS;
	return 0;
}

/* Opens the pin if its link is one of these; -ENOENT. Who may change takes a dead pin away. */
static int tcx_open(const struct dataplane *dataplane, const char *path,
		    const struct tcx_links *links, struct tcx_info *ret_info)
{
	int link = bpf_obj_get(path);
	int error;

	if (link < 0)
		return link;
	error = tcx_info(link, ret_info);
	for (uint32_t i = 0; !error && i < links->count; i++) {
		if (links->ids[i] == ret_info->id)
			return link;
	}
	close(link);
	if (!error && !ret_info->interface && dataplane->change)
		unlink(path);
	return error ? error : -ENOENT;
}

static bool name_is_of(const char *name, const struct tc_place *place)
{
	size_t length = strlen(place->pins);

	return !strncmp(name, place->pins, length) && name[length] == '-';
}

/*
 * Finds the pin of our link on the interface, opens it and tells its path; -ENOENT. The kernel is
 * asked, because a name says too little: an interface may go to another namespace with its link,
 * and another get its number.
 */
int tcx_find(struct dataplane *dataplane, const struct link_info *link,
	     const struct tc_place *place, char path[PATH_MAX], struct tcx_info *ret_info)
{
	_cleanup_free_ char *directory = NULL;
	struct tcx_links links;
	struct dirent *entry;
	DIR *pins = NULL;
	int fd, error = tc_path(dataplane, link, place->pins, "", path);

	if (!error)
		error = tcx_links_read(link->index, place->tcx, &links);
	if (error)
		return error;
	fd = tcx_open(dataplane, path, &links, ret_info);
	if (fd != -ENOENT || !links.count)
		return fd;
	if (asprintf(&directory, "%s/links", dataplane->layout_dir) < 0)
		return -ENOMEM;
	pins = opendir(directory);
	while (pins && fd == -ENOENT && (entry = readdir(pins))) {
		if (!name_is_of(entry->d_name, place))
			continue;
		snprintf(path, PATH_MAX, "%s/%s", directory, entry->d_name);
		fd = tcx_open(dataplane, path, &links, ret_info);
	}
	if (pins)
		closedir(pins);
	return fd;
}

void tcx_pins_clean(const struct dataplane *dataplane, const struct tc_place *place)
{
	const struct tcx_links none = { .count = 0 };
	_cleanup_free_ char *directory = NULL;
	DIR *pins = NULL;
	struct dirent *entry;

	if (asprintf(&directory, "%s/links", dataplane->layout_dir) >= 0)
		pins = opendir(directory);
	while (pins && (entry = readdir(pins))) {
		char path[PATH_MAX];
		struct tcx_info info;

		if (!name_is_of(entry->d_name, place))
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		tcx_open(dataplane, path, &none, &info);
	}
	if (pins)
		closedir(pins);
}

/* A link of our own that died with its command is no trouble: the kernel takes it off. */
int tcx_attach(struct dataplane *dataplane, const struct link_info *link,
	       const struct tc_place *place, int program)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = TCX_BEFORE);
	_cleanup_close_ int fd = bpf_link_create(program, (int)link->index,
						 (enum bpf_attach_type)place->tcx, &options);
	char path[PATH_MAX], suffix[16] = "";
	int error = -EEXIST;

	if (fd < 0)
		return fd;
	crash_point();
	/* The name may be that of an interface which went elsewhere: then it gets another. */
	for (unsigned i = 0; i < TCX_LINKS && error == -EEXIST; i++) {
		if (i)
			snprintf(suffix, sizeof(suffix), "-%u", i);
		error = tc_path(dataplane, link, place->pins, suffix, path);
		if (!error)
			error = bpf_obj_pin(fd, path);
	}
	return error;
}
