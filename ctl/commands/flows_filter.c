/* SPDX-License-Identifier: GPL-2.0-only */
/* The conditions of `fwctl flows`. Each may stand once; all of them have to hold. */
#include "commands/flows_filter.h"

#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "base/number.h"
#include "language/names.h"

struct reader {
	const struct context *context;
	char **words;
	int count;
	int at;
	bool failed;
};

static const char *word_take(struct reader *reader, const char *what)
{
	if (reader->at < reader->count)
		return reader->words[reader->at++];
	usage_error(reader->context, "%s is missing at the end", what);
	reader->failed = true;
	return NULL;
}

static bool word_is(struct reader *reader, const char *word)
{
	if (reader->at >= reader->count || strcmp(reader->words[reader->at], word) != 0)
		return false;
	reader->at++;
	return true;
}

static void complain(struct reader *reader, const char *what, const char *word)
{
	usage_error(reader->context, "'%s' is not %s", word, what);
	reader->failed = true;
}

static void read_addresses(struct reader *reader, struct flow_end *end)
{
	const char *word = word_take(reader, "an address");
	char *copy = word ? strdup(word) : NULL;

	if (!copy)
		return;
	end->addresses.what = "flows";
	if (end->addresses.elements.count)
		complain(reader, "expected: there are addresses already", word);
	else if (!strcmp(word, "-"))
		complain(reader, "an address", word);
	else if (!set_input_words(&end->addresses, 1, &copy))
		reader->failed = true;
	free(copy);
}

/* By its name in /etc/services. */
static bool service_find(const char *word, uint64_t *ret_port)
{
	struct arena *arena = arena_new();
	const struct name_list services = names_read("/etc/services", arena);
	uint32_t port = 0;
	bool found = name_find(&services, word, strlen(word), &port);

	*ret_port = port;
	arena_free(&arena);
	return found;
}

static bool ports_parse(const char *word, uint64_t *ret_low, uint64_t *ret_high)
{
	const uint64_t bounds[2] = { 0, UINT16_MAX };
	const char *dash = strchr(word, '-');

	if (service_find(word, ret_low)) { /* a name may have a dash */
		*ret_high = *ret_low;
		return true;
	}
	return !number_parse(word, dash ? (size_t)(dash - word) : strlen(word), NUMBER_DECIMAL,
			     bounds, ret_low) &&
	       !number_parse_text(dash ? dash + 1 : word, *ret_low, UINT16_MAX, ret_high);
}

static void read_ports(struct reader *reader, struct flow_end *end)
{
	const char *word = word_take(reader, "a port");
	uint64_t low, high;

	if (!word)
		return;
	if (end->has_ports || !ports_parse(word, &low, &high)) {
		complain(reader,
			 end->has_ports ? "expected: there is a port already"
					: "a port from 0 to 65535, two with '-' between them, or a "
					  "service of /etc/services",
			 word);
		return;
	}
	end->has_ports = true;
	end->port_low = (uint16_t)low;
	end->port_high = (uint16_t)high;
}

/* ADDRS [ "port" PORTS ] | "port" PORTS */
static void read_end(struct reader *reader, struct flow_end *end)
{
	if (!word_is(reader, "port")) {
		read_addresses(reader, end);
		if (!word_is(reader, "port"))
			return;
	}
	read_ports(reader, end);
}

static bool protocol_find(const char *word, int *ret_protocol)
{
	uint32_t value;
	uint64_t number;

	if (name_find(&names_protocols, word, strlen(word), &value))
		*ret_protocol = (int)value;
	else if (!number_parse_text(word, 0, UINT8_MAX, &number))
		*ret_protocol = (int)number;
	else
		return false;
	return true;
}

static void read_state(struct reader *reader, struct flow_filter *filter)
{
	const char *word = word_take(reader, "a state");
	enum fw_flow_state state;

	if (!word)
		return;
	if (!strcmp(word, "half-open"))
		filter->table = FW_FLOWS_HALF_OPEN;
	else if (!strcmp(word, "assured"))
		filter->table = FW_FLOWS_ASSURED;
	else if (flow_state_find(word, &state))
		filter->state = (int)state;
	else
		complain(reader,
			 "a state of flows: unreplied, replied, syn-sent, syn-received, "
			 "established, closing, time-wait, closed, half-open, assured",
			 word);
}

static void read_interface(struct reader *reader, struct flow_filter *filter)
{
	const char *word = word_take(reader, "an interface");

	if (!word)
		return;
	filter->interface = if_nametoindex(word);
	if (!filter->interface)
		complain(reader, "an interface of this host", word);
}

static void read_condition(struct reader *reader, struct flow_filter *filter)
{
	if (word_is(reader, "from"))
		read_end(reader, &filter->from);
	else if (word_is(reader, "to"))
		read_end(reader, &filter->to);
	else if (word_is(reader, "address"))
		read_addresses(reader, &filter->either);
	else if (word_is(reader, "port"))
		read_ports(reader, &filter->either);
	else if (word_is(reader, "state"))
		read_state(reader, filter);
	else if (word_is(reader, "rule"))
		filter->rule = word_take(reader, "a rule's label or text");
	else if (word_is(reader, "on"))
		read_interface(reader, filter);
	else if (word_is(reader, "inet"))
		filter->family = FW_INET;
	else if (word_is(reader, "inet6"))
		filter->family = FW_INET6;
	else {
		const char *word;

		word_is(reader, "proto");
		word = word_take(reader, "a protocol");
		if (word && !protocol_find(word, &filter->protocol))
			complain(reader,
				 "a condition: a protocol, inet, inet6, from, to, address, port, "
				 "state, rule or on",
				 word);
	}
}

bool flow_filter_parse(const struct context *context, int count, char **words,
		       struct flow_filter *ret_filter)
{
	struct reader reader = { .context = context, .words = words, .count = count };

	*ret_filter = (struct flow_filter){
		.is_empty = !count,
		.family = FW_OTHER,
		.protocol = -1,
		.state = -1,
		.table = -1,
	};
	while (reader.at < count && !reader.failed)
		read_condition(&reader, ret_filter);
	return !reader.failed;
}

void flow_filter_free(struct flow_filter *filter)
{
	set_input_free(&filter->from.addresses);
	set_input_free(&filter->to.addresses);
	set_input_free(&filter->either.addresses);
}

/* --- Does it hold? -------------------------------------------------------------------------- */

static bool prefix_holds(const struct set_element *prefix, const struct address *address)
{
	struct address low, high;

	if (prefix->address.family != address->family)
		return false;
	prefix_bounds(&prefix->address, prefix->length, &low, &high);
	return words_compare(address->word, low.word) >= 0 &&
	       words_compare(address->word, high.word) <= 0;
}

static bool addresses_hold(const struct flow_end *end, const struct address *address)
{
	bool holds = !end->addresses.elements.count;

	for (size_t i = 0; i < end->addresses.elements.count && !holds; i++)
		holds = prefix_holds(&end->addresses.elements.items[i], address);
	return holds;
}

static bool ports_hold(const struct flow_end *end, uint16_t port)
{
	return !end->has_ports || (port >= end->port_low && port <= end->port_high);
}

/* `from` and `to` speak of one end; `address` and `port` each of either one. */
static bool ends_hold(const struct flow_filter *filter, const struct flow *flow)
{
	return addresses_hold(&filter->from, &flow->source) &&
	       ports_hold(&filter->from, flow->source_port) &&
	       addresses_hold(&filter->to, &flow->destination) &&
	       ports_hold(&filter->to, flow->destination_port) &&
	       (addresses_hold(&filter->either, &flow->source) ||
		addresses_hold(&filter->either, &flow->destination)) &&
	       (ports_hold(&filter->either, flow->source_port) ||
		ports_hold(&filter->either, flow->destination_port));
}

bool flow_filter_holds(const struct flow_filter *filter, const struct flow *flow)
{
	if (filter->is_empty)
		return true;
	if ((filter->protocol >= 0 && filter->protocol != flow->protocol) ||
	    (filter->family != FW_OTHER && filter->family != flow->source.family) ||
	    (filter->state >= 0 && filter->state != (int)flow->state) ||
	    (filter->table >= 0 && filter->table != (int)flow->table) ||
	    (filter->interface && filter->interface != flow->interface))
		return false;
	if (filter->rule && (!flow->rule || strcmp(filter->rule, flow->rule) != 0))
		return false;
	return ends_hold(filter, flow);
}

/* --- Rules ---------------------------------------------------------------------------------- */

/* Names of rules are as long as they like: those that begin so are near too. */
static bool is_near(const char *name, const char *other, unsigned *best)
{
	size_t length = strlen(name);
	unsigned distance = text_distance(name, length, other, strlen(other));

	if (strstr(other, name))
		distance = 1;
	if (distance >= *best || distance >= length)
		return false;
	*best = distance;
	return true;
}

bool flow_filter_check(const struct flow_filter *filter, const struct context *context,
		       struct dataplane *dataplane)
{
	struct statistics *statistics = NULL;
	const char *nearest = NULL;
	unsigned best = 4;
	bool found = !filter->rule;

	if (found)
		return true;
	if (dataplane_read_statistics(dataplane, &statistics)) {
		message_error("flows: %s", dataplane_error(dataplane));
		return false;
	}
	for (size_t i = 0; i < statistics->rule_count && !found; i++) {
		const char *identity = statistics->rules[i].identity;

		found = !strcmp(identity, filter->rule);
		if (is_near(filter->rule, identity, &best))
			nearest = identity;
	}
	if (!found)
		usage_error(context, "no rule is called '%s'; %s%s%s", filter->rule,
			    nearest ? "did you mean '" : "`fwctl list` shows labels and texts",
			    nearest ? nearest : "", nearest ? "'?" : "");
	statistics_free(&statistics);
	return found;
}
