/*
 * address.h - the two forms of a mail address (RFC 5321 4.1.2).
 *
 * Inside the suite an address has its *internal* form: local part without
 * quotes and backslashes, "@", domain; "john doe@example.org". The domain is
 * what follows the last "@". On the wire and in log lines it has its external
 * form: "john doe"@example.org with the quotes. The null address is the empty
 * view in both.
 *
 * Paths in SMTP commands: path.h. Lists in header fields: addrlist.h. What a
 * domain may look like: domain.h.
 */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include "base/arena.h"
#include "base/str.h"

/* Longest address that parsers let in, in either form. */
#define ADDRESS_MAX 512

/* Local part and domain of the internal form, as views; without "@" domain is
 * empty with a NULL pointer. Tells whether there was an "@". */
bool address_split(struct str addr, struct str *local, struct str *domain);
struct str address_domain(struct str addr);
struct str address_local(struct str addr);

/* Internal to external form: quoted where the local part is no dot-string.
 * A view of addr where nothing needs quotes. 8-bit bytes need none. */
struct str address_quote(struct arena *a, struct str addr);
/* The same for a local part alone, in which "@" is a byte that needs quotes. */
struct str address_quote_local(struct arena *a, struct str local);

/*
 * External to internal form, for addresses of trusted origin (command line,
 * tables, files): quotes and backslashes go, blanks around it too, and angle
 * brackets. A view of `text` where there were none.
 */
struct str address_unquote(struct arena *a, struct str text);

/* Are a and b the same? The domain whatever its case, the local part too (as
 * every mail system does). */
bool address_eq(struct str a, struct str b);

/*
 * Split a local part at the first byte of `delimiters` (recipient_delimiter)
 * into user and extension; false, and all of it in *user, where there is none,
 * where the user would be empty, and for postmaster, mailer-daemon and
 * double-bounce. With "-" among the delimiters owner-x and x-request stay
 * whole (owner_request_special).
 */
bool address_extension(struct str local, const char *delimiters,
                       struct str *user, struct str *extension);

#endif
