/* IMAP before login: RFC 9051 6.1 and 6.2, 2971, 4959, 7888. */
#include <string.h>

#include "imapd.h"
#include "mail/base64.h"
#include "parse.h"

#define LINE_MAX_LEN ((size_t)8192)
#define HELD_MAX     ((size_t)4096) /* LOGIN's literals */
#define LITERALS_MAX 4
#define ANSWER_MAX   ((size_t)32768) /* to a challenge */
#define TAG_MAX      64
#define JUNK_MAX     20
#define READER_MAX   ((size_t)256 << 10)

struct state {
    struct arena *life, *command;
    struct reader *reader;
    bool in_auth; /* the next line answers a challenge */
    unsigned junk;
    char tag[TAG_MAX + 1];
};

static const struct reader_limits limits = {
    .line = ANSWER_MAX,
    .held = HELD_MAX,
    .literals = LITERALS_MAX,
    .nonsync = HELD_MAX,
};

static void
put_capabilities(struct guest *l)
{
    const struct sasl_mech *m;

    conn_put(l->conn, S("CAPABILITY " IMAP_GREETING_WORDS));
    if (login_has_tls(l))
        conn_put(l->conn, S(" STARTTLS"));
    if (!login_may_use(l, sasl_mech_find(S("PLAIN"))))
        conn_put(l->conn, S(" LOGINDISABLED"));
    for (size_t i = 0; (m = login_mech(l, i)) != NULL; i++)
        conn_fmt(l->conn, " AUTH=%s", m->name);
}

static void
greet(struct guest *l)
{
    conn_put(l->conn, S("* OK ["));
    put_capabilities(l);
    conn_fmt(l->conn, "] %s ready\r\n", l->conf->myhostname);
}

static void
answer(struct guest *l, struct str tag, const char *text)
{
    conn_fmt(l->conn, "%.*s %s\r\n", STR(tag), text);
}

/* ---- commands */

static void
do_capability(struct guest *l, const struct command *c)
{
    conn_put(l->conn, S("* "));
    put_capabilities(l);
    conn_put(l->conn, S("\r\n"));
    answer(l, c->tag, "OK Capabilities listed");
}

static void
do_noop(struct guest *l, const struct command *c)
{
    answer(l, c->tag, "OK Nothing done");
}

static void
do_logout(struct guest *l, const struct command *c)
{
    conn_put(l->conn, S("* BYE Logging out\r\n"));
    answer(l, c->tag, "OK Logged out");
    login_end(l, "Aborted login");
}

static void
do_id(struct guest *l, const struct command *c)
{
    conn_put(l->conn, S("* ID (\"name\" \"Posta\")\r\n"));
    answer(l, c->tag, "OK ID done");
}

static void
do_starttls(struct guest *l, const struct command *c)
{
    if (!login_has_tls(l)) {
        answer(l, c->tag,
               l->secured ? "BAD TLS is active already"
                          : "NO TLS is not available");
        return;
    }
    answer(l, c->tag, "OK Begin TLS negotiation now");
    login_start_tls(l);
}

static void
refuse_cleartext(struct guest *l, struct str tag)
{
    answer(l, tag,
           "NO [PRIVACYREQUIRED] Passwords are taken over TLS only: use "
           "STARTTLS");
}

static void
do_login(struct guest *l, const struct command *c)
{
    if (!login_may_use(l, sasl_mech_find(S("PLAIN"))))
        refuse_cleartext(l, c->tag);
    else
        login_password(l, c->login.user, c->login.password, c->tag);
}

static void
do_authenticate(struct guest *l, const struct command *c)
{
    const struct sasl_mech *m = sasl_mech_find(c->authenticate.mechanism);
    struct str given = c->authenticate.initial;
    struct buf initial = buf_in(l->work);

    if (m == NULL) {
        answer(l, c->tag, "NO [CANNOT] Unknown mechanism");
    } else if (!login_may_use(l, m)) {
        refuse_cleartext(l, c->tag);
    } else if (given.p == NULL) {
        login_auth(l, str_from(m->name), NULL, c->tag);
    } else if (!str_eq(given, S("=")) && !base64_decode(&initial, given)) {
        answer(l, c->tag, "BAD Invalid base64");
    } else {
        struct str data = buf_str(&initial);

        login_auth(l, str_from(m->name), &data, c->tag);
    }
}

static const struct {
    enum command_id id;
    void (*run)(struct guest *l, const struct command *c);
} commands[] = {
    {COMMAND_CAPABILITY,   do_capability  },
    {COMMAND_NOOP,         do_noop        },
    {COMMAND_LOGOUT,       do_logout      },
    {COMMAND_ID,           do_id          },
    {COMMAND_STARTTLS,     do_starttls    },
    {COMMAND_LOGIN,        do_login       },
    {COMMAND_AUTHENTICATE, do_authenticate},
};

/* ---- what the client sends */

static void
bad(struct guest *l, struct str tag, const char *why)
{
    struct state *s = l->own;

    conn_fmt(l->conn, "%.*s BAD %s\r\n", STR(tag.len > 0 ? tag : S("*")), why);
    if (++s->junk >= JUNK_MAX)
        login_say_bye(l, "Disconnected: Too many invalid commands");
}

static void
keep_tag(struct state *s, struct str tag)
{
    size_t len = tag.len < TAG_MAX ? tag.len : TAG_MAX;

    memcpy(s->tag, tag.p, len);
    s->tag[len] = '\0';
}

static void
run(struct guest *l)
{
    struct state *s = l->own;
    struct command_text text = reader_command(s->reader);
    struct command c = {0};
    const char *error;

    if (command_parse(s->command, &text, &c, &error) != PARSED) {
        bad(l, c.tag, error);
        return;
    }
    if (c.tag.len > TAG_MAX) {
        bad(l, S("*"), "Tag is too long");
        return;
    }
    keep_tag(s, c.tag);
    for (size_t i = 0; i < COUNT(commands); i++)
        if (commands[i].id == c.id) {
            commands[i].run(l, &c);
            return;
        }
    bad(l, c.tag, "Log in first");
}

/* A line that answers a challenge. */
static void
run_answer(struct guest *l)
{
    struct state *s = l->own;
    struct str line = reader_command(s->reader).text;
    struct buf data = buf_in(l->work);

    s->in_auth = false;
    if (str_eq(line, S("*"))) {
        login_abort(l);
        answer(l, str_from(s->tag), "BAD Authentication aborted");
    } else if (!base64_decode(&data, line)) {
        login_abort(l);
        answer(l, str_from(s->tag), "BAD Invalid base64");
    } else {
        login_continue(l, buf_str(&data));
    }
}

static void
next(struct guest *l)
{
    struct state *s = l->own;

    arena_wipe(s->command); /* there may be a password in it */
    reader_next(s->reader, s->in_auth);
}

/* Only LOGIN has literals here. */
static void
literal(struct guest *l)
{
    struct state *s = l->own;
    struct command_text text = reader_command(s->reader);
    bool sync = text.literals[text.count - 1].sync;
    struct command c = {0};
    const char *error = "Literal is too long";

    if (command_parse(s->command, &text, &c, &error) == PARSED_WANTS &&
        reader_hold(s->reader)) {
        if (sync)
            conn_put(l->conn, S("+ OK\r\n"));
        return;
    }
    bad(l, c.tag, error ? error : "Log in first");
    reader_refuse(s->reader);
    if (sync)
        next(l); /* the client sends nothing more of it */
}

static bool
input(struct guest *l)
{
    struct state *s = l->own;
    struct str in = conn_input(l->conn);
    size_t before = in.len;

    if (s->reader == NULL) {
        s->life = arena_new("reader", READER_MAX);
        s->command = arena_new("command", READER_MAX);
        s->reader = reader_new(s->life, s->command, &limits);
    }
    enum reader_event event = reader_put(s->reader, &in);

    conn_skip(l->conn, before - in.len);
    switch (event) {
    case READER_COMMAND:
        if (s->in_auth)
            run_answer(l);
        else
            run(l);
        next(l);
        return true;
    case READER_LITERAL:
        literal(l);
        return true;
    case READER_TOO_LONG:
        login_say_bye(l, "Disconnected: Line too long");
        return false;
    case READER_REFUSED:
        next(l);
        return true;
    case READER_DATA:
    case READER_MORE:
        break;
    }
    return false;
}

/* ---- what authd and the broker say */

static void
challenge(struct guest *l, struct str data)
{
    struct state *s = l->own;
    struct buf b = buf_in(l->work);

    s->in_auth = true;
    arena_wipe(s->command);
    reader_next(s->reader, true);
    base64_encode(&b, data);
    conn_fmt(l->conn, "+ %s\r\n", buf_str(&b).p);
}

static void
refused(struct guest *l, const struct auth_result *r)
{
    struct state *s = l->own;
    struct str tag = str_from(s->tag);

    s->in_auth = false;
    switch (r->code) {
    case DOVECOT_TEMP:
        answer(l, tag, "NO [UNAVAILABLE] Temporary authentication failure");
        break;
    case DOVECOT_DISABLED:
        answer(l, tag, "NO [AUTHORIZATIONFAILED] This account is disabled");
        break;
    case DOVECOT_EXPIRED:
        answer(l, tag, "NO [EXPIRED] The password has expired");
        break;
    case DOVECOT_AUTHZ:
        answer(l, tag, "NO [AUTHORIZATIONFAILED] Not for this user");
        break;
    default:
        answer(l, tag, "NO [AUTHENTICATIONFAILED] Authentication failed");
        break;
    }
}

static void
unavailable(struct guest *l)
{
    const struct state *s = l->own;

    answer(l, str_from(s->tag),
           "NO [UNAVAILABLE] Your mailbox is not available now");
}

static void
bye(struct guest *l, const char *why)
{
    (void)why;
    conn_put(l->conn, S("* BYE Disconnected\r\n"));
}

static void
done(struct guest *l)
{
    struct state *s = l->own;

    if (s->reader == NULL)
        return;
    arena_wipe(s->command);
    arena_free(s->command);
    arena_free(s->life);
}

const struct login_protocol imap_login = {
    .service = "imap",
    .program = "imap-login",
    .size = sizeof(struct state),
    .greet = greet,
    .input = input,
    .challenge = challenge,
    .refused = refused,
    .unavailable = unavailable,
    .bye = bye,
    .done = done,
};
