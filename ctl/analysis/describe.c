/* SPDX-License-Identifier: GPL-2.0-only */
#include "analysis/describe.h"

#include <string.h>

#include "analysis/evaluate.h"
#include "analysis/packet_text.h"

#define IDENTITY_SHOWN 72 /* bytes; what is longer is found by its line */

void describe_rule(const struct subject *subject, const struct location *near,
		   struct buffer *buffer)
{
	const struct block *block = &subject->ruleset->blocks[subject->hook];
	const struct rule *rule;
	const char *identity, *path;
	size_t length;

	if (subject->rule == EVALUATE_DEFAULT) {
		bool is_drop = block->present && block->default_action == FW_DROP;

		buffer_printf(buffer, "the default (%s)", is_drop ? "drop" : "pass");
		return;
	}
	rule = &block->rules[subject->rule];
	path = subject->ruleset->files[rule->at.file].path;
	identity = rule_identity(rule);
	length = strlen(identity);
	buffer_printf(buffer, "'%.*s%s'", IDENTITY_SHOWN, identity,
		      length > IDENTITY_SHOWN ? "..." : "");
	if (rule->builtin)
		buffer_puts(buffer, " (built in)");
	else if (!strcmp(path, RUNNING_RULES))
		/* As `fwctl list -n` counts. */
		buffer_printf(buffer, " (rule %zu)", subject->rule - block->builtin_count + 1);
	else if (near && near->file == rule->at.file)
		buffer_printf(buffer, " (line %u)", rule->at.line);
	else
		buffer_printf(buffer, " (%s:%u)", path, rule->at.line);
}

static void add_sets(const struct ruleset *ruleset, uint64_t bits, const char *end,
		     struct buffer *buffer)
{
	for (size_t i = 0; i < ruleset->set_count; i++) {
		const struct set *set = &ruleset->sets[i];

		if (set->kind == SET_LIVE && bits >> set->live_index & 1)
			buffer_printf(buffer, ", %s in @%s", end, set->name);
	}
}

void describe_packet(const struct subject *subject, const struct fw_packet *packet,
		     const char *interface, struct buffer *buffer)
{
	struct met_packet met = { .hook = subject->hook, .packet = *packet };

	if (interface)
		strncpy(met.interface, interface, sizeof(met.interface) - 1);
	packet_text_print(&met, buffer);
	add_sets(subject->ruleset, packet->source_sets, "source", buffer);
	add_sets(subject->ruleset, packet->destination_sets, "destination", buffer);
}
