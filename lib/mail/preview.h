/*
 * preview.h - the first words of a message (RFC 8970).
 */
#ifndef MAIL_PREVIEW_H
#define MAIL_PREVIEW_H

#include "base/convert.h"
#include "mail/structure.h"

/* RFC 8970 3.1: characters. */
#define PREVIEW_MAX 200

/*
 * One line of UTF-8: of the first text that is no attachment (plain text before
 * HTML), without markup, runs of blanks made one, lines that quote another
 * message only where there are no others. Empty where there is no such text.
 * At most the first 64 KiB are looked at.
 */
struct str preview(struct arena *a, struct str message,
                   const struct structure *s, struct converters *more);

#endif
