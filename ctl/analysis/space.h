/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the fields of regions stand for: turns rules into regions, and points back into packets
 * that the reference evaluator can judge. One space holds one ruleset, or two to be compared.
 *
 * Each family of packets is a space apart: an IPv4 and an IPv6 address have nothing in common.
 * The membership of an address in a live set may be anything at any time, so it is a question of
 * its own, beside the address. A packet's state likewise.
 */
#ifndef FWCTL_ANALYSIS_SPACE_H
#define FWCTL_ANALYSIS_SPACE_H

#include "analysis/interfaces.h"
#include "analysis/region.h"
#include "language/model.h"

#define SPACE_RULESETS_MAX 2

/* All packets of one family. */
struct space_family {
	const struct spans *full[REGION_FIELDS];
	struct region all;
};

struct spans_table {
	const struct spans **slots;
	size_t capacity;
	size_t count;
};

/* Static sets as spans, made when first asked for: [set][family][negated]. */
struct set_cache {
	const struct spans *spans[FW_FAMILIES][2];
};

struct space {
	struct arena *arena;
	const struct ruleset *rulesets[SPACE_RULESETS_MAX];
	struct set_cache *sets[SPACE_RULESETS_MAX];
	size_t ruleset_count;
	struct interfaces interfaces;
	struct table live; /* names of live sets of all rulesets to bits */
	struct spans_table lists;
	struct space_family families[FW_FAMILIES];
	struct span *work; /* where lists are built */
	size_t work_count;
	size_t work_capacity;
};

struct space *space_new(const struct ruleset *const *rulesets, size_t count);
void space_free(struct space **space);

/* The size of scratch that searches in this space may need. */
size_t space_scratch_size(const struct space *space);

/*
 * The rules of a block as regions of one family, in order. A rule that has too many alternatives
 * to be told exactly is opaque: its one region holds all that it could match, and more.
 */
struct layer {
	const struct block *block;
	struct region *regions;
	uint32_t *rules; /* of each region */
	uint32_t *first; /* of each rule: its first region; one more at the end */
	bool *opaque;	 /* of each rule */
	size_t count;
	size_t capacity;
};

void layer_build(struct space *space, size_t ruleset, enum fw_hook hook, enum fw_family family,
		 struct layer *ret_layer);
void layer_free(struct layer *layer);

/*
 * Is there no packet at all that a rule matches? And if so because of one of its matches, or two:
 * sets ret_clash, which is left alone if it takes more.
 */
bool rule_is_empty(struct space *space, size_t ruleset, const struct rule *rule);
void rule_find_clash(struct space *space, size_t ruleset, const struct rule *rule,
		     const struct match *ret_clash[2]);

/*
 * Is there a packet of the region? There is none if all of its kinds have longer headers than its
 * lengths leave room for, or none of its states: the only ways in which fields depend on each other
 * beyond the kind.
 */
bool space_is_real(enum fw_family family, const struct region *region);

/*
 * Picks a packet of a region that is real: variant 0 is one that people know, if there is one; the
 * others are corners of the region.
 */
void space_pick(const struct space *space, enum fw_family family, const struct region *region,
		unsigned variant, struct point *ret_point);

/* A packet, and the name of the interface that it comes from, which belongs to the space. */
struct sample {
	struct fw_packet packet;
	const char *interface;
};

/*
 * The point as a packet that one of the rulesets may judge. False if no name is known for the
 * interface.
 */
bool space_packet(const struct space *space, enum fw_family family, const struct point *point,
		  size_t ruleset, struct sample *ret_sample);

/* Of use to those who build regions: a list that all who ask for the same values share. */
const struct spans *space_share(struct space *space, const struct span *items, size_t count);

#endif
