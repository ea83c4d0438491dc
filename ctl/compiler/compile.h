/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rules to image: a whole ruleset, both hooks and all families, becomes one flat block of bytes
 * that fw_classify() reads (fw/image.h). Pure: no kernel, no files.
 */
#ifndef FWCTL_COMPILER_COMPILE_H
#define FWCTL_COMPILER_COMPILE_H

#include <stddef.h>
#include <stdint.h>

#include "language/model.h"

/* A network link as the kernel knows it, to find the indexes that `on` names. */
struct link {
	const char *name;
	uint32_t index; /* ifindex */
	/*
	 * NULL, or the link that it is a part of, by whose program its packets come in: natively
	 * XDP runs on the parts of a bond, and is told their number. At ingress `on` means the
	 * bond.
	 */
	const char *whole;
};

/* What a bit of a row stands for. Few rules are cheapest as terms; groups have no bound of 4096. */
enum compile_form {
	COMPILE_CHEAPEST,
	COMPILE_TERMS,
	COMPILE_GROUPS,
	COMPILE_MERGED, /* as few groups as possible: what is tried when groups are refused */
};

struct forecast;

struct compile_input {
	const struct ruleset *ruleset;
	/*
	 * counters[hook][i] is the counter index of rule i; [count] that of the block's default.
	 * NULL: all 0, until image_number().
	 */
	const uint32_t *counters[FW_HOOKS];
	/* limits[hook][i] is where rule i, if it has a limit, keeps it; NULL: all at 0. */
	const struct fw_limit_place *limits[FW_HOOKS];
	bool no_limits; /* every packet is within all limits, as the reference evaluator says */
	const struct link *links;
	size_t link_count;
	enum compile_form form;
	struct forecast *forecast; /* NULL, or filled (compiler/forecast.h) */
};

struct image {
	void *bytes; /* owned, from malloc; 64-byte aligned */
	size_t size; /* bytes in use, at most the largest size class */
	/* Bytes allocated, a power of two: fw_classify() reads it with the mask block - 1. */
	size_t block;
};

/* 0, or -E2BIG/-ENOMEM/... with one line for the user in *ret_error (owned by the caller). */
int compile(const struct compile_input *input, struct image *ret_image, char **ret_error);

/* Puts the input's counters and places of limits into an image of the same rules. */
void image_number(const struct image *image, const struct compile_input *input);

void image_free(struct image *image);

#endif
