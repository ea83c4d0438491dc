// SPDX-License-Identifier: GPL-2.0-only
/*
 * XDP on one interface, through libxdp: behind its dispatcher, where other XDP programs fit beside
 * ours, else alone (a kernel may refuse the dispatcher's program type).
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <string.h>
#include <xdp/libxdp.h>

#include "dataplane/internal.h"
#include "dataplane/libxdp_fds.h"

/* A filter runs early, so that what it drops costs the others nothing; 50 is libxdp's default. */
#define XDP_PRIORITY 10

/* Our program on the interface, as the kernel has it now. */
struct xdp_found {
	uint32_t id;
	enum xdp_attach_mode mode;
	bool alone;
	bool current;
};

static const char *mode_name(enum xdp_attach_mode mode)
{
	switch (mode) {
	case XDP_MODE_NATIVE:
		return "native";
	case XDP_MODE_SKB:
		return "generic";
	case XDP_MODE_HW:
		return "offload";
	default:
		return "unknown";
	}
}

enum xdp_owner { XDP_OURS, XDP_ORPHAN };

static bool xdp_owned(struct dataplane *dataplane, enum xdp_owner owner, struct xdp_found *found)
{
	if (owner == XDP_ORPHAN)
		return program_is_orphan(found->id, PROGRAM_INGRESS);
	return program_is_ours(dataplane, found->id, PROGRAM_INGRESS, &found->current);
}

/* -ENOENT: no such program is there. */
static int xdp_find_owned(struct dataplane *dataplane, const struct link_info *link,
			  enum xdp_owner owner, struct xdp_found *ret_found)
{
	struct xdp_multiprog *programs;
	struct xdp_program *program = NULL;
	struct libxdp_fds before;
	uint32_t id = 0;
	int error = bpf_xdp_query_id((int)link->index, 0, &id);

	if (error || !id)
		return error ? error : -ENOENT;
	libxdp_fds_note(&before);
	programs = xdp_multiprog__get_from_ifindex((int)link->index);
	error = (int)libxdp_get_error(programs);
	if (error) {
		libxdp_fds_close(&before);
		return error;
	}
	*ret_found = (struct xdp_found){
		.mode = xdp_multiprog__attach_mode(programs),
		.alone = xdp_multiprog__is_legacy(programs),
	};
	error = -ENOENT;
	if (ret_found->alone)
		program = xdp_multiprog__main_prog(programs);
	else
		program = xdp_multiprog__next_prog(NULL, programs);
	while (program && error) {
		ret_found->id = xdp_program__id(program);
		if (xdp_owned(dataplane, owner, ret_found))
			error = 0;
		program = ret_found->alone ? NULL : xdp_multiprog__next_prog(program, programs);
	}
	xdp_multiprog__close(programs);
	libxdp_fds_close(&before);
	return error;
}

static int xdp_find(struct dataplane *dataplane, const struct link_info *link,
		    struct xdp_found *ret_found)
{
	return xdp_find_owned(dataplane, link, XDP_OURS, ret_found);
}

static void attachment_set(const struct link_info *link, const struct xdp_found *found,
			   struct attachment *attachment)
{
	attachment->link = *link;
	attachment->hook = FW_INGRESS;
	attachment->mode = mode_name(found->mode);
	attachment->alone = found->alone;
	attachment->current = found->current;
	attachment->program_id = found->id;
}

int xdp_query(struct dataplane *dataplane, const struct link_info *link,
	      struct attachment *ret_attachment)
{
	struct xdp_found found;
	int error;

	library_forget();
	error = xdp_find(dataplane, link, &found);
	if (error == -ENOENT)
		return error;
	if (error)
		return fail(dataplane, error, "cannot see the XDP programs of %s: %s", link->name,
			    strerror(-error));
	*ret_attachment = (struct attachment){};
	attachment_set(link, &found, ret_attachment);
	return 0;
}

static uint32_t mode_flags(enum xdp_attach_mode mode)
{
	return mode == XDP_MODE_SKB ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
}

static int xdp_remove(const struct dataplane *dataplane, const struct link_info *link,
		      const struct xdp_found *found)
{
	struct xdp_program *program;
	struct libxdp_fds before;
	int error;

	if (found->alone) {
		_cleanup_close_ int fd = bpf_prog_get_fd_by_id(found->id);
		LIBBPF_OPTS(bpf_xdp_attach_opts, options, .old_prog_fd = fd);

		if (fd < 0)
			return fd;
		return bpf_xdp_detach((int)link->index, mode_flags(found->mode), &options);
	}
	libxdp_fds_note(&before);
	program = xdp_program__from_id(found->id);
	error = (int)libxdp_get_error(program);
	if (!error) {
		error = xdp_program__detach(program, (int)link->index, found->mode, 0);
		xdp_program__close(program);
	}
	libxdp_fds_close(&before);
	if (!error)
		dispatcher_forget(dataplane, found->id);
	return error;
}

int xdp_detach(struct dataplane *dataplane, const struct link_info *link)
{
	struct xdp_found found;
	int error;

	library_forget();
	error = xdp_find(dataplane, link, &found);
	if (error == -ENOENT)
		error = xdp_find_owned(dataplane, link, XDP_ORPHAN, &found);
	if (error == -ENOENT)
		return 0;
	if (!error)
		error = xdp_remove(dataplane, link, &found);
	crash_point();
	if (error)
		return fail(dataplane, error, "cannot detach from %s: %s (%s)", link->name,
			    strerror(-error), library_cause());
	return 0;
}

/* Puts the program on alone: on a free interface, or in place of `old` in one step. */
static int xdp_put_alone(struct dataplane *dataplane, const struct link_info *link, bool layer3,
			 enum xdp_attach_mode mode, const struct xdp_found *old)
{
	_cleanup_close_ int old_fd = old ? bpf_prog_get_fd_by_id(old->id) : -1;
	LIBBPF_OPTS(bpf_xdp_attach_opts, options);
	uint32_t flags = mode_flags(mode) | (old ? XDP_FLAGS_REPLACE : XDP_FLAGS_UPDATE_IF_NOEXIST);
	int fd, error;

	if (old && old_fd < 0)
		return old_fd;
	error = program_get(dataplane, PROGRAM_INGRESS, layer3, &fd);
	if (error)
		return error;
	if (old)
		options.old_prog_fd = old_fd;
	return bpf_xdp_attach((int)link->index, fd, flags, &options);
}

static int xdp_add(const struct link_info *link, struct bpf_object *object,
		   enum xdp_attach_mode mode)
{
	LIBBPF_OPTS(xdp_program_opts, options, .obj = object,
		    .prog_name = program_name(PROGRAM_INGRESS));
	struct xdp_program *program = xdp_program__create(&options);
	int error = (int)libxdp_get_error(program);

	if (error)
		return error;
	xdp_program__set_run_prio(program, XDP_PRIORITY);
	xdp_program__set_chain_call_enabled(program, XDP_PASS, true);
	/* Its section says so too, but libxdp asks before libbpf has read that. */
	xdp_program__set_xdp_frags_support(program, true);
	error = xdp_program__attach(program, (int)link->index, mode, 0);
	xdp_program__close(program);
	return error;
}

/* Through libxdp, with a program of its own: libxdp changes it for its dispatcher. */
static int xdp_put_shared(struct dataplane *dataplane, const struct link_info *link, bool layer3,
			  enum xdp_attach_mode mode, const struct xdp_found *old)
{
	struct bpf_object *object = NULL;
	struct libxdp_fds before;
	int error = program_open(dataplane, PROGRAM_INGRESS, layer3, &object);

	if (error)
		return error;
	libxdp_fds_note(&before);
	error = xdp_add(link, object, mode);
	/* Behind the dispatcher both run until the old one is off: a packet has to pass both. */
	if (!error && old)
		error = xdp_remove(dataplane, link, old);
	bpf_object__close(object);
	libxdp_fds_close(&before);
	return error;
}

static int xdp_try(struct dataplane *dataplane, const struct link_info *link,
		   enum xdp_attach_mode mode, const struct xdp_found *old)
{
	bool layer3;
	int error = link_layer3(link, &layer3);

	if (error)
		return error;
	library_forget();
	if (old ? old->alone : dataplane->no_dispatcher)
		return xdp_put_alone(dataplane, link, layer3, mode, old);
	return xdp_put_shared(dataplane, link, layer3, mode, old);
}

static int xdp_fail(struct dataplane *dataplane, const struct link_info *link, int error)
{
	uint32_t id = 0;

	if ((error == -EBUSY || error == -EEXIST) && !bpf_xdp_query_id((int)link->index, 0, &id) &&
	    program_is_a_fwctls(id))
		return fail(dataplane, error,
			    "cannot attach to %s: another fwctl filters it, with pins that are not "
			    "those below %s here; if that was run outside of `ip netns exec`, use "
			    "nsenter --net=/run/netns/NAME, else run fwctl down with its --pin-dir",
			    link->name, dataplane->pin_dir ? dataplane->pin_dir : "(none)");
	if (error == -EBUSY || error == -EEXIST)
		return fail(dataplane, error,
			    "cannot attach to %s: another XDP program is there that "
			    "leaves no room for a second; see ip link show dev %s, detach it first",
			    link->name, link->name);
	if (error == -ENODEV)
		return fail(dataplane, error, "cannot attach to %s: no such interface", link->name);
	return fail(dataplane, error, "cannot attach to %s (XDP): %s%s%s", link->name,
		    bpf_reason(error), *library_cause() ? ": " : "", library_cause());
}

/* Native, else generic; the note says why it is not native. */
static int xdp_choose(struct dataplane *dataplane, const struct link_info *link,
		      enum attach_mode mode, const struct xdp_found *old,
		      struct attachment *attachment)
{
	int error = -EOPNOTSUPP;

	if (old)
		return xdp_try(dataplane, link, old->mode, old);
	if (mode != ATTACH_GENERIC)
		error = xdp_try(dataplane, link, XDP_MODE_NATIVE, NULL);
	if (!error || mode == ATTACH_NATIVE || error == -EBUSY || error == -EPERM)
		return error;
	if (mode == ATTACH_AUTO)
		snprintf(attachment->note, sizeof(attachment->note), "no native XDP: %s",
			 *library_cause() ? library_cause() : strerror(-error));
	return xdp_try(dataplane, link, XDP_MODE_SKB, NULL);
}

static bool mode_fits(enum attach_mode wanted, enum xdp_attach_mode mode)
{
	return wanted == ATTACH_AUTO || (wanted == ATTACH_GENERIC) == (mode == XDP_MODE_SKB);
}

/*
 * Native and generic exclude each other, and the kernel tells whether it has a mode only when it
 * is free: there is no way without a gap. So the program is loaded before the old one is taken off,
 * and one of ours comes back if the new mode is refused.
 */
static int xdp_change_mode(struct dataplane *dataplane, const struct link_info *link,
			   enum attach_mode mode, const struct xdp_found *old,
			   struct attachment *attachment)
{
	char reason[sizeof(dataplane->error)];
	bool no_dispatcher = dataplane->no_dispatcher, layer3 = false;
	int fd, back, error = link_layer3(link, &layer3);

	if (!error)
		error = program_get(dataplane, PROGRAM_INGRESS, layer3, &fd);
	if (error)
		return error;
	error = xdp_remove(dataplane, link, old);
	if (error)
		return xdp_fail(dataplane, link, error);
	crash_point();
	dataplane->no_dispatcher = no_dispatcher || old->alone;
	error = xdp_choose(dataplane, link, mode, NULL, attachment);
	if (!error)
		return 0;
	xdp_fail(dataplane, link, error);
	snprintf(reason, sizeof(reason), "%s", dataplane->error);
	back = xdp_try(dataplane, link, old->mode, NULL);
	dataplane->no_dispatcher = no_dispatcher;
	if (back)
		return fail(dataplane, error,
			    "%.600s; it is NOT FILTERED now, for going back to mode %s failed "
			    "too: %s",
			    reason, mode_name(old->mode), strerror(-back));
	return fail(dataplane, error, "%.900s; it stays in mode %s", reason, mode_name(old->mode));
}

/* Brings the interface to the mode and to this build's program. */
static int xdp_bring(struct dataplane *dataplane, const struct link_info *link,
		     enum attach_mode mode, const struct xdp_found *old,
		     struct attachment *attachment)
{
	int error;

	if (old && !mode_fits(mode, old->mode))
		return xdp_change_mode(dataplane, link, mode, old, attachment);
	error = xdp_choose(dataplane, link, mode, old, attachment);
	crash_point();
	return error ? xdp_fail(dataplane, link, error) : 0;
}

int xdp_attach(struct dataplane *dataplane, const struct link_info *link, enum attach_mode mode,
	       struct attachment *ret_attachment)
{
	struct attachment attachment = {};
	struct xdp_found found;
	bool layer3, there;
	int error = xdp_find(dataplane, link, &found);

	if (error == -ENOENT) /* one that nobody has the pins of is replaced */
		error = xdp_find_owned(dataplane, link, XDP_ORPHAN, &found);
	if (link_layer3(link, &layer3))
		return fail(dataplane, -EOPNOTSUPP,
			    "cannot attach to %s: its frames (link type %u) "
			    "are neither Ethernet nor IP",
			    link->name, link->type);
	if (error && error != -ENOENT)
		return xdp_fail(dataplane, link, error);
	there = !error;
	if (!there || !found.current || !mode_fits(mode, found.mode)) {
		error = xdp_bring(dataplane, link, mode, there ? &found : NULL, &attachment);
		if (error)
			return error;
		error = xdp_find(dataplane, link, &found);
		if (error)
			return xdp_fail(dataplane, link, error);
		/* What libxdp could not do once it need not try again: that takes time. */
		dataplane->no_dispatcher = found.alone;
	}
	if (!found.alone)
		dispatcher_note(dataplane, found.id);
	attachment_set(link, &found, &attachment);
	*ret_attachment = attachment;
	return 0;
}
