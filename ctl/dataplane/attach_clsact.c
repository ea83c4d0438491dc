// SPDX-License-Identifier: GPL-2.0-only
/* Kernels without TCX: a filter on a clsact qdisc, which both our programs share. */
#include <bpf/bpf.h>
#include <errno.h>
#include <netlink/route/classifier.h>
#include <netlink/route/tc.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "dataplane/tc_internal.h"

#define FILTER_HANDLE	  0x66774331U
#define FILTER_PRIORITIES 8 /* that we try */
#define QDISC_MARK	  "clsact"

#define CLSACT_HOOK(name, link, place)                                \
	LIBBPF_OPTS(bpf_tc_hook, name, .ifindex = (int)(link)->index, \
		    .attach_point = (place)->point)

/* Our filter, as the kernel has it now. */
struct clsact_found {
	uint32_t priority;
	uint32_t id;
	bool current;
};

/* Marks come first: a crash may leave a mark without its filter, but no filter without a mark. */
static bool is_marked(const struct dataplane *dataplane, const struct link_info *link,
		      const struct tc_place *place)
{
	char path[PATH_MAX];
	struct stat info;

	return !tc_path(dataplane, link, place->marks, "", path) && !stat(path, &info);
}

/*
 * -ENOENT: none is ours. Another instance of fwctl uses the same handle, at another priority. Each
 * question takes a socket, so they are asked only where a mark says that we have been there.
 */
static int clsact_find(struct dataplane *dataplane, const struct link_info *link,
		       const struct tc_place *place, struct clsact_found *ret_found)
{
	CLSACT_HOOK(hook, link, place);
	struct clsact_found found;

	if (!is_marked(dataplane, link, place))
		return -ENOENT;
	for (uint32_t priority = 1; priority <= FILTER_PRIORITIES; priority++) {
		LIBBPF_OPTS(bpf_tc_opts, options, .handle = FILTER_HANDLE, .priority = priority);

		if (bpf_tc_query(&hook, &options))
			continue;
		found = (struct clsact_found){ priority, options.prog_id, false };
		if (!program_is_ours(dataplane, found.id, place->program, &found.current))
			continue;
		*ret_found = found;
		return 0;
	}
	return -ENOENT;
}

/* Removes filters of ours that nobody has the pins of any more. */
void clsact_remove_orphans(const struct link_info *link, const struct tc_place *place)
{
	CLSACT_HOOK(hook, link, place);

	for (uint32_t priority = 1; priority <= FILTER_PRIORITIES; priority++) {
		LIBBPF_OPTS(bpf_tc_opts, there, .handle = FILTER_HANDLE, .priority = priority);
		LIBBPF_OPTS(bpf_tc_opts, named, .handle = FILTER_HANDLE, .priority = priority);

		if (!bpf_tc_query(&hook, &there) &&
		    program_is_orphan(there.prog_id, place->program))
			bpf_tc_detach(&hook, &named);
	}
}

static int mark(const char *path)
{
	return mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
}

int clsact_attach(struct dataplane *dataplane, const struct link_info *link,
		  const struct tc_place *place, int program)
{
	CLSACT_HOOK(hook, link, place);
	char path[PATH_MAX];
	struct clsact_found found;
	bool replace = !clsact_find(dataplane, link, place, &found);
	int error = tc_path(dataplane, link, place->marks, "", path);

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
		tc_path(dataplane, link, QDISC_MARK, "-qdisc", path);
		mark(path);
	}
	crash_point();
	hook.attach_point = place->point;
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
int clsact_detach(struct dataplane *dataplane, const struct link_info *link,
		  const struct tc_place *place)
{
	CLSACT_HOOK(hook, link, place);
	char path[PATH_MAX];
	struct stat info;
	struct clsact_found found;
	enum program other = place->program == PROGRAM_ANSWER ? PROGRAM_EGRESS : PROGRAM_ANSWER;
	struct attachment still;
	int error = tc_path(dataplane, link, place->marks, "", path);

	if (error)
		return error;
	if (!clsact_find(dataplane, link, place, &found)) {
		LIBBPF_OPTS(bpf_tc_opts, options, .handle = FILTER_HANDLE,
			    .priority = found.priority);

		error = bpf_tc_detach(&hook, &options);
		if (error)
			return error;
	}
	clsact_remove_orphans(link, place);
	rmdir(path);
	tc_path(dataplane, link, QDISC_MARK, "-qdisc", path);
	if (stat(path, &info))
		return 0;
	if (clsact_is_empty(link)) {
		hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
		bpf_tc_hook_destroy(&hook);
	} else if (!tc_query(dataplane, link, other, &still)) {
		return 0; /* our other program will see to it */
	}
	return rmdir(path) ? -errno : 0;
}

int clsact_query(struct dataplane *dataplane, const struct link_info *link,
		 const struct tc_place *place, struct attachment *attachment)
{
	struct clsact_found found;
	int error = clsact_find(dataplane, link, place, &found);

	if (error)
		return error;
	attachment->mode = "clsact";
	attachment->program_id = found.id;
	attachment->current = found.current;
	return 0;
}
