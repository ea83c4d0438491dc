/* SPDX-License-Identifier: GPL-2.0-only */
#include "commands/cookies.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/message.h"

#define SYSCTL "/proc/sys/net/ipv4/tcp_syncookies" /* also for IPv6 */

const struct rule *ruleset_cookie_rule(const struct ruleset *ruleset)
{
	const struct block *block = &ruleset->blocks[FW_INGRESS];

	for (size_t i = 0; i < block->count; i++) {
		if (block->rules[i].syncookie)
			return &block->rules[i];
	}
	return NULL;
}

const char *cookies_doubt(const struct ruleset *ruleset)
{
	_cleanup_fclose_ FILE *file = ruleset_cookie_rule(ruleset) ? fopen(SYSCTL, "re") : NULL;
	int value;

	if (!file || fscanf(file, "%d", &value) != 1 || value)
		return NULL;
	return "'syncookie' does nothing while this host takes no SYN cookies; "
	       "`sysctl net.ipv4.tcp_syncookies=1` lets it";
}

void cookies_warn(const struct ruleset *ruleset, struct diagnostics *diagnostics)
{
	const char *doubt = cookies_doubt(ruleset);

	if (doubt)
		diagnostics_warn(diagnostics, ruleset, &ruleset_cookie_rule(ruleset)->at, NULL,
				 "%s", doubt);
}

static bool is_silent(const struct ruleset *ruleset, const struct attachment *attachment)
{
	return attachment->hook == FW_INGRESS && !attachment->answers_syns &&
	       ruleset_cookie_rule(ruleset);
}

static bool is_native_veth(const struct attachment *attachment)
{
	return attachment->link.is_veth && !strcmp(attachment->mode, "native");
}

static bool is_native_bond(const struct attachment *attachment)
{
	return attachment->link.has_parts && !strcmp(attachment->mode, "native");
}

/* Nobody can see from here whether the other end takes what XDP sends. */
static bool is_trusted_veth(const struct ruleset *ruleset, const struct attachment *attachment)
{
	return attachment->hook == FW_INGRESS && attachment->answers_syns &&
	       is_native_veth(attachment) && ruleset_cookie_rule(ruleset);
}

bool cookies_want_mac(const struct ruleset *ruleset, const struct attachment *attachment)
{
	return is_silent(ruleset, attachment) && !is_native_veth(attachment);
}

const char *cookies_link_doubt(const struct ruleset *ruleset, const struct attachment *attachment)
{
	if (is_trusted_veth(ruleset, attachment))
		return "'syncookie' answers SYNs here, which are lost if the other end of the veth "
		       "runs no XDP program: `mode native` says that it does; `mode generic` needs none";
	if (!is_silent(ruleset, attachment))
		return NULL;
	if (is_native_veth(attachment))
		return "SYNs are not answered here, 'syncookie' leaves them to the host: XDP can "
		       "send on a veth only if the other end runs an XDP program too. `mode "
		       "generic` always can; `mode native` says that the other end does";
	if (is_native_bond(attachment))
		return "SYNs are not answered on all parts, 'syncookie' leaves them to the host: one "
		       "joined, or the MAC address is another, since the last `fwctl apply`; that or "
		       "`fwctl watch` learns it";
	return "SYNs are not answered here, 'syncookie' leaves them to the host: the MAC address "
	       "is not the one of the last `fwctl apply`; that or `fwctl watch` learns it";
}

int cookies_check(const struct ruleset *ruleset)
{
	const struct rule *rule = ruleset_cookie_rule(ruleset);

	if (!rule || kernel_has_syncookies())
		return 0;
	message_error("%s:%u: 'syncookie' needs a kernel from 6.0 on with CONFIG_SYN_COOKIES: this "
		      "one makes no SYN cookies for XDP; nothing was changed",
		      ruleset->files[rule->at.file].path, rule->at.line);
	return -EOPNOTSUPP;
}
