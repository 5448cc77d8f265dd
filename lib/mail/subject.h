/*
 * subject.h - what a conversation is about (RFC 5256 2.1).
 */
#ifndef MAIL_SUBJECT_H
#define MAIL_SUBJECT_H

#include "base/buf.h"

/* The base subject of one that is UTF-8 (words_read_field): without "Re:",
 * "[list]", "(fwd)" and so on, blanks made one. *reply: it was an answer or
 * was forwarded. */
struct str subject_base(struct arena *a, struct str subject, bool *reply);

#endif
