/*
 * store_tool - a mailbox by lines: t/fault and t/system see through it what
 * lib/store makes of a Maildir.
 *
 *     store_tool ROOT [fs] < COMMANDS
 *
 * One command a line, words divided by blanks ("_" in names and texts stands
 * for one). The answer to each is one line, "ok ..." or "no CODE TEXT",
 * written at once. Between `open` and the next `open` commands are about that
 * folder.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "store/append.h"
#include "store/changes.h"
#include "store/copy.h"
#include "store/expunge.h"
#include "store/folders.h"
#include "store/view.h"
#include "sys/disk.h"

struct tool {
    struct home *home;
    struct mailbox *box;
    struct arena *a;
    struct buf out;
    struct why why;
    struct str words[8];
};

static struct str
word(const struct tool *t, int n)
{
    return t->words[n];
}

static uint32_t
num(const struct tool *t, int n)
{
    uint64_t value;

    return str_num(word(t, n), &value) ? (uint32_t)value : UINT32_MAX;
}

static void
put_set(struct tool *t, struct uid_set set)
{
    for (size_t i = 0; i < set.len; i++)
        for (uint64_t uid = set.at[i].first; uid <= set.at[i].last; uid++)
            buf_fmt(&t->out, " %llu", (unsigned long long)uid);
}

static enum rc
do_open(struct tool *t)
{
    mailbox_close(t->box);
    t->box = NULL;
    return mailbox_open(t->home, word(t, 1), &t->box, &t->why);
}

static enum rc
do_sync(struct tool *t)
{
    return mailbox_sync(t->box, NULL, &t->why);
}

static enum rc
do_flush(struct tool *t)
{
    return flags_flush(t->box, SIZE_MAX, NULL, &t->why);
}

/* append FLAGS TEXT...: one message for each text. */
static enum rc
do_append(struct tool *t)
{
    struct append *ap = append_new(t->box);
    struct uid_set uids = {0};
    enum rc rc = OK;

    for (int i = 2; rc == OK && i < 8 && word(t, i).len; i++) {
        rc = append_message(ap, num(t, 1), 0, 1700000000 + i, &t->why);
        if (rc == OK)
            rc = append_write(ap, S("Subject: t\r\n\r\n"), &t->why);
        if (rc == OK)
            rc = append_write(ap, word(t, i), &t->why);
        if (rc == OK)
            rc = append_write(ap, S("\r\n"), &t->why);
    }
    if (rc != OK)
        append_abort(ap);
    else
        rc = append_commit(ap, t->a, &uids, &t->why);
    put_set(t, uids);
    return rc;
}

/* store FIRST LAST add|remove|replace FLAGS [KEYWORD] */
static enum rc
do_store(struct tool *t)
{
    struct uid_range r = {num(t, 1), num(t, 2)};
    struct flags_change c = {.flags = num(t, 4)};
    struct flags_done done;
    enum rc rc = OK;
    int bit = 0;

    c.how = str_eq(word(t, 3), S("add"))      ? FLAGS_ADD
            : str_eq(word(t, 3), S("remove")) ? FLAGS_REMOVE
                                              : FLAGS_REPLACE;
    if (word(t, 5).len) {
        rc = mailbox_keyword(t->box, word(t, 5), &bit, &t->why);
        c.keywords = UINT64_C(1) << bit;
    }
    if (rc == OK)
        rc = flags_store(t->box, (struct uid_set){&r, 1}, &c, t->a, &done,
                         &t->why);
    if (rc == OK)
        put_set(t, done.changed);
    return rc;
}

static enum rc
do_expunge(struct tool *t)
{
    struct uid_range r = {num(t, 1), num(t, 2)};
    struct uid_set gone = {0};
    enum rc rc = expunge_messages(t->box, (struct uid_set){&r, 1}, false, t->a,
                                  &gone, &t->why);

    put_set(t, gone);
    return rc;
}

static enum rc
copy_to(struct tool *t, struct mailbox *box, bool move)
{
    const struct copy_how how = {.move = move, .flags = FLAG_ALL};
    struct uid_range r = {num(t, 1), num(t, 2)};
    struct uid_set from, to;
    enum rc rc = copy_messages(t->box, (struct uid_set){&r, 1}, box, &how, t->a,
                               &from, &to, &t->why);

    put_set(t, from);
    buf_fmt(&t->out, " >");
    put_set(t, to);
    return rc;
}

static enum rc
copy(struct tool *t, bool move)
{
    struct mailbox *box;
    enum rc rc = mailbox_open_to_add(t->home, word(t, 3), &box, &t->why);

    if (rc != OK)
        return rc;
    rc = copy_to(t, box, move);
    mailbox_close(box);
    return rc;
}

static enum rc
do_copy(struct tool *t)
{
    return copy(t, false);
}

static enum rc
do_move(struct tool *t)
{
    return copy(t, true);
}

/* away FIRST LAST ROOT: a move into the INBOX of another home. */
static enum rc
do_away(struct tool *t)
{
    const struct home_settings s = {.root = arena_cstr(t->a, word(t, 3))};
    struct home *home;
    struct mailbox *box;
    enum rc rc = home_open(&s, &home, &t->why);

    if (rc != OK)
        return rc;
    rc = mailbox_open_to_add(home, S("INBOX"), &box, &t->why);
    if (rc == OK) {
        rc = copy_to(t, box, true);
        mailbox_close(box);
    }
    home_close(home);
    return rc;
}

static enum rc
do_create(struct tool *t)
{
    return folder_create(t->home, word(t, 1), word(t, 2), &t->why);
}

static enum rc
do_delete(struct tool *t)
{
    return folder_delete(t->home, word(t, 1), &t->why);
}

static enum rc
do_rename(struct tool *t)
{
    return folder_rename(t->home, word(t, 1), word(t, 2), &t->why);
}

static enum rc
do_subscribe(struct tool *t)
{
    return folder_subscribe(t->home, word(t, 1), true, &t->why);
}

static enum rc
do_folders(struct tool *t)
{
    struct folder_list list;
    enum rc rc = folders_list(t->home, t->a, &list, &t->why);

    for (size_t i = 0; rc == OK && i < list.len; i++)
        buf_fmt(&t->out, " %.*s=%u", STR(list.at[i].name), list.at[i].bits);
    return rc;
}

static enum rc
do_status(struct tool *t)
{
    struct mailbox_status s;
    enum rc rc = mailbox_status(t->box, true, &s, &t->why);

    if (rc == OK)
        buf_fmt(&t->out, " %u %u %u %u %llu %llu", s.validity, s.next,
                s.messages, s.unseen, (unsigned long long)s.size,
                (unsigned long long)s.modseq);
    return rc;
}

/* As a session that selects it: \Recent is claimed. */
static enum rc
do_select(struct tool *t)
{
    struct view *v;
    enum rc rc = view_open(t->box, true, &v, &t->why);

    if (rc == OK) {
        buf_fmt(&t->out, " %u %u", view_count(v), view_recent(v));
        view_close(v);
    }
    return rc;
}

static void
put_body(struct tool *t, uint32_t uid)
{
    char text[4096];
    int fd;

    if (mailbox_file(t->box, uid, &fd, &t->why) != OK) {
        buf_fmt(&t->out, "?");
        return;
    }
    ssize_t n = read(fd, text, sizeof text);
    struct str body = {text, n > 0 ? (size_t)n : 0};
    ssize_t at = str_search(body, S("\n\n"));

    close(fd);
    body = str_trim(str_sub(body, at < 0 ? 0 : (size_t)at + 2, body.len));
    for (size_t i = 0; i < body.len && i < 40; i++)
        buf_addc(&t->out, is_space(body.p[i]) ? '_' : body.p[i]);
}

/* uid:flags:keyword,keyword:date:size:text for each message. */
static enum rc
do_dump(struct tool *t)
{
    const struct keywords *k;
    struct mailbox_status s;
    enum rc rc = mailbox_status(t->box, true, &s, &t->why);

    for (uint32_t uid = 1; rc == OK && uid < s.next; uid++) {
        struct message m;

        if (mailbox_message(t->box, uid, &m, &t->why) != OK)
            continue;
        buf_fmt(&t->out, " %u:%u:", uid, m.flags);
        rc = mailbox_keywords(t->box, &k, &t->why);
        for (int i = 0; rc == OK && i < KEYWORDS_MAX; i++)
            if (m.keywords >> i & 1)
                buf_fmt(&t->out, "%.*s,", STR(k->name[i]));
        buf_fmt(&t->out, ":%lld:%llu:", (long long)m.date,
                (unsigned long long)m.vsize);
        put_body(t, uid);
    }
    return rc;
}

static const struct {
    const char *name;
    enum rc (*run)(struct tool *t);
    bool needs_box;
} commands[] = {
    {"open",      do_open,      false},
    {"sync",      do_sync,      true },
    {"flush",     do_flush,     true },
    {"append",    do_append,    true },
    {"store",     do_store,     true },
    {"expunge",   do_expunge,   true },
    {"copy",      do_copy,      true },
    {"move",      do_move,      true },
    {"away",      do_away,      true },
    {"status",    do_status,    true },
    {"select",    do_select,    true },
    {"dump",      do_dump,      true },
    {"create",    do_create,    false},
    {"delete",    do_delete,    false},
    {"rename",    do_rename,    false},
    {"subscribe", do_subscribe, false},
    {"folders",   do_folders,   false},
};

static enum rc
run(struct tool *t)
{
    for (size_t i = 0; i < COUNT(commands); i++)
        if (str_eq(word(t, 0), str_from(commands[i].name)))
            return commands[i].needs_box && t->box == NULL
                       ? fail(&t->why, "5.2.0", "no folder is open")
                       : commands[i].run(t);
    return fail(&t->why, "5.5.1", "what?");
}

static void
obey(struct tool *t, char *line)
{
    struct str rest = str_trim(str_from(line));

    for (size_t i = 0; i < COUNT(t->words); i++)
        if (!str_word(&rest, " ", &t->words[i]))
            t->words[i] = (struct str){0};
    t->out = buf_in(t->a);
    if (run(t) == OK)
        printf("ok%.*s\n", STR(buf_str(&t->out)));
    else
        printf("no %s %s\n", t->why.dsn, t->why.text);
    fflush(stdout);
    arena_reset(t->a);
}

int
main(int argc, char **argv)
{
    struct tool t = {.a = arena_new("tool", (size_t)256 << 20)};
    struct home_settings s = {.root = argc > 1 ? argv[1] : "", .fs = argc > 2};
    char line[4096];

    if (argc < 2 || home_open(&s, &t.home, &t.why) != OK) {
        printf("no %s %s\n", t.why.dsn, t.why.text);
        return 1;
    }
    while (fgets(line, sizeof line, stdin))
        obey(&t, line);
    mailbox_close(t.box);
    home_close(t.home);
    arena_free(t.a);
    return 0;
}
