/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files that attach at TC share: two programs, two ways to attach each. */
#ifndef FWCTL_DATAPLANE_TC_INTERNAL_H
#define FWCTL_DATAPLANE_TC_INTERNAL_H

#include <limits.h>

#include <bpf/libbpf.h>

#include "dataplane/internal.h"

/* Where a program of ours is at TC. */
struct tc_place {
	enum program program;
	uint32_t tcx; /* attach type */
	enum bpf_tc_attach_point point;
	const char *pins;  /* how names of TCX links begin */
	const char *marks; /* how names of marks for clsact begin */
	const char *words; /* for messages */
};

/* The head of struct bpf_link_info, for TCX links. */
struct tcx_info {
	uint32_t type;
	uint32_t id;
	uint32_t program_id;
	uint32_t pad;
	uint32_t interface; /* 0: it is gone */
	uint32_t attach_type;
};

/* --- attach_tc.c: the path of a name in `links`. */
int tc_path(const struct dataplane *dataplane, const struct link_info *link, const char *prefix,
	    const char *suffix, char path[PATH_MAX]);

/* --- attach_tcx.c */
/* The link of ours on the interface, opened, with its path; -ENOENT. */
int tcx_find(struct dataplane *dataplane, const struct link_info *link,
	     const struct tc_place *place, char path[PATH_MAX], struct tcx_info *ret_info);
int tcx_attach(struct dataplane *dataplane, const struct link_info *link,
	       const struct tc_place *place, int program);
/* Takes away pins of the place's links whose interface is gone. */
void tcx_pins_clean(const struct dataplane *dataplane, const struct tc_place *place);

/* --- attach_clsact.c */
int clsact_attach(struct dataplane *dataplane, const struct link_info *link,
		  const struct tc_place *place, int program);
int clsact_detach(struct dataplane *dataplane, const struct link_info *link,
		  const struct tc_place *place);
int clsact_query(struct dataplane *dataplane, const struct link_info *link,
		 const struct tc_place *place, struct attachment *attachment);
void clsact_remove_orphans(const struct link_info *link, const struct tc_place *place);

#endif
