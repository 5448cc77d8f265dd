/* The commands of the TRANSACTION state: RFC 1939 5 and 7, 2449, 3206, 6856. */
#include <string.h>

#include "base/log.h"
#include "pop3d.h"
#include "session.h"
#include "uidl.h"

#define JUNK_MAX 20

/* The message of that number, if it is there and not deleted; else it has
 * been answered. */
static struct pop3_message *
find(struct session *s, struct str number)
{
    uint64_t n;

    if (!str_num(number, &n)) {
        say(s, "-ERR A message number is wanted");
    } else if (n == 0 || n > s->count) {
        say(s, "-ERR There are %u messages only", s->count);
    } else if (s->list[n - 1].deleted) {
        say(s, "-ERR Message %llu is deleted", (unsigned long long)n);
    } else {
        return &s->list[n - 1];
    }
    return NULL;
}

/* 0 where it is gone. */
static uint64_t
size_of(struct session *s, struct pop3_message *m)
{
    struct why why;

    if (m->size == 0 && mailbox_vsize(s->box, m->uid, &m->size, &why) != OK)
        m->size = 0;
    return m->size;
}

/* A UIDL that was taken over from another server stands in dovecot-uidlist, and
 * so does a GUID that is not the file's name. */
static struct str
uidl_of(struct session *s, const struct pop3_message *m)
{
    const char *format = s->conf->pop3_uidl_format;
    struct uidl_facts facts = {.uid = m->uid, .validity = s->validity};
    struct str fields, word;
    struct why why;

    if (uidl_names(format) &&
        mailbox_base(s->box, m->uid, s->work, &facts.file, &why) == OK)
        facts.guid = facts.file;
    if (mailbox_fields(s->box, m->uid, s->work, &fields, &why) == OK)
        while (str_word(&fields, " ", &word)) {
            if (word.len > 1 && word.p[0] == 'P')
                return str_sub(word, 1, word.len);
            if (word.len > 1 && word.p[0] == 'G')
                facts.guid = str_sub(word, 1, word.len);
        }
    return uidl_make(s->work, format, &facts);
}

static void
do_stat(struct session *s, struct str args)
{
    uint64_t count = 0, size = 0;

    (void)args;
    for (uint32_t i = 0; i < s->count; i++)
        if (!s->list[i].deleted) {
            count++;
            size += size_of(s, &s->list[i]);
        }
    say(s, "+OK %llu %llu", (unsigned long long)count,
        (unsigned long long)size);
}

static void
do_list(struct session *s, struct str args)
{
    struct pop3_message *m;

    if (args.len > 0) {
        if ((m = find(s, args)) != NULL)
            say(s, "+OK %ld %llu", (long)(m - s->list) + 1,
                (unsigned long long)size_of(s, m));
        return;
    }
    say(s, "+OK");
    for (uint32_t i = 0; i < s->count; i++)
        if (!s->list[i].deleted)
            say(s, "%u %llu", i + 1,
                (unsigned long long)size_of(s, &s->list[i]));
    say(s, ".");
}

static void
do_uidl(struct session *s, struct str args)
{
    struct pop3_message *m;

    if (args.len > 0) {
        if ((m = find(s, args)) != NULL)
            say(s, "+OK %ld %.*s", (long)(m - s->list) + 1, STR(uidl_of(s, m)));
        return;
    }
    say(s, "+OK");
    for (uint32_t i = 0; i < s->count; i++)
        if (!s->list[i].deleted)
            say(s, "%u %.*s", i + 1, STR(uidl_of(s, &s->list[i])));
    say(s, ".");
}

static void
refuse(struct session *s, const struct why *why)
{
    bool wide = strcmp(why->dsn, "5.6.7") == 0;

    say(s, "-ERR [%s] %s", wide ? "UTF8" : "SYS/TEMP", why->text);
}

static void
do_retr(struct session *s, struct str args)
{
    struct pop3_message *m = find(s, args);
    struct why why;

    if (m == NULL)
        return;
    if (!send_begin(s, m, -1, &why)) {
        refuse(s, &why);
        return;
    }
    m->seen = true;
    s->done.retr++;
}

static void
do_top(struct session *s, struct str args)
{
    struct str number;
    struct pop3_message *m;
    struct why why;
    uint64_t lines;

    if (!str_word(&args, " ", &number) || !str_num(str_trim(args), &lines)) {
        say(s, "-ERR TOP wants a message number and how many lines");
        return;
    }
    if ((m = find(s, number)) == NULL)
        return;
    if (send_begin(s, m, lines > INT64_MAX ? INT64_MAX : (int64_t)lines, &why))
        s->done.top++;
    else
        refuse(s, &why);
}

static void
do_dele(struct session *s, struct str args)
{
    struct pop3_message *m = find(s, args);

    if (m == NULL)
        return;
    m->deleted = true;
    say(s, "+OK Deleted when you say QUIT");
}

static void
do_noop(struct session *s, struct str args)
{
    (void)args;
    say(s, "+OK");
}

static void
do_rset(struct session *s, struct str args)
{
    (void)args;
    for (uint32_t i = 0; i < s->count; i++)
        s->list[i].deleted = false;
    say(s, "+OK");
}

static void
do_quit(struct session *s, struct str args)
{
    (void)args;
    session_quit(s);
}

static void
do_capa(struct session *s, struct str args)
{
    (void)args;
    say(s, "+OK");
    conn_put(s->conn, str_from(pop3_capabilities));
    conn_put(s->conn, s->capabilities);
    say(s, ".");
}

static void
do_lang(struct session *s, struct str args)
{
    pop3_lang(s->conn, args);
}

static const struct {
    const char *name;
    void (*run)(struct session *s, struct str args);
} verbs[] = {
    {"STAT", do_stat},
    {"LIST", do_list},
    {"UIDL", do_uidl},
    {"RETR", do_retr},
    {"TOP",  do_top },
    {"DELE", do_dele},
    {"NOOP", do_noop},
    {"RSET", do_rset},
    {"QUIT", do_quit},
    {"CAPA", do_capa},
    {"LANG", do_lang},
};

void
verbs_run(struct session *s, struct str line)
{
    ssize_t blank = str_find(line, ' ');
    size_t len = blank < 0 ? line.len : (size_t)blank;
    struct str name = str_sub(line, 0, len);
    struct str args = str_trim(str_sub(line, len, line.len));

    for (size_t i = 0; i < COUNT(verbs); i++)
        if (str_ieq(name, str_from(verbs[i].name))) {
            s->junk = 0;
            verbs[i].run(s, args);
            return;
        }
    say(s, "-ERR Unknown command");
    if (++s->junk >= JUNK_MAX)
        session_bye(s, "Too many invalid commands");
}
