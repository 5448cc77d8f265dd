#include "mail/alias.h"

#include "mail/address.h"
#include "mail/addrlist.h"

/* Step over a quoted string or a comment; *s begins behind what opens it.
 * Returns what it held, with backslashes. */
static struct str
enclosed(struct str *s, char close)
{
    size_t at = 0, depth = 1;

    for (; at < s->len; at++) {
        char c = s->p[at];

        if (c == '\\')
            at++;
        else if (c == close && --depth == 0)
            break;
        else if (c == '(' && close == ')')
            depth++;
    }
    struct str inside = str_sub(*s, 0, at);

    *s = str_sub(*s, at + 1, s->len);
    return inside;
}

static void
add_unescaped(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '\\' && i + 1 < s.len)
            i++;
        buf_addc(b, s.p[i]);
    }
}

/*
 * Cut everything up to the next comma that is one. *plain gets it without
 * quotes and comments. A backslash outside of quotes stays: it begins \user.
 */
static struct str
cut_item(struct str *text, struct buf *plain)
{
    struct str all = *text;

    while (text->len > 0) {
        char c = text->p[0];
        size_t used = all.len - text->len;

        *text = str_sub(*text, 1, text->len);
        if (c == ',')
            return str_sub(all, 0, used);
        if (c == '"')
            add_unescaped(plain, enclosed(text, '"'));
        else if (c == '(')
            enclosed(text, ')');
        else
            buf_addc(plain, c);
    }
    return all;
}

/* "Full Name <user@host>" is user@host; words that make no single address
 * are left as they are. */
static struct str
address(struct arena *a, struct str raw, struct str plain)
{
    struct addrlist list = {.rest = raw};
    struct addrlist_entry first, other;

    if (addrlist_next(a, &list, &first) && !addrlist_next(a, &list, &other))
        return first.addr;
    return plain;
}

static struct alias
classify(struct arena *a, struct str raw, struct str plain)
{
    struct alias d = {ALIAS_ADDRESS, plain};

    if (plain.p[0] == '/')
        d.kind = ALIAS_FILE;
    else if (str_skip(&d.text, S("|")))
        d.kind = ALIAS_COMMAND;
    else if (str_iskip(&d.text, S(":include:")))
        d.kind = ALIAS_INCLUDE;
    else if (str_skip(&d.text, S("\\")))
        d.kind = ALIAS_MAILBOX;
    else
        d.text = address(a, raw, plain);
    d.text = str_trim(d.text);
    return d;
}

bool
alias_next(struct arena *a, struct str *text, struct alias *alias)
{
    while (text->len > 0) {
        struct buf b = buf_in(a);
        struct str raw = cut_item(text, &b);
        struct str plain = str_trim(buf_str(&b));

        if (plain.len == 0)
            continue;
        *alias = classify(a, raw, plain);
        if (alias->text.len > 0)
            return true;
    }
    return false;
}
