/* SPDX-License-Identifier: GPL-2.0-only */
/* Limits as the programs ask for them (fw/limit.h). */
#ifndef FWCTL_COMPILER_LIMITS_H
#define FWCTL_COMPILER_LIMITS_H

#include "compiler/compile.h"
#include "compiler/writer.h"
#include "fw/image.h"

/* `ret_limit` but for its rule and place. */
void limit_compile(const struct limit *limit, struct fw_limit *ret_limit);

/* All limits of both hooks, in the order of the rules. Returns what stands in header `limits`. */
uint32_t limits_write(struct writer *writer, const struct compile_input *input);

/* Puts the input's counters and buckets into them. */
void limits_number(uint8_t *bytes, const struct fw_image_header *header,
		   const struct compile_input *input);

size_t limits_count(const struct ruleset *ruleset);

#endif
