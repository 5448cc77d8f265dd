#include "mail/smtp.h"

#include <stdio.h>

#include "mail/date.h"
#include "mail/dsn.h"
#include "mail/xtext.h"

static const char *const extension_names[] = {
#define SMTP_NAME(id, name) name,
    SMTP_EXTENSIONS(SMTP_NAME)
#undef SMTP_NAME
};

const char *
smtp_extension_name(enum smtp_extension number)
{
    must((size_t)number < COUNT(extension_names));
    return extension_names[number];
}

unsigned
smtp_extension_bit(struct str keyword)
{
    for (size_t i = 0; i < COUNT(extension_names); i++)
        if (str_ieq(keyword, str_from(extension_names[i])))
            return 1u << i;
    return 0;
}

unsigned
smtp_extension_list(struct str list)
{
    unsigned bits = 0;
    struct str word;

    while (str_word(&list, " ,\t\r\n", &word))
        bits |= smtp_extension_bit(word);
    return bits;
}

/* RFC 9422: "RCPTMAX=100 MAILMAX=10". */
static void
take_limits(struct smtp_server *s, struct str words)
{
    struct str word, name;

    while (str_word(&words, " \t", &word)) {
        uint64_t n;

        str_cut(&word, '=', &name);
        if (!str_num(word, &n) || n == 0 || n > 999999)
            continue;
        if (str_ieq(name, S("MAILMAX")))
            s->mailmax = n;
        else if (str_ieq(name, S("RCPTMAX")))
            s->rcptmax = n;
        else if (str_ieq(name, S("RCPTDOMAINMAX")))
            s->domainmax = n;
    }
}

static void
take_auth(struct arena *a, struct smtp_server *s, struct str words)
{
    /* Old servers say it twice, the old and the new way. */
    s->auth =
        s->auth.len == 0
            ? arena_str(a, words)
            : str_from(arena_fmt(a, "%.*s %.*s", STR(s->auth), STR(words)));
}

void
smtp_server_line(struct arena *a, struct smtp_server *s, struct str line)
{
    struct str keyword;

    line = str_trim(line);
    if (str_iskip(&line, S("AUTH="))) {
        s->offers |= SMTP_AUTH;
        take_auth(a, s, line);
        return;
    }
    str_word(&line, " \t", &keyword);
    line = str_trim(line);

    unsigned bit = smtp_extension_bit(keyword);

    s->offers |= bit;
    switch (bit) {
    case SMTP_SIZE:
        if (!str_num(line, &s->size))
            s->size = 0;
        break;
    case SMTP_AUTH:
        take_auth(a, s, line);
        break;
    case SMTP_XCLIENT:
        s->xclient = arena_str(a, line);
        break;
    case SMTP_XFORWARD:
        s->xforward = arena_str(a, line);
        break;
    case SMTP_LIMITS:
        take_limits(s, line);
        break;
    default:
        break;
    }
}

bool
smtp_parameter(struct str *rest, struct str *key, struct str *value)
{
    struct str word;

    if (!str_word(rest, " \t", &word))
        return false;
    *value = word;
    if (!str_cut(value, '=', key))
        *value = (struct str){0};
    return true;
}

/* What the handlers of parameters fill. */
struct target {
    struct arena *arena;
    struct smtp_mail *mail;
    struct smtp_rcpt *rcpt;
    unsigned offered;
};

static bool
take_size(struct target *t, struct str value)
{
    return value.len <= 20 && str_num(value, &t->mail->size);
}

static bool
take_body(struct target *t, struct str value)
{
    if (str_ieq(value, S("7BIT")))
        return true;
    if (str_ieq(value, S("8BITMIME"))) {
        t->mail->flags |= ENVELOPE_8BIT;
        return true;
    }
    t->mail->binary =
        t->offered & SMTP_BINARYMIME && str_ieq(value, S("BINARYMIME"));
    return t->mail->binary;
}

static bool
take_utf8(struct target *t, struct str value)
{
    t->mail->flags |= ENVELOPE_UTF8;
    return value.p == NULL;
}

static bool
take_requiretls(struct target *t, struct str value)
{
    t->mail->requiretls = true;
    return value.p == NULL;
}

static bool
take_ret(struct target *t, struct str value)
{
    unsigned bit;

    if (!dsn_parse_ret(value, &bit))
        return false;
    t->mail->flags |= bit;
    return true;
}

static bool
take_envid(struct target *t, struct str value)
{
    return dsn_parse_envid(t->arena, value, &t->mail->envid);
}

static bool
take_login(struct target *t, struct str value)
{
    if (str_eq(value, S("<>"))) {
        t->mail->auth = S("");
        return true;
    }
    return value.len > 0 && xtext_decode(t->arena, value, &t->mail->auth);
}

/* RFC 4865 5: 1 to 9 digits, the first is no 0; and one of the two. */
static bool
take_hold_for(struct target *t, struct str value)
{
    uint64_t n;

    if (value.len > 9 || !str_num(value, &n) || value.p[0] == '0' ||
        t->mail->hold_until)
        return false;
    t->mail->hold_for = (int64_t)n;
    return true;
}

static bool
take_hold_until(struct target *t, struct str value)
{
    return !t->mail->hold_for && value.p &&
           date_parse_internet(value, &t->mail->hold_until) &&
           t->mail->hold_until > 0;
}

static bool
take_verp(struct target *t, struct str value)
{
    t->mail->verp = true;
    t->mail->verp_delimiters = arena_str(t->arena, value);
    return value.p == NULL || value.len == 2;
}

static bool
take_notify(struct target *t, struct str value)
{
    return dsn_parse_notify(value, &t->rcpt->notify);
}

static bool
take_orcpt(struct target *t, struct str value)
{
    return dsn_parse_orcpt(t->arena, value, &t->rcpt->orcpt);
}

struct parameter {
    const char *name;
    unsigned needs; /* the extension that brings it */
    bool (*take)(struct target *t, struct str value);
    const char *wrong;
};

static const struct parameter mail_parameters[] = {
    {"SIZE",       SMTP_SIZE,          take_size,       "bad message size syntax"   },
    {"BODY",       SMTP_EIGHT_BIT,     take_body,       "bad BODY parameter"        },
    {"SMTPUTF8",   SMTP_UTF8,          take_utf8,       "SMTPUTF8 takes no value"   },
    {"RET",        SMTP_DSN,           take_ret,        "bad RET parameter syntax"  },
    {"ENVID",      SMTP_DSN,           take_envid,      "bad ENVID parameter syntax"},
    {"AUTH",       SMTP_AUTH,          take_login,      "bad AUTH parameter syntax" },
    {"REQUIRETLS", SMTP_REQUIRETLS,    take_requiretls,
     "REQUIRETLS takes no value"                                                    },
    {"HOLDFOR",    SMTP_FUTURERELEASE, take_hold_for,   "bad HOLDFOR parameter"     },
    {"HOLDUNTIL",  SMTP_FUTURERELEASE, take_hold_until,
     "bad HOLDUNTIL parameter"                                                      },
    {"XVERP",      SMTP_XVERP,         take_verp,       "bad XVERP parameter syntax"},
};

static const struct parameter rcpt_parameters[] = {
    {"NOTIFY", SMTP_DSN, take_notify, "bad NOTIFY parameter syntax"},
    {"ORCPT",  SMTP_DSN, take_orcpt,  "bad ORCPT parameter syntax" },
};

static const struct parameter *
find_parameter(const struct parameter *table, size_t count, struct str key,
               unsigned offered)
{
    for (size_t i = 0; i < count; i++)
        if (offered & table[i].needs && str_ieq(key, str_from(table[i].name)))
            return &table[i];
    return NULL;
}

/* Each parameter at most once (RFC 5321 4.1.1.11). */
static enum rc
take_all(struct target *t, const struct parameter *table, size_t count,
         struct str text, int *code, struct why *why)
{
    unsigned seen = 0;
    struct str key, value;

    while (smtp_parameter(&text, &key, &value)) {
        const struct parameter *p =
            find_parameter(table, count, key, t->offered);

        if (p == NULL) {
            *code = 555;
            return fail(why, "5.5.4", "unsupported option: %.*s", STR(key));
        }

        unsigned bit = 1u << (p - table);

        if (seen & bit || !p->take(t, value)) {
            *code = 501;
            return fail(why, "5.5.4", "%s", p->wrong);
        }
        seen |= bit;
    }
    return OK;
}

enum rc
smtp_mail_parse(struct arena *a, struct str text, unsigned offered,
                struct smtp_mail *m, int *code, struct why *why)
{
    struct target t = {.arena = a, .mail = m, .offered = offered};

    *m = (struct smtp_mail){0};
    return take_all(&t, mail_parameters, COUNT(mail_parameters), text, code,
                    why);
}

enum rc
smtp_rcpt_parse(struct arena *a, struct str text, unsigned offered,
                struct smtp_rcpt *r, int *code, struct why *why)
{
    struct target t = {.arena = a, .rcpt = r, .offered = offered};

    *r = (struct smtp_rcpt){0};
    return take_all(&t, rcpt_parameters, COUNT(rcpt_parameters), text, code,
                    why);
}

enum smtp_part
smtp_reply_line(struct str line, int *code, struct str *text)
{
    uint64_t number;

    if (line.len < 3 || !str_num(str_sub(line, 0, 3), &number) ||
        number < 200 || number > 599)
        return SMTP_BAD;
    if (line.len > 3 && line.p[3] != ' ' && line.p[3] != '-')
        return SMTP_BAD;
    *code = (int)number;
    *text = str_trim(str_sub(line, 4, line.len));
    return line.len > 3 && line.p[3] == '-' ? SMTP_MORE : SMTP_LAST;
}

void
smtp_reply_begin(struct smtp_reply *r, struct arena *a)
{
    *r = (struct smtp_reply){.text = buf_in(a)};
}

/* A code of another class than the reply's is text, and says nothing. */
static void
take_code(struct smtp_reply *r, struct str text)
{
    char class = (char)('0' + r->code / 100);
    char code[sizeof r->dsn];

    if (text.len > 0 && text.p[0] == class && dsn_cut_code(&text, code))
        memcpy(r->dsn, code, sizeof code);
    else if (r->dsn[0] != class)
        snprintf(r->dsn, sizeof r->dsn, "%c.0.0", class);
}

/* Foreign text on its way to logs and reports. */
static void
add_printable(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        bool control = (unsigned char)s.p[i] < 32 || s.p[i] == 127;

        buf_addc(b, s.p[i] == '\t' ? ' ' : control ? '?' : s.p[i]);
    }
}

enum smtp_part
smtp_reply_add(struct smtp_reply *r, struct str line)
{
    struct str text;
    enum smtp_part part = smtp_reply_line(line, &r->code, &text);

    if (part == SMTP_BAD || ++r->lines > SMTP_REPLY_LINES)
        return SMTP_BAD;
    take_code(r, text);
    line = str_trim(line);
    if (line.len < SMTP_REPLY_MAX - r->text.len) {
        if (r->text.len > 0)
            buf_addc(&r->text, ' ');
        add_printable(&r->text, line);
    }
    return part;
}
