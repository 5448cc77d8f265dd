/*
 * json.h - a member of a JSON object (RFC 8259), as a token server answers.
 *
 * The whole text is checked, at bounded depth, before anything of it is
 * believed. Of members with one name the first counts.
 */
#ifndef AUTHD_JSON_H
#define AUTHD_JSON_H

#include "base/arena.h"

enum json_type { JSON_NONE, JSON_STRING, JSON_NUMBER, JSON_WORD, JSON_OTHER };

/* The value of that member of the object that the text is: a string decoded
 * into the arena, the text of a number, "true", "false" or "null". */
enum json_type json_member(struct arena *a, struct str text, const char *name,
                           struct str *value);

#endif
