/*
 * sendmail - the interface that all programs know (also mailq, newaliases).
 *
 * A message goes into maildrop/ through postdrop(1), whether the mail system
 * runs or not. Flags of other sendmails that ask for nothing here are taken.
 */
#include "sendmail.h"

#include <ctype.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "mail/address.h"
#include "mail/dsn.h"

void
sendmail_fatal(const char *fmt, ...)
{
    va_list args;

    fputs("sendmail: fatal: ", stderr);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    exit(SENDMAIL_TEMPFAIL);
}

static void
warn(const char *option, const char *value)
{
    fprintf(stderr, "sendmail: warning: bad %s option value -- ignored: %s\n",
            option, value);
}

void
sendmail_add_rcpt(struct sendmail *s, struct str addr)
{
    struct envelope *e = &s->drop.envelope;

    if (addr.len == 0)
        return;
    if (e->nrcpts == s->rcpt_room) {
        size_t room = s->rcpt_room ? s->rcpt_room * 2 : 8;

        e->rcpts =
            arena_grow(s->life, e->rcpts, s->rcpt_room * sizeof *e->rcpts,
                       room * sizeof *e->rcpts);
        s->rcpt_room = room;
    }
    e->rcpts[e->nrcpts++] =
        (struct rcpt){.addr = arena_str(s->life, addr), .notify = s->notify};
}

/* What is to be done. */
enum mode { SUBMIT, QUEUE_LIST, ALIASES, SMTP, START, FLUSH, FLUSH_ID, SITE };

struct options {
    enum mode mode;
    const char *which;   /* message or site of -q */
    const char *aliases; /* -oA */
    unsigned verbose;
    bool sender_given; /* -f, which may be <> */
};

static void
set_mode(struct sendmail *s, struct options *o, char mode)
{
    switch (mode) {
    case 'm':
    case 'h': /* persistent host status: nothing here keeps one */
    case 'H':
        break;
    case 'p':
        o->mode = QUEUE_LIST;
        break;
    case 'i':
        o->mode = ALIASES;
        break;
    case 's':
        o->mode = SMTP;
        break;
    case 'd':
    case 'l':
        o->mode = START;
        break;
    case 'v':
        s->drop.envelope.flags |= ENVELOPE_BV;
        break;
    default:
        sendmail_fatal("unsupported: -b%c", mode);
    }
}

static void
set_queue(struct options *o, const char *value)
{
    if (value == NULL || *value == '\0') {
        o->mode = FLUSH;
    } else if (*value == 'I' && value[1]) {
        o->mode = FLUSH_ID;
        o->which = value + 1;
    } else if (*value == 'R' && value[1]) {
        o->mode = SITE;
        o->which = value + 1;
    } else if (!isdigit((unsigned char)*value)) {
        sendmail_fatal("-q%s is not implemented", value);
    }
}

static void
set_envelope(struct sendmail *s, int option, char *value)
{
    struct str text = str_from(value);
    struct envelope *e = &s->drop.envelope;
    unsigned bits;

    switch (option) {
    case 'B':
        if (str_ieq(text, S("8BITMIME")))
            e->flags |= ENVELOPE_8BIT;
        else if (!str_ieq(text, S("7BIT")))
            sendmail_fatal("-B %s: specify 7BIT or 8BITMIME", value);
        break;
    case 'N':
        if (dsn_parse_notify(text, &bits))
            s->notify = bits;
        else
            warn("-N", value);
        break;
    case 'R':
        if (dsn_parse_ret(text, &bits))
            e->flags = (e->flags &
                        ~(unsigned)(ENVELOPE_RET_FULL | ENVELOPE_RET_HDRS)) |
                       bits;
        else
            warn("-R", value);
        break;
    case 'V':
        if (text.len && text.len <= 100)
            e->envid = text;
        else
            warn("-V", value);
        break;
    case 'X':
        if (*value != 'V' || (value[1] && strlen(value) != 3))
            sendmail_fatal("-X%s: only -XV and -XVxy with two delimiters",
                           value);
        e->verp = value[1] ? str_from(value + 1) : S("+=");
        break;
    default:
        break;
    }
}

/* -O and -o: only these mean something. */
static void
set_o(struct sendmail *s, struct options *o, const char *value)
{
    if (strcmp(value, "i") == 0)
        s->dot_is_text = true;
    else if (*value == 'A' && value[1])
        o->aliases = value + 1;
}

static const char *
config_dir(struct sendmail *s, char *path)
{
    struct stat st;
    char *slash = strrchr(path, '/');

    /* Callers name the folder, or a file in it. */
    if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode) && slash)
        return arena_cstr(s->life, (struct str){path, (size_t)(slash - path)});
    return path;
}

static void
set_option(struct sendmail *s, struct options *o, int option, char *value)
{
    switch (option) {
    case 'b':
        set_mode(s, o, *value);
        break;
    case 'C':
        s->config_dir = config_dir(s, value);
        break;
    case 'F':
        s->drop.full_name = str_from(value);
        break;
    case 'f':
    case 'r':
        s->drop.envelope.sender = address_unquote(s->life, str_from(value));
        o->sender_given = true;
        break;
    case 'I':
        o->mode = ALIASES;
        break;
    case 'i':
        s->dot_is_text = true;
        break;
    case 'n':
        sendmail_fatal("-n option not implemented");
    case 'o':
        set_o(s, o, value);
        break;
    case 'q':
        set_queue(o, value);
        break;
    case 't':
        s->extract = true;
        break;
    case 'v':
        o->verbose++;
        break;
    default:
        set_envelope(s, option, value);
    }
}

static void
read_options(struct sendmail *s, struct options *o, int argc, char **argv)
{
    int c;

    optind = 1;
    opterr = 0; /* one line says it, and always the same way */
    /* Taken and of no effect: -A -G -h -L -m -O -U -c -e -p -x. */
    while ((c = getopt(argc, argv,
                       "A:B:C:F:GIL:N:O:R:UV:X:b:ce:f:h:imno:p:r:q::tvx")) !=
           -1) {
        if (c == '?')
            sendmail_fatal("usage: sendmail [options]; see sendmail --help");
        set_option(s, o, c, optarg);
    }
    if (o->verbose == 1)
        s->drop.envelope.flags |= ENVELOPE_VERBOSE;
}

static int
run(struct sendmail *s, const char *name, const char *flag, const char *value)
{
    const char *path =
        arena_fmt(s->life, "%s/%s", s->conf->command_directory, name);
    const char *argv[6] = {name};
    size_t n = 1;

    if (s->config_dir) {
        argv[n++] = "-c";
        argv[n++] = s->config_dir;
    }
    if (flag)
        argv[n++] = flag;
    if (value)
        argv[n++] = value;
    execv(path, (char **)(uintptr_t)argv);
    sendmail_fatal("cannot run %s: %m", path);
}

/* Who sends, where -f does not say: the user, at $myorigin. */
static void
default_sender(struct sendmail *s, const struct options *o)
{
    struct passwd *pw = getpwuid(getuid());

    if (o->sender_given)
        return;
    if (pw == NULL)
        sendmail_fatal("no account for user id %ld: name a sender with -f",
                       (long)getuid());
    s->drop.envelope.sender = str_from(arena_fmt(s->life, "%s", pw->pw_name));
}

static void
default_name(struct sendmail *s)
{
    const char *name = getenv("NAME");
    struct passwd *pw = getpwuid(getuid());

    if (s->drop.full_name.p)
        return;
    if (name && *name)
        s->drop.full_name = str_from(name);
    else if (pw)
        s->drop.full_name = str_from(arena_fmt(
            s->life, "%.*s", (int)strcspn(pw->pw_gecos, ","), pw->pw_gecos));
}

static int
submit(struct sendmail *s, const struct options *o, char **rcpts)
{
    for (; *rcpts; rcpts++)
        sendmail_add_rcpt(s, address_unquote(s->life, str_from(*rcpts)));
    default_sender(s, o);
    default_name(s);
    return sendmail_submit(s);
}

int
sendmail_main(int argc, char **argv)
{
    struct sendmail s = {.life = arena_new("sendmail", 64 << 20)};
    struct options o = {.mode = SUBMIT};

    read_options(&s, &o, argc, argv);
    s.conf = cmd_conf(s.life, s.config_dir, "sendmail", SENDMAIL_TEMPFAIL);
    switch (o.mode) {
    case QUEUE_LIST:
        return run(&s, "postqueue", "-p", NULL);
    case ALIASES:
        return run(&s, o.aliases ? "postalias" : "newaliases", NULL, o.aliases);
    case START:
        return run(&s, "posta", "start", NULL);
    case FLUSH:
        return run(&s, "postqueue", "-f", NULL);
    case FLUSH_ID:
        return run(&s, "postqueue", "-i", o.which);
    case SITE:
        return run(&s, "postqueue", "-s", o.which);
    case SMTP:
        default_sender(&s, &o);
        return sendmail_smtp(&s);
    case SUBMIT:
        break;
    }
    return submit(&s, &o, argv + optind);
}

int
mailq_main(int argc, char **argv)
{
    static char list[] = "-bp";
    char **args = calloc((size_t)argc + 2, sizeof *args);

    if (args == NULL)
        sendmail_fatal("out of memory");
    args[0] = argv[0];
    args[1] = list;
    for (int i = 1; i < argc; i++)
        args[i + 1] = argv[i];
    int status = sendmail_main(argc + 1, args);

    free(args);
    return status;
}
