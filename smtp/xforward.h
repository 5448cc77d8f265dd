/*
 * xforward.h - tell a content filter behind us where the message came from
 * (Postfix's XFORWARD_README), when the site wants it and the server takes it.
 */
#ifndef SMTP_XFORWARD_H
#define SMTP_XFORWARD_H

#include "job.h"

/* Which commands are needed, at most 2, into phases; how many. Reads the
 * origin from the message's file. */
size_t xforward_plan(const struct session *s, struct job *j,
                     enum phase *phases);

/* The line of that phase. */
struct str xforward_command(const struct session *s, const struct job *j,
                            enum phase phase);

/* The server refused: only the log hears of it. */
void xforward_refused(const struct session *s, enum phase phase);

#endif
