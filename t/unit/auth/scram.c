#include "auth/scram.h"

#include "unit/scratch.h"

/* As Dovecot 2.3.19 keeps "pencil". */
#define KEPT                                                                   \
    "4096,PTwGWnWiq/omQ5H4VbFd/Q==,HZooZfNadaiCQwEp7Q2SkYio72s=,"              \
    "VORh3HF3j8CoLdX/P4U62ZANH7I="

static void
keys(void **state)
{
    struct scram_keys kept, made;
    struct buf b = buf_in(scratch);

    (void)state;
    assert_true(scram_keys_parse(scratch, DIGEST_SHA1, S(KEPT), &kept));
    assert_int_equal(kept.rounds, 4096);
    assert_int_equal(kept.salt_len, 16);
    made = kept;
    memset(made.stored, 0, sizeof made.stored);
    scram_keys_make(DIGEST_SHA1, S("pencil"), &made);
    assert_memory_equal(made.stored, kept.stored, 20);
    assert_memory_equal(made.server, kept.server, 20);
    scram_keys_print(&b, DIGEST_SHA1, &made);
    assert_str(buf_str(&b), S(KEPT));
}

static void
no_keys(void **state)
{
    static const char *const cases[] = {
        "",
        "4096",
        "4096,PTwGWnWiq/omQ5H4VbFd/Q==,HZooZfNadaiCQwEp7Q2SkYio72s=",
        KEPT ",more",
        "0" KEPT "=",
        "x,PTwGWnWiq/omQ5H4VbFd/Q==,HZooZfNadaiCQwEp7Q2SkYio72s=,"
        "VORh3HF3j8CoLdX/P4U62ZANH7I=",
        "2000001,PTwGWnWiq/omQ5H4VbFd/Q==,HZooZfNadaiCQwEp7Q2SkYio72s=,"
        "VORh3HF3j8CoLdX/P4U62ZANH7I=",
        "4096,####,HZooZfNadaiCQwEp7Q2SkYio72s=,VORh3HF3j8CoLdX/P4U62ZANH7I=",
        "4096,PTwGWnWiq/omQ5H4VbFd/Q==,HZoo,VORh3HF3j8CoLdX/P4U62ZANH7I=",
        "4096,PTwGWnWiq/omQ5H4VbFd/Q==,HZooZfNadaiCQwEp7Q2SkYio72s=,YWJj",
    };
    struct scram_keys k;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (scram_keys_parse(scratch, DIGEST_SHA1, str_from(cases[i]), &k))
            fail_msg("%s", cases[i]);
    /* The keys of another hash. */
    assert_false(scram_keys_parse(scratch, DIGEST_SHA256, S(KEPT), &k));
}

static void
invented(void **state)
{
    struct scram_keys first, second, other;

    (void)state;
    scram_keys_invent(DIGEST_SHA256, S("secret"), S("tim"), 4096, &first);
    scram_keys_invent(DIGEST_SHA256, S("secret"), S("tim"), 4096, &second);
    assert_int_equal(first.salt_len, 16);
    assert_memory_equal(first.salt, second.salt, 16);
    assert_memory_not_equal(first.stored, second.stored, 32);
    scram_keys_invent(DIGEST_SHA256, S("secret"), S("ann"), 4096, &other);
    assert_memory_not_equal(first.salt, other.salt, 16);
    scram_keys_invent(DIGEST_SHA256, S("another"), S("tim"), 4096, &other);
    assert_memory_not_equal(first.salt, other.salt, 16);
}

static void
attributes(void **state)
{
    struct str rest = S("n=tim,r=a=b,p="), value;

    (void)state;
    assert_false(scram_attribute(&rest, 'r', &value));
    assert_true(scram_attribute(&rest, 'n', &value));
    assert_str(value, S("tim"));
    assert_true(scram_attribute(&rest, 'r', &value));
    assert_str(value, S("a=b"));
    assert_true(scram_attribute(&rest, 'p', &value));
    assert_str(value, S(""));
    assert_false(scram_attribute(&rest, 'p', &value));
}

static void
names(void **state)
{
    struct buf b = buf_in(scratch);
    struct str name;

    (void)state;
    scram_name_encode(&b, S("a,b=c"));
    assert_str(buf_str(&b), S("a=2Cb=3Dc"));
    assert_true(scram_name_decode(scratch, buf_str(&b), &name));
    assert_str(name, S("a,b=c"));
    assert_false(scram_name_decode(scratch, S("a=2c"), &name));
    assert_false(scram_name_decode(scratch, S("a="), &name));
    assert_false(scram_name_decode(scratch, S("a=41"), &name));
}

TESTS(SCRATCH_TEST(keys), SCRATCH_TEST(no_keys), SCRATCH_TEST(invented),
      SCRATCH_TEST(attributes), SCRATCH_TEST(names))
