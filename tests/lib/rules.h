/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules from text, for tests: what does not read fails the running cmocka test. */
#ifndef TESTS_RULES_H
#define TESTS_RULES_H

#include "language/model.h"

/* Includes and file sets come from the file system. The caller frees with ruleset_free(). */
struct ruleset *rules_read(const char *text);

#endif
