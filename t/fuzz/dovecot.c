/* Lines of Dovecot's protocol from either side; requests are built again and
 * must come out the same. */
#include "auth/dovecot.h"

#include "fuzz/fuzz.h"

static void
rebuild(struct arena *a, const struct dovecot_request *r)
{
    struct buf b = buf_in(a);
    struct dovecot_line again;
    const char *wrong;

    if (r->service.len == 0)
        return;
    dovecot_put_auth(&b, r);
    b.len--;
    if (b.len > DOVECOT_LINE_MAX)
        return;
    must(dovecot_parse(a, buf_str(&b), &again, &wrong));
    must(again.verb == DOVECOT_AUTH && again.id == r->id);
    must(str_eq(dovecot_unescape(a, again.request.mech),
                r->mech.len ? r->mech : S("")));
    must(str_eq(again.request.service, r->service));
    must(str_eq(again.request.cert_username, r->cert_username));
    must(again.request.has_resp == r->has_resp);
    must(!r->has_resp || str_eq(again.request.resp, r->resp));
}

static void
fuzz(struct arena *a, struct str in)
{
    struct dovecot_reply reply;
    struct dovecot_line l;
    struct dovecot_word w;
    struct str line;
    const char *wrong;

    str_cut(&in, '\n', &line);
    if (!dovecot_parse(a, line, &l, &wrong)) {
        must(wrong != NULL);
        return;
    }
    if (l.verb == DOVECOT_AUTH && !l.bad_data)
        rebuild(a, &l.request);
    if (l.verb == DOVECOT_OK || l.verb == DOVECOT_FAIL)
        (void)!dovecot_reply_parse(a, &l, &reply);
    while (dovecot_next(a, &l.fields, &w))
        must(w.name.p != NULL);
}

FUZZ(4 << 20)
