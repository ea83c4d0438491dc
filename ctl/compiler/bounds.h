/* SPDX-License-Identifier: GPL-2.0-only */
/* What one instance may ask of the programs, and how rules that ask for more are refused. */
#ifndef FWCTL_COMPILER_BOUNDS_H
#define FWCTL_COMPILER_BOUNDS_H

#include "compiler/instance.h"

/* All return 0, or -E2BIG and one line that names the bound and, where it can, rules. */
int bounds_check_terms(const struct instance *instance, char **ret_error);
int bounds_check_groups(const struct instance *instance, enum groups_error problem,
			char **ret_error);

/* When all is written. Fills in the worst packet if a forecast is asked for. */
int bounds_check_result(struct instance *instance, char **ret_error);

#endif
