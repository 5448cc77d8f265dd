/* IMAP before login: RFC 9051 6.1 and 6.2, 2971, 4959, 7888. */
#include <string.h>

#include "imapd.h"
#include "parse.h"

#define LINE_MAX_LEN ((size_t)8192)
#define HELD_MAX     ((size_t)4096) /* LOGIN's literals */
#define LITERALS_MAX 4
#define ANSWER_MAX   ((size_t)32768) /* to a challenge */
#define TAG_MAX      64
#define JUNK_MAX     20
#define READER_MAX   ((size_t)1 << 20)

struct state {
    struct arena *life, *command;
    struct reader *reader;
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
    login_end(l, "");
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
do_login(struct guest *l, const struct command *c)
{
    if (login_allow_password(l))
        login_password(l, c->login.user, c->login.password, c->tag);
}

static void
do_authenticate(struct guest *l, const struct command *c)
{
    login_mechanism(l, c->authenticate.mechanism, c->authenticate.initial,
                    c->tag);
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
        login_say_bye(l, "Too many invalid commands");
}

static void
keep_tag(struct state *s, struct str tag)
{
    size_t len = tag.len < TAG_MAX ? tag.len : TAG_MAX;

    memcpy(s->tag, tag.p, len);
    s->tag[len] = '\0';
}

static bool
is_for_here(enum command_id id)
{
    for (size_t i = 0; i < COUNT(commands); i++)
        if (commands[i].id == id)
            return true;
    return false;
}

/* Arguments of what comes after the login are not looked at: they may become
 * many times as large. */
static enum parsed
parse(struct state *s, struct command *c, const char **error)
{
    struct command_text text = reader_command(s->reader);
    enum command_id id = command_look(&text, &c->tag);

    *error = "Log in first";
    return id != COMMAND_NONE && !is_for_here(id)
               ? PARSED_BAD
               : command_parse(s->command, &text, c, error);
}

static void
run(struct guest *l)
{
    struct state *s = l->own;
    struct command c = {0};
    const char *error;

    if (parse(s, &c, &error) != PARSED) {
        bad(l, c.tag, error);
        return;
    }
    if (c.tag.len > TAG_MAX) {
        bad(l, S("*"), "Tag is too long");
        return;
    }
    keep_tag(s, c.tag);
    for (size_t i = 0; i < COUNT(commands); i++)
        if (commands[i].id == c.id)
            commands[i].run(l, &c);
}

static void
next(struct guest *l)
{
    struct state *s = l->own;

    arena_wipe(s->command); /* there may be a password in it */
    reader_next(s->reader, l->in_auth);
}

/* Only LOGIN has literals here. */
static void
literal(struct guest *l)
{
    struct state *s = l->own;
    struct command_text text = reader_command(s->reader);
    bool sync = text.literals[text.count - 1].sync;
    struct command c = {0};
    const char *error;

    if (parse(s, &c, &error) == PARSED_WANTS && reader_hold(s->reader)) {
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
        if (l->in_auth)
            login_answer(l, reader_command(s->reader).text);
        else
            run(l);
        next(l);
        return true;
    case READER_LITERAL:
        literal(l);
        return true;
    case READER_TOO_LONG:
        login_say_bye(l, "Input buffer full");
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
say(struct guest *l, const char *text)
{
    const struct state *s = l->own;

    answer(l, str_from(s->tag), text);
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
    .challenged = next,
    .say = say,
    .words =
        {
                .cleartext =
                "NO [PRIVACYREQUIRED] Passwords are taken over TLS only: "
                "use STARTTLS", .no_mech = "NO [CANNOT] Unknown mechanism",
                .no_base64 = "BAD Invalid base64",
                .aborted = "BAD Authentication aborted",
                .refused =
                {
                    [DOVECOT_REFUSED] =
                        "NO [AUTHENTICATIONFAILED] Authentication failed",
                    [DOVECOT_TEMP] =
                        "NO [UNAVAILABLE] Temporary authentication failure",
                    [DOVECOT_AUTHZ] =
                        "NO [AUTHORIZATIONFAILED] Not for this user",
                    [DOVECOT_DISABLED] =
                        "NO [AUTHORIZATIONFAILED] This account is disabled",
                    [DOVECOT_EXPIRED] = "NO [EXPIRED] The password has expired",
                }, .unavailable = "NO [UNAVAILABLE] Your mailbox is not available now",
                },
    .bye = bye,
    .done = done,
};
