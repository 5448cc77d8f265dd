/* POP3 before login: RFC 1939 4 and 7, 2449, 2595 4, 3206, 5034, 6856. */
#include <string.h>

#include "pop3d.h"

#define NAME_MAX_LEN 512
#define COMMAND_MAX  8192  /* RFC 2449 4 says 255; tokens are longer */
#define ANSWER_MAX   32766 /* to a challenge */
#define JUNK_MAX     20    /* commands in a row that lead nowhere */

struct state {
    char user[NAME_MAX_LEN];
    size_t user_len;
    bool utf8; /* UTF8 was said */
    unsigned junk;
};

struct verb {
    const char *name;
    void (*run)(struct guest *l, struct str args);
};

static void
say(struct guest *l, const char *text)
{
    conn_fmt(l->conn, "%s\r\n", text);
}

static void
greet(struct guest *l)
{
    conn_fmt(l->conn, "+OK %s ready\r\n", l->conf->myhostname);
}

/* ---- commands */

/* Those that depend on how the client has come. */
static void
put_logins(struct guest *l, struct buf *b)
{
    const struct sasl_mech *m;

    if (login_may_use(l, sasl_mech_find(S("PLAIN"))))
        buf_add(b, S("USER\r\n"));
    for (size_t i = 0; (m = login_mech(l, i)) != NULL; i++)
        buf_fmt(b, "%s %s", i == 0 ? "SASL" : "", m->name);
    if (login_mech(l, 0))
        buf_add(b, S("\r\n"));
}

static void
do_capa(struct guest *l, struct str args)
{
    struct buf b = buf_in(l->work);

    (void)args;
    put_logins(l, &b);
    say(l, "+OK");
    conn_put(l->conn, str_from(pop3_capabilities));
    conn_put(l->conn, buf_str(&b));
    if (login_has_tls(l))
        say(l, "STLS");
    say(l, ".");
}

static void
do_lang(struct guest *l, struct str args)
{
    pop3_lang(l->conn, args);
}

/* RFC 6856 2.1; the user's session is told by the greeting. */
static void
do_utf8(struct guest *l, struct str args)
{
    struct state *s = l->own;

    if (args.len > 0) {
        say(l, "-ERR UTF8 takes no argument");
        return;
    }
    s->utf8 = true;
    say(l, "+OK UTF8 enabled");
}

static struct str
greeting(struct guest *l)
{
    const struct state *s = l->own;
    struct buf b = buf_in(l->work);

    buf_add(&b, s->utf8 ? S(POP3_UTF8) : S(""));
    put_logins(l, &b);
    return buf_str(&b);
}

static void
do_stls(struct guest *l, struct str args)
{
    const struct state *s = l->own;

    if (args.len > 0) {
        say(l, "-ERR STLS takes no argument");
    } else if (s->utf8) {
        say(l, "-ERR STLS comes before UTF8");
    } else if (!login_has_tls(l)) {
        say(l, l->secured ? "-ERR TLS is active already"
                          : "-ERR TLS is not available");
    } else {
        say(l, "+OK Begin TLS negotiation now");
        memset(l->own, 0, sizeof(struct state)); /* RFC 2595 4 */
        login_start_tls(l);
    }
}

static void
do_user(struct guest *l, struct str args)
{
    struct state *s = l->own;

    if (!login_allow_password(l))
        return;
    if (args.len == 0 || args.len > sizeof s->user) {
        say(l, "-ERR USER wants a name");
        return;
    }
    memcpy(s->user, args.p, args.len);
    s->user_len = args.len;
    say(l, "+OK");
}

/* A password may have blanks, at its ends too. */
static void
do_pass(struct guest *l, struct str args)
{
    struct state *s = l->own;

    if (!login_allow_password(l))
        return;
    if (s->user_len == 0) {
        say(l, "-ERR USER comes first");
        return;
    }
    login_password(l, (struct str){s->user, s->user_len}, args, greeting(l));
    s->user_len = 0;
}

static void
do_auth(struct guest *l, struct str args)
{
    struct str name;

    if (!str_word(&args, " ", &name)) {
        say(l, "-ERR AUTH wants a mechanism; CAPA lists them");
        return;
    }
    args = str_trim(args);
    login_mechanism(l, name, args.len > 0 ? args : (struct str){0},
                    greeting(l));
}

static void
do_noop(struct guest *l, struct str args)
{
    (void)args;
    say(l, "+OK");
}

static void
do_quit(struct guest *l, struct str args)
{
    (void)args;
    say(l, "+OK Bye");
    login_end(l, "");
}

static const struct verb verbs[] = {
    {"CAPA", do_capa},
    {"LANG", do_lang},
    {"STLS", do_stls},
    {"UTF8", do_utf8},
    {"USER", do_user},
    {"PASS", do_pass},
    {"AUTH", do_auth},
    {"NOOP", do_noop},
    {"QUIT", do_quit},
};

/* ---- lines */

static void
run(struct guest *l, struct str line)
{
    struct state *s = l->own;
    ssize_t blank = str_find(line, ' ');
    size_t len = blank < 0 ? line.len : (size_t)blank;
    struct str name = str_sub(line, 0, len);
    struct str args = str_sub(line, len + 1, line.len);

    for (size_t i = 0; i < COUNT(verbs); i++)
        if (str_ieq(name, str_from(verbs[i].name))) {
            verbs[i].run(l, args);
            return;
        }
    say(l, "-ERR Unknown command, or not before login");
    if (++s->junk >= JUNK_MAX)
        login_end(l, "Too many invalid commands");
}

static bool
input(struct guest *l)
{
    struct str all = conn_input(l->conn);
    size_t most = l->in_auth ? ANSWER_MAX : COMMAND_MAX;
    ssize_t end = str_find(all, '\n');

    if (end < 0 && all.len <= most)
        return false;
    if (end < 0 || (size_t)end > most) {
        say(l, "-ERR Line too long");
        login_end(l, "Input buffer full");
        return false;
    }
    struct str line = arena_str(l->work, str_sub(all, 0, (size_t)end));

    conn_skip(l->conn, (size_t)end + 1);
    if (line.len > 0 && line.p[line.len - 1] == '\r')
        line.len--;
    if (l->in_auth)
        login_answer(l, line);
    else
        run(l, line);
    return true;
}

static void
bye(struct guest *l, const char *why)
{
    (void)why;
    say(l, "-ERR Disconnected");
}

const struct login_protocol pop3_login = {
    .service = "pop3",
    .program = "pop3-login",
    .size = sizeof(struct state),
    .greet = greet,
    .input = input,
    .say = say,
    .words =
        {
                .cleartext =
                "-ERR [AUTH] Passwords are taken over TLS only: use STLS", .no_mech = "-ERR [AUTH] Unknown mechanism",
                .no_base64 = "-ERR Invalid base64",
                .aborted = "-ERR Authentication aborted",
                .refused =
                {
                    [DOVECOT_REFUSED] = "-ERR [AUTH] Authentication failed",
                    [DOVECOT_TEMP] =
                        "-ERR [SYS/TEMP] Temporary authentication failure",
                    [DOVECOT_AUTHZ] = "-ERR [AUTH] Authentication failed",
                    [DOVECOT_DISABLED] = "-ERR [AUTH] This account is disabled",
                    [DOVECOT_EXPIRED] = "-ERR [AUTH] The password has expired",
                }, .unavailable = "-ERR [SYS/TEMP] Your mailbox is not available now",
                },
    .bye = bye,
};
