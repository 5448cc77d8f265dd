/*
 * mime.h - Content-Type and its kin: a value and parameters (RFC 2045 5.1,
 * RFC 2231).
 */
#ifndef MAIL_MIME_H
#define MAIL_MIME_H

#include "base/buf.h"

/* Parameters kept; more are dropped. */
#define MIME_PARAMS_MAX 64

struct mime_param {
    struct str name;  /* lower case */
    struct str value; /* UTF-8 where it said its character set; continuations
                         (name*0, name*1 ...) joined */
};

/*
 * A parsed field body: "text/plain; charset=x", "attachment; filename=y",
 * "quoted-printable". Lower case; subtype is empty where there is no "/".
 */
struct mime_value {
    struct str type, subtype;
    struct mime_param *params;
    size_t count;
};

/* False where there is no value at all (RFC 2045 5.2: text/plain then). */
bool mime_parse(struct arena *a, struct str body, struct mime_value *v);

/* The value of a parameter, or NULL pointer. name in lower case. */
struct str mime_param(const struct mime_value *v, struct str name);

/*
 * The pieces below, without memory: what stands before the first ";", with
 * comments and blanks; then parameters one by one, as views. A value may be
 * quoted: mime_unquote.
 */
struct str mime_first(struct str *rest);
bool mime_next(struct str *rest, struct str *name, struct str *value);

/* A token as it is, a quoted text without quotes and backslashes. */
void mime_unquote(struct buf *out, struct str value);

/* Content-Transfer-Encoding. */
enum mime_encoding {
    MIME_7BIT, /* also where nothing is said */
    MIME_8BIT,
    MIME_BINARY,
    MIME_QP,
    MIME_BASE64,
    MIME_ENCODING_OTHER,
};
enum mime_encoding mime_encoding(struct str body);

#endif
