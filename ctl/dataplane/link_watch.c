// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tells when the network interfaces of the namespace change: they come, go, are renamed, or what is
 * attached to them changes (XDP and clsact; the kernel tells nobody of TCX).
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include "dataplane/dataplane.h"

/* Changes that come in a burst (a container with its ten interfaces) are told once. */
#define SETTLE_MILLISECONDS 100
#define SETTLE_MOST	    20 /* but are not put off for longer than this many times that */

struct link_watch {
	struct nl_sock *socket;
	sigset_t signals; /* let through while waiting */
};

int link_watch_open(const sigset_t *signals, struct link_watch **ret_watch)
{
	struct link_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return -ENOMEM;
	watch->signals = *signals;
	watch->socket = nl_socket_alloc();
	if (!watch->socket)
		goto fail;
	/* What a message says is not read: the links are looked at anew, so lost ones do no harm.
	 */
	nl_socket_disable_seq_check(watch->socket);
	if (nl_connect(watch->socket, NETLINK_ROUTE) ||
	    nl_socket_add_memberships(watch->socket, RTNLGRP_LINK, RTNLGRP_TC, 0) ||
	    nl_socket_set_nonblocking(watch->socket))
		goto fail;
	*ret_watch = watch;
	return 0;
fail:
	link_watch_close(&watch);
	return -EIO;
}

void link_watch_close(struct link_watch **watch)
{
	if (*watch)
		nl_socket_free((*watch)->socket);
	free(*watch);
	*watch = NULL;
}

/* Takes what the socket holds. Its buffer may have overflown, which is a change like others. */
static void socket_drain(struct nl_sock *socket)
{
	struct sockaddr_nl from;
	unsigned char *message;
	int length;

	do {
		message = NULL;
		length = nl_recv(socket, &from, &message, NULL);
		free(message);
	} while (length > 0 || length == -NLE_NOMEM);
}

int link_watch_wait(struct link_watch *watch, int milliseconds)
{
	struct pollfd poll_socket = { .fd = nl_socket_get_fd(watch->socket), .events = POLLIN };
	struct timespec wait = { milliseconds / 1000, milliseconds % 1000 * 1000000L };
	const struct timespec settle = { 0, SETTLE_MILLISECONDS * 1000000L };
	int count = ppoll(&poll_socket, 1, milliseconds < 0 ? NULL : &wait, &watch->signals);

	if (count <= 0)
		return count ? -errno : -ETIMEDOUT;
	for (int i = 0; i < SETTLE_MOST; i++) {
		socket_drain(watch->socket);
		count = ppoll(&poll_socket, 1, &settle, &watch->signals);
		if (count < 0)
			return -errno;
		if (!count)
			break;
	}
	return 0;
}
