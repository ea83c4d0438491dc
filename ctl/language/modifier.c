/* SPDX-License-Identifier: GPL-2.0-only */
/* What stands behind the matches of a rule: label, log, limit, keep state, syncookie. */
#include <errno.h>
#include <string.h>

#include "base/number.h"
#include "language/parser.h"

bool keyword_is_modifier(enum keyword keyword)
{
	switch (keyword) {
	case KEYWORD_LABEL:
	case KEYWORD_LOG:
	case KEYWORD_LIMIT:
	case KEYWORD_KEEP:
	case KEYWORD_SYNCOOKIE:
		return true;
	default:
		return false;
	}
}

static int modifier_twice(struct parser *parser, const struct token *token)
{
	parser_error(parser, &token->at, NULL, "%s stands in this rule twice",
		     token_show(parser, token));
	return -EINVAL;
}

#define BUILTIN_PREFIX "builtin:"

static int parse_label(struct parser *parser, struct rule *rule)
{
	const struct token token = parser->token;

	if (parser->builtin && token.length > strlen(BUILTIN_PREFIX) &&
	    !memcmp(token.text, BUILTIN_PREFIX, strlen(BUILTIN_PREFIX))) {
		rule->label = arena_strndup(parser->arena, token.text, token.length);
		parser_advance(parser);
		return 0;
	}
	return parser_name(parser, "a label", &rule->label);
}

/* [ sample 1/N ] */
static int parse_log(struct parser *parser, struct rule *rule)
{
	static const uint64_t bounds[2] = { 1, UINT32_MAX };
	uint64_t sample = 1;
	struct token token;

	rule->log = true;
	rule->log_sample = 1;
	if (!parser_take_keyword(parser, KEYWORD_SAMPLE))
		return 0;
	token = parser->token;
	if (token.kind != TOKEN_WORD)
		return parser_expected(parser, "a share as in 1/100", NULL);
	parser_advance(parser);
	if (token.length < 3 || memcmp(token.text, "1/", 2) != 0) {
		parser_error(parser, &token.at, "a share is written 1/100", "%s is not a share",
			     token_show(parser, &token));
		return 0;
	}
	token.text += 2;
	token.length -= 2;
	token.at.column += 2;
	token.at.length -= 2;
	number_of_token(parser, &token, "a share of packets", bounds, &sample);
	rule->log_sample = (uint32_t)sample;
	return 0;
}

static const struct name_value bit_units[] = {
	{ "gbit", 1000000000 },
	{ "kbit", 1000 },
	{ "mbit", 1000000 },
};

static const struct name_list bit_unit_list = {
	.items = bit_units,
	.count = sizeof(bit_units) / sizeof(bit_units[0]),
};

/* What one "/UNIT" is in seconds, or 0. */
static uint32_t interval_seconds(const char *text, size_t length)
{
	static const struct name_value intervals[] = { { "h", 3600 }, { "min", 60 }, { "s", 1 } };
	static const struct name_list list = { .items = intervals, .count = 3 };
	uint32_t seconds;

	return name_find(&list, text, length, &seconds) ? seconds : 0;
}

static size_t count_digits(const struct token *token)
{
	size_t digits = 0;

	while (digits < token->length && token->text[digits] >= '0' && token->text[digits] <= '9')
		digits++;
	return digits;
}

#define RATE_MAX 1000000000000ULL /* of bits a second */

/* No link carries more: who writes it has mistyped. Packets are counted in 1/16 ns. */
#define PACKETS_MAX 1000000000ULL

static int rate_error(struct parser *parser, const struct token *token, const char *hint)
{
	parser_error(parser, &token->at, hint, "%s is not a rate", token_show(parser, token));
	return 0;
}

/* "mbit/s" behind a number; false and no message if it is no such unit. */
static bool parse_bit_unit(const char *text, size_t length, uint32_t *ret_scale)
{
	return length > 2 && !memcmp(text + length - 2, "/s", 2) &&
	       name_find(&bit_unit_list, text, length - 2, ret_scale);
}

/* Is it meant as bits or bytes a second: mbit, Mbps, kb/s? Not `burst`, which may stand there. */
static bool looks_like_bits(const char *text, size_t length)
{
	size_t scale = length > 1 && strchr("kmgKMG", *text) ? 1 : 0;

	return length > scale && (text[scale] | 0x20) == 'b' &&
	       !(length > scale + 1 && text[scale + 1] == 'u');
}

static int bits_error(struct parser *parser, const struct token *token)
{
	return rate_error(parser, token,
			  "bits a second are written 500 kbit/s, 5 mbit/s or 1 gbit/s; a byte has "
			  "8 bits");
}

/*
 * N/s, N/min, N/h in one word; N mbit/s in one or, outside a define, two. What is wrong with it
 * is reported and taken as an unlimited rate.
 */
static int parse_rate(struct parser *parser, struct limit *limit)
{
	static const char form[] = "a rate is written 10/s, 10/min, 10/h or 5 mbit/s";
	static const char bounds_text[] =
		"a rate is from 1 to 1000000000 packets, or from 1 kbit/s to 1000 gbit/s";
	static const uint64_t bounds[2] = { 1, RATE_MAX };
	struct arena *arena = parser->arena;
	const char *define, *unit;
	struct token token;
	uint32_t scale = 1;
	size_t digits, length;
	uint64_t most;
	int err;

	err = parser_scalar(parser, "a rate", "1/s", &token, &define);
	if (err)
		return err;
	digits = count_digits(&token);
	unit = token.text + digits;
	length = token.length - digits;
	if (digits && !length && !define && parser->token.kind == TOKEN_WORD) {
		unit = parser->token.text;
		length = parser->token.length;
		token.at = location_join(&token.at, &parser->token.at);
		if (parse_bit_unit(unit, length, &scale)) {
			parser_advance(parser);
		} else if (looks_like_bits(unit, length)) {
			token.text = arena_printf(arena, "%.*s %.*s", (int)token.length, token.text,
						  (int)length, unit);
			token.length = strlen(token.text);
			parser_advance(parser);
			return bits_error(parser, &token);
		}
	}
	limit->seconds = 1;
	limit->unit = parse_bit_unit(unit, length, &scale) ? LIMIT_BITS : LIMIT_PACKETS;
	if (limit->unit == LIMIT_PACKETS) {
		limit->seconds =
			length && *unit == '/' ? interval_seconds(unit + 1, length - 1) : 0;
		if (!limit->seconds)
			return looks_like_bits(unit, length) ? bits_error(parser, &token)
							     : rate_error(parser, &token, form);
	}
	err = number_parse(token.text, digits, NUMBER_DECIMAL, bounds, &limit->rate);
	most = limit->unit == LIMIT_PACKETS ? PACKETS_MAX : RATE_MAX / scale;
	if (err || limit->rate > most)
		return rate_error(parser, &token, err == -EINVAL ? form : bounds_text);
	limit->rate_text =
		define ? define
		: limit->unit == LIMIT_BITS
			? arena_printf(arena, "%llu %.*s", (unsigned long long)limit->rate,
				       (int)length, unit)
			: arena_printf(arena, "%llu%.*s", (unsigned long long)limit->rate,
				       (int)length, unit);
	limit->rate *= scale;
	return 0;
}

#define FULL_FRAME 1514 /* bytes */

/* A burst that takes weeks to come back, or that no full frame fits in, is not what was meant. */
static void burst_check(struct parser *parser, const struct location *at, struct limit *limit)
{
	if (limit->burst * limit->seconds > limit->rate * LIMIT_BURST_SECONDS) {
		parser_error(parser, at, "a rate that is so low gives less than that in 30 days",
			     "the burst is too large for the rate");
		limit->burst = 1;
	} else if (limit->unit == LIMIT_BITS && limit->burst < FULL_FRAME * 8) {
		parser_warn(parser, at,
			    "a frame of 1514 bytes has 12112 bits; without `burst` it is enough "
			    "for the largest",
			    "a burst of %llu bits: larger frames are always over the limit",
			    (unsigned long long)limit->burst);
	}
}

/* Packets, or for a rate in bits a number with or without kbit, mbit, gbit. */
static int parse_burst(struct parser *parser, struct limit *limit)
{
	static const uint64_t bounds[2] = { 1, RATE_MAX };
	const struct location at = parser->token.at;
	struct token unit;
	uint32_t scale;
	int err;

	err = parse_count(parser, "a burst", bounds, &limit->burst, &limit->burst_text);
	if (err)
		return err;
	if (limit->unit != LIMIT_BITS || parser->token.kind != TOKEN_WORD ||
	    !name_find(&bit_unit_list, parser->token.text, parser->token.length, &scale)) {
		burst_check(parser, &at, limit);
		return 0;
	}
	unit = parser->token;
	parser_advance(parser);
	if (limit->burst > RATE_MAX / scale)
		return rate_error(parser, &unit, "a burst is at most 1000 gbit");
	limit->burst *= scale;
	limit->burst_text = arena_printf(parser->arena, "%s %.*s", limit->burst_text,
					 (int)unit.length, unit.text);
	burst_check(parser, &at, limit);
	return 0;
}

static int parse_per(struct parser *parser, struct limit *limit)
{
	if (token_is(&parser->token, "source"))
		limit->per = LIMIT_SOURCE;
	else if (token_is(&parser->token, "destination"))
		limit->per = LIMIT_DESTINATION;
	else
		return parser_expected(parser, "source or destination", NULL);
	parser_advance(parser);
	return 0;
}

static int parse_limit(struct parser *parser, const struct token *keyword, struct rule *rule)
{
	struct limit *limit = arena_alloc(parser->arena, sizeof(*limit));
	int err;

	limit->rate_text = "1/s";
	limit->at = keyword->at;
	err = parse_rate(parser, limit);
	if (!err && parser_take_keyword(parser, KEYWORD_BURST))
		err = parse_burst(parser, limit);
	if (!err && parser_take_keyword(parser, KEYWORD_PER))
		err = parse_per(parser, limit);
	rule->limit = limit;
	return err;
}

int parse_modifier(struct parser *parser, enum keyword keyword, struct rule *rule)
{
	const struct token token = parser->token;

	parser_advance(parser);
	switch (keyword) {
	case KEYWORD_LABEL:
		return rule->label ? modifier_twice(parser, &token) : parse_label(parser, rule);
	case KEYWORD_LOG:
		return rule->log ? modifier_twice(parser, &token) : parse_log(parser, rule);
	case KEYWORD_LIMIT:
		return rule->limit ? modifier_twice(parser, &token)
				   : parse_limit(parser, &token, rule);
	case KEYWORD_SYNCOOKIE:
		if (rule->syncookie)
			return modifier_twice(parser, &token);
		rule->syncookie = true;
		return 0;
	default:
		break;
	}
	if (!parser_take_keyword(parser, KEYWORD_STATE))
		return parser_expected(parser, "state", "the modifier is 'keep state'");
	if (rule->keep_state)
		return modifier_twice(parser, &token);
	rule->keep_state = true;
	return 0;
}
