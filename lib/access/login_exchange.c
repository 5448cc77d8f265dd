/* Logging in, as far as protocols do it the same way: mechanisms, base64, and
 * which of the protocol's words says what came of it. */
#include "access/login_own.h"
#include "mail/base64.h"

static void
say(struct guest *l, const char *text)
{
    l->protocol->say(l, text);
}

/* fail2ban counts this as a login that failed. */
static void
refuse_cleartext(struct guest *l)
{
    l->priv->tried = "tried to use disallowed plaintext auth";
    say(l, l->protocol->words.cleartext);
}

bool
login_allow_password(struct guest *l)
{
    if (login_may_use(l, sasl_mech_find(S("PLAIN"))))
        return true;
    refuse_cleartext(l);
    return false;
}

void
login_mechanism(struct guest *l, struct str name, struct str initial,
                struct str greeting)
{
    const struct sasl_mech *m = sasl_mech_find(name);
    struct buf raw = buf_in(l->work);

    if (m == NULL) {
        l->priv->tried = "tried to use unsupported auth mechanism";
        say(l, l->protocol->words.no_mech);
    } else if (!login_may_use(l, m)) {
        refuse_cleartext(l);
    } else if (initial.p == NULL) {
        login_auth(l, str_from(m->name), NULL, greeting);
    } else if (!str_eq(initial, S("=")) && !base64_decode(&raw, initial)) {
        say(l, l->protocol->words.no_base64);
    } else {
        struct str data = buf_str(&raw);

        login_auth(l, str_from(m->name), &data, greeting);
    }
}

void
login_answer(struct guest *l, struct str line)
{
    struct buf raw = buf_in(l->work);

    l->in_auth = false;
    if (str_eq(line, S("*"))) {
        login_abort(l);
        say(l, l->protocol->words.aborted);
    } else if (!base64_decode(&raw, line)) {
        login_abort(l);
        say(l, l->protocol->words.no_base64);
    } else {
        login_continue(l, buf_str(&raw));
    }
}

static void
expect_answer(struct guest *l, bool in_auth)
{
    l->in_auth = in_auth;
    if (l->protocol->challenged)
        l->protocol->challenged(l);
}

void
exchange_challenge(struct guest *l, struct str data)
{
    struct buf b = buf_in(l->work);

    base64_encode(&b, data);
    conn_fmt(l->conn, "+ %.*s\r\n", STR(buf_str(&b)));
    expect_answer(l, true);
}

/* authd may end, or be out of patience, while the client thinks. */
void
exchange_over(struct guest *l)
{
    if (l->in_auth)
        expect_answer(l, false);
}

void
exchange_refused(struct guest *l, enum dovecot_code code)
{
    must((size_t)code < COUNT(l->protocol->words.refused));
    say(l, l->protocol->words.refused[code]);
}

void
exchange_unavailable(struct guest *l)
{
    say(l, l->protocol->words.unavailable);
}
