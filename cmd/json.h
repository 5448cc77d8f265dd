/*
 * json.h - texts in JSON (RFC 8259), on standard output.
 */
#ifndef CMD_JSON_H
#define CMD_JSON_H

#include "base/str.h"

/* In quotes; bytes over 127 go as they are. */
void json_text(struct str s);

#endif
