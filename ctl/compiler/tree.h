/* SPDX-License-Identifier: GPL-2.0-only */
/* Intervals to a tree of the image (fw/image.h). */
#ifndef FWCTL_COMPILER_TREE_H
#define FWCTL_COMPILER_TREE_H

#include "compiler/axis.h"
#include "compiler/writer.h"

/*
 * Writes the tree of the intervals and returns its root entry; entries[class] is what the search
 * shall end with. `chunks` is the most that the reader follows; above 4, chunks may be skipped.
 */
uint32_t tree_write(struct writer *writer, const struct axis_classes *classes,
		    const uint32_t *entries, int chunks);

#endif
