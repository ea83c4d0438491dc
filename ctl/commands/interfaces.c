/* SPDX-License-Identifier: GPL-2.0-only */
/* Matches `interface` lines with the links of this host. The first line that fits decides. */
#include "commands/interfaces.h"

#include <errno.h>
#include <fnmatch.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"

bool interface_means(const struct interface *line, const struct link_info *link)
{
	if (!line->is_pattern)
		return !strcmp(line->pattern, link->name);
	/* "*" is meant for the network: to filter what a host says to itself, name the loopback. */
	return link->type != ARPHRD_LOOPBACK && !fnmatch(line->pattern, link->name, 0);
}

static const struct interface *line_find(const struct ruleset *ruleset,
					 const struct link_info *link)
{
	for (size_t i = 0; i < ruleset->interface_count; i++) {
		if (interface_means(&ruleset->interfaces[i], link))
			return &ruleset->interfaces[i];
	}
	return NULL;
}

static bool line_is_answered(const struct interface *line, const struct wanted_links *wanted)
{
	for (size_t i = 0; i < wanted->link_count; i++) {
		if (interface_means(line, &wanted->links[i]))
			return true;
	}
	return false;
}

static void *array_new(size_t count, size_t size)
{
	void *array = calloc(count ? count : 1, size);

	if (!array)
		message_out_of_memory();
	return array;
}

int wanted_links_find(const struct ruleset *ruleset, struct wanted_links *ret_wanted)
{
	struct wanted_links wanted = { 0 };
	int error;

	error = links_read(&wanted.links, &wanted.link_count);
	if (error)
		return error;
	wanted.items = array_new(wanted.link_count, sizeof(*wanted.items));
	wanted.skipped = array_new(wanted.link_count, sizeof(*wanted.skipped));
	wanted.missing = array_new(ruleset->interface_count, sizeof(*wanted.missing));
	for (size_t i = 0; i < wanted.link_count; i++) {
		const struct interface *line = line_find(ruleset, &wanted.links[i]);

		if (line && line->is_pattern && !link_is_supported(&wanted.links[i]))
			wanted.skipped[wanted.skipped_count++] = &wanted.links[i];
		else if (line)
			wanted.items[wanted.count++] =
				(struct wanted_link){ &wanted.links[i], line };
	}
	for (size_t i = 0; i < ruleset->interface_count; i++) {
		if (!line_is_answered(&ruleset->interfaces[i], &wanted))
			wanted.missing[wanted.missing_count++] = &ruleset->interfaces[i];
	}
	*ret_wanted = wanted;
	return 0;
}

const struct link_info *wanted_whole(const struct wanted_links *wanted,
				     const struct link_info *link)
{
	const struct link_info *whole = NULL;

	for (size_t i = 0; link->whole && i < wanted->count; i++) {
		if (wanted->items[i].link->index == link->index)
			return NULL;
		if (wanted->items[i].link->index == link->whole)
			whole = wanted->items[i].link;
	}
	return whole;
}

void wanted_links_print(const struct wanted_links *wanted, struct buffer *buffer)
{
	for (size_t i = 0; i < wanted->count; i++)
		buffer_printf(buffer, "%u %s\n", wanted->items[i].link->index,
			      wanted->items[i].link->name);
	for (size_t i = 0; i < wanted->link_count; i++) {
		const struct link_info *link = &wanted->links[i];
		const struct link_info *whole = wanted_whole(wanted, link);

		if (whole)
			buffer_printf(buffer, "%u %s of %s\n", link->index, link->name,
				      whole->name);
	}
}

static bool text_has_line(const char *text, const char *line)
{
	for (const char *at = strstr(text, line); at; at = strstr(at + 1, line)) {
		if (at == text || at[-1] == '\n')
			return true;
	}
	return false;
}

bool links_text_has(const char *text, const struct link_info *link)
{
	char line[IF_NAMESIZE + 16];

	snprintf(line, sizeof(line), "%u %s\n", link->index, link->name);
	return text_has_line(text, line);
}

bool links_text_has_part(const char *text, const struct link_info *link,
			 const struct link_info *whole)
{
	char line[2 * IF_NAMESIZE + 20];

	snprintf(line, sizeof(line), "%u %s of %s\n", link->index, link->name, whole->name);
	return text_has_line(text, line);
}

void wanted_links_free(struct wanted_links *wanted)
{
	free(wanted->links);
	free(wanted->items);
	free(wanted->missing);
	free(wanted->skipped);
	memset(wanted, 0, sizeof(*wanted));
}

static const char *name_of(const struct link_info *link)
{
	return link ? link->name : NULL;
}

struct link *wanted_links_for_compiler(const struct wanted_links *wanted)
{
	struct link *links = array_new(wanted->link_count, sizeof(*links));

	for (size_t i = 0; i < wanted->link_count; i++)
		links[i] = (struct link){
			.name = wanted->links[i].name,
			.index = wanted->links[i].index,
			.whole = name_of(wanted_whole(wanted, &wanted->links[i])),
		};
	return links;
}

bool vlan_rules_are_blind(const struct ruleset *ruleset, const struct attachment *attachment)
{
	const struct block *block = &ruleset->blocks[attachment->hook];

	for (size_t i = 0; attachment->no_vlan_tags && i < block->count; i++) {
		if (rule_find_match(&block->rules[i], MATCH_VLAN))
			return true;
	}
	return false;
}
