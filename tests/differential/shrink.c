/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tries to leave things out, one after the other, and keeps what still makes the same judge
 * disagree: rules, then matches, then elements, then bytes of the frame.
 */
#include "fw/parse.h"
#include "shrink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SHRINK_SECONDS 120

struct shrinker {
	struct bench *bench;
	struct disagreement *found;
	time_t until;
};

int judge_all(struct bench *bench, enum fw_hook hook, const struct frame *frame,
	      struct opinion ret[JUDGES])
{
	judge_reference(bench, hook, frame, &ret[JUDGE_REFERENCE]);
	judge_classifier(bench, hook, frame, &ret[JUDGE_CLASSIFIER]);
	judge_kernel_counted(bench, hook, frame, &ret[JUDGE_KERNEL]);
	return judge_nft(bench, hook, frame, 1, &ret[JUDGE_REFERENCE], &ret[JUDGE_NFT]);
}

static bool is_over(const struct shrinker *shrinker)
{
	return time(NULL) > shrinker->until;
}

static bool frame_fails(struct shrinker *shrinker, const struct frame *frame)
{
	struct opinion opinions[JUDGES];
	const struct disagreement *found = shrinker->found;

	if (is_over(shrinker) || judge_all(shrinker->bench, found->hook, frame, opinions))
		return false;
	return !opinions_agree(&opinions[JUDGE_REFERENCE], &opinions[found->judge]);
}

/* The beginning of what was said, without the place. */
static const char *error_text(const char *error)
{
	const char *text = error ? strstr(error, "error: ") : NULL;

	return text ? text : error ? error : "";
}

static bool spec_fails(struct shrinker *shrinker, const struct spec *spec)
{
	const struct disagreement *found = shrinker->found;
	int err;

	if (is_over(shrinker))
		return false;
	err = bench_load(shrinker->bench, spec);
	if (found->judge == JUDGE_LOAD)
		return err &&
		       !strncmp(error_text(shrinker->bench->error), error_text(found->error), 12);
	return !err && frame_fails(shrinker, &found->frame);
}

/* Takes the changed spec if it still fails, else gives it up. */
static bool keep_if_fails(struct shrinker *shrinker, struct spec *changed)
{
	struct spec dropped;

	if (!spec_fails(shrinker, changed)) {
		spec_free(changed);
		return false;
	}
	dropped = shrinker->found->spec;
	shrinker->found->spec = *changed;
	spec_free(&dropped);
	return true;
}

static bool try_without_rules(struct shrinker *shrinker, int hook, size_t first, size_t count)
{
	struct spec changed;
	struct spec_block *block;

	spec_copy(&shrinker->found->spec, &changed);
	block = &changed.blocks[hook];
	memmove(block->rules + first, block->rules + first + count,
		(block->count - first - count) * sizeof(block->rules[0]));
	block->count -= count;
	return keep_if_fails(shrinker, &changed);
}

static void shrink_rules(struct shrinker *shrinker, int hook)
{
	const struct spec_block *block = &shrinker->found->spec.blocks[hook];

	for (size_t chunk = block->count; chunk && !is_over(shrinker); chunk /= 2) {
		for (size_t first = 0; first < block->count;) {
			size_t count = chunk < block->count - first ? chunk : block->count - first;

			if (!try_without_rules(shrinker, hook, first, count))
				first += count;
		}
	}
}

/* A change of one match; what is not possible leaves the spec as it is. */
enum match_change {
	MATCH_DROP,
	MATCH_UNNEGATE,
	MATCH_LOWEST, /* ranges become their first values */
	MATCH_HIGHEST,
	MATCH_CHANGES,
};

static bool change_match(struct spec_rule *rule, size_t number, enum match_change change)
{
	struct spec_match *match = &rule->matches[number];
	bool has_type =
		spec_find_match(rule, MATCH_ICMP_TYPE) || spec_find_match(rule, MATCH_ICMP_CODE);
	bool changed = false;

	if (change == MATCH_DROP) {
		if (match->kind == MATCH_PROTOCOL && has_type)
			return false;
		if (match->kind == MATCH_ICMP_TYPE && spec_find_match(rule, MATCH_ICMP_CODE))
			return false;
		memmove(match, match + 1, (rule->match_count - number - 1) * sizeof(*match));
		rule->match_count--;
		return true;
	}
	if (change == MATCH_UNNEGATE) {
		changed = match->negated;
		match->negated = false;
		return changed;
	}
	for (size_t i = 0; i < match->count; i++) {
		struct spec_element *element = &match->elements[i];

		if (match->kind == MATCH_FLAGS || element->low == element->high)
			continue;
		changed = true;
		if (change == MATCH_LOWEST)
			element->high = element->low;
		else
			element->low = element->high;
	}
	return changed;
}

static bool try_match_change(struct shrinker *shrinker, int hook, size_t rule, size_t match,
			     enum match_change change)
{
	struct spec changed;
	struct spec_rule *changed_rule;

	spec_copy(&shrinker->found->spec, &changed);
	changed_rule = &changed.blocks[hook].rules[rule];
	if (!change_match(changed_rule, match, change) ||
	    !spec_rule_families(&changed, changed_rule)) {
		spec_free(&changed);
		return false;
	}
	return keep_if_fails(shrinker, &changed);
}

static bool try_without_element(struct shrinker *shrinker, int hook, size_t rule, size_t match,
				size_t element)
{
	struct spec changed;
	struct spec_match *changed_match;

	spec_copy(&shrinker->found->spec, &changed);
	changed_match = &changed.blocks[hook].rules[rule].matches[match];
	memmove(&changed_match->elements[element], &changed_match->elements[element + 1],
		(changed_match->count - element - 1) * sizeof(changed_match->elements[0]));
	changed_match->count--;
	if (!spec_rule_families(&changed, &changed.blocks[hook].rules[rule])) {
		spec_free(&changed);
		return false;
	}
	return keep_if_fails(shrinker, &changed);
}

static void shrink_matches(struct shrinker *shrinker, int hook)
{
	const struct spec_block *block = &shrinker->found->spec.blocks[hook];

	for (size_t r = 0; r < block->count && !is_over(shrinker); r++) {
		for (size_t m = 0; m < block->rules[r].match_count;) {
			if (!try_match_change(shrinker, hook, r, m, MATCH_DROP))
				m++;
		}
		for (size_t m = 0; m < block->rules[r].match_count; m++) {
			for (size_t e = 0; block->rules[r].matches[m].count > 1 &&
					   e < block->rules[r].matches[m].count;)
				if (!try_without_element(shrinker, hook, r, m, e))
					e++;
			for (int change = MATCH_UNNEGATE; change < MATCH_CHANGES; change++)
				try_match_change(shrinker, hook, r, m, (enum match_change)change);
		}
	}
}

static bool set_without(struct spec_set *set, size_t element)
{
	if (set->count == 0)
		return false;
	memmove(&set->elements[element], &set->elements[element + 1],
		(set->count - element - 1) * sizeof(set->elements[0]));
	set->count--;
	return true;
}

static void shrink_sets(struct shrinker *shrinker)
{
	struct spec *spec = &shrinker->found->spec;
	struct spec changed;

	for (int i = 0; i < SPEC_SETS; i++) {
		spec_copy(spec, &changed);
		changed.sets[i].count = 0;
		keep_if_fails(shrinker, &changed);
		for (size_t e = 0; e < spec->sets[i].count;) {
			spec_copy(spec, &changed);
			if (!set_without(&changed.sets[i], e) || !keep_if_fails(shrinker, &changed))
				e++;
		}
	}
}

/* Options, defaults, families, labels. */
static void shrink_options(struct shrinker *shrinker)
{
	struct spec *spec = &shrinker->found->spec;
	struct spec changed;

	spec_copy(spec, &changed);
	changed.essential = false;
	keep_if_fails(shrinker, &changed);
	spec_copy(spec, &changed);
	changed.malformed_pass = false;
	keep_if_fails(shrinker, &changed);
	for (int hook = 0; hook < FW_HOOKS; hook++) {
		for (size_t i = 0; i < spec->blocks[hook].count; i++) {
			spec_copy(spec, &changed);
			changed.blocks[hook].rules[i].family = FW_OTHER;
			if (!spec->blocks[hook].rules[i].family)
				spec_free(&changed);
			else
				keep_if_fails(shrinker, &changed);
		}
	}
}

static bool lower16(struct frame *frame, size_t at, size_t count)
{
	size_t value =
		at + 2 <= frame->length ? (size_t)frame->bytes[at] << 8 | frame->bytes[at + 1] : 0;

	if (value < count)
		return false;
	frame->bytes[at] = (uint8_t)((value - count) >> 8);
	frame->bytes[at + 1] = (uint8_t)(value - count);
	return true;
}

/* Lengths that say how long the frame is. */
enum cut {
	CUT_FRAME,
	CUT_IP,	 /* and the IP packet in it */
	CUT_UDP, /* and the UDP datagram in that */
	CUTS,
};

/* The frame, untagged if `cut` is not CUT_FRAME, with `count` bytes less at its end. */
static bool cut_frame(struct frame *frame, size_t count, enum cut cut)
{
	bool inet6 = frame->bytes[12] == 0x86;

	if (frame->length < FW_ETHERNET_HEADER + count)
		return false;
	frame->length -= count;
	if (cut >= CUT_IP && !lower16(frame, inet6 ? 18 : 16, count))
		return false;
	return cut < CUT_UDP || lower16(frame, inet6 ? 58 : 38, count);
}

/* Without its first extension header of `count` bytes; an untagged IPv6 frame. */
static bool cut_extension(struct frame *frame, size_t count)
{
	const size_t at = FW_ETHERNET_HEADER + FW_IPV6_HEADER;

	if (frame->bytes[12] != 0x86 || frame->length < at + count || !lower16(frame, 18, count))
		return false;
	frame->bytes[20] = frame->bytes[at];
	memmove(frame->bytes + at, frame->bytes + at + count, frame->length - at - count);
	frame->length -= count;
	return true;
}

/* What stands between the IP header and the transport. */
static void shrink_extensions(struct shrinker *shrinker)
{
	struct frame *frame = &shrinker->found->frame;

	for (size_t count = 8; count <= 32; count += 4) {
		struct frame changed = *frame;

		while (cut_extension(&changed, count) && frame_fails(shrinker, &changed))
			*frame = changed;
	}
}

static void shrink_length(struct shrinker *shrinker)
{
	struct frame *frame = &shrinker->found->frame;

	for (size_t count = 2048; count; count /= 2) {
		for (int cut = 0; cut < CUTS; cut++) {
			struct frame changed = *frame;

			while (cut_frame(&changed, count, (enum cut)cut) &&
			       frame_fails(shrinker, &changed))
				*frame = changed;
		}
	}
}

static void shrink_tags(struct shrinker *shrinker)
{
	struct frame *frame = &shrinker->found->frame;
	struct frame changed;

	for (int i = 0; i < 3 && frame->length > 18; i++) {
		changed = *frame;
		memmove(changed.bytes + 12, changed.bytes + 16, changed.length - 16);
		changed.length -= 4;
		if (frame_fails(shrinker, &changed))
			*frame = changed;
	}
}

static bool is_zero(const uint8_t *bytes, size_t count)
{
	while (count--)
		if (*bytes++)
			return false;
	return true;
}

static void shrink_bytes(struct shrinker *shrinker)
{
	struct frame *frame = &shrinker->found->frame;

	for (size_t chunk = 32; chunk; chunk /= 2) {
		for (size_t at = 0; at + chunk <= frame->length; at += chunk) {
			struct frame changed = *frame;

			if (is_zero(frame->bytes + at, chunk))
				continue;
			memset(changed.bytes + at, 0, chunk);
			if (frame_fails(shrinker, &changed))
				*frame = changed;
		}
	}
}

void shrink(struct bench *bench, struct disagreement *disagreement)
{
	struct shrinker shrinker = { bench, disagreement, time(NULL) + SHRINK_SECONDS };

	bench->quiet = true;
	for (int hook = 0; hook < FW_HOOKS; hook++)
		shrink_rules(&shrinker, hook);
	for (int hook = 0; hook < FW_HOOKS; hook++)
		shrink_matches(&shrinker, hook);
	shrink_sets(&shrinker);
	shrink_options(&shrinker);
	bench->quiet = false;
	if (bench_load(bench, &disagreement->spec) || disagreement->judge == JUDGE_LOAD)
		return;
	shrink_tags(&shrinker);
	shrink_extensions(&shrinker);
	shrink_length(&shrinker);
	shrink_bytes(&shrinker);
}

static void print_hex(const struct frame *frame, struct buffer *buffer)
{
	for (size_t i = 0; i < frame->length; i++)
		buffer_printf(buffer, "%s%02x", i % 32 || !i ? "" : "\n            ",
			      frame->bytes[i]);
}

static void print_packet(const struct frame *frame, struct buffer *buffer)
{
	const struct fw_frame seen = { .data = frame->bytes,
				       .data_end = frame->bytes + frame->length,
				       .length = (__u32)frame->length,
				       .stripped_vlan = FW_NO_VLAN };
	char source[ADDRESS_TEXT_MAX] = "-", destination[ADDRESS_TEXT_MAX] = "-";
	struct address address = { 0 };
	struct fw_packet packet;
	enum fw_reason reason = fw_parse(&seen, &packet);

	address.family = packet.family;
	if (packet.family) {
		memcpy(address.word, packet.source, sizeof(address.word));
		address_print(&address, source);
		memcpy(address.word, packet.destination, sizeof(address.word));
		address_print(&address, destination);
	}
	buffer_printf(
		buffer,
		"%s, ethertype 0x%04x vlan %d protocol %u from %s port %u to %s port %u flags "
		"0x%02x icmp %u/%u length %u ttl %u dscp %u has 0x%02x",
		fw_reason_name(reason), packet.ethertype,
		packet.vlan == FW_NO_VLAN ? -1 : packet.vlan, packet.protocol, source,
		packet.source_port, destination, packet.destination_port, packet.tcp_flags,
		packet.icmp_type, packet.icmp_code, packet.length, packet.ttl, packet.dscp,
		packet.has);
}

void disagreement_print(struct bench *bench, const struct disagreement *found,
			struct buffer *buffer)
{
	struct opinion opinions[JUDGES];

	buffer_puts(buffer, "----- rules\n");
	spec_print(&found->spec, buffer);
	if (bench_load(bench, &found->spec) || found->judge == JUDGE_LOAD) {
		buffer_printf(buffer, "----- refused: %s\n",
			      bench->error ? bench->error : found->error);
		return;
	}
	buffer_printf(buffer, "----- packet, %s\n    frame   ",
		      found->hook == FW_INGRESS ? "ingress" : "egress");
	print_hex(&found->frame, buffer);
	buffer_puts(buffer, "\n    parsed  ");
	print_packet(&found->frame, buffer);
	buffer_puts(buffer, "\n----- judges\n");
	if (judge_all(bench, found->hook, &found->frame, opinions))
		return;
	for (int judge = 0; judge < JUDGES; judge++) {
		buffer_printf(buffer, "    %-11s ", judge_names[judge]);
		opinion_print(bench, found->hook, &opinions[judge], buffer);
		buffer_putc(buffer, '\n');
	}
}

void disagreement_free(struct disagreement *disagreement)
{
	spec_free(&disagreement->spec);
	free(disagreement->error);
	disagreement->error = NULL;
}
