#include "sys/charsets.h"

#include <errno.h>
#include <iconv.h>

#include "base/utf8.h"

/* gcc's analyzer takes the -1 of iconv_open for memory that is lost. */
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif

#define NAME_MAX_LEN 40

struct slot {
    struct converter converter; /* first: it is what others hold */
    iconv_t iconv;
    char name[NAME_MAX_LEN + 1]; /* empty: none is open */
    bool used;
    unsigned stamp;
};

struct charsets {
    struct converters converters; /* first */
    struct slot slots[CHARSETS_OPEN];
    unsigned clock;
};

/* One byte that begins no character. */
static void
skip_byte(struct buf *out, struct str *in)
{
    buf_add(out, S("\xef\xbf\xbd"));
    *in = str_sub(*in, 1, in->len);
}

/* iconv knows more characters than Unicode has. */
static void
clean(struct buf *out, size_t start)
{
    struct str made = str_sub(buf_str(out), start, out->len);

    if (utf8_valid(made))
        return;

    struct str copy = arena_str(out->arena, made);

    out->len = start;
    while (copy.len > 0)
        utf8_put(out, utf8_next(&copy));
}

static void
convert(struct slot *s, struct buf *out, struct str *in, bool last)
{
    while (in->len > 0) {
        size_t piece = in->len < 4096 ? in->len : 4096, left = piece;
        char *from = (char *)(uintptr_t)in->p;
        size_t room = piece * 4 + 16, rest = room;
        char *to = buf_space(out, room);
        size_t rc = iconv(s->iconv, &from, &left, &to, &rest);
        int error = errno;

        out->len += room - rest;
        *in = str_sub(*in, piece - left, in->len);
        if (rc != (size_t)-1 ||
            (left < piece && (error == E2BIG || error == EINVAL)))
            continue;
        /* Not whole: the caller has the rest, or there is none. */
        if (error == EINVAL && piece == in->len && !last)
            return;
        skip_byte(out, in);
    }
}

static void
put(struct converter *c, struct buf *out, struct str *in, bool last)
{
    struct slot *s = (struct slot *)c;
    size_t start = out->len;

    convert(s, out, in, last);
    if (last) {
        char *to = buf_space(out, 64);
        size_t rest = 64;

        /* What a stateful character set still holds. */
        iconv(s->iconv, NULL, NULL, &to, &rest);
        out->len += 64 - rest;
    }
    clean(out, start);
}

static void
close_slot(struct converter *c)
{
    ((struct slot *)c)->used = false;
}

/* Nothing that has a meaning to iconv_open but a name: no "//", no path. */
static bool
is_name(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_alnum(s.p[i]) && !memchr("-_.:", s.p[i], 4))
            return false;
    return s.len > 0 && s.len <= NAME_MAX_LEN;
}

/* One that has that name, or else the one that rests longest. */
static struct slot *
find_slot(struct charsets *c, struct str name)
{
    struct slot *oldest = NULL;

    for (size_t i = 0; i < CHARSETS_OPEN; i++) {
        struct slot *s = &c->slots[i];

        if (s->used)
            continue;
        if (str_ieq(name, str_from(s->name)))
            return s;
        if (oldest == NULL || s->stamp < oldest->stamp)
            oldest = s;
    }
    return oldest;
}

static void
close_iconv(struct slot *s)
{
    if (s->name[0])
        iconv_close(s->iconv);
    s->name[0] = '\0';
}

/* Take the slot for another character set. */
static bool
open_iconv(struct slot *s, struct str name)
{
    char wanted[NAME_MAX_LEN + 1] = {0};

    memcpy(wanted, name.p, name.len);
    close_iconv(s);
    s->iconv = iconv_open("UTF-8", wanted);
    if (s->iconv == (iconv_t)-1)
        return false;
    memcpy(s->name, wanted, sizeof wanted);
    return true;
}

static struct converter *
open_slot(struct converters *self, struct str name)
{
    struct charsets *c = (struct charsets *)self;
    struct slot *s = is_name(name) ? find_slot(c, name) : NULL;

    if (s == NULL)
        return NULL;
    if (!str_ieq(name, str_from(s->name)) && !open_iconv(s, name))
        return NULL;
    iconv(s->iconv, NULL, NULL, NULL, NULL);
    s->used = true;
    s->stamp = ++c->clock;
    return &s->converter;
}

struct converters *
charsets_new(struct arena *a)
{
    struct charsets *c = arena_make(a, struct charsets);

    c->converters.open = open_slot;
    for (size_t i = 0; i < CHARSETS_OPEN; i++)
        c->slots[i].converter = (struct converter){put, close_slot};
    return &c->converters;
}

void
charsets_warm(struct converters *self)
{
    static const char *const names[CHARSETS_OPEN] = {
        "gb2312",       "gbk",          "gb18030",    "big5",
        "iso-2022-jp",  "shift_jis",    "euc-jp",     "euc-kr",
        "windows-1251", "koi8-r",       "iso-8859-2", "windows-1250",
        "windows-1256", "windows-1255", "utf-7",      "windows-1254",
    };

    for (size_t i = 0; i < COUNT(names); i++) {
        struct converter *c = self->open(self, str_from(names[i]));

        if (c)
            c->close(c);
    }
}

void
charsets_free(struct converters *self)
{
    struct charsets *c = (struct charsets *)self;

    for (size_t i = 0; i < CHARSETS_OPEN; i++)
        close_iconv(&c->slots[i]);
}
