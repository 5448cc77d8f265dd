/*
 * Several processes and an outsider work in one mailbox at random. Each keeps
 * a list of UIDs as a client would, by what its view tells, and compares.
 */
#include <sys/wait.h>

#include "base/vec.h"
#include "store/changes.h"
#include "store/copy.h"
#include "store/expunge.h"
#include "store/view.h"
#include "unit/store/maildir.h"

#define STEPS 250

struct client {
    struct user *u;
    struct view *view;
    VEC(uint32_t) uids; /* by sequence number */
    VEC(unsigned) flags;
    unsigned seed;
};

static unsigned
pick(struct client *c, unsigned below)
{
    return (unsigned)rand_r(&c->seed) % below;
}

static void
broken(const struct client *c, const char *what)
{
    fprintf(stderr, "storm: %s: %s\n", what, c->u->why.text);
    _exit(1);
}

#define want(call)                                                             \
    do {                                                                       \
        if ((call) != OK)                                                      \
            broken(c, #call);                                                  \
    } while (0)

/* What a client does with EXPUNGE, EXISTS and FETCH responses. */
static void
hear(struct client *c, bool expunges)
{
    struct user *u = c->u;
    struct view_news news;
    uint32_t count;

    want(mailbox_sync(u->box, NULL, &u->why));
    want(view_update(c->view, expunges, u->a, &news, &u->why));
    for (size_t i = 0; i < news.expunged_count; i++) {
        uint32_t seq = news.expunged[i];

        if (!expunges || seq == 0 || seq > c->uids.len)
            broken(c, "an EXPUNGE of nothing");
        memmove(&c->uids.at[seq - 1], &c->uids.at[seq],
                (c->uids.len - seq) * sizeof *c->uids.at);
        memmove(&c->flags.at[seq - 1], &c->flags.at[seq],
                (c->flags.len - seq) * sizeof *c->flags.at);
        c->uids.len--;
        c->flags.len--;
    }
    count = view_count(c->view);
    if (count < c->uids.len)
        broken(c, "EXISTS went down");
    for (uint32_t seq = (uint32_t)c->uids.len + 1; seq <= count; seq++) {
        *vec_add(&c->uids) = view_uid(c->view, seq);
        *vec_add(&c->flags) = 99;
    }
    for (size_t i = 0; i < news.changed.len; i++)
        for (uint32_t uid = news.changed.at[i].first;
             uid <= news.changed.at[i].last; uid++)
            if (view_seq(c->view, uid))
                c->flags.at[view_seq(c->view, uid) - 1] = 99;
    for (uint32_t seq = 1; seq <= count; seq++)
        if (c->uids.at[seq - 1] != view_uid(c->view, seq) ||
            view_seq(c->view, c->uids.at[seq - 1]) != seq)
            broken(c, "a sequence number moved");
}

/* The answer to SELECT. */
static void
select_box(struct client *c)
{
    struct user *u = c->u;

    want(view_open(u->box, true, &c->view, &u->why));
    c->uids.len = c->flags.len = 0;
    for (uint32_t seq = 1; seq <= view_count(c->view); seq++) {
        *vec_add(&c->uids) = view_uid(c->view, seq);
        *vec_add(&c->flags) = 99; /* to be asked for */
    }
}

/* Ask for flags the client does not know; those it knows must be right. */
static void
fetch(struct client *c, bool all)
{
    struct user *u = c->u;
    struct uid_set set = view_uids(c->view, u->a, 1, view_count(c->view));
    uint64_t told = view_modseq(c->view);
    struct changes_walk w;
    struct message m;

    want(changes_begin(&w, u->box, set, &u->why));
    while (changes_next(&w, &m)) {
        uint32_t seq = view_seq(c->view, m.uid);

        if (seq == 0)
            continue;
        if (all && m.modseq <= told && c->flags.at[seq - 1] != 99 &&
            c->flags.at[seq - 1] != m.flags)
            broken(c, "a change of flags was not told");
        c->flags.at[seq - 1] = m.flags;
    }
    want(changes_end(&w, &u->why));
}

static struct uid_range
some(struct client *c)
{
    uint32_t count = view_count(c->view);
    uint32_t first = count ? pick(c, count) + 1 : 0;
    uint32_t last = first + pick(c, 3);

    if (count == 0)
        return (struct uid_range){1, 1};
    return (struct uid_range){view_uid(c->view, first),
                              view_uid(c->view, last > count ? count : last)};
}

static void
act(struct client *c)
{
    struct user *u = c->u;
    struct uid_range r = some(c);
    struct uid_set set = {&r, 1}, out, in;
    struct flags_change change = {.how = (enum flags_how)pick(c, 3),
                                  .flags = pick(c, 32)};
    struct flags_done done;

    switch (pick(c, 9)) {
    case 0:
    case 1:
        user_append(u, u->box, 1 + (int)pick(c, 3));
        break;
    case 2:
        want(expunge_messages(u->box, set, pick(c, 2), u->a, &out, &u->why));
        break;
    case 3:
        want(copy_messages(
            u->box, set, u->box,
            &(struct copy_how){.move = pick(c, 2), .flags = FLAG_ALL}, u->a,
            &out, &in, &u->why));
        break;
    case 4:
        want(flags_flush(u->box, 1 + pick(c, 5), NULL, &u->why));
        break;
    default:
        want(flags_store(u->box, set, &change, u->a, &done, &u->why));
    }
}

static void
work(struct user *u, unsigned seed)
{
    struct client client = {.u = u, .seed = seed}, *c = &client;

    user_login(u);
    select_box(c);
    for (int i = 0; i < STEPS; i++) {
        act(c);
        hear(c, pick(c, 3) > 0);
        fetch(c, true);
        if (pick(c, 50) == 0) { /* reconnect */
            view_close(c->view);
            user_logout(u);
            user_login(u);
            select_box(c);
        }
    }
    view_close(c->view);
    user_logout(u);
    _exit(0);
}

static void
outsider(struct user *u, unsigned seed)
{
    struct client client = {.u = u, .seed = seed}, *c = &client;

    for (int i = 0; i < STEPS; i++) {
        DIR *d = opendir(arena_fmt(u->a, "%s/cur", u->root));
        unsigned skip = pick(c, 20);

        for (struct dirent *e; (e = readdir(d));) {
            struct name n;

            if (skip-- > 0 || !name_parse(str_from(e->d_name), &n))
                continue;
            const char *from = arena_fmt(u->a, "%s/cur/%s", u->root, e->d_name);

            if (pick(c, 4) == 0)
                (void)!unlink(from);
            else
                (void)!rename(from,
                              arena_fmt(u->a, "%s/cur/%s", u->root,
                                        name_with(u->a, &n, pick(c, 32), 0)));
            break;
        }
        closedir(d);
        user_put(u, arena_fmt(u->a, "tmp/%d.out.h", i));
        user_move(u, arena_fmt(u->a, "tmp/%d.out.h", i),
                  arena_fmt(u->a, "new/%d.out.h", i));
        usleep(1000 + pick(c, 4000));
    }
    _exit(0);
}

static pid_t
start(struct user *u, unsigned place, unsigned seed)
{
    pid_t pid = fork();

    if (pid)
        return pid;
    if (place == 0)
        outsider(u, seed);
    work(u, seed);
    _exit(1);
}

/* What is known at the end is what the files say. */
static void
compare(struct user *u)
{
    struct str before;

    user_login(u);
    good(flags_flush(u->box, SIZE_MAX, NULL, &u->why));
    user_sync(u);
    before = user_list(u);
    user_logout(u);
    user_remove_index(u);
    user_login(u);
    assert_str(user_list(u), before);
    user_logout(u);
    user_end(u);
}

/* `kills`: so often one of them is killed, and another takes his place. */
static void
run(unsigned kills)
{
    struct user *u = user_new();
    const unsigned seed = 1;
    pid_t pids[4];
    int status;

    for (unsigned i = 0; i < COUNT(pids); i++)
        pids[i] = start(u, i, seed + i);
    for (unsigned i = 0; i < kills; i++) {
        unsigned place = 1 + i % 3;

        usleep(5000 + (unsigned)rand() % 20000);
        kill(pids[place], SIGKILL);
        waitpid(pids[place], &status, 0);
        if (!WIFSIGNALED(status) && status != 0)
            fail_msg("status %x", (unsigned)status);
        pids[place] = start(u, place, seed + 100 + i);
    }
    while (wait(&status) > 0)
        if (status != 0)
            fail_msg("status %x", (unsigned)status);
    compare(u);
}

static void
storm(void **state)
{
    (void)state;
    run(0);
}

static void
killed(void **state)
{
    (void)state;
    run(40);
}

TESTS(TEST(storm), TEST(killed))
