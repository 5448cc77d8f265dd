#include "dns/answer.h"

#include "unit/scratch.h"

/* A packet made step by step. */
struct made {
    unsigned char p[4096];
    size_t len;
};

static void
u16(struct made *m, unsigned v)
{
    m->p[m->len++] = (unsigned char)(v >> 8);
    m->p[m->len++] = (unsigned char)v;
}

static void
label_name(struct made *m, const char *dotted)
{
    struct str rest = str_from(dotted), label;

    while (rest.len > 0) {
        str_cut(&rest, '.', &label);
        m->p[m->len++] = (unsigned char)label.len;
        memcpy(m->p + m->len, label.p, label.len);
        m->len += label.len;
    }
    m->p[m->len++] = 0;
}

static struct made
start(const char *name, unsigned type, unsigned flags, unsigned answers,
      unsigned authorities)
{
    struct made m = {.len = 0};

    u16(&m, 7);
    u16(&m, 0x8180 | flags);
    u16(&m, 1);
    u16(&m, answers);
    u16(&m, authorities);
    u16(&m, 0);
    label_name(&m, name);
    u16(&m, type);
    u16(&m, 1);
    return m;
}

static void
record(struct made *m, const char *owner, unsigned type, unsigned ttl,
       const void *data, size_t len)
{
    if (owner)
        label_name(m, owner);
    else
        u16(m, 0xc00c); /* the question's name */
    u16(m, type);
    u16(m, 1);
    u16(m, 0);
    u16(m, ttl);
    u16(m, (unsigned)len);
    memcpy(m->p + m->len, data, len);
    m->len += len;
}

static void
host_record(struct made *m, const char *owner, unsigned type, int pref,
            const char *host)
{
    struct made data = {.len = 0};

    if (pref >= 0)
        u16(&data, (unsigned)pref);
    label_name(&data, host);
    record(m, owner, type, 300, data.p, data.len);
}

static struct dns_answer answer;
static bool more;

static bool
parse(const struct made *m, const char *name, enum dns_type type)
{
    return answer_parse((struct str){(const char *)m->p, m->len},
                        str_from(name), type, scratch, &answer, &more);
}

static void
mx(void **state)
{
    struct made m = start("Example.org", DNS_MX, 0x20, 2, 0);

    (void)state;
    host_record(&m, NULL, DNS_MX, 20, "MX2.example.org");
    host_record(&m, "example.ORG", DNS_MX, 10, "mx1.example.org");
    assert_true(parse(&m, "example.org", DNS_MX));
    assert_int_equal(answer.state, DNS_FOUND);
    assert_int_equal(answer.count, 2);
    assert_true(answer.secure);
    assert_int_equal(answer.records[0].pref, 20);
    assert_true(str_eq(answer.records[0].host, S("mx2.example.org")));
    assert_int_equal(answer.ttl, 300);
}

static void
null_mx(void **state)
{
    struct made m = start("a.test", DNS_MX, 0, 1, 0);

    (void)state;
    host_record(&m, NULL, DNS_MX, 0, "");
    assert_true(parse(&m, "a.test", DNS_MX));
    assert_int_equal(answer.count, 1);
    assert_int_equal(answer.records[0].host.len, 0);
}

static void
aliases(void **state)
{
    struct made m = start("a.test", DNS_A, 0, 3, 0);

    (void)state;
    host_record(&m, NULL, DNS_CNAME, -1, "b.test");
    record(&m, "c.test", DNS_A, 60, "\1\2\3\4", 4);
    host_record(&m, "b.test", DNS_CNAME, -1, "c.test");
    assert_true(parse(&m, "a.test", DNS_A));
    assert_int_equal(answer.state, DNS_FOUND);
    assert_true(str_eq(answer.name, S("c.test")));
    assert_int_equal(answer.ttl, 60);
    assert_memory_equal(answer.records[0].data.p, "\1\2\3\4", 4);

    m = start("a.test", DNS_A, 0, 1, 0);
    host_record(&m, NULL, DNS_CNAME, -1, "elsewhere.test");
    assert_true(parse(&m, "a.test", DNS_A));
    assert_true(more);
    assert_true(str_eq(answer.name, S("elsewhere.test")));
}

static void
alias_loop(void **state)
{
    struct made m = start("a.test", DNS_A, 0, 2, 0);

    (void)state;
    host_record(&m, NULL, DNS_CNAME, -1, "b.test");
    host_record(&m, "b.test", DNS_CNAME, -1, "a.test");
    assert_true(parse(&m, "a.test", DNS_A));
    assert_int_equal(answer.state, DNS_LOOP);
    assert_false(more);
}

static void
denials(void **state)
{
    static const char soa[] = "\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\x2a";
    struct made m = start("a.test", DNS_A, 3, 0, 1);

    (void)state;
    record(&m, "test", DNS_SOA, 900, soa, 22);
    assert_true(parse(&m, "a.test", DNS_A));
    assert_int_equal(answer.state, DNS_NXDOMAIN);
    assert_int_equal(answer.ttl, 42);
    m = start("a.test", DNS_A, 0, 0, 0);
    assert_true(parse(&m, "a.test", DNS_A));
    assert_int_equal(answer.state, DNS_NODATA);
    assert_int_equal(answer.ttl, 5);
    m = start("a.test", DNS_A, 2, 0, 0);
    assert_true(parse(&m, "a.test", DNS_A));
    assert_int_equal(answer.state, DNS_FAILED);
}

static void
text_strings(void **state)
{
    struct made m = start("a.test", DNS_TXT, 0, 2, 0);

    (void)state;
    record(&m, NULL, DNS_TXT, 1, "\3v=s\4pf1 ", 9);
    record(&m, NULL, DNS_TXT, 1, "\x20short", 6);
    assert_true(parse(&m, "a.test", DNS_TXT));
    assert_int_equal(answer.count, 1);
    assert_true(str_eq(answer.records[0].data, S("v=spf1 ")));
}

static void
odd_names(void **state)
{
    struct made m = start("a.test", DNS_MX, 0, 2, 0);

    (void)state;
    host_record(&m, NULL, DNS_MX, 1, "bad host.test");
    host_record(&m, NULL, DNS_MX, 1, "10.0.0.1");
    assert_true(parse(&m, "a.test", DNS_MX));
    assert_int_equal(answer.state, DNS_INVALID);
}

/* Pointers that lead forward, to themselves, or out of the packet. */
static void
hostile_pointers(void **state)
{
    static const unsigned targets[] = {0xc000 + 29, 0xc000 + 200, 0xffff};

    (void)state;
    for (size_t i = 0; i < COUNT(targets); i++) {
        struct made m = start("a.test", DNS_MX, 0, 1, 0);

        u16(&m, targets[i]);
        u16(&m, DNS_MX);
        m.len += 20;
        assert_false(parse(&m, "a.test", DNS_MX));
        assert_int_equal(answer.state, DNS_FAILED);
        assert_int_equal(answer.count, 0);
    }
}

static void
cut_short(void **state)
{
    struct made whole = start("a.test", DNS_MX, 0, 1, 0);

    (void)state;
    host_record(&whole, NULL, DNS_MX, 1, "mx.test");
    for (size_t len = 0; len < whole.len; len++) {
        struct made m = whole;

        m.len = len;
        assert_false(parse(&m, "a.test", DNS_MX));
    }
}

static void
other_question(void **state)
{
    struct made m = start("a.test", DNS_MX, 0, 0, 0);

    (void)state;
    assert_false(parse(&m, "b.test", DNS_MX));
    assert_false(parse(&m, "a.test", DNS_A));
}

static void
questions(void **state)
{
    unsigned char p[DNS_QUERY_MAX];
    char label[70];

    (void)state;
    assert_int_equal(answer_ask(p, S("a.test"), DNS_MX, 0x1234),
                     12 + 8 + 4 + 11);
    assert_memory_equal(p, "\x12\x34\1\x20\0\1\0\0\0\0\0\1\1a\4test\0\0\x0f",
                        22);
    assert_int_equal(answer_ask(p, S("a.test."), DNS_MX, 1), 35);
    assert_int_equal(answer_ask(p, S("a..test"), DNS_MX, 1), 0);
    assert_int_equal(answer_ask(p, S(".a"), DNS_MX, 1), 0);
    memset(label, 'x', sizeof label);
    assert_int_equal(answer_ask(p, (struct str){label, 64}, DNS_MX, 1), 0);
    assert_int_equal(answer_ask(p, (struct str){label, 63}, DNS_MX, 1),
                     12 + 65 + 4 + 11);
}

static void
host_names(void **state)
{
    static const struct {
        const char *name;
        bool valid;
    } cases[] = {
        {"a.b-c.test",    true },
        {"a_b.test",      true },
        {"a.test.",       true },
        {"",              false},
        {".",             false},
        {"a..b",          false},
        {"-a.test",       false},
        {"a-.test",       false},
        {"10.1",          false},
        {"a b",           false},
        {"1.test",        true },
        {"\xc3\xa9.test", true },
        {"a.test..",      false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(dns_valid_host(str_from(cases[i].name)),
                         cases[i].valid);
}

TESTS_WITHIN(scratch_make, scratch_free, TEST(mx), TEST(null_mx), TEST(aliases),
             TEST(alias_loop), TEST(denials), TEST(text_strings),
             TEST(odd_names), TEST(hostile_pointers), TEST(cut_short),
             TEST(other_question), TEST(questions), TEST(host_names))
