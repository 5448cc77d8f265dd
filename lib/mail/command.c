#include "mail/command.h"

#include "base/utf8.h"
#include "mail/base64.h"

#define VERP_CHARS "-=+"
#define NEED_UTF8  "553 5.6.7 Must declare SMTPUTF8 to send unicode address"

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

/* A failure as a reply: its text begins with a capital letter there. */
static const char *
as_reply(struct arena *a, int code, const struct why *why)
{
    return arena_fmt(a, "%d %s %c%s", code, why->dsn, to_upper(why->text[0]),
                     why->text + 1);
}

/* The path behind "FROM:" or "TO:"; *arg is left at what follows it. */
static const char *
take_path(struct arena *a, struct str *arg, unsigned flags, struct str *addr)
{
    struct why why;

    if (path_parse(a, arg, flags, addr, &why) == OK)
        return NULL;
    return strcmp(why.dsn, "5.6.7") == 0 ? NEED_UTF8 : as_reply(a, 501, &why);
}

static const char *
check_verp(const struct mail_args *m)
{
    struct str chars = m->with.verp_delimiters;

    if (!m->with.verp)
        return NULL;
    if (m->sender.len == 0)
        return "503 5.5.4 Error: XVERP requires non-null sender";
    for (size_t i = 0; i < chars.len; i++)
        if (chars.p[i] == '\0' || !strchr(VERP_CHARS, chars.p[i]))
            return "501 5.5.4 Error: XVERP needs two characters "
                   "from " VERP_CHARS;
    return NULL;
}

const char *
command_mail(struct arena *a, struct str args, unsigned offered, bool strict,
             struct mail_args *m)
{
    unsigned flags = PATH_SENDER | (strict ? PATH_STRICT : 0u) |
                     (offered & SMTP_UTF8 ? PATH_UTF8 : 0u);
    struct why why;
    int code;

    *m = (struct mail_args){0};
    if (!str_iskip(&args, S("FROM:")) || args.len == 0)
        return "501 5.5.4 Syntax: MAIL FROM:<address>";

    const char *reply = take_path(a, &args, flags, &m->sender);

    if (reply)
        return reply;
    if (smtp_mail_parse(a, args, offered, &m->with, &code, &why) != OK)
        return as_reply(a, code, &why);
    if (!(m->with.flags & ENVELOPE_UTF8) && !utf8_is_ascii(m->sender))
        return NEED_UTF8;
    return check_verp(m);
}

const char *
command_rcpt(struct arena *a, struct str args, unsigned offered, bool strict,
             bool utf8, struct rcpt_args *r)
{
    unsigned flags =
        (strict ? PATH_STRICT : 0u) | (utf8 ? (unsigned)PATH_UTF8 : 0u);
    struct why why;
    int code;

    *r = (struct rcpt_args){0};
    if (!str_iskip(&args, S("TO:")) || args.len == 0)
        return "501 5.5.4 Syntax: RCPT TO:<address>";

    const char *reply = take_path(a, &args, flags, &r->addr);

    if (reply)
        return reply;
    if (smtp_rcpt_parse(a, args, offered, &r->with, &code, &why) != OK)
        return as_reply(a, code, &why);
    return NULL;
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

static bool
is_mechanism(struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!is_alnum(name.p[i]) && name.p[i] != '-' && name.p[i] != '_')
            return false;
    return name.len > 0 && name.len <= 20;
}

enum command_auth
command_auth(struct arena *a, struct str args, struct auth_args *out)
{
    struct buf b = buf_in(a);
    struct str initial;

    *out = (struct auth_args){0};
    if (!str_word(&args, " \t", &out->mech) || !is_mechanism(out->mech))
        return AUTH_SYNTAX;
    out->has_initial = str_word(&args, " \t", &initial);
    if (str_trim(args).len > 0)
        return AUTH_SYNTAX;
    /* "=" is empty, and not the same as none. */
    if (!out->has_initial || str_eq(initial, S("=")))
        return AUTH_TAKEN;
    if (!base64_decode(&b, initial))
        return AUTH_BASE64;
    out->initial = buf_str(&b);
    return AUTH_TAKEN;
}

enum command_response
command_response(struct arena *a, struct str line, struct str *data)
{
    struct buf b = buf_in(a);

    if (str_eq(line, S("*")))
        return RESPONSE_CANCEL;
    if (!base64_decode(&b, line))
        return RESPONSE_BAD;
    *data = buf_str(&b);
    return RESPONSE_DATA;
}
