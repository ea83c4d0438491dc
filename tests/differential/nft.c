/* SPDX-License-Identifier: GPL-2.0-only */
/* Runs nft(8) and moves frames through veth devices in a network namespace of our own. */
#include "nft.h"
#include "sketch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/cleanup.h"

#ifndef SO_RCVMARK
#define SO_RCVMARK 75
#endif

#define TRAILER_MAGIC 0x21645746u
#define FRAME_ROOM    (FRAME_MAX + 64)
#define WAIT_MS	      500 /* for a frame that should have come; nothing is lost on a veth */

struct trailer {
	uint32_t magic;
	uint32_t number;
} __attribute__((packed));

struct nft {
	int senders[FW_HOOKS];
	int receiver;
	uint32_t next; /* number of the next frame */
};

/* A packet socket on a device; protocol 0 receives nothing. */
static int open_socket(const char *device, uint16_t protocol)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(protocol),
		.sll_ifindex = (int)if_nametoindex(device),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	int size = 16 << 20, on = 1;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVMARK, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

/* IPv6 off, so that nobody but us sends. */
static const char setup[] = "set -e\n"
			    "[ ! -e /proc/sys/net/ipv6 ] || "
			    "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6\n"
			    "for name in fwdin fwdeg fwdout; do\n"
			    "ip link add $name mtu 9000 type veth peer name ${name}x mtu 9000\n"
			    "ip link set $name up\n"
			    "ip link set ${name}x up\n"
			    "done\n";

int nft_open(struct nft **ret_nft)
{
	struct nft *nft;

	if (unshare(CLONE_NEWNET))
		return -errno;
	if (system(setup))
		return -EIO;
	nft = calloc(1, sizeof(*nft));
	if (!nft)
		return -ENOMEM;
	nft->senders[FW_INGRESS] = open_socket("fwdinx", 0);
	nft->senders[FW_EGRESS] = open_socket("fwdegx", 0);
	nft->receiver = open_socket("fwdoutx", ETH_P_ALL);
	*ret_nft = nft;
	if (nft->senders[FW_INGRESS] < 0 || nft->senders[FW_EGRESS] < 0)
		return -EIO;
	return nft->receiver < 0 ? nft->receiver : 0;
}

void nft_close(struct nft **nft)
{
	if (!*nft)
		return;
	close((*nft)->senders[FW_INGRESS]);
	close((*nft)->senders[FW_EGRESS]);
	close((*nft)->receiver);
	free(*nft);
	*nft = NULL;
}

int nft_load(const struct spec *spec, bool quiet)
{
	struct buffer text = { 0 };
	FILE *pipe = popen(quiet ? "nft -f - 2>/dev/null" : "nft -f -", "w");
	int status;

	if (!pipe)
		return -errno;
	nft_print(spec, &text);
	fwrite(buffer_text(&text), 1, text.length, pipe);
	status = pclose(pipe);
	if (status && !quiet)
		fprintf(stderr, "nft refused:\n%s", buffer_text(&text));
	buffer_free(&text);
	return status ? -EINVAL : 0;
}

static int send_frame(struct nft *nft, enum fw_hook hook, const struct nft_frame *frame)
{
	struct trailer trailer = { TRAILER_MAGIC, nft->next++ };
	struct iovec parts[2] = {
		{ .iov_base = (void *)(uintptr_t)frame->data, .iov_len = frame->length },
		{ .iov_base = &trailer, .iov_len = sizeof(trailer) },
	};
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

	return sendmsg(nft->senders[hook], &message, 0) < 0 ? -errno : 0;
}

static uint32_t message_mark(struct msghdr *message)
{
	struct cmsghdr *part;
	uint32_t mark = 0;

	for (part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part))
		if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SO_MARK)
			memcpy(&mark, CMSG_DATA(part), sizeof(mark));
	return mark;
}

/* One frame and its mark. 1, or 0 if none is there; frames of others are counted but left. */
static int receive_frame(struct nft *nft, uint32_t *ret_number, uint32_t *ret_mark)
{
	uint8_t bytes[FRAME_ROOM], control[256];
	struct iovec part = { bytes, sizeof(bytes) };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	ssize_t length = recvmsg(nft->receiver, &message, MSG_DONTWAIT);
	struct trailer trailer = { 0 };

	if (length < 0)
		return 0;
	if ((size_t)length >= sizeof(trailer))
		memcpy(&trailer, bytes + length - sizeof(trailer), sizeof(trailer));
	*ret_number = trailer.magic == TRAILER_MAGIC ? trailer.number : UINT32_MAX;
	*ret_mark = message_mark(&message);
	return 1;
}

int nft_judge(struct nft *nft, enum fw_hook hook, const struct nft_frame *frames, size_t count,
	      uint32_t *ret_marks)
{
	uint32_t first = nft->next, number, mark;
	size_t missing = count;

	memset(ret_marks, 0, count * sizeof(*ret_marks));
	for (size_t i = 0; i < count; i++) {
		int err = send_frame(nft, hook, &frames[i]);

		if (err)
			return err;
	}
	while (missing) {
		struct pollfd waiting = { .fd = nft->receiver, .events = POLLIN };

		if (!receive_frame(nft, &number, &mark)) {
			if (poll(&waiting, 1, WAIT_MS) <= 0)
				break;
			continue;
		}
		if (number - first >= count || ret_marks[number - first])
			continue;
		ret_marks[number - first] = mark;
		missing--;
	}
	return 0;
}
