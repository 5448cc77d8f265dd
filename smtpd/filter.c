/*
 * header_checks, mime_header_checks, nested_header_checks and body_checks:
 * patterns that look at content as it comes in, and what they do to it
 * (header_checks(5)).
 *
 * Fields of the message's own header come from fields.c one by one. Where more
 * than those are looked at, all bytes also go through mime_walk, which tells
 * headers of parts from text; then what filter.c passes on is what the walk
 * hands over.
 */
#include "intake.h"

#include "base/log.h"
#include "mail/address.h"
#include "mail/dsn.h"
#include "mail/mime_walk.h"
#include "map/map.h"

#define LINE_MAX_CHECKED ((size_t)2048) /* longer lines go in pieces */

struct filter {
    struct maps *header, *mime, *nested, *body;
    int64_t body_limit; /* bytes of a part that are looked at */
    bool deep;          /* more than the message's own header */
};

/* One message's share. */
struct filtering {
    struct message *m;
    struct mime_walk *walk;
    bool in_body;    /* of the message: what the walk hands over goes out */
    struct buf line; /* of text, not ended */
    int64_t seen;    /* bytes of this part's text */
    struct str out;
};

struct filter *
filter_open(struct arena *life, const struct conf *conf)
{
    struct filter *f = arena_make(life, struct filter);

    *f = (struct filter){
        .header = maps_open(conf->header_checks, NULL),
        .mime = maps_open(conf->mime_header_checks, NULL),
        .nested = maps_open(conf->nested_header_checks, NULL),
        .body = maps_open(conf->body_checks, NULL),
        .body_limit = conf->body_checks_size_limit,
    };
    f->deep =
        !maps_empty(f->mime) || !maps_empty(f->nested) || !maps_empty(f->body);
    return f->deep || !maps_empty(f->header) ? f : NULL;
}

bool
filter_has_body(const struct filter *f)
{
    return f->deep;
}

/* ---- what a match does ---- */

struct match {
    struct message *m;
    const char *what; /* "header" or "body" */
    const char *map;  /* the parameter */
    struct str text;  /* that matched */
    struct str args;  /* behind the word */
    bool keep;        /* the text stays; else `instead` takes its place */
    struct str instead;
};

/* QID: ACTION: header Subject: x from NAME[ADDR]; from=<> to=<> ...: TEXT */
static void
tell(const struct match *x, const char *action)
{
    const struct message *m = x->m;
    struct buf b = buf_in(m->a);
    struct str text = str_sub(x->text, 0, 200);

    buf_fmt(&b, "%.*s: %s: %s %.*s from %.*s; from=<%.*s>", STR(m->id), action,
            x->what, STR(text), STR(m->client),
            STR(address_quote(m->a, m->env.sender)));
    if (m->first.len > 0)
        buf_fmt(&b, " to=<%.*s>", STR(address_quote(m->a, m->first)));
    if (m->env.origin.proto.len > 0)
        buf_fmt(&b, " proto=%.*s", STR(m->env.origin.proto));
    if (m->env.origin.helo.len > 0)
        buf_fmt(&b, " helo=<%.*s>", STR(m->env.origin.helo));
    if (x->args.len > 0)
        buf_fmt(&b, ": %.*s", STR(x->args));
    log_info("%s", buf_str(&b).p);
}

static void
misconfigured(const struct match *x, const char *what)
{
    struct why why;

    log_warn("%s: %s", x->map, what);
    message_fail(x->m, fail(&why, "4.3.0", "queue file write error"), &why);
}

static void
act_reject(struct match *x)
{
    struct str text = x->args;
    char dsn[10] = "5.7.1";
    struct why why;

    tell(x, "reject");
    if (!dsn_cut_code(&text, dsn) || dsn[0] == '2')
        memcpy(dsn, "5.7.1", 6);
    x->m->verbatim = text.len > 0;
    if (text.len == 0)
        text = S("message content rejected");
    message_fail(x->m, fail(&why, dsn, "%.*s", STR(text)), &why);
}

static void
act_discard(struct match *x)
{
    tell(x, "discard");
    x->m->actions.discard = true;
}

static void
act_hold(struct match *x)
{
    tell(x, "hold");
    x->m->actions.hold = true;
}

static void
act_filter(struct match *x)
{
    if (str_find(x->args, ':') <= 0) {
        misconfigured(x, "FILTER needs transport:destination");
        return;
    }
    tell(x, "filter");
    x->m->actions.filter = arena_str(x->m->a, x->args);
}

static void
act_redirect(struct match *x)
{
    if (str_find(x->args, '@') <= 0) {
        misconfigured(x, "REDIRECT needs user@domain");
        return;
    }
    tell(x, "redirect");
    x->m->actions.redirect = arena_str(x->m->a, x->args);
}

static void
act_bcc(struct match *x)
{
    if (str_find(x->args, '@') <= 0) {
        misconfigured(x, "BCC needs user@domain");
        return;
    }
    tell(x, "bcc");
    words_add(&x->m->actions.bcc, x->m->a, x->args);
}

static void
act_warn(struct match *x)
{
    tell(x, "warning");
}

static void
act_info(struct match *x)
{
    tell(x, "info");
}

static void
act_nothing(struct match *x)
{
    (void)x;
}

static void
act_strip(struct match *x)
{
    tell(x, "strip");
    x->keep = false;
}

static void
act_ignore(struct match *x)
{
    x->keep = false;
}

static void
act_prepend(struct match *x)
{
    if (x->args.len == 0) {
        misconfigured(x, "PREPEND needs a text");
        return;
    }
    tell(x, "prepend");
    message_write(x->m, x->args);
    message_write(x->m, S("\n"));
}

static void
act_replace(struct match *x)
{
    if (x->args.len == 0) {
        misconfigured(x, "REPLACE needs a text");
        return;
    }
    tell(x, "replace");
    x->keep = false;
    x->instead = str_from(arena_fmt(x->m->a, "%.*s\n", STR(x->args)));
}

static const struct {
    const char *word;
    void (*run)(struct match *x);
} acts[] = {
    {"REJECT",   act_reject  },
    {"WARN",     act_warn    },
    {"INFO",     act_info    },
    {"DUNNO",    act_nothing },
    {"OK",       act_nothing },
    {"IGNORE",   act_ignore  },
    {"STRIP",    act_strip   },
    {"REPLACE",  act_replace },
    {"PREPEND",  act_prepend },
    {"HOLD",     act_hold    },
    {"DISCARD",  act_discard },
    {"FILTER",   act_filter  },
    {"REDIRECT", act_redirect},
    {"BCC",      act_bcc     },
};

/* Ask the tables about a text, and do what they say. */
static struct match
check(struct message *m, struct maps *maps, const char *map, const char *what,
      struct str text)
{
    struct match x = {
        .m = m,
        .what = what,
        .map = map,
        .text = text,
        .keep = true,
    };
    struct str value, word = {0};
    struct why why;

    if (maps_empty(maps) || m->rc != OK)
        return x;
    arena_reset(m->in->scratch);
    if (maps_get(maps, text, m->in->scratch, &value, &why) != OK) {
        log_warn("%.*s: %s map lookup problem -- message not accepted, try "
                 "again later: %s",
                 STR(m->id), map, why.text);
        message_fail(m, fail(&why, "4.3.0", "queue file write error"), &why);
        return x;
    }
    if (value.p == NULL)
        return x;
    str_word(&value, " \t", &word);
    x.args = str_trim(value);
    for (size_t i = 0; i < COUNT(acts); i++)
        if (str_ieq(word, str_from(acts[i].word))) {
            acts[i].run(&x);
            return x;
        }
    log_warn("unknown command in %s map: %.*s", map, STR(word));
    return x;
}

/* A field without its last line end. */
static struct str
without_lf(struct str s)
{
    if (s.len > 0 && s.p[s.len - 1] == '\n')
        s.len--;
    return s;
}

/* ---- text ---- */

static void
put_line(struct filtering *g, struct str line)
{
    const struct filter *f = g->m->in->filter;

    if (maps_empty(f->body) ||
        (g->seen >= f->body_limit && f->body_limit > 0)) {
        message_write(g->m, line);
        return;
    }
    g->seen += (int64_t)line.len;

    struct match x =
        check(g->m, f->body, "body_checks", "body", without_lf(line));

    message_write(g->m, x.keep ? line : x.instead);
}

/* Lines are put together where pieces cut them. */
static void
put_text(struct filtering *g, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t lf = str_find(bytes, '\n');
        size_t len = lf < 0 ? bytes.len : (size_t)lf + 1;
        size_t room = LINE_MAX_CHECKED - g->line.len;
        bool ended = lf >= 0 && len <= room;

        len = len > room ? room : len;
        buf_add(&g->line, str_sub(bytes, 0, len));
        bytes = str_sub(bytes, len, bytes.len);
        if (!ended && g->line.len < LINE_MAX_CHECKED)
            return;
        put_line(g, buf_str(&g->line));
        buf_reset(&g->line);
    }
}

static void
flush_line(struct filtering *g)
{
    if (g->line.len > 0)
        put_line(g, buf_str(&g->line));
    buf_reset(&g->line);
}

/* ---- the walk ---- */

static void
on_field(void *self, const struct mime_part *p, const struct header_field *f)
{
    struct filtering *g = self;
    const struct filter *filter = g->m->in->filter;
    bool nested = p->is_message && !(header_flags(f->id) & HEADER_MIME);

    if (!g->in_body)
        return;
    flush_line(g);

    struct match x =
        check(g->m, nested ? filter->nested : filter->mime,
              nested ? "nested_header_checks" : "mime_header_checks", "header",
              without_lf(f->whole));

    message_write(g->m, x.keep ? f->whole : x.instead);
}

static void
on_header_end(void *self, const struct mime_part *p, bool empty_line)
{
    struct filtering *g = self;

    (void)p;
    if (!g->in_body)
        return;
    flush_line(g);
    g->seen = 0;
    if (empty_line)
        message_write(g->m, S("\n"));
}

static void
on_text(void *self, const struct mime_part *p, struct str bytes)
{
    (void)p;
    put_text(self, bytes);
}

static void
on_text_end(void *self, const struct mime_part *p)
{
    struct filtering *g = self;

    (void)p;
    g->seen = 0;
}

static void
on_between(void *self, struct str bytes)
{
    put_text(self, bytes);
}

static struct filtering *
begin(struct message *m)
{
    static const struct mime_calls calls = {
        on_field, on_header_end, on_text, on_text_end, on_between,
    };
    struct filtering *g = arena_make(m->a, struct filtering);

    g->m = m;
    g->line = buf_in(m->a);
    if (m->in->filter->deep)
        g->walk = mime_walk_new(m->a, &calls, g);
    m->filtering = g;
    return g;
}

const struct str *
filter_field(struct message *m, const struct header_field *f)
{
    const struct filter *filter = m->in->filter;
    struct filtering *g = m->filtering ? m->filtering : begin(m);
    bool mime = header_flags(f->id) & HEADER_MIME;
    struct match x = check(m, mime ? filter->mime : filter->header,
                           mime ? "mime_header_checks" : "header_checks",
                           "header", without_lf(f->whole));

    /* The walk must know what the parts are, and how they end. */
    if (g->walk && mime && x.keep && !f->cut)
        mime_walk_put(g->walk, f->whole);
    if (x.keep)
        return NULL;
    g->out = x.instead;
    return &g->out;
}

void
filter_body(struct message *m, struct str text)
{
    struct filtering *g = m->filtering ? m->filtering : begin(m);

    if (g->walk == NULL) {
        message_write(m, text);
        return;
    }
    if (!g->in_body && text.len > 0) {
        /* The empty line behind the message's own header. */
        must(text.p[0] == '\n');
        mime_walk_put(g->walk, S("\n"));
        g->in_body = true;
        message_write(m, S("\n"));
        text = str_sub(text, 1, text.len);
    }
    if (text.len > 0)
        mime_walk_put(g->walk, text);
}

void
filter_body_end(struct message *m)
{
    struct filtering *g = m->filtering;

    if (g == NULL || g->walk == NULL)
        return;
    mime_walk_end(g->walk);
    flush_line(g);
}
