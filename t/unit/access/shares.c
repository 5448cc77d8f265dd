#include "access/shares.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/acl_file.h"
#include "unit/test.h"

static const struct acl_who ben = {S("ben@x"), false, NULL, 0};

struct place {
    struct arena *a;
    char top[40];
    const char *list, *mail;
};

static void
write_acl(struct place *p, const char *folder, const char *text)
{
    const char *dir = arena_fmt(p->a, "%s/%s", p->mail, folder);
    FILE *f;

    (void)!mkdir(dir, 0700);
    f = fopen(arena_fmt(p->a, "%s/" ACL_FILE, dir), "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void
setup(struct place *p)
{
    strcpy(p->top, "/tmp/posta-shares-XXXXXX");
    assert_non_null(mkdtemp(p->top));
    p->a = arena_new("test", 4 << 20);
    p->list = arena_fmt(p->a, "%s/list", p->top);
    p->mail = arena_fmt(p->a, "%s/mail", p->top);
    assert_int_equal(mkdir(p->list, 0700), 0);
    assert_int_equal(mkdir(p->mail, 0700), 0);
}

static void
teardown(struct place *p)
{
    assert_int_equal(system(arena_fmt(p->a, "rm -r %s", p->top)), 0);
    arena_free(p->a);
}

static size_t
found(struct place *p, const struct acl_who *who)
{
    struct shares s;
    struct why why;

    assert_int_equal(shares_find(p->a, p->list, who, &s, &why), OK);
    return s.count;
}

static void
published(void **state)
{
    const struct str groups[] = {S("team")};
    const struct acl_who carl = {S("carl@x"), false, groups, 1};
    const struct acl_who anna = {S("anna@x"), false, groups, 1};
    struct place p;
    struct why why;

    (void)state;
    setup(&p);
    assert_int_equal(shares_publish(p.list, S("anna@x"), p.mail, false, &why),
                     OK);
    assert_int_equal(found(&p, &ben), 0);
    write_acl(&p, ".Work", "user=ben@x lr\nowner lrw\n-user=eve x\nuser=no \n");
    write_acl(&p, ".Team", "group=team l\n");
    write_acl(&p, ".Bad", "group=team lQ\nuser=eve l\n");
    write_acl(&p, "plain", "user=eve l\n"); /* no folder of a Maildir++ */
    assert_int_equal(shares_publish(p.list, S("anna@x"), p.mail, false, &why),
                     OK);
    assert_int_equal(found(&p, &ben), 1);
    assert_int_equal(found(&p, &carl), 1);
    assert_int_equal(found(&p, &anna), 0); /* not with herself */
    assert_int_equal(found(&p, &(struct acl_who){S("eve"), false, NULL, 0}), 0);
    assert_int_equal(found(&p, &(struct acl_who){S("no"), false, NULL, 0}), 0);
    assert_true(shares_any(p.mail, false, &ben));
    write_acl(&p, ".Work", "user=eve lr\n");
    assert_false(shares_any(p.mail, false, &ben));
    assert_int_equal(found(&p, &ben), 1); /* as it was written */
    write_acl(&p, ".Team", "");
    write_acl(&p, ".Work", "");
    assert_int_equal(shares_publish(p.list, S("anna@x"), p.mail, false, &why),
                     OK);
    assert_int_equal(found(&p, &ben), 0);
    teardown(&p);
}

static void
refused(void **state)
{
    static const char *const names[] = {"", ".x", "a/b", "../x"};
    struct shares s;
    struct place p;
    struct why why;

    (void)state;
    setup(&p);
    write_acl(&p, ".Work", "user=ben@x lr\n");
    for (size_t i = 0; i < COUNT(names); i++)
        assert_int_equal(
            shares_publish(p.list, str_from(names[i]), p.mail, false, &why),
            PERM);
    assert_int_equal(shares_find(p.a, "/nowhere/x", &ben, &s, &why), TEMP);
    assert_int_equal(s.count, 0);
    assert_int_equal(shares_publish("/nowhere/x", S("a"), p.mail, false, &why),
                     TEMP);
    teardown(&p);
}

/* As many as a list can have, in one folder and the next. */
static void
with_many(void **state)
{
    struct buf one, two;
    struct place p;
    struct why why;

    (void)state;
    setup(&p);
    one = buf_in(p.a);
    two = buf_in(p.a);
    for (int i = 0; i < ACL_ENTRIES / 2; i++) {
        buf_fmt(&one, "user=%d%050d l\n", i, 0);
        buf_fmt(&two, "user=%d%050d l\n", ACL_ENTRIES + i, 0);
    }
    buf_fmt(&two, "user=ben@x l\n");
    write_acl(&p, ".One", arena_cstr(p.a, buf_str(&one)));
    assert_int_equal(shares_publish(p.list, S("anna@x"), p.mail, false, &why),
                     OK);
    write_acl(&p, ".Two", arena_cstr(p.a, buf_str(&two)));
    assert_true(shares_any(p.mail, false, &ben));
    assert_int_equal(shares_publish(p.list, S("anna@x"), p.mail, false, &why),
                     PERM);
    teardown(&p);
}

/* Each ACL is one that can be read, and so is what is written of all. */
static void
with_long_names(void **state)
{
    static const char *const folders[] = {".One", ".Two", ".Three"};
    struct place p;
    struct why why;

    (void)state;
    setup(&p);
    write_acl(&p, ".Ben", "user=ben@x l\n");
    for (size_t i = 0; i < COUNT(folders); i++) {
        struct buf b = buf_in(p.a);

        for (int n = 0; n < 30; n++)
            buf_fmt(&b, "user=x%zu%d%01900d l\n", i, n, 0);
        write_acl(&p, folders[i], arena_cstr(p.a, buf_str(&b)));
    }
    assert_int_equal(shares_publish(p.list, S("anna@x"), p.mail, false, &why),
                     PERM);
    assert_string_equal(why.dsn, "5.3.4");
    assert_int_equal(found(&p, &ben), 1);
    for (size_t i = 0; i < COUNT(folders); i++)
        write_acl(&p, folders[i], "");
    assert_int_equal(shares_publish(p.list, S("anna@x"), p.mail, false, &why),
                     OK);
    assert_int_equal(found(&p, &ben), 1);
    teardown(&p);
}

/* A list that another version wrote, or somebody else. */
static void
over_what_is_no_list(void **state)
{
    struct place p;
    struct why why;

    (void)state;
    setup(&p);
    write_acl(&p, ".Ben", "user=ben@x l\n");
    assert_int_equal(mkfifo(arena_fmt(p.a, "%s/anna@x", p.list), 0600), 0);
    assert_int_equal(found(&p, &ben), 0);
    assert_int_equal(shares_publish(p.list, S("anna@x"), p.mail, false, &why),
                     OK);
    assert_int_equal(found(&p, &ben), 1);
    teardown(&p);
}

TESTS(TEST(published), TEST(refused), TEST(with_many), TEST(with_long_names),
      TEST(over_what_is_no_list))
