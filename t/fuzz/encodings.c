/* xtext, base64, quoted-printable, DSN parameters: there and back. */
#include "base/utf8.h"
#include "fuzz/fuzz.h"
#include "mail/base64.h"
#include "mail/dsn.h"
#include "mail/qp.h"
#include "mail/xtext.h"

static void
texts(struct arena *a, struct str in)
{
    struct str out, orcpt;
    unsigned notify;
    char code[10];

    must(xtext_decode(a, xtext_encode(a, in), &out) && str_eq(out, in));
    if (xtext_decode(a, in, &out))
        (void)xtext_encode(a, out);
    if (utf8_valid(in)) {
        must(xtext_decode_utf8(a, xtext_encode_utf8(a, in), &out));
        must(str_eq(out, in));
    }
    if (dsn_parse_orcpt(a, in, &orcpt)) {
        struct str wire = dsn_orcpt_text(a, orcpt, false), again;

        must(wire.len > 500 ||
             (dsn_parse_orcpt(a, wire, &again) && str_eq(again, orcpt)));
    }
    if (dsn_parse_notify(in, &notify))
        must(dsn_notify_text(a, notify).len == in.len);
    if (dsn_parse_envid(a, in, &out))
        must(out.len <= in.len);
    (void)dsn_cut_code(&in, code);
}

static void
fuzz(struct arena *a, struct str in)
{
    struct buf coded = buf_in(a), plain = buf_in(a);
    struct qp q = {0};

    texts(a, in);
    base64_encode(&coded, in);
    must(base64_decode(&plain, buf_str(&coded)));
    must(str_eq(buf_str(&plain), in));
    if (base64_decode(&plain, in))
        base64_decode_mail(&plain, in);
    buf_reset(&coded);
    buf_reset(&plain);
    qp_encode(&q, in, &coded);
    qp_encode_end(&q, &coded);
    qp_decode(&plain, buf_str(&coded), false);
    must(str_eq(buf_str(&plain), in));
    qp_decode(&plain, in, true);
}

FUZZ(8 << 20)
