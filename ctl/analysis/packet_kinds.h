/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether what a rule asks for can ever happen: of all kinds of packets that its protocols, TCP
 * flags, ICMP types and fragments leave, by the code that the programs run.
 */
#ifndef FWCTL_ANALYSIS_PACKET_KINDS_H
#define FWCTL_ANALYSIS_PACKET_KINDS_H

#include <stdbool.h>

#include "language/model.h"

/* Does any packet of the rule begin a flow? */
bool rule_may_record(const struct rule *rule, bool pickup);

/*
 * The states (FW_STATE_*) that a packet of its kind can have: only ICMP errors are related, and of
 * other ICMP only queries and their answers belong to flows.
 */
uint8_t packet_states(const struct fw_packet *packet);

/* Would any packet of the rule be answered if it is rejected? */
bool rule_may_be_answered(const struct rule *rule);

#endif
