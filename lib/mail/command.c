#include "mail/command.h"

#include "mail/utf8.h"
#include "mail/xtext.h"

#define ENVID_MAX  100 /* RFC 3461 4.4 */
#define ORCPT_MAX  500 /* RFC 3461 4.2 */
#define VERP_CHARS "-=+"

void
command_cut(struct str line, struct str *verb, struct str *args)
{
    line = str_trim(line);
    size_t i = 0;

    while (i < line.len && !is_blank(line.p[i]))
        i++;
    *verb = str_sub(line, 0, i);
    *args = str_trim(str_sub(line, i, line.len));
}

/* The path behind "FROM:" or "TO:"; arg is what follows it. */
static const char *
take_path(struct arena *a, struct str *arg, unsigned allowed, struct str *addr)
{
    struct why why;

    if (path_parse(a, arg, allowed, addr, &why) == OK)
        return NULL;
    if (strcmp(why.dsn, "5.6.7") == 0)
        return "553 5.6.7 Must declare SMTPUTF8 to send unicode address";
    return allowed & PATH_SENDER ? "501 5.1.7 Bad sender address syntax"
                                 : "501 5.1.3 Bad recipient address syntax";
}

/* One parameter of MAIL or RCPT: what takes its value, and when. */
struct option {
    const char *name;
    bool has_value; /* NAME=value, or NAME alone */
    unsigned needs; /* COMMAND_ bit that must be allowed */
    const char *(*take)(struct arena *a, struct str value, void *to);
};

static const char *
unsupported(struct arena *a, struct str word)
{
    return arena_fmt(a, "555 5.5.4 Unsupported option: %.*s", STR(word));
}

static const char *
take_option(struct arena *a, struct str word, unsigned allowed,
            const struct option *options, void *to)
{
    struct str value = word, name;
    bool has_value = str_cut(&value, '=', &name);

    for (const struct option *o = options; o->name; o++) {
        if (!str_ieq(name, str_from(o->name)))
            continue;
        if (o->needs == COMMAND_DSN && !(allowed & COMMAND_DSN))
            return "501 5.7.1 DSN support is disabled";
        if (!(allowed & o->needs) || (has_value && !o->has_value))
            break;
        const char *reply = o->take(a, value, to);

        return reply && *reply == '\0' ? unsupported(a, word) : reply;
    }
    return unsupported(a, word);
}

static const char *
take_options(struct arena *a, struct str args, unsigned allowed,
             const struct option *options, void *to)
{
    struct str word;

    while (str_word(&args, " \t", &word)) {
        const char *reply = take_option(a, word, allowed, options, to);

        if (reply)
            return reply;
    }
    return NULL;
}

static const char *
take_size(struct arena *a, struct str value, void *to)
{
    (void)a;
    if (value.len > 20 || !str_num(value, &((struct mail_args *)to)->size))
        return "501 5.5.4 Bad message size syntax";
    return NULL;
}

/* "" is a value that nobody knows. */
static const char *
take_body(struct arena *a, struct str value, void *to)
{
    (void)a;
    if (str_ieq(value, S("8BITMIME")))
        ((struct mail_args *)to)->flags |= ENVELOPE_8BIT;
    else if (!str_ieq(value, S("7BIT")))
        return "";
    return NULL;
}

static const char *
take_ret(struct arena *a, struct str value, void *to)
{
    unsigned *flags = &((struct mail_args *)to)->flags;
    unsigned ret = str_ieq(value, S("FULL"))   ? ENVELOPE_RET_FULL
                   : str_ieq(value, S("HDRS")) ? ENVELOPE_RET_HDRS
                                               : 0;

    (void)a;
    if (ret == 0 || *flags & (ENVELOPE_RET_FULL | ENVELOPE_RET_HDRS))
        return "501 5.5.4 Bad RET parameter syntax";
    *flags |= ret;
    return NULL;
}

/* ENVID goes into reports as it came, so it must be printable. */
static bool
printable(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] < ' ' || s.p[i] > '~')
            return false;
    return true;
}

static const char *
take_envid(struct arena *a, struct str value, void *to)
{
    struct mail_args *m = to;
    struct str plain;

    if (m->envid.len > 0 || value.len == 0 || value.len > ENVID_MAX ||
        !xtext_decode(a, value, &plain) || !printable(plain))
        return "501 5.5.4 Bad ENVID parameter syntax";
    m->envid = plain;
    return NULL;
}

static const char *
take_smtputf8(struct arena *a, struct str value, void *to)
{
    (void)a;
    (void)value;
    ((struct mail_args *)to)->flags |= ENVELOPE_UTF8;
    return NULL;
}

static const char *
take_xverp(struct arena *a, struct str value, void *to)
{
    struct mail_args *m = to;

    (void)a;
    m->default_verp = value.len == 0;
    if (value.len == 0)
        return NULL;
    if (value.len != 2 || !strchr(VERP_CHARS, value.p[0]) ||
        !strchr(VERP_CHARS, value.p[1]))
        return "501 5.5.4 Error: XVERP needs two characters from " VERP_CHARS;
    m->verp = value;
    return NULL;
}

static const struct option mail_options[] = {
    {"SIZE",        true, COMMAND_SIZE, take_size},
    {"BODY", true, COMMAND_8BIT, take_body},
    {"RET",             true, COMMAND_DSN, take_ret},
    {"ENVID",         true, COMMAND_DSN, take_envid},
    {"SMTPUTF8",    false, COMMAND_UTF8, take_smtputf8},
    {"XVERP",         true, COMMAND_VERP, take_xverp},
    {0 },
};

const char *
command_mail(struct arena *a, struct str args, unsigned allowed,
             struct mail_args *m)
{
    *m = (struct mail_args){0};
    if (!str_iskip(&args, S("FROM:")) || args.len == 0)
        return "501 5.5.4 Syntax: MAIL FROM:<address>";

    unsigned path = (allowed & PATH_STRICT) | PATH_SENDER |
                    (allowed & COMMAND_UTF8 ? PATH_UTF8 : 0);
    const char *reply = take_path(a, &args, path, &m->sender);

    if (reply == NULL)
        reply = take_options(a, args, allowed, mail_options, m);
    if (reply)
        return reply;
    if (!(m->flags & ENVELOPE_UTF8) && !utf8_is_ascii(m->sender))
        return "553 5.6.7 Must declare SMTPUTF8 to send unicode address";
    if ((m->verp.len > 0 || m->default_verp) && m->sender.len == 0)
        return "503 5.5.4 Error: XVERP requires non-null sender";
    return NULL;
}

bool
command_notify(struct str list, unsigned *notify)
{
    static const struct {
        struct str name;
        unsigned bit;
    } words[] = {
        {S("NEVER"),   NOTIFY_NEVER  },
        {S("SUCCESS"), NOTIFY_SUCCESS},
        {S("FAILURE"), NOTIFY_FAILURE},
        {S("DELAY"),   NOTIFY_DELAY  },
    };
    struct str word;
    bool more = list.len > 0;

    *notify = 0;
    while (more) {
        unsigned bit = 0;

        more = str_cut(&list, ',', &word);
        for (size_t i = 0; i < COUNT(words); i++)
            if (str_ieq(word, words[i].name))
                bit = words[i].bit;
        if (bit == 0)
            return false;
        *notify |= bit;
    }
    return *notify == NOTIFY_NEVER ||
           (*notify != 0 && !(*notify & NOTIFY_NEVER));
}

bool
command_orcpt(struct arena *a, struct str value, struct str *orcpt)
{
    struct str addr = value, type, plain;

    if (value.len > ORCPT_MAX || !str_cut(&addr, ';', &type) || type.len == 0 ||
        addr.len == 0)
        return false;
    for (size_t i = 0; i < type.len; i++)
        if (!is_alnum(type.p[i]) && type.p[i] != '-')
            return false;

    bool utf8 = str_ieq(type, S("utf-8"));

    if (utf8 ? !xtext_decode_utf8(a, addr, &plain)
             : !xtext_decode(a, addr, &plain))
        return false;
    if (plain.len == 0 || !utf8_valid(plain) || (!utf8 && !printable(plain)))
        return false;
    for (size_t i = 0; i < plain.len; i++)
        if ((unsigned char)plain.p[i] < ' ' || plain.p[i] == 127)
            return false;
    *orcpt = str_from(arena_fmt(a, "%.*s;%.*s", STR(type), STR(plain)));
    return true;
}

static const char *
take_notify(struct arena *a, struct str value, void *to)
{
    struct rcpt_args *r = to;

    (void)a;
    if (r->notify != 0 || !command_notify(value, &r->notify))
        return "501 5.5.4 Error: Bad NOTIFY parameter syntax";
    return NULL;
}

static const char *
take_orcpt(struct arena *a, struct str value, void *to)
{
    struct rcpt_args *r = to;

    if (r->orcpt.len > 0 || !command_orcpt(a, value, &r->orcpt))
        return "501 5.5.4 Error: Bad ORCPT parameter syntax";
    return NULL;
}

static const struct option rcpt_options[] = {
    {"NOTIFY",     true, COMMAND_DSN, take_notify},
    {"ORCPT", true, COMMAND_DSN, take_orcpt},
    {0           },
};

const char *
command_rcpt(struct arena *a, struct str args, unsigned allowed,
             struct rcpt_args *r)
{
    *r = (struct rcpt_args){0};
    if (!str_iskip(&args, S("TO:")) || args.len == 0)
        return "501 5.5.4 Syntax: RCPT TO:<address>";

    unsigned path =
        (allowed & PATH_STRICT) | (allowed & COMMAND_UTF8 ? PATH_UTF8 : 0);
    const char *reply = take_path(a, &args, path, &r->addr);

    return reply ? reply : take_options(a, args, allowed, rcpt_options, r);
}

bool
command_bdat(struct str args, uint64_t *size, bool *last)
{
    struct str number, word;

    if (!str_word(&args, " \t", &number) || !str_num(number, size))
        return false;
    *last = str_word(&args, " \t", &word);
    return !*last || (str_ieq(word, S("LAST")) && str_trim(args).len == 0);
}
