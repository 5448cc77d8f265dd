#include <stdarg.h>
#include <string.h>

#include "base/utf8.h"
#include "limit.h"
#include "mail/imap_text.h"
#include "mail/mutf7.h"
#include "sys/io.h"

#define PROGRESS_MS 10000

/* RFC 9051 7.5.1: while these are in progress no message number changes. */
static bool
may_expunge(const struct session *s)
{
    switch (s->now.id) {
    case COMMAND_FETCH:
    case COMMAND_STORE:
    case COMMAND_SEARCH:
    case COMMAND_SORT:
    case COMMAND_THREAD:
    case COMMAND_ESEARCH:
        return s->enabled & ENABLED_UIDONLY;
    default:
        return true;
    }
}

/* Names of folders may be in it: ASCII where the client reads nothing else, and
 * never a line end. */
static void
clean(const struct session *s, char *text)
{
    bool wide = session_is_wide(s) && utf8_valid(str_from(text));

    for (char *p = text; *p; p++)
        if ((*p >= 0 && *p < ' ') || *p == 127 || (*p < 0 && !wide))
            *p = '?';
}

/* That not all was worked on; in the OK itself where that has no other code
 * (RFC 9738 3.1). */
static void
put_limit(struct session *s, struct buf *b, const char *text)
{
    limit_put(s, b, s->lowest);
    if (*text != '[')
        return;
    say(s, "* NO %.*sThere is more to do\r\n", STR(buf_str(b)));
    buf_reset(b);
}

PRINTF(3, 0)
static void
reply(struct session *s, const char *word, const char *fmt, va_list args)
{
    struct str tag = s->now.tag.len > 0 ? s->now.tag : S("*");
    char *text = arena_vfmt(s->command, fmt, args);
    struct buf code = buf_in(s->command);

    clean(s, text);
    s->untold = news_tell_some(s, may_expunge(s));
    if (s->lowest > 0 && strcmp(word, "OK") == 0)
        put_limit(s, &code, text);
    s->lowest = 0;
    s->reply = str_from(arena_fmt(s->command, "%.*s %s %.*s%s\r\n", STR(tag),
                                  word, STR(buf_str(&code)), text));
    if (s->untold == NULL)
        conn_put(s->conn, s->reply);
}

void
reply_ok(struct session *s, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    reply(s, "OK", fmt, args);
    va_end(args);
}

void
reply_no(struct session *s, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    reply(s, "NO", fmt, args);
    va_end(args);
}

void
reply_bad(struct session *s, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    reply(s, "BAD", fmt, args);
    va_end(args);
}

/* What the store says, as RFC 5530 has it. */
void
reply_why(struct session *s, const struct why *why)
{
    static const struct {
        const char *dsn, *code;
    } codes[] = {
        {"5.2.2", "OVERQUOTA"    },
        {"5.2.0", "NONEXISTENT"  },
        {"5.1.1", "CANNOT"       },
        {"5.1.4", "ALREADYEXISTS"},
        {"5.7.1", "NOPERM"       },
        {"5.3.4", "LIMIT"        },
        {"5.6.1", "UNKNOWN-CTE"  },
        {"5.6.7", "CANNOT"       },
    };

    for (size_t i = 0; i < COUNT(codes); i++)
        if (strcmp(why->dsn, codes[i].dsn) == 0) {
            reply_no(s, "[%s] %s", codes[i].code, why->text);
            return;
        }
    reply_no(s, "[%s] %s", why->dsn[0] == '4' ? "UNAVAILABLE" : "SERVERBUG",
             why->text);
}

void
say(struct session *s, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    conn_vfmt(s->conn, fmt, args);
    va_end(args);
}

void
say_progress(struct session *s, int64_t *told)
{
    struct buf tag = buf_in(s->command);
    int64_t now = io_now();

    if (*told == 0)
        *told = now;
    if (now - *told < PROGRESS_MS)
        return;
    *told = now;
    /* RFC 9585 4: "]" would end the code. */
    if (str_find(s->now.tag, ']') < 0)
        imap_put_string(&tag, s->now.tag);
    else
        buf_add(&tag, S("NIL"));
    say(s, "* OK [INPROGRESS (%s NIL NIL)] Still at work\r\n", buf_str(&tag).p);
}

void
say_number(struct session *s, uint64_t n)
{
    char digits[20];
    size_t at = sizeof digits;

    do
        digits[--at] = (char)('0' + n % 10);
    while (n /= 10);
    conn_put(s->conn, (struct str){digits + at, sizeof digits - at});
}

bool
session_is_wide(const struct session *s)
{
    return s->enabled & (ENABLED_UTF8 | ENABLED_REV2);
}

bool
session_has_recent(const struct session *s, uint32_t uid)
{
    return !(s->enabled & ENABLED_REV2) && view_is_recent(s->view, uid);
}

void
say_wide(struct session *s, struct arena *a, struct str text)
{
    struct buf b = buf_in(a);

    if (!session_is_wide(s)) {
        imap_put_narrow(&b, text);
        text = buf_str(&b);
    }
    conn_put(s->conn, text);
}

void
put_mailbox(const struct session *s, struct buf *b, struct str name)
{
    struct buf narrow = buf_in(s->command);

    if (!session_is_wide(s) && mutf7_encode(&narrow, name))
        name = buf_str(&narrow);
    imap_put_astring(b, name);
}

bool
take_pattern(struct session *s, struct str sent, struct str *pattern)
{
    struct buf wide = buf_in(s->command);

    *pattern = sent;
    if (session_is_wide(s))
        return utf8_valid(sent);
    if (!mutf7_decode(&wide, sent))
        return false;
    *pattern = buf_str(&wide);
    return true;
}

bool
take_mailbox(struct session *s, struct str sent, struct str *name)
{
    if (!take_pattern(s, sent, name))
        return false;
    *name = names_canonical(&s->imap->names, s->command, *name);
    return true;
}

static void
put_word(struct buf *b, struct str word, bool *first)
{
    if (!*first)
        buf_addc(b, ' ');
    buf_add(b, word);
    *first = false;
}

void
put_flags(struct buf *b, unsigned flags, uint64_t keywords,
          const struct keywords *names, bool recent)
{
    static const struct {
        unsigned flag;
        const char *name;
    } known[] = {
        {FLAG_ANSWERED, "\\Answered"},
        {FLAG_FLAGGED,  "\\Flagged" },
        {FLAG_DELETED,  "\\Deleted" },
        {FLAG_SEEN,     "\\Seen"    },
        {FLAG_DRAFT,    "\\Draft"   },
    };
    bool first = true;

    buf_addc(b, '(');
    for (size_t i = 0; flags && i < COUNT(known); i++)
        if (flags & known[i].flag)
            put_word(b, str_from(known[i].name), &first);
    if (recent)
        put_word(b, S("\\Recent"), &first);
    for (size_t i = 0; keywords && i < KEYWORDS_MAX; i++)
        if (keywords >> i & 1 && names->name[i].len > 0)
            put_word(b, names->name[i], &first);
    buf_addc(b, ')');
}
