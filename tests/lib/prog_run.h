/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The real programs on rules given as text, packet by packet through BPF_PROG_TEST_RUN. Nothing is
 * pinned or attached. What cannot be set up fails the running cmocka test.
 */
#ifndef TESTS_PROG_RUN_H
#define TESTS_PROG_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dataplane/dataplane.h"
#include "language/model.h"

struct frame {
	const void *bytes;
	size_t length;
};

struct filter {
	struct dataplane *dataplane;
	struct ruleset *ruleset; /* of the last filter_apply() */
};

/* For cmocka_run_group_tests(): *state becomes a struct filter that the group shares. */
int filter_setup(void **state);
int filter_teardown(void **state);

/* Parses, compiles and switches to the rules. `links` are for `on`, or NULL. */
void filter_apply(struct filter *filter, const char *rules);
void filter_apply_links(struct filter *filter, const char *rules, const struct link_info *links,
			size_t count);

/* Overwrites the running image with bytes that are none. */
void filter_damage(struct filter *filter);

enum fw_verdict filter_run(struct filter *filter, enum fw_hook hook, const struct frame *frame);

/* What a rule, by identity, its limit, or a reason has counted so far. */
struct fw_counter filter_rule(struct filter *filter, enum fw_hook hook, const char *identity);
struct fw_counter filter_limited(struct filter *filter, enum fw_hook hook, const char *identity);
struct fw_counter filter_reason(struct filter *filter, enum fw_hook hook, enum fw_reason reason);
/* Everything that came in on the hook, by verdict. */
struct hook_total filter_hook(struct filter *filter, enum fw_hook hook);

/*
 * Runs the frame and asserts the verdict, that the rule of this identity counted one packet of the
 * frame's length, and that the hook's totals grew by just that.
 */
void assert_decides(struct filter *filter, enum fw_hook hook, const struct frame *frame,
		    enum fw_verdict verdict, const char *identity);

/* A frame of build/packets.h, by name. */
struct frame frame_named(const char *name);

/* 77 after a line that says so, if the caller may not load programs; else 0. For main(). */
int needs_root(void);

#endif
