/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets for live sets, and changes of sets that are written as text. */
#ifndef TESTS_SET_RUN_H
#define TESTS_SET_RUN_H

#include "dataplane/sets.h"
#include "prog_run.h"

/* A number below the bound; the same ones in each run. */
uint32_t pick(uint32_t bound);

/* Bytes of the IPv4 packet that packet_run() makes. */
#define PACKET_LENGTH 42

/* UDP from one address to another, through the program of the hook. */
enum fw_verdict packet_run(struct filter *filter, enum fw_hook hook, const struct address *from,
			   const struct address *to);
/* Ingress, to an address of nobody. */
enum fw_verdict packet_run_text(struct filter *filter, const char *from);
/* The bytes of an IPv4 packet. */
void packet_write4(const struct address *from, const struct address *to,
		   uint8_t ret_bytes[PACKET_LENGTH]);

struct address address_of(const char *text);
struct live_set set_named(struct filter *filter, const char *name);
/* ADDR or ADDR/LENGTH. */
struct set_element element_of(const char *text, uint32_t expires);
int set_add_text(struct filter *filter, const char *name, const char *text, uint32_t expires);
/* Asserts that it was there. */
void set_delete_text(struct filter *filter, const char *name, const char *text);

#endif
