/*
 * Texts and codes are Postfix's, which has no phase of its own for this: what
 * goes wrong with the connection goes wrong in the EHLO handshake.
 */
#include "login.h"

#include "auth/sasl_client.h"
#include "base/log.h"
#include "mail/base64.h"
#include "own_domains.h"

/* The longest command line (RFC 5321 4.5.3.1.4, RFC 4954 4): a longer initial
 * response waits for an empty challenge. */
#define COMMAND_MAX ((size_t)512)

/* No mechanism takes that many steps. */
#define STEPS_MAX 100

/* What a connection is. */
enum security {
    CLEAR,
    ENCRYPTED,
    VERIFIED, /* and the server has proved its name */
    SECURITIES
};

struct logins {
    const char *parameter; /* smtp_sasl_password_maps */
    struct maps *passwords;
    char delimiter;
    bool by_sender;
    struct own_domains *own; /* by_sender */
    struct match_list *filter;
    bool soft_bounce;
    unsigned options[SECURITIES]; /* SASL_NO_, SASL_WANT_ bits */
};

/* One exchange. */
struct exchange {
    struct session *session;
    struct arena *arena;
    const struct sasl_mech *mech;
    struct sasl_client *client;
    struct trouble *trouble;
};

static bool
read_options(const char *name, const char *words, unsigned *options,
             struct why *why)
{
    struct str bad;

    if (sasl_options_parse(str_from(words), options, &bad))
        return true;
    (void)!fail(why, "4.3.5", "%s: \"%.*s\" is no such option", name, STR(bad));
    return false;
}

#define OF(name)   (lmtp ? c->lmtp_##name : c->smtp_##name)
#define NAME(name) (lmtp ? "lmtp_" name : "smtp_" name)

/* What makes no sense; NULL where all does. */
static const char *
trouble_of(const struct conf *c, bool lmtp, const char **name)
{
    *name = NAME("sasl_type");
    if (strcmp(OF(sasl_type), "cyrus") != 0)
        return "only cyrus can be had, by which Posta's own is meant";
    *name = NAME("sasl_password_maps");
    if (OF(sasl_password_maps)[0] == '\0')
        return "name a table of passwords, as sasl_auth_enable = yes";
    *name = NAME("sasl_password_result_delimiter");
    if (strlen(OF(sasl_password_result_delimiter)) != 1)
        return "must be one character";
    return NULL;
}

struct logins *
logins_open(struct arena *life, const struct conf *c, bool lmtp,
            struct why *why)
{
    struct logins *l = arena_make(life, struct logins);
    const char *name, *bad = trouble_of(c, lmtp, &name);
    const char *filter = OF(sasl_mechanism_filter);

    if (bad) {
        (void)!fail(why, "4.3.5", "%s: %s", name, bad);
        return NULL;
    }
    if (!read_options(NAME("sasl_security_options"), OF(sasl_security_options),
                      &l->options[CLEAR], why) ||
        !read_options(NAME("sasl_tls_security_options"),
                      OF(sasl_tls_security_options), &l->options[ENCRYPTED],
                      why) ||
        !read_options(NAME("sasl_tls_verified_security_options"),
                      OF(sasl_tls_verified_security_options),
                      &l->options[VERIFIED], why))
        return NULL;
    l->parameter = NAME("sasl_password_maps");
    l->passwords = maps_open(OF(sasl_password_maps), NULL);
    l->delimiter = OF(sasl_password_result_delimiter)[0];
    l->by_sender = OF(sender_dependent_authentication);
    if (l->by_sender)
        l->own = own_domains_open(life, c);
    if (*filter != '\0')
        l->filter =
            match_open(NAME("sasl_mechanism_filter"), filter, false, NULL);
    l->soft_bounce = OF(sasl_auth_soft_bounce);
    return l;
}

bool
login_serves(const struct session *s, struct str sender)
{
    const struct logins *l = s->settings->logins;

    return l == NULL || !l->by_sender || str_eq(s->sender, sender);
}

/* ---- what we know */

static enum rc
look_up(const struct logins *l, const struct login_keys *keys, struct arena *a,
        struct str *value, struct why *why)
{
    struct map_found found = {0};
    struct map_order order;
    enum rc rc = OK;

    if (l->by_sender && keys->sender.len > 0) {
        rc = own_domains_order(l->own, keys->sender, &order, why);
        if (rc == OK)
            rc = maps_get_address(l->passwords, keys->sender, &order, a, &found,
                                  why);
    }
    *value = found.value;
    if (rc == OK && value->p == NULL)
        rc = maps_get(l->passwords, keys->host, a, value, why);
    if (rc == OK && value->p == NULL)
        rc = maps_get(l->passwords, keys->dest, a, value, why);
    return rc;
}

static void
wipe(struct str value)
{
    if (value.p)
        explicit_bzero((char *)(uintptr_t)value.p, value.len);
}

bool
login_expected(const struct settings *s, const struct login_keys *keys,
               struct arena *a)
{
    struct str value;
    struct why why;

    if (s->logins == NULL)
        return false;
    if (look_up(s->logins, keys, a, &value, &why) != OK)
        return true;
    wipe(value);
    return value.p != NULL;
}

/* The mechanisms that the server offers and the site wants. */
static struct str
wanted(const struct session *s, struct arena *a)
{
    struct match_list *filter = s->settings->logins->filter;
    struct str rest = s->server.auth, word;
    struct buf b = buf_in(a);
    struct why why;

    while (str_word(&rest, " \t", &word)) {
        bool pass = filter == NULL;

        if (filter && match_word(filter, word, &pass, &why) != OK)
            log_warn("%s", why.text);
        if (pass)
            buf_fmt(&b, "%s%.*s", b.len > 0 ? " " : "", STR(word));
    }
    if (b.len == 0 && s->server.auth.len == 0)
        log_warn("%s offered null AUTH mechanism list", s->relay);
    else if (b.len == 0)
        log_warn("%s offered no supported AUTH mechanisms: '%.*s'", s->relay,
                 STR(s->server.auth));
    return buf_str(&b);
}

/* ---- the exchange */

static enum rc
cannot(struct exchange *x, const char *reason)
{
    *x->trouble = (struct trouble){0};
    return fail(&x->trouble->why, "4.7.0",
                "SASL authentication failed; cannot authenticate to server "
                "%s: %s",
                x->session->name, reason);
}

static void
send_base64(struct exchange *x, const char *before, struct str data)
{
    struct buf b = buf_in(x->arena);

    buf_add(&b, str_from(before));
    base64_encode(&b, data);
    buf_add(&b, S("\r\n"));
    io_put(x->session->io, buf_str(&b));
    explicit_bzero(b.p, b.len);
}

/* The reply to what was just said; our words, which may be secrets, are then
 * forgotten. */
static enum rc
hear(struct exchange *x)
{
    struct session *s = x->session;
    enum phase phase = s->settings->lmtp ? PHASE_LHLO : PHASE_EHLO;
    enum rc rc = session_reply(s, phase, x->arena, x->trouble);

    io_wipe(s->io);
    return rc;
}

/* "AUTH MECH response". What is left for the empty challenge is in *later. */
static void
begin(struct exchange *x, struct str initial, struct str *later)
{
    struct stream *io = x->session->io;
    const char *command = arena_fmt(x->arena, "AUTH %s ", x->mech->name);
    size_t len = strlen(command) + (initial.len + 2) / 3 * 4 + 2;

    *later = (struct str){0};
    if (initial.p && len <= COMMAND_MAX) {
        /* "=" is a response of no bytes; none at all means that the server is
         * to speak first. */
        if (initial.len > 0)
            send_base64(x, command, initial);
        else
            io_fmt(io, "%s=\r\n", command);
        return;
    }
    io_fmt(io, "AUTH %s\r\n", x->mech->name);
    *later = initial;
}

/* "334 base64" */
static bool
take_challenge(const struct exchange *x, struct buf *challenge)
{
    const struct smtp_reply *r = &x->session->reply;
    struct str text = {r->text.p, r->text.len};

    return r->lines == 1 && text.len >= 3 &&
           base64_decode(challenge, str_trim(str_sub(text, 4, text.len)));
}

/* The exchange is over before its time; the server is told, and answers. */
static enum rc
give_up(struct exchange *x, const char *reason)
{
    struct trouble ignored, *own = x->trouble;

    io_put(x->session->io, S("*\r\n"));
    x->trouble = &ignored;
    (void)!hear(x);
    x->trouble = own;
    return cannot(x, reason);
}

static enum rc
answer(struct exchange *x, struct str *later)
{
    struct buf challenge = buf_in(x->arena);
    struct str response = *later;
    struct why why;

    if (!take_challenge(x, &challenge))
        return give_up(x, "bad challenge");
    *later = (struct str){0};
    if (response.p) {
        if (challenge.len > 0)
            return give_up(x, "a challenge where none was due");
    } else if (sasl_client_step(x->client, buf_str(&challenge), &response,
                                &why) != OK) {
        return give_up(x, why.text);
    }
    send_base64(x, "", response);
    return OK;
}

static enum rc
refused(struct exchange *x)
{
    const struct session *s = x->session;
    const struct smtp_reply *r = &s->reply;
    struct str text = {r->text.p, r->text.len}, said;
    struct trouble *t = x->trouble;
    char dsn[sizeof r->dsn];

    memcpy(dsn, r->dsn, sizeof dsn);
    if (dsn[0] != '4' && (dsn[0] != '5' || s->settings->logins->soft_bounce))
        dsn[0] = '4';
    *t = (struct trouble){.remote = arena_str(x->arena, s->host),
                          .reply = arena_str(x->arena, text)};
    said = sasl_client_said(x->client);
    if (said.len > 0)
        log_info("%s: %s: %.*s", s->name, x->mech->name, STR(said));
    return fail(&t->why, dsn,
                "SASL authentication failed; server %s said: %.*s", s->name,
                STR(text));
}

static enum rc
accepted(struct exchange *x)
{
    struct why why;

    if (sasl_client_finish(x->client, S(""), &why) != OK)
        return cannot(x, why.text);
    return OK;
}

static enum rc
talk(struct exchange *x, struct str initial)
{
    struct str later;

    begin(x, initial, &later);
    for (unsigned i = 0; i < STEPS_MAX; i++) {
        if (hear(x) != OK)
            return TEMP;
        if (x->session->reply.code / 100 == 2)
            return accepted(x);
        if (x->session->reply.code / 100 != 3)
            return refused(x);
        if (answer(x, &later) != OK)
            return TEMP;
    }
    *x->trouble = (struct trouble){0};
    return fail(&x->trouble->why, "4.3.0",
                "SASL authentication failed; authentication protocol loop "
                "with server %s",
                x->session->name);
}

static enum rc
exchange(struct exchange *x, const struct sasl_login *login, struct str mechs)
{
    const struct session *s = x->session;
    enum security security = s->tls == NULL      ? CLEAR
                             : s->facts.verified ? VERIFIED
                                                 : ENCRYPTED;
    struct str initial;
    struct why why;
    enum rc rc;

    x->mech = sasl_client_choose(
        login, mechs, s->settings->logins->options[security], NULL, NULL);
    if (x->mech == NULL)
        return cannot(x, "no mechanism available");
    if (sasl_client_start(x->arena, x->mech, login, s->server.auth, &x->client,
                          &initial, &why) != OK)
        return cannot(x, why.text);
    rc = talk(x, initial);
    sasl_client_end(x->client);
    return rc;
}

/* What binds the login to this connection. */
static void
bind_to_tls(const struct session *s, struct arena *a, struct sasl_login *login)
{
    static const struct {
        const char *name;
        enum tls_binding type;
    } types[] = {
        {"tls-exporter",         TLS_EXPORTER        },
        {"tls-server-end-point", TLS_SERVER_END_POINT},
    };

    login->tls = s->tls != NULL;
    for (size_t i = 0; i < COUNT(types) && login->tls; i++) {
        unsigned char *data = arena_alloc(a, TLS_BINDING_MAX);
        size_t len = tls_binding(s->tls, types[i].type, data);

        login->bindings[i] = (struct sasl_binding){
            .type = str_from(types[i].name), .data = {(char *)data, len}
        };
    }
}

static enum rc
log_in(struct session *s, struct arena *a, struct str value, struct trouble *t)
{
    struct exchange x = {.session = s, .arena = a, .trouble = t};
    struct sasl_login login = {
        .host = s->host, .port = s->port, .password = value};
    struct str mechs = wanted(s, a);

    if (mechs.len == 0) {
        *t = (struct trouble){0};
        return fail(&t->why, "4.7.0",
                    "SASL authentication failed: server %s offered no "
                    "compatible authentication mechanisms for this type of "
                    "connection security",
                    s->name);
    }
    str_cut(&login.password, s->settings->logins->delimiter, &login.user);
    bind_to_tls(s, a, &login);
    return exchange(&x, &login, mechs);
}

static enum rc
no_table(const struct session *s, const struct why *why, struct trouble *t)
{
    log_warn("%s lookup error: %s", s->settings->logins->parameter, why->text);
    *t = (struct trouble){0};
    return fail(&t->why, "4.3.0", "local data error while talking to %s",
                s->name);
}

enum rc
login_run(struct session *s, struct arena *a, const struct login_keys *keys,
          struct trouble *t)
{
    const struct logins *l = s->settings->logins;
    struct str value;
    struct why why;
    enum rc rc;

    if (l == NULL)
        return OK;
    s->sender = arena_str(s->arena, keys->sender);
    if (!session_offers(s, SMTP_AUTH))
        return OK;
    if (look_up(l, keys, a, &value, &why) != OK)
        return no_table(s, &why, t);
    if (value.p == NULL)
        return OK;
    rc = log_in(s, a, value, t);
    s->logged_in = rc == OK;
    wipe(value);
    return rc;
}
