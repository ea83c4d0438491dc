/* SPDX-License-Identifier: GPL-2.0-only */
/* What an install came to: told to the user, and freed. */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/message.h"
#include "commands/cookies.h"
#include "commands/running.h"

void installed_free(struct installed *installed)
{
	free(installed->attachments);
	memset(installed, 0, sizeof(*installed));
}

void installed_tell(const struct installed *installed, const struct ruleset *ruleset,
		    const char *what, const struct timespec *start)
{
	_cleanup_buffer_ struct buffer links = { 0 };
	size_t count = ruleset_count(ruleset);
	struct timespec now;
	double seconds;

	clock_gettime(CLOCK_MONOTONIC, &now);
	seconds =
		(double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
	for (size_t i = 0; i < installed->attachment_count; i++) {
		const struct attachment *item = &installed->attachments[i];
		const char *doubt;

		buffer_printf(&links, "%s%s %s (%s)", links.length ? ", " : "", item->link.name,
			      item->hook == FW_INGRESS ? "ingress" : "egress", item->mode);
		if (*item->note)
			message_warn("%s: %s", item->link.name, item->note);
		if (vlan_rules_are_blind(ruleset, item))
			message_warn(VLAN_WARNING, item->link.name, item->link.name);
		doubt = cookies_link_doubt(ruleset, item);
		if (doubt)
			message_warn("%s: %s", item->link.name, doubt);
	}
	message_info("%s: generation %u, %zu rule%s, on %s, in %.0f ms", what,
		     installed->generation, count, count == 1 ? "" : "s",
		     links.length ? buffer_text(&links) : "no interface", seconds * 1000);
}
