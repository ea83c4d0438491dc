/* SPDX-License-Identifier: GPL-2.0-only */
/* One instance of the image (a hook and a family) while it is made. */
#ifndef FWCTL_COMPILER_INSTANCE_H
#define FWCTL_COMPILER_INSTANCE_H

#include "compiler/axis.h"
#include "compiler/groups.h"
#include "compiler/worst.h"
#include "compiler/writer.h"

struct instance {
	const struct compile_input *input;
	enum fw_hook hook;
	struct terms terms;
	struct space space;
	struct writer *writer;
	struct fw_instance out; /* copied into the image at the end */
	uint64_t *scratch;	/* one row */
	uint64_t *full;		/* a row: all terms there are */
	uint64_t *in_none;	/* a row: what a packet in no live set leaves; NULL: all */
	bool grouped;		/* bits are groups, not terms */
	struct groups groups;
	struct rows rows[WORST_AXES]; /* of both addresses and service, for the worst packet */
	struct worst worst;
	struct worst counted;  /* of the rules that go on */
	const char *too_large; /* what was, in the user's words; NULL: nothing */
};

/* Which instance it is, and where the hook's records begin. */
struct instance_name {
	enum fw_hook hook;
	enum fw_family family;
	uint32_t first_record;
};

/* Makes an instance and writes it. 0; -E2BIG with a message if it is past a bound. */
int instance_compile(const struct compile_input *input, struct instance_name name,
		     struct writer *writer, char **ret_error);

/* Bytes of a row. */
size_t instance_row_size(const struct instance *instance);

/* Writes rows; entries[n] is a tree entry whose value is row n (freed by the caller). */
uint32_t *instance_write_rows(struct instance *instance, const struct rows *rows);

struct forecast_part;

/* Says what an instance that is written will cost. */
void forecast_part_fill(struct forecast_part *part, const struct instance *instance);

/* Steps of instance_compile(), one file each. */
void instance_compile_addresses(struct instance *instance, enum axis axis);
void instance_compile_service(struct instance *instance);
void instance_compile_sets(struct instance *instance); /* the first */
void instance_compile_small(struct instance *instance);

#endif
