/* SPDX-License-Identifier: GPL-2.0-only */
/* A rule file of the language as a set to measure with: what its ingress block decides. */
#ifndef FWBENCH_RULEFILE_H
#define FWBENCH_RULEFILE_H

#include "rules.h"

/* 0 or -errno. The headers are drawn from what the rules name. */
int bench_set_read_rules(const char *path, uint64_t seed, struct bench_set *ret_set);

/* The linear reference, as bench_set_match(). */
size_t ruleset_match(const struct ruleset *ruleset, const struct bench_header *header);

#endif
