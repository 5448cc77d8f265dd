#include "mail/subject.h"

/* Runs of blanks, tabs and line ends become one blank. */
static struct str
one_blank(struct arena *a, struct str s)
{
    struct buf b = buf_in(a);
    bool blank = false;

    for (size_t i = 0; i < s.len; i++) {
        bool is = is_space(s.p[i]);

        if (!is || !blank)
            buf_addc(&b, is ? ' ' : s.p[i]);
        blank = is;
    }
    return buf_str(&b);
}

static void
skip_blanks(struct str *s)
{
    while (str_skip(s, S(" ")))
        ;
}

/* subj-trailer: "(fwd)" and blanks. */
static void
cut_trailers(struct str *s, bool *reply)
{
    for (;;) {
        if (str_ends(*s, S(" "))) {
            s->len--;
        } else if (str_iends(*s, S("(fwd)"))) {
            s->len -= 5;
            *reply = true;
        } else {
            return;
        }
    }
}

/* subj-blob: "[...]" and blanks. */
static bool
skip_blob(struct str *s)
{
    struct str rest = *s;
    size_t i = 1;

    if (!str_starts(rest, S("[")))
        return false;
    while (i < rest.len && !strchr("[]", rest.p[i] ? rest.p[i] : 'x'))
        i++;
    if (i == rest.len || rest.p[i] != ']')
        return false;
    *s = str_sub(rest, i + 1, rest.len);
    skip_blanks(s);
    return true;
}

/* subj-refwd: "re", "fw" or "fwd", perhaps a blob, ":". */
static bool
skip_refwd(struct str *s)
{
    struct str rest = *s;

    if (!str_iskip(&rest, S("re")) && !str_iskip(&rest, S("fwd")) &&
        !str_iskip(&rest, S("fw")))
        return false;
    skip_blanks(&rest);
    skip_blob(&rest);
    if (!str_skip(&rest, S(":")))
        return false;
    *s = rest;
    return true;
}

/* Steps 3 to 5. Blobs that no "re:" follows go too, but for one that is all
 * there is; they are looked at once, so that many of them cost no more. */
static void
cut_leaders(struct str *s, bool *reply)
{
    for (;;) {
        struct str last = *s, rest;
        bool blobs = false;

        skip_blanks(s);
        rest = *s;
        for (struct str before = rest; skip_blob(&rest); before = rest) {
            last = before;
            blobs = true;
        }
        if (skip_refwd(&rest)) {
            *s = rest;
            *reply = true;
            continue;
        }
        if (blobs)
            *s = rest.len > 0 ? rest : last;
        return;
    }
}

struct str
subject_base(struct arena *a, struct str subject, bool *reply)
{
    struct str s = one_blank(a, subject);

    *reply = false;
    for (;;) {
        cut_trailers(&s, reply);
        cut_leaders(&s, reply);
        if (!str_istarts(s, S("[fwd:")) || !str_ends(s, S("]")))
            return s;
        s = str_sub(s, 5, s.len - 6);
        *reply = true;
    }
}
