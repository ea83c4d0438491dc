// SPDX-License-Identifier: GPL-2.0-only
/*
 * TC egress on one interface: a pinned TCX link where the kernel has TCX (6.6), else a filter on
 * a clsact qdisc.
 *
 * What is attached is told by names in the layout's `links` directory, with the namespace in them
 * because interface numbers are unique only within one:
 *   egress-NAMESPACE-IFINDEX           the pinned link (with -1 and so on if that is taken)
 *   clsact-NAMESPACE-IFINDEX           a directory: our filter is there
 *   clsact-NAMESPACE-IFINDEX-qdisc     a directory: the qdisc is ours too
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <netlink/route/classifier.h>
#include <netlink/route/tc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "dataplane/internal.h"

/* Newer than the <linux/bpf.h> of the oldest system that we build on. */
#define TCX_EGRESS	  47
#define LINK_TCX	  11
#define TCX_BEFORE	  (1U << 3) /* with nothing named: before all others */
#define TCX_LINKS	  64	    /* that the kernel has on one interface */
#define TCX_PREFIX	  "egress"
#define FILTER_HANDLE	  0x66774331U
#define FILTER_PRIORITIES 8 /* that we try */

/* The head of struct bpf_link_info, for TCX links. */
struct tcx_info {
	uint32_t type;
	uint32_t id;
	uint32_t program_id;
	uint32_t pad;
	uint32_t interface; /* 0: it is gone */
	uint32_t attach_type;
};

static int names_path(const struct dataplane *dataplane, const struct link_info *link,
		      const char *prefix, const char *suffix, char path[PATH_MAX])
{
	struct stat info;

	if (stat("/proc/self/ns/net", &info))
		return -errno;
	snprintf(path, PATH_MAX, "%s/links/%s-%lu-%u%s", dataplane->layout_dir, prefix,
		 (unsigned long)info.st_ino, link->index, suffix);
	return 0;
}

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

/* Which links are on the interface at egress. None on a kernel without TCX. */
struct tcx_links {
	uint32_t ids[TCX_LINKS];
	uint32_t count;
};

static int tcx_links_read(uint32_t interface, struct tcx_links *ret_links)
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
		.attach_type = TCX_EGRESS,
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

/*
 * Finds the pin of our link on the interface, opens it and tells its path; -ENOENT. The kernel is
 * asked, because a name says too little: an interface may go to another namespace with its link,
 * and another get its number.
 */
static int tcx_find(struct dataplane *dataplane, const struct link_info *link, char path[PATH_MAX],
		    struct tcx_info *ret_info)
{
	_cleanup_free_ char *directory = NULL;
	struct tcx_links links;
	struct dirent *entry;
	DIR *pins = NULL;
	int fd, error = names_path(dataplane, link, TCX_PREFIX, "", path);

	if (!error)
		error = tcx_links_read(link->index, &links);
	if (error)
		return error;
	fd = tcx_open(dataplane, path, &links, ret_info);
	if (fd != -ENOENT || !links.count)
		return fd;
	if (asprintf(&directory, "%s/links", dataplane->layout_dir) < 0)
		return -ENOMEM;
	pins = opendir(directory);
	while (pins && fd == -ENOENT && (entry = readdir(pins))) {
		if (strncmp(entry->d_name, TCX_PREFIX "-", strlen(TCX_PREFIX "-")) != 0)
			continue;
		snprintf(path, PATH_MAX, "%s/%s", directory, entry->d_name);
		fd = tcx_open(dataplane, path, &links, ret_info);
	}
	if (pins)
		closedir(pins);
	return fd;
}

void tc_pins_clean(const struct dataplane *dataplane)
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

		if (strncmp(entry->d_name, TCX_PREFIX "-", strlen(TCX_PREFIX "-")) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		tcx_open(dataplane, path, &none, &info);
	}
	if (pins)
		closedir(pins);
}

/* A link of our own that died with its command is no trouble: the kernel takes it off. */
static int tcx_attach(struct dataplane *dataplane, const struct link_info *link, int program)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = TCX_BEFORE);
	_cleanup_close_ int fd = bpf_link_create(program, (int)link->index,
						 (enum bpf_attach_type)TCX_EGRESS, &options);
	char path[PATH_MAX], suffix[16] = "";
	int error = -EEXIST;

	if (fd < 0)
		return fd;
	crash_point();
	/* The name may be that of an interface which went elsewhere: then it gets another. */
	for (unsigned i = 0; i < TCX_LINKS && error == -EEXIST; i++) {
		if (i)
			snprintf(suffix, sizeof(suffix), "-%u", i);
		error = names_path(dataplane, link, TCX_PREFIX, suffix, path);
		if (!error)
			error = bpf_obj_pin(fd, path);
	}
	return error;
}

/* FWCTL_TC=clsact: for tests, and for who has tools that know no TCX. */
static bool tcx_wanted(void)
{
	const char *text = getenv("FWCTL_TC");

	return !text || strcmp(text, "clsact") != 0;
}

#define CLSACT_HOOK(name, link) \
	LIBBPF_OPTS(bpf_tc_hook, name, .ifindex = (int)(link)->index, .attach_point = BPF_TC_EGRESS)

/* Our filter, as the kernel has it now. */
struct clsact_found {
	uint32_t priority;
	uint32_t id;
	bool current;
};

/* -ENOENT: none is ours. Another instance of fwctl uses the same handle, at another priority. */
static int clsact_find(struct dataplane *dataplane, const struct link_info *link,
		       struct clsact_found *ret_found)
{
	CLSACT_HOOK(hook, link);
	struct clsact_found found;

	for (uint32_t priority = 1; priority <= FILTER_PRIORITIES; priority++) {
		LIBBPF_OPTS(bpf_tc_opts, options, .handle = FILTER_HANDLE, .priority = priority);

		if (bpf_tc_query(&hook, &options))
			continue;
		found = (struct clsact_found){ priority, options.prog_id, false };
		if (!program_is_ours(dataplane, found.id, FW_EGRESS, &found.current))
			continue;
		*ret_found = found;
		return 0;
	}
	return -ENOENT;
}

/* Removes filters of ours that nobody has the pins of any more. */
static void clsact_remove_orphans(const struct link_info *link)
{
	CLSACT_HOOK(hook, link);

	for (uint32_t priority = 1; priority <= FILTER_PRIORITIES; priority++) {
		LIBBPF_OPTS(bpf_tc_opts, there, .handle = FILTER_HANDLE, .priority = priority);
		LIBBPF_OPTS(bpf_tc_opts, named, .handle = FILTER_HANDLE, .priority = priority);

		if (!bpf_tc_query(&hook, &there) && program_is_orphan(there.prog_id, FW_EGRESS))
			bpf_tc_detach(&hook, &named);
	}
}

/* Marks come first: a crash may leave a mark without its filter, but no filter without a mark. */
static int mark(const char *path)
{
	return mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
}

static int clsact_attach(struct dataplane *dataplane, const struct link_info *link, int program)
{
	CLSACT_HOOK(hook, link);
	char path[PATH_MAX];
	struct clsact_found found;
	bool replace = !clsact_find(dataplane, link, &found);
	int error = names_path(dataplane, link, "clsact", "", path);

	if (!error)
		error = mark(path);
	if (error)
		return error;
	crash_point();
	hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
	error = replace ? -EEXIST : bpf_tc_hook_create(&hook);
	if (error && error != -EEXIST)
		return error;
	if (!error) {
		names_path(dataplane, link, "clsact", "-qdisc", path);
		mark(path);
	}
	crash_point();
	hook.attach_point = BPF_TC_EGRESS;
	for (uint32_t i = replace ? found.priority : 1; i <= FILTER_PRIORITIES; i++) {
		LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = program, .handle = FILTER_HANDLE,
			    .priority = i, .flags = replace ? BPF_TC_F_REPLACE : 0);

		error = bpf_tc_attach(&hook, &options);
		if (!error || replace)
			break;
	}
	return error;
}

/* Does anybody else filter on the qdisc? */
static bool clsact_is_empty(const struct link_info *link)
{
	static const uint32_t parents[] = { 0xfffffff2U, 0xfffffff3U }; /* ingress, egress */
	struct nl_sock *socket = nl_socket_alloc();
	bool empty = socket && !nl_connect(socket, NETLINK_ROUTE);

	for (size_t i = 0; i < 2 && empty; i++) {
		struct nl_cache *cache;

		if (rtnl_cls_alloc_cache(socket, (int)link->index, parents[i], &cache)) {
			empty = false;
			break;
		}
		empty = nl_cache_is_empty(cache);
		nl_cache_free(cache);
	}
	nl_socket_free(socket);
	return empty;
}

/* Removes our filter, and the qdisc if it was ours and nobody uses it. */
static int clsact_detach(struct dataplane *dataplane, const struct link_info *link)
{
	CLSACT_HOOK(hook, link);
	char path[PATH_MAX];
	struct stat info;
	struct clsact_found found;
	int error = names_path(dataplane, link, "clsact", "", path);

	if (error)
		return error;
	if (!clsact_find(dataplane, link, &found)) {
		LIBBPF_OPTS(bpf_tc_opts, options, .handle = FILTER_HANDLE,
			    .priority = found.priority);

		error = bpf_tc_detach(&hook, &options);
		if (error)
			return error;
	}
	clsact_remove_orphans(link);
	rmdir(path);
	names_path(dataplane, link, "clsact", "-qdisc", path);
	if (stat(path, &info))
		return 0;
	if (clsact_is_empty(link)) {
		hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
		bpf_tc_hook_destroy(&hook);
	}
	return rmdir(path) ? -errno : 0;
}

static int clsact_query(struct dataplane *dataplane, const struct link_info *link,
			struct attachment *attachment)
{
	struct clsact_found found;
	int error = clsact_find(dataplane, link, &found);

	if (error)
		return error;
	attachment->mode = "clsact";
	attachment->program_id = found.id;
	attachment->current = found.current;
	return 0;
}

int tc_query(struct dataplane *dataplane, const struct link_info *link,
	     struct attachment *ret_attachment)
{
	struct attachment attachment = { .link = *link, .hook = FW_EGRESS, .mode = "tcx" };
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	struct tcx_info info;
	int error = 0;

	library_forget();
	fd = tcx_find(dataplane, link, path, &info);
	if (fd >= 0) {
		attachment.program_id = info.program_id;
		if (!program_is_ours(dataplane, info.program_id, FW_EGRESS, &attachment.current))
			error = -ENOENT;
	} else if (fd == -ENOENT) {
		error = clsact_query(dataplane, link, &attachment);
	} else {
		error = fail(dataplane, fd, "cannot see the TCX programs of %s: %s", link->name,
			     bpf_reason(fd));
	}
	if (error)
		return error;
	*ret_attachment = attachment;
	return 0;
}

int tc_detach(struct dataplane *dataplane, const struct link_info *link)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	struct tcx_info info;
	int error = 0;

	library_forget();
	fd = tcx_find(dataplane, link, path, &info);
	if (fd != -ENOENT && (fd < 0 || unlink(path)))
		error = fd < 0 ? fd : -errno;
	crash_point();
	if (!error)
		error = clsact_detach(dataplane, link);
	if (error)
		return fail(dataplane, error, "cannot detach from %s (TC egress): %s (%s)",
			    link->name, strerror(-error), library_cause());
	return 0;
}

/* Puts the loaded program in place of `old`, or newly. */
static int tc_put(struct dataplane *dataplane, const struct link_info *link, int program,
		  const struct attachment *old)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	struct tcx_info info;
	int error;

	if (old && !strcmp(old->mode, "tcx")) {
		fd = tcx_find(dataplane, link, path, &info);
		return fd < 0 ? fd : bpf_link_update(fd, program, NULL);
	}
	if (!old && tcx_wanted()) {
		error = tcx_attach(dataplane, link, program);
		/* A kernel without TCX knows no such attach type. */
		if (error != -EINVAL && error != -EOPNOTSUPP)
			return error;
	}
	return clsact_attach(dataplane, link, program);
}

int tc_attach(struct dataplane *dataplane, const struct link_info *link,
	      struct attachment *ret_attachment)
{
	struct attachment found;
	bool layer3;
	int program, error = tc_query(dataplane, link, &found);

	if (!error && found.current) {
		*ret_attachment = found;
		return 0;
	}
	if (error && error != -ENOENT)
		return error;
	if (link_layer3(link, &layer3))
		return fail(dataplane, -EOPNOTSUPP,
			    "cannot attach to %s: its frames (link type %u) "
			    "are neither Ethernet nor IP",
			    link->name, link->type);
	if (program_get(dataplane, FW_EGRESS, layer3, &program))
		return -EINVAL;
	crash_point();
	library_forget();
	error = tc_put(dataplane, link, program, error ? NULL : &found);
	crash_point();
	if (!error)
		clsact_remove_orphans(link);
	if (error)
		return fail(dataplane, error, "cannot attach to %s (TC egress): %s%s%s", link->name,
			    bpf_reason(error), *library_cause() ? ": " : "", library_cause());
	return tc_query(dataplane, link, ret_attachment);
}
