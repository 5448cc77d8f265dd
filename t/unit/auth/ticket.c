#include "auth/ticket.h"

#include <string.h>

#include "unit/test.h"

static const unsigned char key[TICKET_KEY] = "0123456789abcdef0123456789abcde";
static const unsigned char other[TICKET_KEY] =
    "1123456789abcdef0123456789abcde";

#define NOW 1700000000

static struct arena *
begin(struct str *text)
{
    struct arena *a = arena_new("test", 1 << 20);

    *text = ticket_make(a, key, NOW, S("imap"), S("anna@example.org"),
                        S("uid=1\tgid=2\thome=/h"));
    return a;
}

static void
opens_again(void **state)
{
    struct str text;
    struct arena *a = begin(&text);
    struct ticket t;
    struct why why;

    (void)state;
    assert_int_equal(ticket_open(a, key, NOW + 30, S("imap"), text, &t, &why),
                     OK);
    assert_str(t.user, S("anna@example.org"));
    assert_str(t.fields, S("uid=1\tgid=2\thome=/h"));
    arena_free(a);
}

static void
only_with_its_key_in_its_time_for_its_service(void **state)
{
    struct str text;
    struct arena *a = begin(&text);
    struct ticket t;
    struct why why;

    (void)state;
    assert_int_equal(ticket_open(a, other, NOW, S("imap"), text, &t, &why),
                     PERM);
    assert_int_equal(
        ticket_open(a, key, NOW + TICKET_LIFE + 1, S("imap"), text, &t, &why),
        PERM);
    assert_int_equal(ticket_open(a, key, NOW - 1000, S("imap"), text, &t, &why),
                     PERM);
    assert_int_equal(ticket_open(a, key, NOW, S("pop3"), text, &t, &why), PERM);
    arena_free(a);
}

/* Whichever character is another, it is refused. */
static void
no_byte_can_be_changed(void **state)
{
    struct str text;
    struct arena *a = begin(&text);
    struct ticket t;
    struct why why;

    (void)state;
    for (size_t i = 0; i < text.len; i++) {
        char *copy = arena_cstr(a, text);

        copy[i] = copy[i] == 'A' ? 'B' : 'A';
        struct str changed = {copy, text.len};

        assert_int_equal(ticket_open(a, key, NOW, S("imap"), changed, &t, &why),
                         PERM);
        assert_int_equal(
            ticket_open(a, key, NOW, S("imap"), str_sub(text, 0, i), &t, &why),
            PERM);
    }
    arena_free(a);
}

TESTS(TEST(opens_again), TEST(only_with_its_key_in_its_time_for_its_service),
      TEST(no_byte_can_be_changed))
