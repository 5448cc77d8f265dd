#include "authd/source.h"

#include <stdlib.h>
#include <unistd.h>

#include "auth/scheme.h"
#include "ipc/message.h"
#include "unit/test.h"

static void
lists(void **state)
{
    static const struct {
        const char *list;
        bool users;
        enum rc rc;
        size_t count;
    } cases[] = {
        {"passwd-file:/x, pam shadow",                 false, OK,   3},
        {"passwd-file:/x, pam shadow",                 true,  OK,   1},
        {"{ static:uid=5 gid=5 home=/h/%u } pam:mail", false, OK,   2},
        {"{static:uid=5 gid=5}, passwd",               true,  OK,   2},
        {"passwd",                                     false, PERM, 0},
        {"passwd-file:x",                              false, PERM, 0},
        {"passwd-file",                                false, PERM, 0},
        {"mysql:/x",                                   false, PERM, 0},
        {"{ pam",                                      false, PERM, 0},
        {"",                                           false, OK,   0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena *a = arena_new("test", 1 << 20);
        struct sources s;
        struct why why;
        enum rc rc = sources_parse(a, cases[i].list, cases[i].users, &s, &why);

        if (rc != cases[i].rc || (rc == OK && s.count != cases[i].count))
            fail_msg("%s: %d, %zu", cases[i].list, rc, s.count);
        arena_free(a);
    }
}

static const char *
shown(struct arena *a, const struct passwd_user *u, bool password)
{
    struct buf list = buf_in(a), text = buf_in(a);
    struct rec_field f;

    source_put_fields(&list, u, S("al@x.test"), password);
    for (struct str rest = buf_str(&list); rest.len && get_field(&rest, &f);)
        buf_fmt(&text, "%.*s=%.*s ", STR(f.name), STR(f.value));
    return buf_str(&text).p;
}

static void
fields(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct passwd_user u;
    struct str line =
        S("al@x.test:{PLAIN}x:5:6::/h/%d/%n::userdb_quota_rule=*:storage=1G "
          "allow_nets=10.0.0.0/8 posta_app_1=smtp|1|x|{PLAIN}y proxy "
          "note=%u");

    (void)state;
    assert_true(passwd_line_parse(line, &u));
    assert_string_equal(shown(a, &u, false), "uid=5 gid=6 home=/h/x.test/al "
                                             "quota_rule=*:storage=1G ");
    assert_string_equal(shown(a, &u, true), "proxy= note=al@x.test ");
    assert_false(source_is_disabled(&u));
    u.extra = S("a=b nologin");
    assert_true(source_is_disabled(&u));
    arena_free(a);
}

static void
statics(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct sources s;
    struct why why;

    (void)state;
    assert_int_equal(sources_parse(a,
                                   "{static:password={PLAIN}pw uid=1 gid=2 "
                                   "home=/h/%u quota=9}",
                                   false, &s, &why),
                     OK);
    assert_str(s.at[0].user.password, S("{PLAIN}pw"));
    assert_int_equal(sources_parse(a,
                                   "{static:nopassword uid=1 home=/h/%u q=9}",
                                   true, &s, &why),
                     OK);
    assert_true(s.at[0].nopassword);
    assert_string_equal(shown(a, &s.at[0].user, false),
                        "uid=1 home=/h/al@x.test ");
    assert_string_equal(shown(a, &s.at[0].user, true), "q=9 ");
    arena_free(a);
}

/* Users who do not exist get what most have, each digest for itself. */
static void
rounds(void **state)
{
    static const char text[] = "a:{SCRAM-SHA-256}4096,c2FsdA==,AA==,AA==\n"
                               "b:{SCRAM-SHA-256}20000,c2FsdA==,AA==,AA==\n"
                               "c:{scram-sha-256}4096,c2FsdA==,AA==,AA==\n"
                               "d:{SCRAM-SHA-1}x,c2FsdA==,AA==,AA==\n"
                               "e:{SHA256}AAAA\n";
    static const char list[] = "{static:password={PLAIN}x}";
    struct arena *a = arena_new("test", 1 << 20);
    char path[] = "/tmp/posta-source-XXXXXX";
    auto_close int fd = mkstemp(path);
    struct sources s;
    struct why why;

    (void)state;
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    assert_int_equal(
        sources_parse(a, arena_fmt(a, "passwd-file:%s %s", path, list), false,
                      &s, &why),
        OK);
    sources_open(&s);
    assert_int_equal(sources_rounds(&s, sasl_mech_find(S("SCRAM-SHA-256"))),
                     4096);
    assert_int_equal(
        sources_rounds(&s, sasl_mech_find(S("SCRAM-SHA-256-PLUS"))), 4096);
    assert_int_equal(sources_rounds(&s, sasl_mech_find(S("SCRAM-SHA-1"))),
                     SCHEME_SCRAM_ROUNDS);
    assert_int_equal(sources_parse(a, "pam", false, &s, &why), OK);
    assert_int_equal(sources_rounds(&s, sasl_mech_find(S("SCRAM-SHA-1"))), 0);
    unlink(path);
    arena_free(a);
}

TESTS(TEST(lists), TEST(fields), TEST(statics), TEST(rounds))
