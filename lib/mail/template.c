#include "mail/template.h"

#include "base/buf.h"

#define HEAD "This is the mail system at host $myhostname.\n\n"
#define TAIL                                                                   \
    "\nIf you need help, write to postmaster and attach this report.\n"        \
    "\n                   The mail system\n"

static const struct template defaults[TEMPLATE_KINDS] = {
    [TEMPLATE_FAILURE] =
        {
                            .name = "failure_template",
                            .subject = S("Undelivered Mail Returned to Sender"),
                            .copy_subject = S("Postmaster Copy: Undelivered Mail"),
                            .body =
                S(HEAD
                  "Your message could not be delivered to the recipients "
                  "below, and will not be\ntried again. The reasons "
                  "follow; your message, or its header, is attached.\n" TAIL),
                            },
    [TEMPLATE_DELAY] =
        {
                            .name = "delay_template",
                            .subject = S("Delayed Mail (still being retried)"),
                            .copy_subject = S("Postmaster Warning: Delayed Mail"),
                            .body =
                S(HEAD "THIS IS ONLY A WARNING. There is no need to send your "
                       "message again.\n\nIt could not yet be delivered to the "
                       "recipients below. It will be tried again\nuntil it is "
                       "$maximal_queue_lifetime_days days old.\n" TAIL),
                            },
    [TEMPLATE_SUCCESS] =
        {
                            .name = "success_template",
                            .subject = S("Successful Mail Delivery Report"),
                            .body =
                S(HEAD "Your message has reached the recipients below. Where "
                       "it was handed to a system\nthat does not report "
                       "deliveries, no further word may follow.\n" TAIL),
                            },
    [TEMPLATE_VERIFY] =
        {
                            .name = "verify_template",
                            .subject = S("Mail Delivery Status Report"),
                            .body = S(HEAD
                      "This is the delivery report that you asked for.\n" TAIL),
                            },
};

void template_defaults(struct template set[TEMPLATE_KINDS])
{
    for (size_t i = 0; i < TEMPLATE_KINDS; i++) {
        set[i] = defaults[i];
        set[i].charset = S("us-ascii");
        set[i].from = TEMPLATE_FROM;
    }
}

static struct template *
find(struct template *set, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(name, str_from(set[i].name)))
            return &set[i];
    return NULL;
}

/* The file, line by line. */
struct reader {
    struct str rest;
    unsigned line;
};

static bool
next_line(struct reader *r, struct str *line)
{
    if (r->rest.len == 0)
        return false;
    str_cut(&r->rest, '\n', line);
    r->line++;
    if (line->len > 0 && line->p[line->len - 1] == '\r')
        line->len--;
    return true;
}

/* "Subject: text" */
static bool
take_field(struct template *t, struct str line)
{
    struct str name;

    if (!str_cut(&line, ':', &name))
        return false;
    line = str_trim(line);
    if (str_ieq(name, S("Charset")))
        t->charset = line;
    else if (str_ieq(name, S("From")))
        t->from = line;
    else if (str_ieq(name, S("Subject")))
        t->subject = line;
    else if (str_ieq(name, S("Postmaster-Subject")))
        t->copy_subject = line;
    else
        return false;
    return true;
}

/* Up to a line that is `end`. */
static enum rc
take_template(struct reader *r, struct template *t, struct str end,
              struct why *why)
{
    struct str line;
    const char *body = NULL;

    while (next_line(r, &line)) {
        if (str_eq(line, end)) {
            size_t len = body ? (size_t)(line.p - body) : 0;

            t->body = (struct str){body, len};
            return OK;
        }
        if (body == NULL && line.len == 0)
            body = r->rest.p;
        else if (body == NULL && !take_field(t, line))
            return fail(why, "5.3.5",
                        "line %u: \"%.*s\" is no header of a "
                        "template (Charset, From, Subject, "
                        "Postmaster-Subject)",
                        r->line, STR(line));
    }
    return fail(why, "5.3.5", "%s: the line \"%.*s\" that ends it is missing",
                t->name, STR(end));
}

/* "name = <<EOF", then the template. */
static enum rc
take_entry(struct reader *r, struct str line, struct template *set,
           size_t count, struct why *why)
{
    struct str name, word = line;
    struct template *t;

    str_cut(&word, '=', &name);
    word = str_trim(word);
    t = find(set, count, str_trim(name));
    if (t == NULL)
        return fail(why, "5.3.5", "line %u: \"%.*s\" is no template", r->line,
                    STR(name));
    if (!str_skip(&word, S("<<")) || str_trim(word).len == 0)
        return fail(why, "5.3.5", "line %u: \"= <<EOF\" must follow %s",
                    r->line, t->name);
    t->charset = S("us-ascii");
    t->from = TEMPLATE_FROM;
    t->copy_subject = (struct str){0};
    return take_template(r, t, str_trim(word), why);
}

enum rc
template_read(struct arena *a, struct str text, struct template *set,
              size_t count, struct why *why)
{
    struct reader r = {.rest = arena_str(a, text)};
    struct template *draft = arena_alloc(a, count * sizeof *draft);
    struct str line;

    memcpy(draft, set, count * sizeof *draft);
    while (next_line(&r, &line)) {
        if (str_trim(line).len == 0 || line.p[0] == '#')
            continue;
        if (take_entry(&r, line, draft, count, why) != OK)
            return PERM;
    }
    memcpy(set, draft, count * sizeof *draft);
    return OK;
}

static bool
is_name_byte(char c)
{
    return is_alnum(c) || c == '_';
}

/* What follows "$": "name", "{name}", "(name)"; its length, 0 if it is none. */
static size_t
take_name(struct str s, struct str *name)
{
    bool closed = s.len > 0 && (s.p[0] == '{' || s.p[0] == '(');
    size_t end = closed;

    while (end < s.len && is_name_byte(s.p[end]))
        end++;
    *name = str_sub(s, closed, end - closed);
    if (name->len == 0)
        return 0;
    if (!closed)
        return end;
    return end < s.len && s.p[end] == (s.p[0] == '{' ? '}' : ')') ? end + 1 : 0;
}

struct str
template_fill(struct arena *a, struct str body, template_value *value,
              void *self)
{
    struct buf b = buf_in(a);
    struct str head, name;

    while (str_cut(&body, '$', &head)) {
        buf_add(&b, head);

        size_t len = take_name(body, &name);
        struct str text = {0};

        if (str_skip(&body, S("$")))
            text = S("$");
        else if (len > 0)
            text = value(self, name);
        if (text.p == NULL)
            buf_addc(&b, '$');
        buf_add(&b, text);
        if (text.p && len > 0)
            body = str_sub(body, len, body.len);
    }
    buf_add(&b, head);
    return buf_str(&b);
}

struct str
template_time(struct arena *a, struct str name, const char *setting, int64_t ms)
{
    static const struct {
        const char *suffix;
        int64_t ms;
    } units[] = {
        {"_seconds", 1000     },
        {"_minutes", 60000    },
        {"_hours",   3600000  },
        {"_days",    86400000 },
        {"_weeks",   604800000},
    };

    if (!str_skip(&name, str_from(setting)))
        return (struct str){0};
    for (size_t i = 0; i < COUNT(units); i++)
        if (str_eq(name, str_from(units[i].suffix)))
            return str_from(arena_fmt(
                a, "%lld", (long long)((ms + units[i].ms / 2) / units[i].ms)));
    return (struct str){0};
}
