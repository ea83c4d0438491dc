/* SPDX-License-Identifier: GPL-2.0-only */
#include "rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/address.h"
#include "fw/packet.h"
#include "rulefile.h"

uint64_t bench_random(uint64_t *state)
{
	uint64_t mixed = *state += 0x9e3779b97f4a7c15ULL;

	mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
	mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
	return mixed ^ (mixed >> 31);
}

static uint32_t prefix_mask(unsigned length)
{
	return length ? UINT32_MAX << (32 - length) : 0;
}

static void add_rule(struct bench_set *set, const struct bench_rule *rule)
{
	if (!(set->count & (set->count - 1))) {
		size_t capacity = set->count ? set->count * 2 : 1;

		set->rules = reallocarray(set->rules, capacity, sizeof(*rule));
		if (!set->rules)
			abort();
	}
	set->rules[set->count++] = *rule;
}

static bool parse_rule(const char *line, struct bench_rule *rule)
{
	unsigned a[8], length[2], low[2], high[2], protocol, mask;

	if (sscanf(line, "@%u.%u.%u.%u/%u %u.%u.%u.%u/%u %u : %u %u : %u %x/%x", &a[0], &a[1],
		   &a[2], &a[3], &length[0], &a[4], &a[5], &a[6], &a[7], &length[1], &low[0],
		   &high[0], &low[1], &high[1], &protocol, &mask) != 16)
		return false;
	*rule = (struct bench_rule){ .protocol = protocol, .any_protocol = !mask };
	for (int i = 0; i < 2; i++) {
		if (length[i] > 32 || low[i] > high[i] || high[i] > UINT16_MAX)
			return false;
		rule->address[i] =
			(a[4 * i] << 24 | a[4 * i + 1] << 16 | a[4 * i + 2] << 8 | a[4 * i + 3]) &
			prefix_mask(length[i]);
		rule->length[i] = length[i];
		rule->low[i] = low[i];
		rule->high[i] = high[i];
	}
	return true;
}

/* TCP and UDP have ports; the language lets no other protocol ask for them. */
static void set_header(struct bench_header *header, const uint32_t address[2],
		       const uint16_t port[2], uint8_t protocol)
{
	bool ports = protocol == 6 || protocol == 17;

	*header = (struct bench_header){
		.source = { address[0] },
		.destination = { address[1] },
		.source_port = ports ? port[0] : 0,
		.destination_port = ports ? port[1] : 0,
		.protocol = protocol,
		.family = FW_INET,
		.has = ports ? FW_HAS_PORTS : 0,
	};
}

static int read_trace(const char *path, struct bench_set *set)
{
	_cleanup_fclose_ FILE *file = fopen(path, "r");
	char line[256];
	size_t count = 0;

	if (!file)
		return -errno;
	while (count < BENCH_HEADERS && fgets(line, sizeof(line), file)) {
		uint32_t address[2];
		unsigned port[2], protocol;

		if (sscanf(line, "%u %u %u %u %u", &address[0], &address[1], &port[0], &port[1],
			   &protocol) != 5)
			return -EINVAL;
		set_header(&set->headers[count++], address, (uint16_t[]){ port[0], port[1] },
			   protocol);
	}
	for (size_t i = count; count && i < BENCH_HEADERS; i++)
		set->headers[i] = set->headers[i % count];
	return count ? 0 : -EINVAL;
}

int bench_set_read(const char *rules, const char *trace, struct bench_set *ret_set)
{
	_cleanup_fclose_ FILE *file = fopen(rules, "r");
	struct bench_set set = { 0 };
	char line[256];
	int error = 0;

	if (!file)
		return -errno;
	while (!error && fgets(line, sizeof(line), file)) {
		struct bench_rule rule;

		if (line[0] != '@')
			continue;
		if (parse_rule(line, &rule))
			add_rule(&set, &rule);
		else
			error = -EINVAL;
	}
	set.name = strdup(strrchr(rules, '/') ? strrchr(rules, '/') + 1 : rules);
	if (!error && trace) {
		set.headers = calloc(BENCH_HEADERS, sizeof(*set.headers));
		error = set.headers ? read_trace(trace, &set) : -ENOMEM;
	}
	if (error)
		bench_set_free(&set);
	else
		*ret_set = set;
	return error;
}

/* Prefixes of a network plan: few sites, subnets in them, hosts in those. */
static void generate_side(uint64_t *state, struct bench_rule *rule, int side, size_t count)
{
	static const uint8_t lengths[] = { 0,  8,  16, 20, 22, 24, 24, 24,
					   26, 27, 28, 29, 30, 32, 32, 32 };
	uint64_t seed = bench_random(state) % (count / 4 + 4) + side * 0x10000000ULL;
	uint32_t address = bench_random(&seed);

	rule->length[side] = lengths[bench_random(state) % sizeof(lengths)];
	if (bench_random(state) & 1) /* a neighbour in a site of its own length */
		address = (address & 0xfffff000) | (bench_random(state) & 0xfff);
	rule->address[side] = address & prefix_mask(rule->length[side]);
}

static void generate_service(uint64_t *state, struct bench_rule *rule)
{
	static const uint16_t ports[] = {
		22, 25, 53, 80, 110, 123, 161, 443, 993, 1521, 3306, 5060
	};
	uint32_t kind = bench_random(state) % 16;

	rule->high[0] = rule->high[1] = UINT16_MAX;
	rule->protocol = kind < 10 ? 6 : kind < 14 ? 17 : 1;
	rule->any_protocol = kind == 15;
	if (kind >= 14)
		return;
	if (kind < 9)
		rule->low[1] = rule->high[1] = ports[bench_random(state) % 12];
	else if (kind == 9)
		rule->low[1] = 1024;
	else if (kind < 12)
		rule->low[1] = rule->high[1] = bench_random(state);
	if (bench_random(state) % 8 == 0)
		rule->low[0] = 1024;
}

void bench_set_generate(uint64_t seed, size_t count, bool six, struct bench_set *ret_set)
{
	struct bench_set set = { .six = six };
	uint64_t state = seed;

	while (set.count < count) {
		struct bench_rule rule = { 0 };

		generate_side(&state, &rule, 0, count);
		generate_side(&state, &rule, 1, count);
		if (rule.length[0] + rule.length[1] < 24 && set.count < count * 9 / 10)
			continue; /* wide rules stand at the end, if anywhere */
		generate_service(&state, &rule);
		add_rule(&set, &rule);
	}
	if (asprintf(&set.name, "seed%llu_%zu%s", (unsigned long long)seed, count,
		     six ? "_inet6" : "") < 0)
		abort();
	*ret_set = set;
}

void bench_set_rename(struct bench_set *set, const char *suffix)
{
	char *name;

	if (asprintf(&name, "%s%s", set->name, suffix) < 0)
		abort();
	free(set->name);
	set->name = name;
}

void bench_set_free(struct bench_set *set)
{
	free(set->name);
	ruleset_free(&set->ruleset);
	free(set->rules);
	free(set->headers);
	free(set->shuffled);
	free(set->random);
	*set = (struct bench_set){ 0 };
}

/* From IPv4 to 2001:db8::/32 and the 32 bits behind it; a host is ::1 in its /64. */
static void widen(uint32_t address[4], bool host)
{
	address[1] = address[0];
	address[0] = 0x20010db8;
	address[2] = 0;
	address[3] = host;
}

static void widen_header(struct bench_header *header)
{
	header->family = FW_INET6;
	widen(header->source, true);
	widen(header->destination, true);
}

static void draw_header(const struct bench_set *set, uint64_t *state, struct bench_header *header)
{
	const struct bench_rule *rule = &set->rules[bench_random(state) % set->count];
	uint32_t address[2];
	uint16_t port[2];

	for (int i = 0; i < 2; i++) {
		address[i] =
			rule->address[i] | (bench_random(state) & ~prefix_mask(rule->length[i]));
		port[i] = rule->low[i] + bench_random(state) % (rule->high[i] - rule->low[i] + 1U);
	}
	set_header(header, address, port, rule->any_protocol ? 6 : rule->protocol);
}

/* Another header of the family, if a few tries find one. */
static const struct bench_header *another(const struct bench_set *set, uint64_t *state,
					  uint8_t family)
{
	const struct bench_header *header;

	for (int i = 0; i < 8; i++) {
		header = &set->headers[bench_random(state) % BENCH_HEADERS];
		if (header->family == family)
			break;
	}
	return header;
}

static void shuffle(const struct bench_set *set, uint64_t *state, struct bench_header *header)
{
	const struct bench_header *first = &set->headers[bench_random(state) % BENCH_HEADERS];
	const struct bench_header *from[4];
	uint16_t port[2];

	for (int i = 0; i < 4; i++)
		from[i] = another(set, state, first->family);
	port[0] = from[1]->source_port;
	port[1] = from[2]->destination_port;
	set_header(header, (uint32_t[]){ 0, 0 }, port, from[3]->protocol);
	header->family = first->family;
	memcpy(header->source, first->source, sizeof(header->source));
	if (from[0]->family == first->family)
		memcpy(header->destination, from[0]->destination, sizeof(header->destination));
	else
		memcpy(header->destination, first->destination, sizeof(header->destination));
}

void bench_set_fill(struct bench_set *set, uint64_t seed)
{
	uint64_t state = seed;
	bool drawn = !set->headers;

	if (drawn)
		set->headers = calloc(BENCH_HEADERS, sizeof(*set->headers));
	set->shuffled = calloc(BENCH_HEADERS, sizeof(*set->headers));
	set->random = calloc(BENCH_HEADERS, sizeof(*set->headers));
	if (!set->headers || !set->shuffled || !set->random)
		abort();
	for (size_t i = 0; drawn && i < BENCH_HEADERS; i++)
		draw_header(set, &state, &set->headers[i]);
	for (size_t i = 0; i < BENCH_HEADERS; i++) {
		uint64_t bits = bench_random(&state), ports = bench_random(&state);

		shuffle(set, &state, &set->shuffled[i]);
		set_header(&set->random[i], (uint32_t[]){ bits, bits >> 32 },
			   (uint16_t[]){ ports, ports >> 16 }, ports >> 32 & 1 ? 6 : 17);
	}
	for (size_t i = 0; set->six && i < BENCH_HEADERS; i++) {
		widen_header(&set->headers[i]);
		widen_header(&set->shuffled[i]);
		widen_header(&set->random[i]);
	}
}

static void print_side(const struct bench_set *set, const struct bench_rule *rule, int side,
		       struct buffer *buffer)
{
	struct address address = { .family = FW_INET, .word = { rule->address[side] } };
	unsigned length = rule->length[side];
	bool ports = rule->low[side] || rule->high[side] != UINT16_MAX;
	char text[ADDRESS_TEXT_MAX];

	if (!length && !ports)
		return;
	buffer_printf(buffer, " %s", side ? "to" : "from");
	if (length) {
		if (set->six) {
			address.family = FW_INET6;
			widen(address.word, length == 32);
			length = length == 32 ? 128 : length + 32;
		}
		address_print(&address, text);
		buffer_printf(buffer, " %s/%u", text, length);
	}
	if (ports)
		buffer_printf(buffer, " port %u-%u", rule->low[side], rule->high[side]);
}

void bench_set_print_rules(const struct bench_set *set, struct buffer *buffer)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct bench_rule *rule = &set->rules[i];

		buffer_puts(buffer, "drop");
		if (!rule->any_protocol)
			buffer_printf(buffer, " proto %u", rule->protocol);
		print_side(set, rule, 0, buffer);
		print_side(set, rule, 1, buffer);
		buffer_printf(buffer, " label r%zu\n", i);
	}
}

void bench_set_print(const struct bench_set *set, struct buffer *buffer)
{
	buffer_puts(buffer, "option essential off\ningress default pass {\n");
	bench_set_print_rules(set, buffer);
	buffer_puts(buffer, "}\n");
}

size_t bench_set_match(const struct bench_set *set, const struct bench_header *header)
{
	uint32_t source = header->source[set->six], destination = header->destination[set->six];
	bool ports = header->has & FW_HAS_PORTS;

	if (set->ruleset)
		return ruleset_match(set->ruleset, header);
	for (size_t i = 0; i < set->count; i++) {
		const struct bench_rule *rule = &set->rules[i];
		bool asks = rule->low[0] || rule->low[1] || rule->high[0] != UINT16_MAX ||
			    rule->high[1] != UINT16_MAX;

		if (((source ^ rule->address[0]) & prefix_mask(rule->length[0])) ||
		    ((destination ^ rule->address[1]) & prefix_mask(rule->length[1])))
			continue;
		if (!rule->any_protocol && rule->protocol != header->protocol)
			continue;
		if (!asks || (ports && header->source_port >= rule->low[0] &&
			      header->source_port <= rule->high[0] &&
			      header->destination_port >= rule->low[1] &&
			      header->destination_port <= rule->high[1]))
			return i;
	}
	return set->count;
}
