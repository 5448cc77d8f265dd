/*
 * convert.h - character sets, as who can convert them (sys/charsets.h) offers
 * them to who must read them (mail/charset.h).
 */
#ifndef BASE_CONVERT_H
#define BASE_CONVERT_H

#include "base/buf.h"

/* One text on its way to UTF-8. */
struct converter {
    /* Append what can be converted of *in and take it off its front; what
     * cannot becomes U+FFFD. A character that is not whole stays in *in, unless
     * this is the last piece. */
    void (*put)(struct converter *c, struct buf *out, struct str *in,
                bool last);
    /* The text is over. */
    void (*close)(struct converter *c);
};

struct converters {
    /* NULL where the character set is not known. Close it. */
    struct converter *(*open)(struct converters *self, struct str charset);
};

#endif
