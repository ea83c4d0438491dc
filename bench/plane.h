/* SPDX-License-Identifier: GPL-2.0-only */
/* The real data plane in benchmarks: rules read, compiled and switched in as fwctl does it. */
#ifndef FWBENCH_PLANE_H
#define FWBENCH_PLANE_H

#include "compiler/compile.h"
#include "dataplane/dataplane.h"

/* What goes wrong here ends the program with a line that says it. */
void die(const char *what, const char *why) __attribute__((noreturn));

/* NULL after the diagnostics, on stderr. */
struct ruleset *rules_read(const char *path);
struct ruleset *rules_read_text(const char *text);

/* A private data plane; images up to so many bytes. */
struct dataplane *plane_open(size_t largest_image);

/* Puts rules into force; returns how long the switch took, in milliseconds. */
double plane_switch(struct dataplane *plane, struct ruleset *ruleset);

/* A small private data plane with these rules in force. */
struct dataplane *plane_of(const char *rules);

/* Nanoseconds of the real program for a TCP SYN from 192.0.2.1 to port 22. */
double plane_run(struct dataplane *plane, enum fw_hook hook, uint32_t repeat);

/* Instructions that the verifier walks for the ingress program, at its real sizes. */
unsigned plane_verified_instructions(struct dataplane *plane);

#endif
