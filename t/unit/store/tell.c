#include "store/tell.h"

#include <poll.h>

#include "store/folders.h"
#include "store/maildir.h"
#include "unit/store/maildir.h"

/* A second process, as far as the home goes. */
struct listener {
    struct home *home;
    int fd;
};

static struct listener
listen_to(struct user *u)
{
    struct home_settings s = {.root = u->root};
    struct listener l;

    good(home_open(&s, &l.home, &u->why));
    good(home_listen(l.home, &l.fd, &u->why));
    return l;
}

static bool
readable(const struct listener *l)
{
    struct pollfd p = {.fd = l->fd, .events = POLLIN};

    return poll(&p, 1, 0) == 1;
}

static void
hears(struct user *u, const struct listener *l, const char *what)
{
    struct heard heard = home_hear(l->home, u->a);

    assert_int_equal(heard.count, 1);
    assert_string_equal(arena_cstr(u->a, heard.at[0]), what);
    assert_false(heard.all);
    assert_false(readable(l));
}

static void
deliver(struct user *u, bool fs, const char *below)
{
    struct store_message m = message("", "Subject: x\n\ntext\n");
    const char *path = arena_fmt(u->a, "%s%s", u->root, below);

    good(maildir_save(u->a, maildir_root(u->a, path, fs), path, &m, &u->why));
    close(m.fd);
}

static void
deliveries(void **state)
{
    struct user *u = user_new();

    (void)state;
    deliver(u, false, "/"); /* nobody has ever listened */
    user_login(u);
    good(folder_create(u->home, S("Work"), (struct str){0}, &u->why));
    struct listener l = listen_to(u), second = listen_to(u);

    assert_false(readable(&l));
    deliver(u, false, "/");
    hears(u, &l, ".");
    hears(u, &second, ".");
    home_close(second.home);
    deliver(u, false, "/.Work/");
    hears(u, &l, ".Work");
    deliver(u, false, "/.Work");
    hears(u, &l, ".Work");
    home_close(l.home);
    deliver(u, false, "");
    user_logout(u);
    user_end(u);
}

static void
deliveries_in_a_tree(void **state)
{
    struct user *u = user_new();
    struct home_settings s = {.root = u->root, .fs = true};
    struct listener l;

    (void)state;
    deliver(u, true, "/Lists/new-one"); /* there is no home yet */
    good(home_open(&s, &l.home, &u->why));
    good(home_listen(l.home, &l.fd, &u->why));
    good(folder_create(l.home, S("Lists/linux"), (struct str){0}, &u->why));
    assert_true(folder_exists(l.home, u->a, S("Lists/new-one")));
    deliver(u, true, "/");
    hears(u, &l, ".");
    deliver(u, true, "/Lists/linux/");
    hears(u, &l, "Lists/linux");
    deliver(u, true, "/Lists/new-one");
    hears(u, &l, "Lists/new-one");
    home_close(l.home);
    user_end(u);
}

static void
changes(void **state)
{
    struct user *u = user_new();
    const struct uid_range all = {1, UINT32_MAX};
    const struct flags_change change = {.how = FLAGS_ADD,
                                        .flags = FLAG_FLAGGED};
    struct flags_done done;
    struct home *own;
    int fd;

    (void)state;
    user_put(u, "new/1.h");
    user_login(u);
    own = u->home;
    struct listener l = listen_to(u);

    /* Not to oneself. */
    good(home_listen(own, &fd, &u->why));
    good(flags_store(u->box, (struct uid_set){&all, 1}, &change, u->a, &done,
                     &u->why));
    hears(u, &l, ".");
    assert_int_equal(home_hear(own, u->a).count, 0);

    good(folder_create(own, S("Work"), (struct str){0}, &u->why));
    assert_true(readable(&l));
    (void)home_hear(l.home, u->a);
    good(folder_subscribe(own, S("Work"), true, &u->why));
    hears(u, &l, "");
    good(folder_delete(own, S("Work"), &u->why));
    hears(u, &l, "");
    /* Nothing has changed. */
    good(mailbox_sync(u->box, NULL, &u->why));
    assert_false(readable(&l));
    home_close(l.home);
    user_logout(u);
    user_end(u);
}

static size_t
names(struct user *u)
{
    DIR *d = opendir(arena_fmt(u->a, "%s/posta-listeners", u->root));
    size_t count = 0;

    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        count += e->d_name[0] != '.';
    closedir(d);
    return count;
}

/* Too much for a FIFO: nobody waits, and who listens looks at all. */
static void
too_much(void **state)
{
    struct user *u = user_new();

    (void)state;
    user_login(u);
    struct listener l = listen_to(u);

    for (int i = 0; i < 3000; i++)
        tell_delivered(u->a, u->root, u->root);
    struct heard heard = home_hear(l.home, u->a);

    assert_true(heard.all);
    tell_delivered(u->a, u->root, u->root);
    hears(u, &l, ".");
    home_close(l.home);
    user_logout(u);
    user_end(u);
}

/* Those of killed processes go when somebody else begins; what is no FIFO is
 * never written to. */
static void
others(void **state)
{
    struct user *u = user_new();
    const char *dir = arena_fmt(u->a, "%s/posta-listeners", u->root);
    const char *file = arena_fmt(u->a, "%s/file", dir);

    (void)state;
    user_login(u);
    struct listener l = listen_to(u);

    assert_int_equal(names(u), 1);
    assert_int_equal(mkfifo(arena_fmt(u->a, "%s/dead", dir), 0600), 0);
    file_write(file, "mine");
    assert_int_equal(link(file, arena_fmt(u->a, "%s/other", dir)), 0);
    struct listener second = listen_to(u);

    assert_int_equal(names(u), 4);
    tell_delivered(u->a, u->root, u->root);
    hears(u, &l, ".");
    hears(u, &second, ".");
    assert_string_equal(arena_cstr(u->a, file_text(u->a, file)), "mine");
    home_close(second.home);
    home_close(l.home);
    assert_int_equal(names(u), 2);

    /* The whole folder may go. */
    l = listen_to(u);
    assert_int_equal(system(arena_fmt(u->a, "rm -r %s", dir)), 0);
    good(folder_subscribe(u->home, S("Work"), true, &u->why));
    tell_delivered(u->a, u->root, u->root);
    assert_false(readable(&l));
    home_close(l.home);
    user_logout(u);
    user_end(u);
}

TESTS(TEST(deliveries), TEST(deliveries_in_a_tree), TEST(changes),
      TEST(too_much), TEST(others))
