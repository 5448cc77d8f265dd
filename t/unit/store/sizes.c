/* File names that tell the wrong size: 17 bytes are there, 20 with CRLF. */
#include "store/changes.h"
#include "store/expunge.h"
#include "store/quota.h"
#include "unit/store/maildir.h"

/* As the index has it: mailbox_message would look for dates. */
static struct message
message_of(struct user *u, uint32_t uid)
{
    const struct uid_range one = {uid, uid};
    struct changes_walk walk;
    struct message m = {0};

    good(changes_begin(&walk, u->box, (struct uid_set){&one, 1}, &u->why));
    (void)!changes_next(&walk, &m);
    good(changes_end(&walk, &u->why));
    return m;
}

static uint64_t
vsize_of_file(struct user *u, uint32_t uid)
{
    uint64_t vsize;
    int fd;

    good(mailbox_file(u->box, uid, &fd, &u->why));
    auto_close int held = fd;

    good(mailbox_vsize_of(u->box, uid, held, &vsize, &u->why));
    return vsize;
}

static void
sums(struct user *u, uint64_t size, uint64_t vsize)
{
    struct mailbox_status st = user_status(u);
    uint64_t sum = 0;

    for (uint32_t uid = 1; uid < st.next; uid++)
        sum += message_of(u, uid).size;
    assert_int_equal(sum, size);
    assert_int_equal(st.size, vsize);
}

/* Believed after a rebuild, until the file is opened. */
static void
opened(void **state)
{
    struct user *u = user_new();
    uint64_t vsize;

    (void)state;
    user_put(u, "cur/1.a,S=500,W=510:2,");
    user_put(u, "cur/2.b,S=17,W=20:2,");
    user_put(u, "cur/3.c,S=5,W=510:2,");
    user_put(u, "cur/4.d,S=12,W=20:2,");
    user_login(u);
    sums(u, 500 + 17 + 5 + 12, 510 + 20 + 510 + 20);
    for (uint32_t uid = 1; uid <= 4; uid++)
        assert_int_equal(vsize_of_file(u, uid), 20);
    sums(u, 68, 80);

    /* Who has read it says so himself. */
    mailbox_measured(u->box, 2, 17, 19);
    assert_int_equal(message_of(u, 2).vsize, 19);
    good(mailbox_vsize(u->box, 2, &vsize, &u->why));
    assert_int_equal(vsize, 20);
    sums(u, 68, 80);
    user_logout(u);
    user_end(u);
}

/* Looking for the date shows the size, too: then the other one is counted. */
static void
dated(void **state)
{
    struct user *u = user_new();
    struct message m;

    (void)state;
    user_put(u, "cur/1.a,S=5,W=510:2,");
    user_put(u, "cur/2.b,S=17,W=20:2,");
    user_login(u);
    m = message_of(u, 1);
    assert_int_equal(m.saved, 0);
    good(mailbox_dates(u->box, &m, &u->why));
    assert_int_equal(message_of(u, 1).size, 17);
    assert_int_equal(message_of(u, 1).vsize, 0);
    assert_int_equal(message_of(u, 2).vsize, 20);
    sums(u, 34, 40);
    user_logout(u);
    user_end(u);
}

/* A file that comes while the folder is known is looked at. */
static void
come(void **state)
{
    struct user *u = user_new();

    (void)state;
    user_login(u);
    user_put(u, "new/1.a,S=5,W=510");
    user_sync(u);
    assert_int_equal(message_of(u, 1).size, 17);
    assert_int_equal(message_of(u, 1).vsize, 0);
    sums(u, 17, 20);
    user_logout(u);
    user_end(u);
}

/* Whoever counts does so by names: what is removed was counted so. */
static void
quota(void **state)
{
    const struct quota_limits limits = {.bytes = 100000};
    const struct uid_range one = {1, 1};
    struct user *u = user_new();
    struct quota_sum sum;
    struct uid_set gone;

    (void)state;
    user_put(u, "cur/1.a,S=500,W=510:2,");
    user_put(u, "cur/2.b,S=17,W=20:2,");
    user_login(u);
    good(quota_get(u->root, false, &limits, &sum, &u->why));
    assert_int_equal(sum.bytes, 517);
    assert_int_equal(vsize_of_file(u, 1), 20);
    good(expunge_messages(u->box, (struct uid_set){&one, 1}, false, u->a, &gone,
                          &u->why));
    good(quota_get(u->root, false, &limits, &sum, &u->why));
    assert_int_equal(sum.bytes, 17);
    user_logout(u);
    user_end(u);
}

TESTS(TEST(opened), TEST(dated), TEST(come), TEST(quota))
