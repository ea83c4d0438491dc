/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/digest.h"

uint64_t digest_of(const char *text, size_t length)
{
	uint64_t digest = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < length; i++)
		digest = (digest ^ (uint8_t)text[i]) * 0x100000001b3ULL;
	return digest ? digest : 1;
}
