/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether a text is still the same, told by 64 bits. Against accidents, not against forgers. */
#ifndef FWCTL_BASE_DIGEST_H
#define FWCTL_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

/* FNV-1a. Never 0, so that 0 can stand for "not known". */
uint64_t digest_of(const char *text, size_t length);

#endif
