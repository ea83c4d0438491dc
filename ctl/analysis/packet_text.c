/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads the text of a packet. The subject says which headers it has, the items what stands there.
 */
#include "analysis/packet_text.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "analysis/packet_frame.h"
#include "base/address.h"
#include "base/arena.h"
#include "base/number.h"
#include "fw/parse.h"
#include "language/names.h"

#define WORDS_MAX 64

struct reader {
	struct arena *arena;
	struct buffer *error;
	const char *words[WORDS_MAX + 1]; /* ends with NULL */
	size_t count;
	size_t next;
	struct met_packet *met;
	bool length_given;
	bool code_given;
	int ports; /* of the two ends, how many have one */
};

__attribute__((format(printf, 2, 3))) static int reader_fail(struct reader *reader,
							     const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	buffer_clear(reader->error);
	buffer_vprintf(reader->error, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

/* Words are what stands between blanks; ">" is always one, also where it is drawn as "->". */
static int reader_split(struct reader *reader, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, " \t\n>");

		if (length && text[length] == '>' && text[length - 1] == '-')
			length--;
		if (!length && *text != '>') {
			text++;
			continue;
		}
		if (!length)
			length = 1;
		if (reader->count == WORDS_MAX)
			return reader_fail(reader, "more than %d words", WORDS_MAX);
		reader->words[reader->count++] = arena_strndup(reader->arena, text, length);
		text += length;
	}
	return 0;
}

static bool word_is(const struct reader *reader, size_t index, const char *word)
{
	return index < reader->count && !strcmp(reader->words[index], word);
}

/* Takes the value behind a keyword: a name of the list (which may be NULL) or a number. */
static int take_value(struct reader *reader, const struct name_list *names, uint64_t high,
		      uint64_t *ret_value)
{
	const char *keyword = reader->words[reader->next - 1];
	const char *word = reader->words[reader->next];
	const uint64_t bounds[2] = { 0, high };
	uint32_t named;

	if (!word)
		return reader_fail(reader, "%s: a value is missing", keyword);
	reader->next++;
	if (names && name_find(names, word, strlen(word), &named)) {
		*ret_value = named;
		return 0;
	}
	if (number_parse(word, strlen(word), NUMBER_ANY, bounds, ret_value))
		return reader_fail(reader, "%s: '%s' is not a %snumber from 0 to %llu", keyword,
				   word, names ? "name that is known or a " : "",
				   (unsigned long long)high);
	return 0;
}

static int item_flags(struct reader *reader)
{
	struct fw_packet *packet = &reader->met->packet;
	const char *word = reader->words[reader->next];

	if (packet->protocol != FW_PROTOCOL_TCP)
		return reader_fail(reader, "flags: only a tcp packet has them");
	if (!word)
		return reader_fail(reader, "flags: letters are missing");
	reader->next++;
	packet->tcp_flags = 0;
	if (strcmp(word, "none") != 0 && !flags_parse(word, strlen(word), &packet->tcp_flags))
		return reader_fail(reader, "flags: '%s' is not letters of FSRPAUEW or 'none'",
				   word);
	return 0;
}

static int item_type(struct reader *reader)
{
	struct fw_packet *packet = &reader->met->packet;
	bool icmp6 = packet->family == FW_INET6;
	uint64_t value;

	if (!(packet->has & FW_HAS_ICMP))
		return reader_fail(reader,
				   "type: only icmp over IPv4 and icmp6 over IPv6 have one");
	if (take_value(reader, icmp6 ? &names_icmp6_types : &names_icmp_types, 255, &value))
		return -EINVAL;
	packet->icmp_type = (uint8_t)value;
	return 0;
}

static int item_code(struct reader *reader)
{
	struct fw_packet *packet = &reader->met->packet;
	bool icmp6 = packet->family == FW_INET6;
	uint64_t value;

	if (!(packet->has & FW_HAS_ICMP))
		return reader_fail(reader,
				   "code: only icmp over IPv4 and icmp6 over IPv6 have one");
	if (take_value(reader, icmp6 ? &names_icmp6_codes : &names_icmp_codes, 255, &value))
		return -EINVAL;
	packet->icmp_code = (uint8_t)value;
	return 0;
}

static int item_fragment(struct reader *reader)
{
	struct fw_packet *packet = &reader->met->packet;

	if (reader->ports)
		return reader_fail(reader, "fragment: one after the first has no ports");
	packet->has = (packet->has & FW_HAS_MAC) | FW_IS_FRAGMENT;
	packet->tcp_flags = 0;
	packet->icmp_type = 0;
	packet->icmp_code = 0;
	return 0;
}

static int item_state(struct reader *reader)
{
	const char *word = reader->words[reader->next];
	uint32_t state;

	if (!word || !name_find(&names_states, word, strlen(word), &state))
		return reader_fail(reader, "state: it is new, established or related");
	reader->next++;
	reader->met->packet.state = (uint8_t)state;
	return 0;
}

static int item_length(struct reader *reader)
{
	uint64_t value;

	if (take_value(reader, NULL, 65535 + FW_IPV6_HEADER, &value))
		return -EINVAL;
	reader->met->packet.length = (uint32_t)value;
	reader->length_given = true;
	return 0;
}

static int item_ttl(struct reader *reader)
{
	uint64_t value;

	if (take_value(reader, NULL, 255, &value))
		return -EINVAL;
	reader->met->packet.ttl = (uint8_t)value;
	return 0;
}

static int item_dscp(struct reader *reader)
{
	uint64_t value;

	if (take_value(reader, &names_dscp, 63, &value))
		return -EINVAL;
	reader->met->packet.dscp = (uint8_t)value;
	return 0;
}

static int item_vlan(struct reader *reader)
{
	uint64_t value;

	if (take_value(reader, NULL, 4095, &value))
		return -EINVAL;
	reader->met->packet.vlan = value ? (uint16_t)value : FW_NO_VLAN;
	return 0;
}

/* Six bytes of two digits each, with colons. */
static bool mac_parse(const char *word, __u64 *ret_mac)
{
	static const char digits[] = "0123456789abcdef";
	__u64 mac = 0;

	if (strlen(word) != 17)
		return false;
	for (int i = 0; i < 17; i++) {
		const char *digit = strchr(digits, tolower((unsigned char)word[i]));

		if (i % 3 == 2 ? word[i] != ':' : !digit)
			return false;
		if (i % 3 != 2)
			mac = mac << 4 | (__u64)(digit - digits);
	}
	*ret_mac = mac;
	return true;
}

static int item_mac(struct reader *reader)
{
	struct fw_packet *packet = &reader->met->packet;
	const char *keyword = reader->words[reader->next - 1];
	const char *word = reader->words[reader->next];

	if (!word ||
	    !mac_parse(word, keyword[0] == 's' ? &packet->source_mac : &packet->destination_mac))
		return reader_fail(reader, "%s: it is written as 00:00:5e:00:53:01", keyword);
	reader->next++;
	return 0;
}

static int item_layer3(struct reader *reader)
{
	struct fw_packet *packet = &reader->met->packet;

	packet->has &= ~FW_HAS_MAC;
	packet->source_mac = 0;
	packet->destination_mac = 0;
	return 0;
}

struct item {
	const char *word;
	int (*read)(struct reader *reader);
	bool ip; /* only an IP packet has it */
};

static const struct item items[] = {
	{ "flags", item_flags, true }, { "type", item_type, true },
	{ "code", item_code, true },   { "fragment", item_fragment, true },
	{ "state", item_state, true }, { "length", item_length, true },
	{ "ttl", item_ttl, true },     { "dscp", item_dscp, true },
	{ "vlan", item_vlan, false },  { "smac", item_mac, false },
	{ "dmac", item_mac, false },   { "layer3", item_layer3, false },
};

#define ITEMS (sizeof(items) / sizeof(items[0]))

static int read_items(struct reader *reader)
{
	while (reader->next < reader->count) {
		const char *word = reader->words[reader->next++];
		size_t i = 0;

		while (i < ITEMS && strcmp(word, items[i].word) != 0)
			i++;
		if (i == ITEMS)
			return reader_fail(reader, "'%s' is not known here", word);
		if (items[i].ip && reader->met->packet.family == FW_OTHER)
			return reader_fail(reader, "%s: only an IP packet has it", word);
		if (items[i].read(reader))
			return -EINVAL;
	}
	return 0;
}

/* "198.51.100.1:22", "198.51.100.1", "[2001:db8::1]:22", "[2001:db8::1]" or "2001:db8::1". */
static int read_end(struct reader *reader, const char *word, struct address *ret_address,
		    uint16_t *ret_port)
{
	static const uint64_t bounds[2] = { 0, 65535 };
	const char *address = word, *colon = strchr(word, ':'), *port = NULL;
	size_t length = strlen(word);
	struct name_list services;
	uint64_t number;
	uint32_t named;

	if (*word == '[' && strchr(word, ']')) {
		address = word + 1;
		length = (size_t)(strchr(word, ']') - address);
		if (address[length + 1] == ':')
			port = address + length + 2;
		else if (address[length + 1])
			return reader_fail(reader, "'%s' is not [ADDRESS]:PORT", word);
	} else if (colon && colon == strrchr(word, ':')) {
		length = (size_t)(colon - word);
		port = colon + 1;
	}
	if (!address_parse(address, length, ret_address))
		return reader_fail(reader, "'%.*s' is not an address", (int)length, address);
	if (!port)
		return 0;
	reader->ports++;
	if (!number_parse(port, strlen(port), NUMBER_DECIMAL, bounds, &number)) {
		*ret_port = (uint16_t)number;
		return 0;
	}
	services = names_read("/etc/services", reader->arena);
	if (!name_find(&services, port, strlen(port), &named))
		return reader_fail(reader, "'%s' is not a port", port);
	*ret_port = (uint16_t)named;
	return 0;
}

static int read_protocol(struct reader *reader, const char *word)
{
	static const uint64_t bounds[2] = { 0, 255 };
	struct name_list protocols;
	uint32_t named;
	uint64_t number;

	if (!number_parse(word, strlen(word), NUMBER_DECIMAL, bounds, &number)) {
		reader->met->packet.protocol = (uint8_t)number;
		return 0;
	}
	protocols = names_read("/etc/protocols", reader->arena);
	if (!name_find(&names_protocols, word, strlen(word), &named) &&
	    !name_find(&protocols, word, strlen(word), &named))
		return reader_fail(reader, "'%s' is not a protocol", word);
	reader->met->packet.protocol = (uint8_t)named;
	return 0;
}

/* Which headers the protocol has, and what stands there unless an item says otherwise. */
static void set_headers(struct fw_packet *packet)
{
	switch (packet->protocol) {
	case FW_PROTOCOL_TCP:
		packet->has |= FW_HAS_FLAGS;
		packet->tcp_flags = 0x02; /* S */
					  /* fall through */
	case FW_PROTOCOL_UDP:
	case FW_PROTOCOL_UDPLITE:
	case FW_PROTOCOL_SCTP:
	case FW_PROTOCOL_DCCP:
		packet->has |= FW_HAS_PORTS;
		break;
	case FW_PROTOCOL_ICMP:
		packet->has |= packet->family == FW_INET ? FW_HAS_ICMP : 0;
		packet->icmp_type = packet->family == FW_INET ? 8 : 0;
		break;
	case FW_PROTOCOL_ICMP6:
		packet->has |= packet->family == FW_INET6 ? FW_HAS_ICMP : 0;
		packet->icmp_type = packet->family == FW_INET6 ? 128 : 0;
		break;
	}
}

/* PROTOCOL END > END, of which the words begin at `first`. */
static int read_ip(struct reader *reader, size_t first)
{
	struct fw_packet *packet = &reader->met->packet;
	struct address source, destination;

	if (first + 3 >= reader->count)
		return reader_fail(reader, "an address is missing behind '>'");
	if (read_protocol(reader, reader->words[first]) ||
	    read_end(reader, reader->words[first + 1], &source, &packet->source_port) ||
	    read_end(reader, reader->words[first + 3], &destination, &packet->destination_port))
		return -EINVAL;
	if (source.family != destination.family)
		return reader_fail(reader, "%s and %s are of two families",
				   reader->words[first + 1], reader->words[first + 3]);
	packet->family = source.family;
	packet->ethertype = source.family == FW_INET ? FW_ETHERTYPE_IPV4 : FW_ETHERTYPE_IPV6;
	memcpy(packet->source, source.word, sizeof(packet->source));
	memcpy(packet->destination, destination.word, sizeof(packet->destination));
	packet->ttl = PACKET_TTL;
	packet->state = FW_STATE_NEW;
	set_headers(packet);
	reader->next = first + 4;
	return 0;
}

static int read_other(struct reader *reader, size_t first)
{
	struct fw_packet *packet = &reader->met->packet;
	uint64_t value;

	reader->next = first + 1;
	if (word_is(reader, first, "arp")) {
		packet->ethertype = FW_ETHERTYPE_ARP;
		return 0;
	}
	if (!word_is(reader, first, "ethertype"))
		return reader_fail(reader, "neither PROTOCOL SOURCE > DESTINATION nor ethertype");
	if (take_value(reader, &names_ethertypes, 65535, &value))
		return -EINVAL;
	if (value == FW_ETHERTYPE_IPV4 || value == FW_ETHERTYPE_IPV6)
		return reader_fail(reader, "an IP packet is written PROTOCOL SOURCE > DESTINATION");
	packet->ethertype = (uint16_t)value;
	return 0;
}

/* What cannot be is told by what is most likely meant; the frame has the last word. */
static int check_packet(struct reader *reader)
{
	struct fw_packet *packet = &reader->met->packet;
	uint32_t smallest = packet_smallest_length(packet);
	_cleanup_buffer_ struct buffer frame = { 0 };

	if (!reader->length_given)
		packet->length = smallest;
	if (packet->has & FW_HAS_PORTS && reader->ports != 2)
		return reader_fail(reader, "both ends need a port, as in %s",
				   packet->family == FW_INET6
					   ? "[2001:db8::1]:1234 > [2001:db8::2]:22"
					   : "192.0.2.1:1234 > 198.51.100.1:22");
	if (!(packet->has & FW_HAS_PORTS) && reader->ports)
		return reader_fail(reader, "this protocol has no ports");
	if (packet->length < smallest)
		return reader_fail(reader, "length %u is too small: the headers take %u",
				   packet->length, smallest);
	if (!packet_frame(packet, &frame))
		return 0;
	if (packet->family == FW_INET6 && fw_is_extension(packet->protocol))
		return reader_fail(reader,
				   "protocol %u is an extension header: IPv6 packets are judged by "
				   "what is behind it",
				   packet->protocol);
	return reader_fail(reader, "there is no such packet: its headers contradict each other");
}

static int read_packet(struct reader *reader)
{
	size_t arrow = 1, first;

	if (!word_is(reader, 0, "in") && !word_is(reader, 0, "out"))
		return reader_fail(reader, "a packet begins with 'in' or 'out'");
	reader->met->hook = word_is(reader, 0, "in") ? FW_INGRESS : FW_EGRESS;
	while (arrow < reader->count && !word_is(reader, arrow, ">"))
		arrow++;
	if (arrow < reader->count && arrow < 3)
		return reader_fail(reader, "a protocol is missing, as in tcp A:1234 > B:22");
	first = arrow < reader->count ? arrow - 2 : 1;
	if (arrow == reader->count && !word_is(reader, 1, "arp") &&
	    !word_is(reader, 1, "ethertype"))
		first = 2;
	if (first > 2)
		return reader_fail(reader, "'%s' is not known here", reader->words[2]);
	if (first == 2 && reader->count > 1) {
		if (strlen(reader->words[1]) >= IF_NAMESIZE)
			return reader_fail(reader, "'%s' is too long for an interface",
					   reader->words[1]);
		strcpy(reader->met->interface, reader->words[1]);
	}
	if (arrow < reader->count ? read_ip(reader, first) : read_other(reader, first))
		return -EINVAL;
	if (read_items(reader))
		return -EINVAL;
	return check_packet(reader);
}

int packet_text_parse(const char *text, struct met_packet *ret_met, struct buffer *error)
{
	struct met_packet met = {
		.packet = {
			.vlan = FW_NO_VLAN,
			.has = FW_HAS_MAC,
			.source_mac = PACKET_SOURCE_MAC,
			.destination_mac = PACKET_DESTINATION_MAC,
		},
	};
	struct reader reader = { .error = error, .met = &met };
	int status;

	reader.arena = arena_new();
	status = reader_split(&reader, text);
	if (!status)
		status = read_packet(&reader);
	arena_free(&reader.arena);
	if (!status)
		*ret_met = met;
	return status;
}
