// SPDX-License-Identifier: GPL-2.0-only
#include "conntrack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "talk_run.h"

#ifndef SO_RCVMARK
#define SO_RCVMARK 75
#endif

#define SENTINEL_PORT 7777
#define WAIT_MS	      5000

/* Two links; both of the router's ends have the MAC address that frames of a talk go to. */
static const char setup[] =
	"set -e\n"
	"for name in cli srv; do\n"
	"ip link add $name type veth peer name ${name}x\n"
	"ip link set $name address 02:00:00:00:00:02 up\n"
	"ip link set ${name}x up\n"
	"done\n"
	"ip addr add 10.1.255.254/16 dev cli\n"
	"ip addr add 10.2.255.254/16 dev srv\n"
	"ip -6 addr add 2001:db8::a01:fffe/112 dev cli nodad\n"
	"ip -6 addr add 2001:db8::a02:fffe/112 dev srv nodad\n"
	"ip neigh add 10.1.0.1 lladdr 02:00:00:00:00:01 dev cli\n"
	"ip neigh add 10.2.0.1 lladdr 02:00:00:00:00:01 dev srv\n"
	"ip -6 neigh add 2001:db8::a01:1 lladdr 02:00:00:00:00:01 dev cli\n"
	"ip -6 neigh add 2001:db8::a02:1 lladdr 02:00:00:00:00:01 dev srv\n"
	"echo 1 > /proc/sys/net/ipv4/ip_forward\n"
	"echo 1 > /proc/sys/net/ipv6/conf/all/forwarding\n"
	"for name in all cli srv; do echo 0 > /proc/sys/net/ipv4/conf/$name/rp_filter; done\n"
	"nft -f - <<'END'\n"
	"table inet judge {\n"
	" chain first { type filter hook prerouting priority raw; udp sport 7777 notrack; }\n"
	" chain judge { type filter hook forward priority filter; policy drop;\n"
	"  udp sport 7777 accept\n"
	"  ct state related meta mark set 3 accept\n"
	"  ct state established meta mark set 2 accept\n"
	"  iifname cli ct state new meta mark set 1 accept\n"
	"  iifname cli meta mark set 4 accept\n"
	" }\n"
	"}\n"
	"END\n"
	"echo 0 > /proc/sys/net/netfilter/nf_conntrack_tcp_loose\n";

static int links[2]; /* packet sockets: the client's link, the server's */

static int link_open(const char *name)
{
	const struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(name),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), on = 1;

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVMARK, &on, sizeof(on)), 0);
	assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static uint32_t mark_of(struct msghdr *message)
{
	uint32_t mark = 0;

	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part))
		if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SO_MARK)
			memcpy(&mark, CMSG_DATA(part), sizeof(mark));
	return mark;
}

/* One frame that came out, and its mark. */
static size_t frame_receive(int fd, uint8_t *bytes, size_t size, uint32_t *ret_mark)
{
	uint8_t control[256];
	struct iovec part = { bytes, size };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct pollfd waiting = { .fd = fd, .events = POLLIN };
	ssize_t length;

	if (poll(&waiting, 1, WAIT_MS) != 1)
		fail_msg("the router has lost a frame that it must forward");
	length = recvmsg(fd, &message, 0);
	assert_true(length > 0);
	*ret_mark = mark_of(&message);
	return (size_t)length;
}

static void frame_send(int fd, const struct talk_frame *frame)
{
	assert_int_equal(send(fd, frame->bytes, frame->length, 0), frame->length);
}

/*
 * What nft takes the frame for. A second one, which is always forwarded, follows on the same way:
 * when it is there, the first has been judged.
 */
enum conntrack_state conntrack_judge(const struct talk_frame *frame, bool from_server)
{
	static uint16_t number;
	const struct talk_packet sentinel = { .protocol = IPPROTO_UDP,
					      .source = from_server ? TALK_SERVER : TALK_CLIENT,
					      .destination =
						      from_server ? TALK_CLIENT : TALK_SERVER,
					      .source_port = SENTINEL_PORT,
					      .destination_port = ++number };
	enum conntrack_state state = CONNTRACK_DROPPED;
	struct talk_frame follower;
	uint8_t bytes[TALK_FRAME_MAX];

	talk_build(&sentinel, &follower);
	frame_send(links[from_server], frame);
	frame_send(links[from_server], &follower);
	for (;;) {
		uint32_t mark;
		size_t length = frame_receive(links[!from_server], bytes, sizeof(bytes), &mark);

		if (length == follower.length && !memcmp(bytes + 34, follower.bytes + 34, 4))
			return state;
		/* The kernel's own, to groups, has other marks. */
		if (mark && !(bytes[0] & 1))
			state = (enum conntrack_state)mark;
	}
}

/* All frames of the two links go through one queue: that of this CPU. */
int conntrack_start(void)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(sched_getcpu(), &cpus);
	if (unshare(CLONE_NEWNET) || sched_setaffinity(0, sizeof(cpus), &cpus))
		return -errno;
	if (system(setup))
		return -EIO;
	links[0] = link_open("clix");
	links[1] = link_open("srvx");
	return 0;
}
