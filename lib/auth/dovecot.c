#include "auth/dovecot_words.h"
#include "auth/sasl.h"
#include "mail/base64.h"

/* Words of a line; a hostile one has no more work for us. */
#define WORDS_MAX 200

bool
dovecot_next(struct arena *a, struct str *rest, struct dovecot_word *w)
{
    struct str word;

    do {
        if (rest->len == 0)
            return false;
        str_cut(rest, '\t', &word);
    } while (word.len == 0);
    w->value = (struct str){NULL, 0};
    if (str_find(word, '=') >= 0) {
        str_cut(&word, '=', &w->name);
        w->value = dovecot_unescape(a, word);
        w->name = dovecot_unescape(a, w->name);
    } else {
        w->name = dovecot_unescape(a, word);
    }
    return true;
}

/* A number of 32 bits before the next tab. */
static bool
take_id(struct str *rest, uint32_t *id)
{
    struct str word;
    uint64_t n;

    str_cut(rest, '\t', &word);
    if (!str_num(word, &n) || n > UINT32_MAX)
        return false;
    *id = (uint32_t)n;
    return true;
}

static bool
unbase64(struct arena *a, struct str text, struct str *raw)
{
    struct buf b = buf_in(a);

    if (!base64_decode(&b, text) || b.len > SASL_INPUT_MAX)
        return false;
    *raw = buf_str(&b);
    return true;
}

static const char *
parse_mech(struct arena *a, struct dovecot_line *l, struct str rest)
{
    struct dovecot_word w;

    str_cut(&rest, '\t', &l->text);
    if (l->text.len == 0)
        return "a mechanism without a name";
    l->text = dovecot_unescape(a, l->text);
    while (dovecot_next(a, &rest, &w)) {
        if (str_eq(w.name, S("private")))
            l->is_private = true;
        for (const struct dovecot_property *p = dovecot_properties; p->word;
             p++)
            if (str_eq(w.name, str_from(p->word)))
                l->properties |= p->bit;
    }

    /* Our services know when these can be used, which others do not. */
    const struct sasl_mech *known = sasl_mech_find(l->text);

    if (known && known->properties & DOVECOT_PRIVATE)
        l->is_private = false;
    return NULL;
}

static bool
add_binding(struct arena *a, struct dovecot_request *r, struct str value)
{
    struct sasl_binding b;

    if (!str_cut(&value, ':', &b.type) || !unbase64(a, value, &b.data) ||
        b.data.len == 0 || b.data.len > SASL_BINDING_MAX)
        return false;
    for (size_t i = 0; i < SASL_BINDINGS; i++)
        if (r->bindings[i].data.len == 0) {
            r->bindings[i] = b;
            return true;
        }
    return false;
}

static void
set_parameter(struct dovecot_request *r, const struct dovecot_word *w)
{
    for (const struct dovecot_parameter *p = dovecot_parameters; p->word; p++) {
        void *at = (char *)r + p->at;

        if (!str_eq(w->name, str_from(p->word)))
            continue;
        if (p->kind == IS_FLAG)
            *(bool *)at = true;
        else
            *(struct str *)at = w->value.p ? w->value : S("");
    }
    if (str_eq(w->name, S("secured")) && str_ieq(w->value, S("tls")))
        r->tls = true;
}

static const char *
parse_auth(struct arena *a, struct dovecot_line *l, struct str rest)
{
    struct dovecot_request *r = &l->request;
    struct dovecot_word w;

    if (!take_id(&rest, &r->id))
        return "a request without a number";
    l->id = r->id;
    str_cut(&rest, '\t', &r->mech);
    for (const struct dovecot_parameter *p = dovecot_parameters; p->word; p++)
        if (p->kind == IS_TEXT)
            *(struct str *)((char *)r + p->at) = S("");
    while (dovecot_next(a, &rest, &w)) {
        if (str_eq(w.name, S("binding"))) {
            if (!add_binding(a, r, w.value))
                return "a broken channel binding";
        } else if (str_eq(w.name, S("resp"))) {
            /* It is the last one: what follows was put there by a client
             * whose bytes nobody looked at. */
            r->has_resp = true;
            r->resp = S("");
            if (rest.len > 0)
                return "a parameter behind the initial response";
            l->bad_data =
                !str_eq(w.value, S("=")) && !unbase64(a, w.value, &r->resp);
        } else {
            set_parameter(r, &w);
        }
    }
    return r->service.len > 0 ? NULL : "a request without a service";
}

static const char *
parse_cont(struct arena *a, struct dovecot_line *l, struct str rest)
{
    if (!take_id(&rest, &l->id))
        return "a continuation without a number";
    l->data = S("");
    l->bad_data = !unbase64(a, rest, &l->data);
    return NULL;
}

static const char *
parse_reply(struct arena *a, struct dovecot_line *l, struct str rest)
{
    (void)a;
    if (!take_id(&rest, &l->id))
        return "a reply without a number";
    l->fields = rest;
    return NULL;
}

static const char *
parse_user(struct arena *a, struct dovecot_line *l, struct str rest)
{
    if (!take_id(&rest, &l->id))
        return "a look-up without a number";
    str_cut(&rest, '\t', &l->text);
    l->text = dovecot_unescape(a, l->text);
    l->fields = rest;
    return l->text.len > 0 ? NULL : "a look-up without a user";
}

static const char *
parse_version(struct arena *a, struct dovecot_line *l, struct str rest)
{
    struct str major;

    (void)a;
    str_cut(&rest, '\t', &major);
    return str_num(major, &l->number) && take_id(&rest, &l->minor)
               ? NULL
               : "a broken version";
}

static const char *
parse_number(struct arena *a, struct dovecot_line *l, struct str rest)
{
    (void)a;
    return str_num(rest, &l->number) ? NULL : "a broken number";
}

static const char *
parse_text(struct arena *a, struct dovecot_line *l, struct str rest)
{
    l->text = dovecot_unescape(a, rest);
    return NULL;
}

static const struct {
    const char *word;
    enum dovecot_verb verb;
    const char *(*parse)(struct arena *a, struct dovecot_line *l,
                         struct str rest);
} verbs[] = {
    {"AUTH",     DOVECOT_AUTH,     parse_auth   },
    {"CONT",     DOVECOT_CONT,     parse_cont   },
    {"OK",       DOVECOT_OK,       parse_reply  },
    {"FAIL",     DOVECOT_FAIL,     parse_reply  },
    {"CANCEL",   DOVECOT_CANCEL,   parse_reply  },
    {"VERSION",  DOVECOT_VERSION,  parse_version},
    {"CPID",     DOVECOT_CPID,     parse_number },
    {"SPID",     DOVECOT_SPID,     parse_number },
    {"CUID",     DOVECOT_CUID,     parse_number },
    {"COOKIE",   DOVECOT_COOKIE,   parse_text   },
    {"MECH",     DOVECOT_MECH,     parse_mech   },
    {"DONE",     DOVECOT_DONE,     parse_text   },
    {"USER",     DOVECOT_USER,     parse_user   },
    {"PASS",     DOVECOT_PASS,     parse_user   },
    {"NOTFOUND", DOVECOT_NOTFOUND, parse_reply  },
};

static bool
too_many_words(struct str line)
{
    size_t tabs = 0;

    for (size_t i = 0; i < line.len; i++)
        tabs += line.p[i] == '\t';
    return tabs > WORDS_MAX;
}

bool
dovecot_parse(struct arena *a, struct str line, struct dovecot_line *out,
              const char **wrong)
{
    struct str rest = line, word;

    *out = (struct dovecot_line){.verb = DOVECOT_OTHER};
    *wrong = NULL;
    if (line.len > DOVECOT_LINE_MAX || str_find(line, '\0') >= 0 ||
        too_many_words(line)) {
        *wrong = "a line that is too long or holds a NUL";
        return false;
    }
    str_cut(&rest, '\t', &word);
    for (size_t i = 0; i < COUNT(verbs); i++)
        if (str_eq(word, str_from(verbs[i].word))) {
            out->verb = verbs[i].verb;
            *wrong = verbs[i].parse(a, out, rest);
            break;
        }
    return *wrong == NULL;
}

static void
set_code(struct dovecot_reply *r, const struct dovecot_word *w)
{
    for (const struct dovecot_failure *f = dovecot_failures; f->word; f++)
        if (str_eq(w->name, str_from(f->word)) ||
            (str_eq(w->name, S("code")) && str_eq(w->value, str_from(f->code))))
            r->code = f->means;
}

bool
dovecot_reply_parse(struct arena *a, const struct dovecot_line *line,
                    struct dovecot_reply *r)
{
    struct str rest = line->fields;
    struct dovecot_word w;

    *r = (struct dovecot_reply){.user = S(""), .reason = S(""), .resp = S("")};
    while (dovecot_next(a, &rest, &w)) {
        if (str_eq(w.name, S("user")))
            r->user = w.value.p ? w.value : S("");
        else if (str_eq(w.name, S("reason")))
            r->reason = w.value.p ? w.value : S("");
        else if (str_eq(w.name, S("nologin")) || str_eq(w.name, S("proxy")))
            r->nologin = true;
        else if (str_eq(w.name, S("nodelay")))
            r->nodelay = true;
        else if (str_eq(w.name, S("resp")) && !unbase64(a, w.value, &r->resp))
            return false;
        else
            set_code(r, &w);
    }
    return true;
}
