// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does hardware take VLAN tags out of frames before XDP sees them? TC is told the tag beside the
 * frame; of XDP only programs that are bound to one device may ask for it (kernel 6.8, few
 * drivers), and neither libxdp's dispatcher nor generic mode can hold such a program.
 */
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "dataplane/internal.h"

bool link_takes_vlan_tags(const struct link_info *link)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ethtool_value value = { .cmd = ETHTOOL_GFLAGS };
	struct ifreq request = { .ifr_data = (void *)&value };

	if (fd < 0)
		return false;
	memcpy(request.ifr_name, link->name, sizeof(request.ifr_name));
	return !ioctl(fd, SIOCETHTOOL, &request) && (value.data & ETH_FLAG_RXVLAN);
}
