/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The commonest way to lose a host is to forget the rule for one's own session. sshd says in
 * SSH_CONNECTION whom it talks to; the reference evaluator says what the rules do with that.
 * sudo takes the variable away, so the parents' environments are looked at too.
 */
#include "commands/lockout.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "analysis/evaluate.h"
#include "base/cleanup.h"
#include "base/message.h"
#include "base/number.h"
#include "commands/running.h"

#include <fnmatch.h>

#define VARIABLE	"SSH_CONNECTION="
#define ENVIRONMENT_MAX (256 << 10)
#define PARENTS_MAX	16
#define PROTOCOL_TCP	6
#define ETHERTYPE_INET	0x0800
#define ETHERTYPE_INET6 0x86dd
#define FLAG_SYN	0x02
#define FLAG_ACK	0x10

/* The session as seen from this host. */
struct session {
	struct address client;
	struct address server;
	uint16_t client_port;
	uint16_t server_port;
	char interface[64]; /* that has the server's address; "" if none does */
};

/* --- Finding it --------------------------------------------------------------------------- */

static pid_t parent_of(pid_t process)
{
	char path[64], line[256];
	_cleanup_fclose_ FILE *file = NULL;
	uint64_t parent = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", process);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, "PPid:\t", 6))
			continue;
		line[strcspn(line, "\n")] = 0;
		number_parse_text(line + 6, 0, INT32_MAX, &parent);
	}
	return (pid_t)parent;
}

/* Copies the variable's value out of a process's environment. */
static bool environment_find(pid_t process, char *buffer, size_t size)
{
	char path[64];
	_cleanup_free_ char *text = malloc(ENVIRONMENT_MAX + 1);
	_cleanup_fclose_ FILE *file = NULL;
	size_t length;

	snprintf(path, sizeof(path), "/proc/%d/environ", process);
	file = fopen(path, "re");
	if (!file || !text)
		return false;
	length = fread(text, 1, ENVIRONMENT_MAX, file);
	text[length] = 0;
	for (char *entry = text; entry < text + length; entry += strlen(entry) + 1) {
		if (strncmp(entry, VARIABLE, sizeof(VARIABLE) - 1))
			continue;
		snprintf(buffer, size, "%s", entry + sizeof(VARIABLE) - 1);
		return true;
	}
	return false;
}

static bool variable_find(char *buffer, size_t size)
{
	const char *value = getenv("SSH_CONNECTION");
	pid_t process = getppid();

	if (value) {
		snprintf(buffer, size, "%s", value);
		return true;
	}
	for (int i = 0; i < PARENTS_MAX && process > 1; i++) {
		if (environment_find(process, buffer, size))
			return true;
		process = parent_of(process);
	}
	return false;
}

/* An address, perhaps an IPv4 one in IPv6 clothes or with a %zone. */
static bool address_read(char *text, struct address *ret_address)
{
	text[strcspn(text, "%")] = 0;
	if (!strncmp(text, "::ffff:", 7) && strchr(text, '.'))
		text += 7;
	return address_parse(text, strlen(text), ret_address);
}

static bool sockaddr_is(const struct sockaddr *socket, const struct address *address)
{
	uint32_t word[4] = { 0 };

	if (socket && socket->sa_family == AF_INET && address->family == FW_INET) {
		memcpy(word, &((const struct sockaddr_in *)(const void *)socket)->sin_addr, 4);
	} else if (socket && socket->sa_family == AF_INET6 && address->family == FW_INET6) {
		memcpy(word, &((const struct sockaddr_in6 *)(const void *)socket)->sin6_addr, 16);
	} else {
		return false;
	}
	for (int i = 0; i < 4; i++) {
		if (ntohl(word[i]) != address->word[i])
			return false;
	}
	return true;
}

static void interface_find(struct session *session)
{
	struct ifaddrs *list = NULL;

	if (getifaddrs(&list))
		return;
	for (const struct ifaddrs *item = list; item; item = item->ifa_next) {
		if (!sockaddr_is(item->ifa_addr, &session->server))
			continue;
		snprintf(session->interface, sizeof(session->interface), "%s", item->ifa_name);
		break;
	}
	freeifaddrs(list);
}

static bool session_find(struct session *ret_session)
{
	char text[512], client[128], server[128], client_port[8], server_port[8];
	struct session session = { 0 };
	uint64_t from, to;

	if (!variable_find(text, sizeof(text)) ||
	    sscanf(text, "%127s %7s %127s %7s", client, client_port, server, server_port) != 4 ||
	    !address_read(client, &session.client) || !address_read(server, &session.server) ||
	    session.client.family != session.server.family ||
	    number_parse_text(client_port, 1, 65535, &from) ||
	    number_parse_text(server_port, 1, 65535, &to))
		return false;
	session.client_port = (uint16_t)from;
	session.server_port = (uint16_t)to;
	interface_find(&session);
	*ret_session = session;
	return true;
}

/* --- Judging it --------------------------------------------------------------------------- */

/* Segments that a host must let through for its SSH session, and for the next one. */
enum segment {
	SEGMENT_DATA, /* of the session that is there */
	SEGMENT_OPEN, /* a new one from the same peer: SYN in, or the answer to it out */
	SEGMENTS,
};

/* Data has no flag but ACK. A new session comes from a port that is not known. */
static void packet_make(const struct session *session, enum fw_hook hook, enum segment segment,
			struct fw_packet *packet)
{
	bool is_inet = session->client.family == FW_INET;
	bool is_in = hook == FW_INGRESS;
	const struct address *from = is_in ? &session->client : &session->server;
	const struct address *to = is_in ? &session->server : &session->client;

	*packet = (struct fw_packet){
		.source_port = is_in ? session->client_port : session->server_port,
		.destination_port = is_in ? session->server_port : session->client_port,
		.length = is_inet ? 40 : 60,
		.ethertype = is_inet ? ETHERTYPE_INET : ETHERTYPE_INET6,
		.vlan = FW_NO_VLAN,
		.family = session->client.family,
		.protocol = PROTOCOL_TCP,
		.has = FW_HAS_PORTS | FW_HAS_FLAGS | FW_HAS_MAC,
		.tcp_flags = segment == SEGMENT_DATA ? FLAG_ACK
			     : is_in		     ? FLAG_SYN
						     : FLAG_SYN | FLAG_ACK,
		.ttl = 64,
		.state = FW_STATE_NEW,
	};
	memcpy(packet->source, from->word, sizeof(packet->source));
	memcpy(packet->destination, to->word, sizeof(packet->destination));
}

/* True if the rules are for the interface that the session comes in on, as far as is known. */
static bool is_filtered(const struct ruleset *ruleset, const struct session *session)
{
	if (!*session->interface)
		return ruleset->interface_count;
	for (size_t i = 0; i < ruleset->interface_count; i++) {
		if (!fnmatch(ruleset->interfaces[i].pattern, session->interface, 0))
			return true;
	}
	return false;
}

/* A segment on its way through one hook. */
struct crossing {
	const struct session *session;
	enum fw_hook hook;
	enum segment segment;
	uint8_t state;	    /* FW_STATE_* */
	uint64_t client_in; /* live sets */
};

static bool segment_passes(const struct ruleset *ruleset, const struct crossing *crossing,
			   struct evaluation *evaluation)
{
	const char *interface = crossing->session->interface;
	struct fw_packet packet;

	packet_make(crossing->session, crossing->hook, crossing->segment, &packet);
	packet.state = crossing->state;
	if (crossing->hook == FW_INGRESS)
		packet.source_sets = crossing->client_in;
	else
		packet.destination_sets = crossing->client_in;
	evaluate(ruleset, crossing->hook, &packet, *interface ? interface : NULL, evaluation);
	return evaluation->action == FW_PASS;
}

/* Is the flow of a new session recorded where it comes in? Then its answer is established. */
static bool is_recorded(const struct ruleset *ruleset, const struct session *session)
{
	const struct crossing opening = { session, FW_INGRESS, SEGMENT_OPEN, FW_STATE_NEW, 0 };
	const struct block *block = &ruleset->blocks[FW_INGRESS];
	struct evaluation evaluation;

	return block->present && segment_passes(ruleset, &opening, &evaluation) &&
	       evaluation.rule != EVALUATE_DEFAULT && block->rules[evaluation.rule].keep_state;
}

/* The first segment that the hook stops, and what stops it; SEGMENTS: it passes both. */
static enum segment segment_stopped(const struct ruleset *ruleset, const struct session *session,
				    enum fw_hook hook, struct evaluation *evaluation)
{
	struct crossing crossing = { session, hook, SEGMENT_DATA, FW_STATE_NEW, 0 };

	if (!segment_passes(ruleset, &crossing, evaluation))
		return SEGMENT_DATA;
	crossing.segment = SEGMENT_OPEN;
	if (hook == FW_EGRESS && is_recorded(ruleset, session))
		crossing.state = FW_STATE_ESTABLISHED;
	return segment_passes(ruleset, &crossing, evaluation) ? SEGMENTS : SEGMENT_OPEN;
}

/* Data of a flow that was recorded before; of one that was not, it is new and stopped. */
static bool passes_if_recorded(const struct ruleset *ruleset, const struct session *session,
			       enum fw_hook hook)
{
	const struct crossing data = { session, hook, SEGMENT_DATA, FW_STATE_ESTABLISHED, 0 };
	struct evaluation evaluation;

	return segment_passes(ruleset, &data, &evaluation);
}

static void hook_check(const struct ruleset *ruleset, const struct session *session,
		       enum fw_hook hook, struct diagnostics *diagnostics)
{
	const struct block *block = &ruleset->blocks[hook];
	char client[ADDRESS_TEXT_MAX];
	struct evaluation evaluation;
	const struct location *at;
	enum segment segment;
	const char *hint;

	if (!block->present)
		return;
	segment = segment_stopped(ruleset, session, hook, &evaluation);
	if (segment == SEGMENTS)
		return;
	address_print(&session->client, client);
	at = evaluation.rule == EVALUATE_DEFAULT ? &block->at : &block->rules[evaluation.rule].at;
	hint = diagnostics_hint(diagnostics, "`pass tcp %s %s %s port %u` before it would %s",
				hook == FW_INGRESS ? "from" : "to", client,
				hook == FW_INGRESS ? "to" : "from", session->server_port,
				segment == SEGMENT_DATA ? "keep it" : "let it in");
	if (segment == SEGMENT_DATA && passes_if_recorded(ruleset, session, hook))
		diagnostics_warn(diagnostics, ruleset, at, hint,
				 "the SSH connection from %s port %u that you are using stays only "
				 "if it is recorded already: `fwctl flows address %s`",
				 client, session->client_port, client);
	else if (segment == SEGMENT_DATA)
		diagnostics_warn(diagnostics, ruleset, at, hint,
				 "this cuts the SSH connection from %s port %u that you are using",
				 client, session->client_port);
	else
		diagnostics_warn(diagnostics, ruleset, at, hint,
				 "the SSH connection from %s that you are using stays, but you "
				 "could not log in again: this stops a new one to port %u",
				 client, session->server_port);
}

void lockout_warn(const struct ruleset *ruleset, struct diagnostics *diagnostics)
{
	struct session session;

	if (!session_find(&session) || !is_filtered(ruleset, &session))
		return;
	for (int hook = 0; hook < FW_HOOKS; hook++)
		hook_check(ruleset, &session, hook, diagnostics);
}

/* --- By an element of a live set ---------------------------------------------------------- */

static bool elements_hold(const struct set_elements *elements, const struct address *address)
{
	for (size_t i = 0; i < elements->count; i++) {
		const struct set_element *element = &elements->items[i];
		struct address first, last;

		if (element->address.family != address->family)
			continue;
		prefix_bounds(address, element->length, &first, &last);
		if (!words_compare(first.word, element->address.word))
			return true;
	}
	return false;
}

/* The live sets that hold the client. */
static uint64_t sets_of(struct dataplane *dataplane, const struct ruleset *ruleset,
			const struct address *client)
{
	uint64_t sets = 0;

	for (size_t i = 0; i < ruleset->set_count; i++) {
		_cleanup_elements_ struct set_elements found = { 0 };
		struct live_set live;

		if (ruleset->sets[i].kind == SET_LIVE &&
		    !dataplane_find_set(dataplane, ruleset->sets[i].name, &live) &&
		    !dataplane_set_test(dataplane, &live, client, &found) && found.count)
			sets |= 1ULL << ruleset->sets[i].live_index;
	}
	return sets;
}

/* Does a segment of the session that passes now pass no more when the client is in other sets? */
static bool sets_stop(const struct ruleset *ruleset, const struct session *session, uint64_t now,
		      uint64_t then)
{
	for (int i = 0; i < FW_HOOKS * SEGMENTS; i++) {
		struct crossing crossing = { session, i / SEGMENTS, i % SEGMENTS, FW_STATE_NEW,
					     now };
		struct evaluation evaluation;

		if (!ruleset->blocks[crossing.hook].present ||
		    !segment_passes(ruleset, &crossing, &evaluation))
			continue;
		crossing.client_in = then;
		if (!segment_passes(ruleset, &crossing, &evaluation))
			return true;
	}
	return false;
}

bool lockout_by_set(const struct context *context, struct dataplane *dataplane, const char *set,
		    const struct set_elements *elements, bool replaced)
{
	struct generation *generation = NULL;
	struct ruleset *ruleset = NULL;
	char client[ADDRESS_TEXT_MAX];
	struct session session;
	uint64_t changed = 0, now, then;
	bool stops;

	if (!session_find(&session) || running_read(dataplane, &generation, &ruleset))
		return false;
	for (size_t i = 0; i < ruleset->set_count; i++)
		if (ruleset->sets[i].kind == SET_LIVE && !strcmp(ruleset->sets[i].name, set))
			changed |= 1ULL << ruleset->sets[i].live_index;
	now = sets_of(dataplane, ruleset, &session.client);
	then = replaced ? now & ~changed : now;
	if (elements_hold(elements, &session.client))
		then |= changed;
	stops = now != then && is_filtered(ruleset, &session) &&
		sets_stop(ruleset, &session, now, then);
	ruleset_free(&ruleset);
	generation_free(&generation);
	address_print(&session.client, client);
	if (stops)
		message_error(
			"%s: your SSH session comes from %s, which the rules would stop then; "
			"nothing was changed, --force does it all the same",
			context->command->name, client);
	return stops;
}
