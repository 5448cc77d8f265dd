#include "rewrite.h"

#include "base/log.h"
#include "mail/header_filter.h"

/* A longer field passes as it is, as its end is not known (header_size_limit's
 * own default). */
#define FIELD_MAX ((size_t)102400)

struct rewrite {
    struct header_filter filter;
    struct arena *arena;
    struct arena *scratch; /* for one field */
    struct generic *generic;
    struct maps *checks;
    struct str id;
    rewrite_out *out;
    void *self;
    enum rc rc;
    struct why why;
};

struct rewrite *
rewrite_new(struct arena *a, struct arena *scratch, struct generic *generic,
            struct maps *checks, struct str id)
{
    struct rewrite *r = arena_make(a, struct rewrite);

    r->scratch = scratch;
    r->arena = a;
    r->generic = generic;
    r->checks = checks;
    r->id = id;
    return r;
}

static void
put(void *self, struct str text)
{
    struct rewrite *r = self;

    r->out(r->self, text);
}

static void
put_line(struct rewrite *r, struct str text)
{
    put(r, text);
    put(r, S("\n"));
}

/* The field as one text: no line end behind it. */
static struct str
text_of(const struct header_field *f)
{
    struct str text = f->whole;

    while (text.len > 0 &&
           (text.p[text.len - 1] == '\n' || text.p[text.len - 1] == '\r'))
        text.len--;
    return text;
}

static void
note(const struct rewrite *r, const char *what, struct str field,
     struct str text)
{
    ssize_t lf = str_find(field, '\n');

    field = str_sub(field, 0, lf >= 0 ? (size_t)lf : 200);
    log_info("%.*s: %s: header %.*s%s%.*s", STR(r->id), what, STR(field),
             text.len > 0 ? ": " : "", STR(text));
}

/*
 * What a table says to a field (header_checks(5)). *text is what goes on in
 * its place, empty to drop it. Actions that only make sense on the way in are
 * no actions here, and said so.
 */
static void
act(struct rewrite *r, struct str action, struct str *text)
{
    struct str rest = action, verb;

    str_word(&rest, " \t", &verb);
    rest = str_trim(rest);
    if (str_ieq(verb, S("DUNNO")) || str_ieq(verb, S("OK")))
        return;
    if (str_ieq(verb, S("IGNORE"))) {
        text->len = 0;
    } else if (str_ieq(verb, S("STRIP"))) {
        note(r, "strip", *text, rest);
        text->len = 0;
    } else if (str_ieq(verb, S("REPLACE"))) {
        note(r, "replace", *text, rest);
        *text = rest;
    } else if (str_ieq(verb, S("PREPEND"))) {
        note(r, "prepend", *text, rest);
        put_line(r, rest);
    } else if (str_ieq(verb, S("INFO"))) {
        note(r, "info", *text, rest);
    } else if (str_ieq(verb, S("WARN"))) {
        note(r, "warning", *text, rest);
    } else {
        log_warn("unsupported action in smtp_header_checks: %.*s", STR(verb));
    }
}

static enum rc
check(struct rewrite *r, struct str *text)
{
    struct str action;
    enum rc rc = maps_get(r->checks, *text, r->scratch, &action, &r->why);

    if (rc == OK && action.p)
        act(r, action, text);
    return rc;
}

static enum rc
replace_addresses(struct rewrite *r, const struct header_field *f,
                  struct str *text)
{
    struct str body;

    if (!(header_flags(f->id) & (HEADER_SENDER | HEADER_RCPT)))
        return OK;
    enum rc rc =
        generic_map_field(r->generic, r->scratch, f->body, &body, &r->why);

    if (rc == OK && body.p != f->body.p)
        *text = str_from(
            arena_fmt(r->scratch, "%.*s:%.*s", STR(f->name), STR(body)));
    return rc;
}

static enum header_verdict
field(void *self, const struct header_field *f)
{
    struct rewrite *r = self;
    struct str whole = text_of(f), text = whole;

    if (r->rc != OK || f->cut)
        return HEADER_KEEP;
    arena_reset(r->scratch);
    if (r->checks)
        r->rc = check(r, &text);
    if (r->rc == OK && r->generic && text.p == whole.p && text.len > 0)
        r->rc = replace_addresses(r, f, &text);
    if (text.p == whole.p && text.len == whole.len)
        return HEADER_KEEP;
    if (text.len > 0)
        put_line(r, text);
    return HEADER_DROP;
}

void
rewrite_begin(struct rewrite *r, rewrite_out *out, void *self)
{
    static const struct header_calls calls = {.field = field, .put = put};

    r->out = out;
    r->self = self;
    r->rc = OK;
    header_filter_begin(&r->filter, r->arena, FIELD_MAX, &calls, r);
}

void
rewrite_put(struct rewrite *r, struct str piece)
{
    header_filter_put(&r->filter, piece);
}

void
rewrite_end(struct rewrite *r)
{
    header_filter_end(&r->filter);
}

const struct why *
rewrite_trouble(const struct rewrite *r)
{
    return r->rc == OK ? NULL : &r->why;
}
