/* The login stage's side of authd: a service that says what it is told to, in
 * the same loop. */
#include "access/auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/sock.h"
#include "unit/test.h"
#include "unit/turn.h"

#define GREETING                                                               \
    "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tX-OWN\n"                     \
    "MECH\tEXTERNAL\tprivate\nMECH\tSCRAM-SHA-256-PLUS\tprivate\nDONE\n"

static struct {
    char folder[32], path[64];
    struct loop *loop;
    struct auth *auth;
    int listener, link;
    char got[8192]; /* what it was told */
} test;

struct exchange {
    struct auth_call *call;
    int challenges, ends;
    char challenge[64];
    bool good;
    char user[64], ticket[64], reason[64];
    enum dovecot_code code;
};

static void
keep(char to[64], struct str s)
{
    snprintf(to, 64, "%.*s", STR(s));
}

static void
challenged(void *own, struct str data)
{
    struct exchange *x = own;

    x->challenges++;
    keep(x->challenge, data);
}

static void
done(void *own, const struct auth_result *r)
{
    struct exchange *x = own;

    x->ends++;
    x->call = NULL;
    x->good = r->good;
    x->code = r->code;
    keep(x->user, r->user);
    keep(x->ticket, r->ticket);
    keep(x->reason, r->reason);
}

static void
begin(struct exchange *x)
{
    static const struct auth_user user = {challenged, done};
    struct dovecot_request r = {.mech = S("PLAIN"), .service = S("imap")};

    *x = (struct exchange){0};
    x->call = auth_begin(test.auth, &r, &user, x);
}

static void
say(const char *text)
{
    size_t len = strlen(text);

    if (test.link < 0)
        test.link = accept4(test.listener, NULL, NULL, SOCK_NONBLOCK);
    assert_true(test.link >= 0);
    assert_int_equal(write(test.link, text, len), len);
    turn_loop(test.loop);
}

static const char *
told(void)
{
    turn_loop(test.loop);
    ssize_t n = read(test.link, test.got, sizeof test.got - 1);

    test.got[n > 0 ? n : 0] = '\0';
    return test.got;
}

static void
hang_up(void)
{
    if (test.link >= 0)
        close(test.link);
    test.link = -1;
    turn_loop(test.loop);
}

/* Connected, but nothing has been said yet. */
static void
start(void)
{
    strcpy(test.folder, "/tmp/posta-unit-XXXXXX");
    assert_non_null(mkdtemp(test.folder));
    snprintf(test.path, sizeof test.path, "%s/authd", test.folder);
    test.listener =
        sock_listen_unix(test.path, SOCK_STREAM | SOCK_NONBLOCK, 0600);
    assert_true(test.listener >= 0);
    test.link = -1;
    test.loop = loop_new();
    test.auth = auth_new(test.loop, test.path);
    auth_wake(test.auth);
}

static void
start_up(void)
{
    start();
    turn_loop(test.loop);
    say(GREETING);
    assert_ptr_equal(strstr(told(), "VERSION\t1\t"), test.got);
}

static void
finish(void)
{
    auth_free(test.auth);
    loop_free(test.loop);
    close(test.link);
    close(test.listener);
    unlink(test.path);
    rmdir(test.folder);
}

static void
offers_what_both_know(void **state)
{
    (void)state;
    start_up();
    assert_string_equal(auth_mech(test.auth, 0)->name, "PLAIN");
    assert_string_equal(auth_mech(test.auth, 1)->name, "SCRAM-SHA-256-PLUS");
    assert_null(auth_mech(test.auth, 2));

    /* Until it comes back, what it offered last is as good as any. */
    hang_up();
    assert_non_null(auth_mech(test.auth, 1));
    finish();
}

static void
tells_how_it_ended(void **state)
{
    static const struct {
        const char *verb, *fields;
        bool good;
        const char *user, *ticket, *reason;
        enum dovecot_code code;
    } cases[] = {
        {"OK",   "user=al\tticket=x=y",                    true,  "al",   "x=y", "", 0               },
        {"OK",   "user=al\tnologin",                       false, "al",   "",    "", DOVECOT_DISABLED},
        {"FAIL", "user=al\tcode=user_disabled\treason=no", false, "al",   "",
         "no",                                                                       DOVECOT_DISABLED},
        {"FAIL", "temp",                                   false, "",     "",    "", DOVECOT_TEMP    },
        {"FAIL", "user=a\001tb",                           false, "a\tb", "",    "", 0               },
    };

    (void)state;
    start_up();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct exchange x;
        char text[128];
        unsigned id;

        begin(&x);
        assert_int_equal(sscanf(told(), "AUTH\t%u\tPLAIN\t", &id), 1);
        snprintf(text, sizeof text, "%s\t%u\t%s\n", cases[i].verb, id,
                 cases[i].fields);
        say(text);
        assert_int_equal(x.ends, 1);
        assert_int_equal(x.good, cases[i].good);
        assert_string_equal(x.user, cases[i].user);
        assert_string_equal(x.ticket, cases[i].ticket);
        assert_string_equal(x.reason, cases[i].reason);
        assert_int_equal(x.code, cases[i].code);
    }
    finish();
}

static void
many_at_once(void **state)
{
    struct exchange a, b, c;

    (void)state;
    start_up();
    begin(&a);
    begin(&b);
    begin(&c);
    (void)told();
    say("CONT\t2\taGVsbG8=\nOK\t3\tuser=c\n");
    assert_string_equal(b.challenge, "hello");
    assert_true(c.good);
    assert_int_equal(a.ends + b.ends, 0);
    auth_continue(b.call, S("yes"));
    auth_cancel(a.call);
    assert_non_null(strstr(told(), "CONT\t2\teWVz\n"));
    assert_non_null(strstr(test.got, "CANCEL\t1\n"));

    /* Late, for one that was cancelled; of nobody; and twice. */
    say("OK\t1\tuser=a\nOK\t77\tuser=x\nFAIL\t2\tuser=b\nFAIL\t2\tuser=b\n");
    assert_int_equal(a.ends, 0);
    assert_int_equal(b.ends, 1);
    finish();
}

/* What was not sent yet waits for the service; what was is lost with it. */
static void
comes_and_goes(void **state)
{
    struct exchange early, late;

    (void)state;
    start();
    begin(&early);
    turn_loop(test.loop);
    assert_int_equal(early.ends, 0);
    say(GREETING);
    assert_non_null(strstr(told(), "AUTH\t1\tPLAIN\t"));
    say("OK\t1\tuser=al\n");
    assert_true(early.good);

    begin(&late);
    (void)told();
    hang_up();
    assert_int_equal(late.ends, 1);
    assert_int_equal(late.code, DOVECOT_TEMP);
    finish();
}

static void
nonsense_ends_the_connection(void **state)
{
    static const char *const lines[] = {"OK\tx\n", "VERSION\t9\t9\n"};

    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct exchange x;

        start_up();
        begin(&x);
        (void)told();
        say(lines[i]);
        assert_int_equal(x.ends, 1);
        assert_int_equal(x.code, DOVECOT_TEMP);
        assert_int_equal(read(test.link, test.got, 1), 0);
        finish();
    }
}

TESTS(TEST(offers_what_both_know), TEST(tells_how_it_ended), TEST(many_at_once),
      TEST(comes_and_goes), TEST(nonsense_ends_the_connection))
