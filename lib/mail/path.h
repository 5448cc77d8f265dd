/*
 * path.h - the address in MAIL FROM: and RCPT TO: (RFC 5321 4.1.2, 6531 3.3).
 */
#ifndef MAIL_PATH_H
#define MAIL_PATH_H

#include "base/arena.h"
#include "base/why.h"

enum {
    PATH_STRICT = 1, /* strict_rfc821_envelopes: brackets, no blanks, the
                        lengths of 4.5.3.1 */
    PATH_SENDER = 2, /* <> is allowed; failures say 5.1.7, not 5.1.3 */
    PATH_UTF8 = 4,   /* bytes over 127 are allowed where they are UTF-8 */
};

/*
 * Take a path off the front of *arg, which is what followed the colon;
 * afterwards *arg is what follows the path: empty, or a blank and parameters.
 * *addr is the internal form (address.h), in the arena or a view of *arg.
 * A source route is dropped. Without PATH_STRICT blanks before it, missing
 * brackets, a dot at the domain's end, and dots and quoted words in any order
 * in the local part are let pass, as Postfix does.
 *
 * A domain is a name of letters, digits, "-", "_" and dots, or a valid literal
 * "[192.0.2.1]", "[IPv6:2001:db8::1]"; or it is absent (then the local part
 * has no "@" either). Never a control byte, so an address can be logged.
 */
enum rc path_parse(struct arena *a, struct str *arg, unsigned flags,
                   struct str *addr, struct why *why) MUST_USE;

#endif
