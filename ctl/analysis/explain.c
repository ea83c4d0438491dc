/* SPDX-License-Identifier: GPL-2.0-only */
#include "analysis/explain.h"

#include <fnmatch.h>
#include <string.h>

#include "analysis/packet_value.h"

#define TCP_SYN		 0x02
#define TCP_ACK		 0x10
#define TCP_OPENING_MASK 0x17 /* FIN, SYN, RST, ACK */

/* Bits of the live sets that an address is in when the rules are new. */
static uint64_t live_sets(const struct ruleset *ruleset, enum fw_family family,
			  const uint32_t address[4])
{
	uint64_t sets = 0;

	for (size_t i = 0; i < ruleset->set_count; i++) {
		const struct set *set = &ruleset->sets[i];

		if (set->kind == SET_LIVE && ranges_contain(&set->ranges, family, address))
			sets |= 1ULL << set->live_index;
	}
	return sets;
}

void explain(const struct ruleset *ruleset, struct explanation *ret_explanation)
{
	struct met_packet *met = &ret_explanation->met;
	struct fw_packet *packet = &met->packet;
	struct evaluation *evaluation = &ret_explanation->evaluation;

	packet->source_sets = live_sets(ruleset, packet->family, packet->source);
	packet->destination_sets = live_sets(ruleset, packet->family, packet->destination);
	if (!ruleset->blocks[met->hook].present)
		ret_explanation->reason = FW_OK; /* no program is there that could refuse it */
	if (ret_explanation->reason) {
		ret_explanation->verdict =
			ruleset->options.malformed_pass ? FW_VERDICT_PASS : FW_VERDICT_DROP;
		*evaluation = (struct evaluation){ .rule = EVALUATE_DEFAULT };
		return;
	}
	evaluate(ruleset, met->hook, packet, met->interface[0] ? met->interface : NULL, evaluation);
	ret_explanation->verdict =
		evaluation->action == FW_PASS ? FW_VERDICT_PASS : FW_VERDICT_DROP;
}

static const char *const hook_names[FW_HOOKS] = { "ingress", "egress" };
static const char *const verdict_names[] = { "pass", "drop" };
static const char *const action_names[FW_ACTIONS] = { "pass", "drop", "reject", "count" };

/* Where a rule or a default stands; false if it stands in no file. */
static bool find_place(const struct ruleset *ruleset, const struct location *at, bool builtin,
		       const char **ret_path)
{
	if (builtin || !at->line || at->file >= ruleset->file_count)
		return false;
	*ret_path = ruleset->files[at->file].path;
	return true;
}

static void print_rule(const struct ruleset *ruleset, const struct rule *rule,
		       struct buffer *buffer)
{
	const char *path;

	if (find_place(ruleset, &rule->at, rule->builtin, &path))
		buffer_printf(buffer, "%s:%u: %s\n", path, rule->at.line, rule->text);
	else
		buffer_printf(buffer, "built in: %s\n", rule->text);
}

/* How much of such traffic the verdict is for. */
static void print_limit(const struct limit *limit, struct buffer *buffer)
{
	static const char *const whose[] = {
		[LIMIT_ALL] = "",
		[LIMIT_SOURCE] = " of its source",
		[LIMIT_DESTINATION] = " of its destination",
	};

	buffer_printf(buffer,
		      "    within the limit%s: %s, burst %llu %s; what is over is dropped\n",
		      whose[limit->per], limit->rate_text, (unsigned long long)limit_burst(limit),
		      limit->unit == LIMIT_BITS ? "bits" : "packets");
}

static void print_decision(const struct ruleset *ruleset, const struct explanation *explanation,
			   struct buffer *buffer)
{
	const struct block *block = &ruleset->blocks[explanation->met.hook];
	const char *path;

	if (explanation->reason)
		buffer_printf(buffer, "malformed, %s: %s\n", fw_reason_name(explanation->reason),
			      fw_reason_meaning(explanation->reason));
	else if (explanation->evaluation.rule != EVALUATE_DEFAULT)
		print_rule(ruleset, &block->rules[explanation->evaluation.rule], buffer);
	else if (!block->present)
		buffer_printf(buffer, "there is no %s block\n", hook_names[explanation->met.hook]);
	else if (find_place(ruleset, &block->at, false, &path))
		buffer_printf(buffer, "%s:%u: %s default %s\n", path, block->at.line,
			      hook_names[explanation->met.hook],
			      action_names[block->default_action]);
	else
		buffer_printf(buffer, "%s default\n", hook_names[explanation->met.hook]);
}

/* Rules before the one that decided; all if none did. */
static size_t rules_before(const struct block *block, const struct explanation *explanation)
{
	if (explanation->reason)
		return 0;
	if (explanation->evaluation.rule == EVALUATE_DEFAULT)
		return block->count;
	return explanation->evaluation.rule;
}

static const struct match *failing_match(const struct rule *rule, const struct met_packet *met)
{
	return rule_failing_match(rule, &met->packet, met->interface[0] ? met->interface : NULL);
}

/* Each rule before the one that decided either failed, or counted, or drops above a limit only. */
static void print_why(const struct ruleset *ruleset, const struct explanation *explanation,
		      struct buffer *buffer)
{
	const struct block *block = &ruleset->blocks[explanation->met.hook];
	size_t count = rules_before(block, explanation);

	if (count)
		buffer_puts(buffer, "    before that:\n");
	for (size_t i = 0; i < count; i++) {
		const struct rule *rule = &block->rules[i];
		const struct match *match = failing_match(rule, &explanation->met);

		buffer_puts(buffer, "        ");
		print_rule(ruleset, rule, buffer);
		buffer_puts(buffer, "            ");
		if (match) {
			match_text_print(rule, match, buffer);
			buffer_puts(buffer, ", but the packet has ");
			packet_value_print(&explanation->met, match->kind, buffer);
		} else {
			buffer_puts(buffer, rule->action == FW_COUNT
						    ? "counts and goes on"
						    : "drops only what is over its limit");
		}
		buffer_putc(buffer, '\n');
	}
}

/*
 * True if the rules name interfaces, but not the one that the packet is said to be on. A pattern
 * does not mean the loopback.
 */
static bool is_elsewhere(const struct ruleset *ruleset, const char *name)
{
	bool is_loopback = !strcmp(name, "lo");

	for (size_t i = 0; i < ruleset->interface_count; i++) {
		const struct interface *line = &ruleset->interfaces[i];

		if (line->is_pattern ? !is_loopback && !fnmatch(line->pattern, name, 0)
				     : !strcmp(line->pattern, name))
			return false;
	}
	return *name && ruleset->interface_count;
}

/* What is true of the packet on another interface; "" if there is nothing to say. */
static void add_note(const struct ruleset *ruleset, const char *interface, struct buffer *buffer)
{
	if (is_elsewhere(ruleset, interface))
		buffer_printf(buffer,
			      "%s is named by no `interface` line: its packets are not filtered",
			      interface);
}

/* Does a flow begin with the packet? ICMP by its queries, TCP by a SYN alone. */
static bool begins_flow(const struct ruleset *ruleset, const struct fw_packet *packet)
{
	uint8_t flags = packet->tcp_flags & TCP_OPENING_MASK;

	if (packet->state != FW_STATE_NEW || packet->has & FW_IS_FRAGMENT)
		return false;
	if (packet->has & FW_HAS_FLAGS)
		return flags == TCP_SYN || (ruleset->options.pickup && flags & TCP_ACK);
	if (packet->has & FW_HAS_ICMP && packet->family == FW_INET6)
		return packet->icmp_type == 128;
	return !(packet->has & FW_HAS_ICMP) || packet->icmp_type == 8 ||
	       (packet->icmp_type >= 13 && packet->icmp_type <= 17 && packet->icmp_type & 1);
}

static bool is_recorded(const struct ruleset *ruleset, const struct explanation *explanation)
{
	const struct block *block = &ruleset->blocks[explanation->met.hook];
	size_t rule = explanation->evaluation.rule;

	return !explanation->reason && rule != EVALUATE_DEFAULT && block->rules[rule].keep_state &&
	       begins_flow(ruleset, &explanation->met.packet);
}

/* A SYN that XDP may answer instead of the host, above `option syncookie-after`. */
static bool may_be_answered(const struct ruleset *ruleset, const struct explanation *explanation)
{
	const struct block *block = &ruleset->blocks[explanation->met.hook];
	const struct fw_packet *packet = &explanation->met.packet;
	size_t rule = explanation->evaluation.rule;

	return !explanation->reason && rule != EVALUATE_DEFAULT && block->rules[rule].syncookie &&
	       packet->has & FW_HAS_FLAGS && !(packet->has & FW_IS_FIRST_FRAGMENT) &&
	       (packet->tcp_flags & TCP_OPENING_MASK) == TCP_SYN;
}

void explanation_print(const struct ruleset *ruleset, const struct explanation *explanation,
		       const struct explain_options *options, struct buffer *buffer)
{
	const struct block *block = &ruleset->blocks[explanation->met.hook];
	const struct evaluation *evaluation = &explanation->evaluation;
	const char *action = verdict_names[explanation->verdict];
	_cleanup_buffer_ struct buffer note = { 0 };

	if (options->numbered)
		buffer_printf(buffer, "%zu: ", explanation->number);
	packet_text_print(&explanation->met, buffer);
	buffer_putc(buffer, '\n');
	if (!explanation->reason)
		action = action_names[evaluation->action];
	buffer_printf(buffer, "    %s: ", action);
	print_decision(ruleset, explanation, buffer);
	if (!explanation->reason && evaluation->rule != EVALUATE_DEFAULT &&
	    block->rules[evaluation->rule].limit)
		print_limit(block->rules[evaluation->rule].limit, buffer);
	for (size_t i = 0; i < evaluation->counted_count; i++) {
		buffer_puts(buffer, "    counted by ");
		print_rule(ruleset, &block->rules[evaluation->counted[i]], buffer);
	}
	if (is_recorded(ruleset, explanation))
		buffer_puts(buffer, "    its flow is recorded\n");
	if (may_be_answered(ruleset, explanation))
		buffer_puts(buffer,
			    "    in a flood of such packets it is answered with a SYN cookie\n");
	add_note(ruleset, explanation->met.interface, &note);
	if (note.length)
		buffer_printf(buffer, "    note: %s\n", buffer_text(&note));
	if (explanation->kernel)
		buffer_printf(buffer, "    kernel: %s\n", explanation->kernel_text);
	if (options->why)
		print_why(ruleset, explanation, buffer);
}

static json_t *json_text(const char *text)
{
	json_t *value = text ? json_string(text) : json_null();

	return value ? value : json_string("(not UTF-8)");
}

static void set_place(json_t *object, const struct ruleset *ruleset, const struct location *at,
		      bool builtin)
{
	const char *path = NULL;
	bool found = at && find_place(ruleset, at, builtin, &path);

	json_object_set_new(object, "file", json_text(path));
	json_object_set_new(object, "line", found ? json_integer(at->line) : json_null());
}

static void set_rule(json_t *object, const struct ruleset *ruleset, const struct rule *rule)
{
	json_object_set_new(object, "rule", json_text(rule_identity(rule)));
	set_place(object, ruleset, &rule->at, rule->builtin);
}

static void set_decision(json_t *object, const struct ruleset *ruleset,
			 const struct explanation *explanation)
{
	const struct block *block = &ruleset->blocks[explanation->met.hook];

	if (explanation->reason) {
		json_object_set_new(object, "rule", json_null());
		set_place(object, ruleset, NULL, false);
		json_object_set_new(object, "reason",
				    json_text(fw_reason_name(explanation->reason)));
		return;
	}
	if (explanation->evaluation.rule == EVALUATE_DEFAULT) {
		json_object_set_new(object, "rule", json_string("default"));
		set_place(object, ruleset, block->present ? &block->at : NULL, false);
	} else {
		set_rule(object, ruleset, &block->rules[explanation->evaluation.rule]);
	}
	json_object_set_new(object, "reason", json_null());
}

static json_t *why_json(const struct ruleset *ruleset, const struct explanation *explanation)
{
	const struct block *block = &ruleset->blocks[explanation->met.hook];
	json_t *array = json_array();

	for (size_t i = 0; i < rules_before(block, explanation); i++) {
		const struct rule *rule = &block->rules[i];
		const struct match *match = failing_match(rule, &explanation->met);
		_cleanup_buffer_ struct buffer text = { 0 };
		_cleanup_buffer_ struct buffer value = { 0 };
		json_t *object = json_object();

		set_rule(object, ruleset, rule);
		if (match) {
			match_text_print(rule, match, &text);
			packet_value_print(&explanation->met, match->kind, &value);
		}
		json_object_set_new(object, "match", json_text(match ? buffer_text(&text) : NULL));
		json_object_set_new(object, "packet",
				    json_text(match ? buffer_text(&value) : NULL));
		json_array_append_new(array, object);
	}
	return array;
}

json_t *explanation_json(const struct ruleset *ruleset, const struct explanation *explanation,
			 const struct explain_options *options)
{
	const struct block *block = &ruleset->blocks[explanation->met.hook];
	const struct evaluation *evaluation = &explanation->evaluation;
	const char *interface = explanation->met.interface;
	const char *verdict = verdict_names[explanation->verdict];
	_cleanup_buffer_ struct buffer text = { 0 }, note = { 0 };
	json_t *object = json_object(), *counted = json_array();

	json_object_set_new(object, "packet", json_integer((json_int_t)explanation->number));
	json_object_set_new(object, "hook", json_string(hook_names[explanation->met.hook]));
	json_object_set_new(object, "verdict", json_string(verdict));
	set_decision(object, ruleset, explanation);
	json_object_set_new(object, "interface", json_text(*interface ? interface : NULL));
	add_note(ruleset, interface, &note);
	json_object_set_new(object, "note", json_text(note.length ? buffer_text(&note) : NULL));
	packet_text_print(&explanation->met, &text);
	json_object_set_new(object, "text", json_text(buffer_text(&text)));
	json_object_set_new(
		object, "action",
		json_string(explanation->reason ? verdict : action_names[evaluation->action]));
	for (size_t i = 0; i < evaluation->counted_count; i++)
		json_array_append_new(
			counted, json_text(rule_identity(&block->rules[evaluation->counted[i]])));
	json_object_set_new(object, "counted", counted);
	json_object_set_new(object, "recorded", json_boolean(is_recorded(ruleset, explanation)));
	json_object_set_new(object, "syncookie",
			    json_boolean(may_be_answered(ruleset, explanation)));
	if (options->why)
		json_object_set_new(object, "why", why_json(ruleset, explanation));
	if (explanation->kernel) {
		json_object_set_new(object, "kernel", json_string(explanation->kernel));
		json_object_set_new(object, "kernel-text", json_text(explanation->kernel_text));
	}
	return object;
}
