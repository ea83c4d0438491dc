/* SPDX-License-Identifier: GPL-2.0-only */
/* What libpcap reads. Only Ethernet is judged: other link types have no such frames. */
#include "analysis/capture.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>

#include "base/message.h"

struct capture {
	pcap_t *pcap;
	const char *path;
};

static int check_link_type(const struct capture *capture, struct buffer *error)
{
	int type = pcap_datalink(capture->pcap);
	const char *name = pcap_datalink_val_to_name(type);

	if (type == DLT_EN10MB)
		return 0;
	buffer_printf(error, "%s: its link type is %s, only Ethernet (EN10MB) can be judged",
		      capture->path, name ? name : "unknown");
	return -EINVAL;
}

int capture_open(const char *path, struct capture **ret_capture, struct buffer *error)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	char reason[PCAP_ERRBUF_SIZE] = "";

	if (!capture)
		message_out_of_memory();
	capture->path = path;
	capture->pcap = pcap_open_offline(path, reason);
	if (!capture->pcap)
		buffer_printf(error, "cannot read the capture %s: %s", path, reason);
	if (!capture->pcap || check_link_type(capture, error)) {
		capture_close(&capture);
		return -EINVAL;
	}
	*ret_capture = capture;
	return 0;
}

int capture_next(struct capture *capture, struct captured_frame *ret_frame, struct buffer *error)
{
	struct pcap_pkthdr *header;
	const u_char *bytes;

	switch (pcap_next_ex(capture->pcap, &header, &bytes)) {
	case 1:
		ret_frame->bytes = bytes;
		ret_frame->captured = header->caplen;
		ret_frame->length = header->len > header->caplen ? header->len : header->caplen;
		return 1;
	case PCAP_ERROR_BREAK:
		return 0;
	default:
		buffer_printf(error, "%s: %s", capture->path, pcap_geterr(capture->pcap));
		return -EINVAL;
	}
}

void capture_close(struct capture **capture)
{
	if (!*capture)
		return;
	if ((*capture)->pcap)
		pcap_close((*capture)->pcap);
	free(*capture);
	*capture = NULL;
}
