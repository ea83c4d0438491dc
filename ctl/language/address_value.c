/* SPDX-License-Identifier: GPL-2.0-only */
/* One word as an address, a prefix or a span of addresses. */
#include <errno.h>
#include <string.h>

#include "base/number.h"
#include "language/parser.h"

static unsigned family_bits(const struct address *address)
{
	return address->family == FW_INET ? 32 : 128;
}

/* What is wrong with a word that was meant as an address. */
enum address_fault {
	ADDRESS_FINE,
	ADDRESS_NONE,
	ADDRESS_LENGTH, /* /33 */
	ADDRESS_FAMILIES,
	ADDRESS_ORDER,
};

static enum address_fault parse_prefix(const struct token *token, const char *slash,
				       struct element *ret_element)
{
	const char *end = token->text + token->length;
	struct address address;
	uint64_t bounds[2] = { 0 }, length;

	if (!address_parse(token->text, (size_t)(slash - token->text), &address))
		return ADDRESS_NONE;
	bounds[1] = family_bits(&address);
	if (number_parse(slash + 1, (size_t)(end - slash - 1), NUMBER_DECIMAL, bounds, &length))
		return ADDRESS_LENGTH;
	ret_element->kind = length == bounds[1] ? ELEMENT_ADDRESS : ELEMENT_PREFIX;
	ret_element->address.prefix_length = (uint8_t)length;
	prefix_bounds(&address, (unsigned)length, &ret_element->address.low,
		      &ret_element->address.high);
	return ADDRESS_FINE;
}

static enum address_fault parse_span(const struct token *token, const char *dash,
				     struct element *ret_element)
{
	const char *end = token->text + token->length;
	struct address low, high;
	int order;

	if (!address_parse(token->text, (size_t)(dash - token->text), &low) ||
	    !address_parse(dash + 1, (size_t)(end - dash - 1), &high))
		return ADDRESS_NONE;
	if (low.family != high.family)
		return ADDRESS_FAMILIES;
	order = words_compare(low.word, high.word);
	if (order > 0)
		return ADDRESS_ORDER;
	ret_element->kind = order ? ELEMENT_SPAN : ELEMENT_ADDRESS;
	ret_element->address.low = low;
	ret_element->address.high = high;
	ret_element->address.prefix_length = order ? 0 : (uint8_t)family_bits(&low);
	return ADDRESS_FINE;
}

static enum address_fault parse_address(const struct token *token, struct element *ret_element)
{
	const char *mark = memchr(token->text, '/', token->length);
	struct address address;

	ret_element->at = token->at;
	if (mark)
		return parse_prefix(token, mark, ret_element);
	mark = memchr(token->text, '-', token->length);
	if (mark)
		return parse_span(token, mark, ret_element);
	if (!address_parse(token->text, token->length, &address))
		return ADDRESS_NONE;
	ret_element->kind = ELEMENT_ADDRESS;
	ret_element->address.low = ret_element->address.high = address;
	ret_element->address.prefix_length = (uint8_t)family_bits(&address);
	return ADDRESS_FINE;
}

bool token_is_address(const struct token *token, struct element *ret_element)
{
	return token->kind == TOKEN_WORD && parse_address(token, ret_element) == ADDRESS_FINE;
}

/* 10.0.0.0/255.255.255.0: the mask as a length; NULL if it is no mask. */
static const char *mask_hint(struct parser *parser, const struct token *token)
{
	const char *slash = memchr(token->text, '/', token->length);
	size_t before = (size_t)(slash - token->text);
	struct address mask;
	uint32_t host;

	if (!address_parse(slash + 1, token->length - before - 1, &mask) || mask.family != FW_INET)
		return NULL;
	host = ~mask.word[0];
	if (host & (host + 1))
		return "masks are written as a length, so they have no gaps";
	return diagnostics_hint(parser->diagnostics, "the mask is written as a length: %.*s/%d",
				(int)before, token->text, 32 - __builtin_popcount(host));
}

/* 10.0.0.1:22 */
static const char *port_hint(struct parser *parser, const struct token *token)
{
	const char *colon = memchr(token->text, ':', token->length);
	struct address address;
	int before, behind;

	if (!colon || !address_parse(token->text, (size_t)(colon - token->text), &address))
		return NULL;
	before = (int)(colon - token->text);
	behind = (int)token->length - before - 1;
	return diagnostics_hint(parser->diagnostics,
				"ports stand behind the address: %.*s port %.*s", before,
				token->text, behind, colon + 1);
}

static const char *fault_hint(struct parser *parser, enum address_fault fault,
			      const struct token *token)
{
	const char *hint =
		fault == ADDRESS_LENGTH ? mask_hint(parser, token) : port_hint(parser, token);

	if (hint)
		return hint;
	switch (fault) {
	case ADDRESS_LENGTH:
		return memchr(token->text, ':', token->length)
			       ? "prefix lengths of IPv6 go from 0 to 128"
			       : "prefix lengths of IPv4 go from 0 to 32";
	case ADDRESS_FAMILIES:
		return "both ends are of one family";
	case ADDRESS_ORDER:
		return "the lower address comes first";
	default:
		break;
	}
	if (token->text[0] == '@' || token->text[0] == '$')
		return NULL;
	if (text_distance(token->text, token->length, "port", 4) < 2)
		return "did you mean 'port'?";
	if (text_is_name(token->text, token->length))
		return "host names are not resolved; a set is written @name, a define $name";
	if (memchr(token->text, '/', token->length) && !memchr(token->text, ':', token->length))
		return "IPv4 prefixes have all four numbers: 10.0.0.0/8";
	return NULL;
}

/* The prefix has bits set behind its length: the network that it is in is what it means. */
static void check_host_bits(struct parser *parser, const struct token *token,
			    const struct element *element)
{
	const char *slash = memchr(token->text, '/', token->length);
	char network[ADDRESS_TEXT_MAX];
	struct address address;

	if (!slash || parser->through ||
	    !address_parse(token->text, (size_t)(slash - token->text), &address) ||
	    !words_compare(address.word, element->address.low.word))
		return;
	address_print(&element->address.low, network);
	parser_warn(parser, &token->at,
		    diagnostics_hint(parser->diagnostics, "the network is %s/%u", network,
				     element->address.prefix_length),
		    "%s has bits set behind its prefix length", token_show(parser, token));
}

int address_of_token(struct parser *parser, const struct token *token, struct element *ret_element)
{
	const struct define *through = parser->through;
	enum address_fault fault = parse_address(token, ret_element);

	if (fault == ADDRESS_FINE) {
		check_host_bits(parser, token, ret_element);
		return 0;
	}
	if (through)
		parser_error(parser, &token->at,
			     diagnostics_hint(parser->diagnostics, "$%s is defined at %s",
					      through->name, parser_place(parser, &through->at)),
			     "%s in $%s is not an address", token_show(parser, token),
			     through->name);
	else
		parser_error(parser, &token->at, fault_hint(parser, fault, token),
			     "%s is not an address", token_show(parser, token));
	return -EINVAL;
}
