/* SPDX-License-Identifier: GPL-2.0-only */
/* Intervals to a tree of the image (fw/image.h). */
#ifndef FWCTL_COMPILER_TREE_H
#define FWCTL_COMPILER_TREE_H

#include "compiler/axis.h"
#include "compiler/writer.h"
#include "fw/image.h"

/*
 * Writes the tree of the intervals and returns its root entry; entries[class] is what the search
 * shall end with. `chunks` is the most that the reader follows; above 4, chunks may be skipped.
 * `ret_prefix`, or NULL: gets what all keys have in common, and the tree begins behind it.
 */
uint32_t tree_write(struct writer *writer, const struct axis_classes *classes,
		    const uint32_t *entries, int chunks, struct fw_tree_prefix *ret_prefix);

/*
 * The same of IPv4 addresses, of tables only: a search without branches, where that is not too
 * large. 0: it is.
 */
uint32_t tree_write_tables(struct writer *writer, const struct axis_classes *classes,
			   const uint32_t *entries);

#endif
