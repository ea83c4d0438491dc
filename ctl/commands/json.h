/* SPDX-License-Identifier: GPL-2.0-only */
/* JSON output, by jansson. */
#ifndef FWCTL_COMMANDS_JSON_H
#define FWCTL_COMMANDS_JSON_H

#include <jansson.h>

/* The value itself; ends the program if memory ran out or the text in it was not UTF-8. */
json_t *json_told(json_t *value);

/* Writes the value and a newline to standard output, and releases it. */
void json_write(json_t *value);

#endif
