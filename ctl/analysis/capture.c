// SPDX-License-Identifier: GPL-2.0-only
/*
 * libpcap knows the formats of captures. It is loaded when a capture is opened: it brings a dozen
 * other libraries with it, which would cost every fwctl more time than most of them work.
 */
#include "analysis/capture.h"

#include <dlfcn.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"

/* What is called of libpcap. */
static struct {
	__typeof__(pcap_open_offline) *open_offline;
	__typeof__(pcap_datalink) *datalink;
	__typeof__(pcap_datalink_val_to_name) *datalink_name;
	__typeof__(pcap_next_ex) *next;
	__typeof__(pcap_geterr) *reason;
	__typeof__(pcap_close) *close;
} library;

static void *library_open(void)
{
	/* Debian calls it by the first name, others by the second. */
	void *handle = dlopen("libpcap.so.0.8", RTLD_NOW | RTLD_LOCAL);

	return handle ? handle : dlopen("libpcap.so.1", RTLD_NOW | RTLD_LOCAL);
}

static int library_load(const char *path, struct buffer *error)
{
	const struct {
		const char *name;
		void *function; /* where its address goes */
	} wanted[] = {
		{ "pcap_open_offline", &library.open_offline },
		{ "pcap_datalink", &library.datalink },
		{ "pcap_datalink_val_to_name", &library.datalink_name },
		{ "pcap_next_ex", &library.next },
		{ "pcap_geterr", &library.reason },
		{ "pcap_close", &library.close },
	};
	void *handle = library.close ? NULL : library_open();

	if (library.close)
		return 0;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		void *address = handle ? dlsym(handle, wanted[i].name) : NULL;

		if (!address) {
			buffer_printf(error,
				      "%s: captures are read with libpcap, which cannot be loaded "
				      "(%s); install the package libpcap0.8",
				      path, dlerror());
			return -ENOENT;
		}
		memcpy(wanted[i].function, &address, sizeof(address));
	}
	return 0;
}

struct capture {
	pcap_t *pcap;
	const char *path;
};

static int check_link_type(const struct capture *capture, struct buffer *error)
{
	int type = library.datalink(capture->pcap);
	const char *name = library.datalink_name(type);

	if (type == DLT_EN10MB)
		return 0;
	buffer_printf(error, "%s: its link type is %s, only Ethernet (EN10MB) can be judged",
		      capture->path, name ? name : "unknown");
	return -EINVAL;
}

int capture_open(const char *path, struct capture **ret_capture, struct buffer *error)
{
	struct capture *capture;
	char reason[PCAP_ERRBUF_SIZE] = "";

	if (library_load(path, error))
		return -EINVAL;
	capture = calloc(1, sizeof(*capture));
	if (!capture)
		message_out_of_memory();
	capture->path = path;
	capture->pcap = library.open_offline(path, reason);
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

	switch (library.next(capture->pcap, &header, &bytes)) {
	case 1:
		ret_frame->bytes = bytes;
		ret_frame->captured = header->caplen;
		ret_frame->length = header->len > header->caplen ? header->len : header->caplen;
		return 1;
	case PCAP_ERROR_BREAK:
		return 0;
	default:
		buffer_printf(error, "%s: %s", capture->path, library.reason(capture->pcap));
		return -EINVAL;
	}
}

void capture_close(struct capture **capture)
{
	if (!*capture)
		return;
	if ((*capture)->pcap)
		library.close((*capture)->pcap);
	free(*capture);
	*capture = NULL;
}
