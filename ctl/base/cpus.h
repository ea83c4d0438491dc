/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How far the numbers of CPUs go. Where each CPU has a place by its number, there must be one for
 * every number: a machine whose CPUs are 0-3 and 8-11 has eight, but needs twelve places. Values of
 * per-CPU maps are not by number: as many as libbpf_num_possible_cpus() counts.
 */
#ifndef FWCTL_BASE_CPUS_H
#define FWCTL_BASE_CPUS_H

/* The list of CPUs that can ever be there, as in 0-3,8-11. */
#define CPUS_POSSIBLE "/sys/devices/system/cpu/possible"

/* The greatest number of such a list, which may end in a newline, + 1; -EINVAL: it is none. */
int cpu_numbers_parse(const char *text);

/* The greatest number of a possible CPU + 1; -errno. */
int cpu_numbers(void);

#endif
