#include "mail/imap_reply.h"

#include "unit/scratch.h"

static struct imap_reply
parsed(const char *text)
{
    struct imap_reply r;

    if (!imap_reply_parse(scratch, str_from(text), &r))
        fail_msg("%s", text);
    return r;
}

static void
statuses(void **state)
{
    struct imap_reply r;
    uint32_t n;

    (void)state;
    r = parsed("a1 OK [READ-ONLY] done");
    assert_int_equal(r.kind, IMAP_OK);
    assert_str(r.tag, S("a1"));
    assert_str(r.code, S("READ-ONLY"));
    assert_str(r.text, S("done"));
    r = parsed("* ok [UIDVALIDITY 77] x");
    assert_true(imap_reply_code(r.code, S("uidvalidity"), &n));
    assert_int_equal(n, 77);
    assert_false(imap_reply_code(r.code, S("UIDNEXT"), &n));
    r = parsed("* NO");
    assert_int_equal(r.kind, IMAP_NO);
    r = parsed("+ go on");
    assert_int_equal(r.kind, IMAP_GO_ON);
    assert_str(r.text, S("go on"));
    r = parsed("* 23 EXISTS");
    assert_int_equal(r.kind, IMAP_EXISTS);
    assert_int_equal(r.number, 23);
    r = parsed("* CAPABILITY IMAP4rev1 AUTH=PLAIN");
    assert_true(imap_reply_has(r.text, S("auth=plain")));
    assert_false(imap_reply_has(r.text, S("AUTH")));
    assert_int_equal(parsed("* SEARCH 1 2").kind, IMAP_OTHER);
    assert_int_equal(parsed("* 3 EXPUNGE").kind, IMAP_OTHER);
}

static void
folders(void **state)
{
    struct imap_reply r = parsed("* LIST (\\Sent \\HasNoChildren) \".\" "
                                 "\"a \\\"b\\\\\"");
    struct str prefix;
    char d;

    (void)state;
    assert_int_equal(r.kind, IMAP_LIST);
    assert_str(r.list.attributes, S("\\Sent \\HasNoChildren"));
    assert_int_equal(r.list.delimiter, '.');
    assert_str(r.list.name, S("a \"b\\"));
    r = parsed("* LSUB () NIL {5}\r\na\r\nb)");
    assert_int_equal(r.kind, IMAP_LSUB);
    assert_int_equal(r.list.delimiter, 0);
    assert_str(r.list.name, S("a\r\nb)"));
    assert_str(parsed("* LIST () \"/\" nil").list.name, S("nil"));
    assert_true(imap_reply_namespace(
        scratch, S("((\"INBOX.\" \".\")(\"x\" \"/\")) NIL NIL"), &prefix, &d));
    assert_str(prefix, S("INBOX."));
    assert_int_equal(d, '.');
    assert_false(imap_reply_namespace(scratch, S("NIL NIL NIL"), &prefix, &d));
}

static void
fetched(void **state)
{
    struct imap_reply r =
        parsed("* 12 FETCH (FLAGS (\\Seen work) X-Y (a (b \")\") {1}\r\n)) "
               "BODY[] {3}\r\na\r\n UID 5 INTERNALDATE \"17-Jul-1996\")");

    (void)state;
    assert_int_equal(r.kind, IMAP_FETCH);
    assert_int_equal(r.fetch.uid, 5);
    assert_true(r.fetch.flagged && r.fetch.body);
    assert_str(r.fetch.flags, S("\\Seen work"));
    assert_str(r.fetch.bytes, S("a\r\n"));
    assert_str(r.fetch.date, S("17-Jul-1996"));
    r = parsed("* 1 FETCH (BODY[] NIL BODY[HEADER.FIELDS (A B)] \"\")");
    assert_true(r.fetch.body && r.fetch.bytes.p == NULL);
    r = parsed("* 1 FETCH ()");
    assert_false(r.fetch.flagged);
}

static void
broken(void **state)
{
    static const char *const cases[] = {
        "",
        " x",
        "a1 WHAT",
        "* LIST",
        "* LIST (",
        "* LIST () \"ab\" x",
        "* LIST () \".\" ",
        "* LIST () \".\" \"",
        "* LIST () \".\" {5}\r\nabc",
        "* LIST () \".\" {99999999999999999999}\r\nabc",
        "* 1 FETCH (UID 0)",
        "* 1 FETCH (UID 4294967296)",
        "* 1 FETCH (UID)",
        "* 1 FETCH (FLAGS (a)",
        "* 1 FETCH (BODY[] {3}abc)",
        "* 1 FETCH (X \"abc)",
        "* 1 FETCH (X \"abc\\",
    };
    struct imap_reply r;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (imap_reply_parse(scratch, str_from(cases[i]), &r))
            fail_msg("%s", cases[i]);
}

static void
announced(void **state)
{
    uint64_t size = 0;
    bool body = true;

    (void)state;
    assert_true(imap_reply_literal(S("* LIST () NIL {12}"), &size, &body));
    assert_int_equal(size, 12);
    assert_false(body);
    assert_true(imap_reply_literal(S("* 1 FETCH (body[] ~{0}"), &size, &body));
    assert_true(body && size == 0);
    assert_false(imap_reply_literal(S("* OK {12+}"), &size, &body));
    assert_false(imap_reply_literal(S("* OK 12}"), &size, &body));
    assert_false(imap_reply_literal(S("* OK {}"), &size, &body));
    assert_false(imap_reply_literal(S("}"), &size, &body));
}

TESTS_WITHIN(scratch_make, scratch_free, TEST(statuses), TEST(folders),
             TEST(fetched), TEST(broken), TEST(announced))
