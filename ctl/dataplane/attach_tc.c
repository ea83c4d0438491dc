// SPDX-License-Identifier: GPL-2.0-only
/*
 * TC on one interface, for the program at egress and the one that answers at ingress: a pinned TCX
 * link where the kernel has TCX (6.6), else a filter on a clsact qdisc.
 *
 * What is attached is told by names in the layout's `links` directory, with the namespace in them
 * because interface numbers are unique only within one:
 *   egress-NAMESPACE-IFINDEX           the pinned link (with -1 and so on if that is taken)
 *   answer-NAMESPACE-IFINDEX           likewise
 *   clsact-NAMESPACE-IFINDEX           a directory: our filter is there
 *   clsact-answer-NAMESPACE-IFINDEX    likewise
 *   clsact-NAMESPACE-IFINDEX-qdisc     a directory: the qdisc is ours too
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/tc_internal.h"

static const struct tc_place egress = {
	.program = PROGRAM_EGRESS,
	.tcx = 47, /* BPF_TCX_EGRESS: newer than the oldest <linux/bpf.h> that we build on */
	.point = BPF_TC_EGRESS,
	.pins = "egress",
	.marks = "clsact",
	.words = "TC egress",
};

static const struct tc_place answer = {
	.program = PROGRAM_ANSWER,
	.tcx = 46, /* BPF_TCX_INGRESS */
	.point = BPF_TC_INGRESS,
	.pins = "answer",
	.marks = "clsact-answer",
	.words = "TC ingress, to answer what is rejected",
};

static const struct tc_place *place_of(enum program program)
{
	return program == PROGRAM_ANSWER ? &answer : &egress;
}

int tc_path(const struct dataplane *dataplane, const struct link_info *link, const char *prefix,
	    const char *suffix, char path[PATH_MAX])
{
	unsigned long number = namespace_number();

	if (!number)
		return -ENOENT;
	snprintf(path, PATH_MAX, "%s/links/%s-%lu-%u%s", dataplane->layout_dir, prefix, number,
		 link->index, suffix);
	return 0;
}

/* FWCTL_TC=clsact: for tests, and for who has tools that know no TCX. */
static bool tcx_wanted(void)
{
	const char *text = getenv("FWCTL_TC");

	return !text || strcmp(text, "clsact") != 0;
}

void tc_pins_clean(const struct dataplane *dataplane)
{
	tcx_pins_clean(dataplane, &egress);
	tcx_pins_clean(dataplane, &answer);
}

int tc_query(struct dataplane *dataplane, const struct link_info *link, enum program program,
	     struct attachment *ret_attachment)
{
	const struct tc_place *place = place_of(program);
	struct attachment attachment = {
		.link = *link,
		.hook = program == PROGRAM_EGRESS ? FW_EGRESS : FW_INGRESS,
		.mode = "tcx",
	};
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	struct tcx_info info;
	int error = 0;

	library_forget();
	fd = tcx_find(dataplane, link, place, path, &info);
	if (fd >= 0) {
		attachment.program_id = info.program_id;
		if (!program_is_ours(dataplane, info.program_id, program, &attachment.current))
			error = -ENOENT;
	} else if (fd == -ENOENT) {
		error = clsact_query(dataplane, link, place, &attachment);
	} else {
		error = fail(dataplane, fd, "cannot see the TCX programs of %s: %s", link->name,
			     bpf_reason(fd));
	}
	if (error)
		return error;
	*ret_attachment = attachment;
	return 0;
}

int tc_detach(struct dataplane *dataplane, const struct link_info *link, enum program program)
{
	const struct tc_place *place = place_of(program);
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	struct tcx_info info;
	int error = 0;

	library_forget();
	fd = tcx_find(dataplane, link, place, path, &info);
	if (fd != -ENOENT && (fd < 0 || unlink(path)))
		error = fd < 0 ? fd : -errno;
	crash_point();
	if (!error)
		error = clsact_detach(dataplane, link, place);
	if (error)
		return fail(dataplane, error, "cannot detach from %s (%s): %s (%s)", link->name,
			    place->words, strerror(-error), library_cause());
	return 0;
}

/* Puts the loaded program in place of `old`, or newly. */
static int tc_put(struct dataplane *dataplane, const struct link_info *link,
		  const struct tc_place *place, int program, const struct attachment *old)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	struct tcx_info info;
	int error;

	if (old && !strcmp(old->mode, "tcx")) {
		fd = tcx_find(dataplane, link, place, path, &info);
		return fd < 0 ? fd : bpf_link_update(fd, program, NULL);
	}
	if (!old && tcx_wanted()) {
		error = tcx_attach(dataplane, link, place, program);
		/* A kernel without TCX knows no such attach type. */
		if (error != -EINVAL && error != -EOPNOTSUPP)
			return error;
	}
	return clsact_attach(dataplane, link, place, program);
}

int tc_attach(struct dataplane *dataplane, const struct link_info *link, enum program program,
	      struct attachment *ret_attachment)
{
	const struct tc_place *place = place_of(program);
	struct attachment found;
	bool layer3;
	int fd, error = tc_query(dataplane, link, program, &found);

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
	if (program_get(dataplane, program, layer3, &fd))
		return -EINVAL;
	crash_point();
	library_forget();
	error = tc_put(dataplane, link, place, fd, error ? NULL : &found);
	crash_point();
	if (!error)
		clsact_remove_orphans(link, place);
	if (error)
		return fail(dataplane, error, "cannot attach to %s (%s): %s%s%s", link->name,
			    place->words, bpf_reason(error), *library_cause() ? ": " : "",
			    library_cause());
	return tc_query(dataplane, link, program, ret_attachment);
}
