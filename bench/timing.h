/* SPDX-License-Identifier: GPL-2.0-only */
/* How all benchmarks take time. */
#ifndef FWBENCH_TIMING_H
#define FWBENCH_TIMING_H

#include <stddef.h>

double now_ms(void);

/* Sorts the values. */
double median(double *values, size_t count);

/* Away from the first, where interrupts go. */
void pin_to_last_cpu(void);

#endif
