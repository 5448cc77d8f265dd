/*
 * The words of delivery reports: -t as they are written, -b as they are sent.
 */
#include "conf/config.h"
#include "conf/value.h"
#include "mail/template.h"
#include "postconf.h"

/* The file of the command line, or else of main.cf; empty: the built-in ones.
 */
static const char *
template_file(struct postconf *p)
{
    struct str raw;

    if (p->word_count > 0)
        return p->words[0];
    if (!pc_get(p, NULL, S("bounce_template_file"), &raw))
        return "";
    return arena_cstr(p->arena, pc_expand(p, NULL, raw));
}

static void
read_templates(struct postconf *p, struct template set[TEMPLATE_KINDS])
{
    const char *path = template_file(p);
    struct str text;
    struct why why;

    template_defaults(set);
    if (*path == '\0')
        return;
    if (config_read_file(p->arena, path, &text, &why) != OK)
        pc_fatal(p, "%s", why.text);
    if (template_read(p->arena, text, set, TEMPLATE_KINDS, &why) != OK)
        pc_fatal(p, "%s: %s", path, why.text);
}

static struct str
setting(struct postconf *p, struct str name)
{
    struct str raw;

    if (!pc_get(p, NULL, name, &raw))
        return (struct str){0};
    return pc_expand(p, NULL, raw);
}

static struct str
value_of(void *self, struct str name)
{
    static const struct {
        const char *name;
        char unit;
    } times[] = {
        {"bounce_queue_lifetime",  'd'},
        {"delay_warning_time",     'h'},
        {"maximal_queue_lifetime", 'd'},
    };
    struct postconf *p = self;

    for (size_t i = 0; i < COUNT(times); i++) {
        struct str text = setting(p, str_from(times[i].name));
        int64_t ms;

        if (!value_time(text, times[i].unit, &ms))
            continue;
        text = template_time(p->arena, name, times[i].name, ms);
        if (text.p)
            return text;
    }
    return setting(p, name);
}

/* "failure_template" to "expanded_failure_text" */
static void
show_text(struct postconf *p, const struct template *t)
{
    struct str body = template_fill(p->arena, t->body, value_of, p);
    int kind = (int)(strlen(t->name) - strlen("_template"));

    buf_fmt(&p->out, "expanded_%.*s_text = <<EOF\n%.*sEOF\n", kind, t->name,
            STR(body));
}

static void
show_template(struct postconf *p, const struct template *t)
{
    buf_fmt(&p->out, "%s = <<EOF\nCharset: %.*s\nFrom: %.*s\nSubject: %.*s\n",
            t->name, STR(t->charset), STR(t->from), STR(t->subject));
    if (t->copy_subject.len)
        buf_fmt(&p->out, "Postmaster-Subject: %.*s\n", STR(t->copy_subject));
    buf_fmt(&p->out, "\n%.*sEOF\n", STR(t->body));
}

void
pc_show_bounce(struct postconf *p)
{
    struct template set[TEMPLATE_KINDS];

    read_templates(p, set);
    for (size_t i = 0; i < TEMPLATE_KINDS; i++) {
        if (i > 0)
            buf_addc(&p->out, '\n');
        if (p->options & PC_BOUNCE_TEXT)
            show_text(p, &set[i]);
        else
            show_template(p, &set[i]);
    }
}
