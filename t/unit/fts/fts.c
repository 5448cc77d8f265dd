#include "fts/fts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fts/ask.h"
#include "mail/casemap.h"
#include "unit/test.h"

#define DOCS  400
#define TEXTS 4

static const struct segment_folder folder = {
    {1, 2, 3},
    77, 5
};

/* What words are made of: much the same, so that they are found. */
static const char *const syllables[] = {"a",
                                        "b",
                                        "an",
                                        "ban",
                                        "ing",
                                        "1",
                                        "22",
                                        "\xc3\xa9",
                                        "\xc3\x9f",
                                        "ss",
                                        "I\xcc\x87",
                                        "\xc4\xb1",
                                        "\xd0\xb6",
                                        "\xe6\xbc\xa2",
                                        "\xe5\xad\x97",
                                        "\xe3\x81\x82",
                                        "\xef\xac\x81",
                                        "\xe1\x84\x80",
                                        "\xf0\xa0\x80\x80",
                                        "\xf0\x9f\x98\x80",
                                        "\xe0\xb8\x81",
                                        "\xef\xbf\xbd"};
static const char *const between[] = {
    " ", "-", ", ", "\r\n", ".", "@", "\xe2\x80\x99", "", "\t", "\xe3\x80\x82"};

static struct world {
    struct arena *a;
    char path[64];
    struct fts *fts;
    struct {
        enum fts_area area;
        struct str mapped;
    } text[DOCS][TEXTS];
} w;

static size_t
dice(size_t n)
{
    return (size_t)rand() % n;
}

static struct str
random_text(size_t words)
{
    struct buf b = buf_in(w.a);

    for (size_t i = 0; i < words; i++) {
        /* Now and then what is no word. */
        size_t parts = dice(12) ? 1 + dice(4) : 20 + dice(60);

        for (size_t k = 0; k < parts; k++)
            buf_add(&b, str_from(syllables[dice(COUNT(syllables))]));
        buf_add(&b, str_from(between[dice(COUNT(between))]));
        if (dice(300) == 0)
            buf_addc(&b, '\0');
    }
    return casemap(w.a, buf_str(&b));
}

static void
begin(void)
{
    memset(&w, 0, sizeof w);
    w.a = arena_new("test", (size_t)512 << 20);
    snprintf(w.path, sizeof w.path, "/tmp/posta-fts-XXXXXX");
    assert_non_null(mkdtemp(w.path));
    w.fts = fts_open(w.path);
}

static void
end(void)
{
    fts_close(w.fts);
    assert_int_equal(system(arena_fmt(w.a, "rm -r '%s'", w.path)), 0);
    arena_free(w.a);
}

static void
put_doc(struct builder *b, uint32_t i)
{
    builder_begin(b, i + 1, i * 10);
    for (size_t t = 0; t < TEXTS; t++) {
        struct str rest = w.text[i][t].mapped;

        if (rest.p == NULL) {
            w.text[i][t].area = (enum fts_area)dice(FTS_AREAS);
            rest = w.text[i][t].mapped = random_text(dice(12));
        }
        builder_text(b, w.text[i][t].area);
        while (rest.len > 0) {
            size_t len = 1 + dice(rest.len);

            while (len < rest.len && (rest.p[len] & 0xc0) == 0x80)
                len++;
            builder_put(b, str_sub(rest, 0, len));
            rest = str_sub(rest, len, rest.len);
        }
    }
    builder_end(b);
}

static struct fts_name
write_out(struct builder *b)
{
    auto_close int lock = fts_lock(w.fts);
    auto_close int dir = lock < 0 ? -1 : fts_dir(w.fts, &folder);
    struct fts_name name = fts_name_new();
    struct why why;
    bool done = false;

    assert_true(dir >= 0);
    while (!done)
        assert_int_equal(builder_write(b, dir, name.text, &done, &why), OK);
    builder_free(b);
    return name;
}

/* Every third message in another segment, and one in two. */
static void
build(void)
{
    for (uint32_t part = 0; part < 3; part++) {
        struct builder *b = builder_new(&folder);

        for (uint32_t i = 0; i < DOCS; i++)
            if (i % 3 == part || i == 17)
                put_doc(b, i);
        write_out(b);
    }
}

static bool
has(uint32_t doc, struct str key, unsigned areas)
{
    for (size_t t = 0; t < TEXTS; t++)
        if (areas & 1u << w.text[doc][t].area &&
            str_search(w.text[doc][t].mapped, key) >= 0)
            return true;
    return false;
}

/* Some text of a message, or something that may be in none. */
static struct str
random_key(void)
{
    struct str from = w.text[dice(DOCS)][dice(TEXTS)].mapped;
    size_t at, len;

    if (dice(5) == 0 || from.len == 0)
        return random_text(1 + dice(2));
    at = dice(from.len);
    len = 1 + dice(dice(4) ? 8 : 60);
    while (at > 0 && (from.p[at] & 0xc0) == 0x80)
        at--;
    while (at + len < from.len && (from.p[at + len] & 0xc0) == 0x80)
        len++;
    return str_sub(from, at, len);
}

static void
check_key(struct fts_set *set, struct str key, unsigned areas, size_t *sure)
{
    struct fts_ask ask;
    size_t hint = 0;

    fts_ask_begin(&ask, w.a, set, key, areas);
    while (fts_ask_step(&ask))
        ;
    for (uint32_t i = 0; i < DOCS; i++) {
        const struct fts_place *p = fts_set_find(set, i + 1, i * 10, &hint);

        assert_non_null(p);

        enum fts_says says = fts_ask_says(&ask, p);
        bool had = has(i, key, areas);

        if ((says == FTS_YES && !had) || (says == FTS_NO && had))
            fail_msg("message %u, areas %u: \"%.*s\"", i, areas, STR(key));
        *sure += says != FTS_PERHAPS;
    }
}

/* Compared with a plain search. */
static void
says_what_is_there(void **state)
{
    size_t sure = 0;

    (void)state;
    for (unsigned round = 0; round < 5; round++) {
        srand(round);
        begin();
        build();

        struct fts_set *set = fts_set_open(w.fts, &folder);

        assert_int_equal(set->segments.len, 3);
        for (int i = 0; i < 400; i++)
            check_key(set, random_key(), 1 + (unsigned)dice(7), &sure);
        fts_set_close(set);
        end();
    }
    assert_true(sure > (size_t)5 * 400 * DOCS / 2);
}

static void
knows_messages_by_content(void **state)
{
    size_t hint = 0;

    (void)state;
    srand(1);
    begin();
    build();

    struct fts_set *set = fts_set_open(w.fts, &folder);
    struct segment_folder other = folder;

    assert_non_null(fts_set_find(set, 5, 40, &hint));
    assert_null(fts_set_find(set, 5, 41, &hint));
    assert_non_null(fts_set_find(set, 1, 0, &hint));
    assert_null(fts_set_find(set, DOCS + 1, DOCS * 10, &hint));
    fts_set_close(set);
    other.validity++;
    set = fts_set_open(w.fts, &other);
    assert_int_equal(set->segments.len, 0);
    fts_set_close(set);

    /* Texts are mapped in another way: all is to be made anew. */
    other = folder;
    other.version++;
    set = fts_set_open(w.fts, &other);
    assert_int_equal(set->segments.len, 0);
    fts_set_close(set);
    set = fts_set_open(w.fts, &folder);
    assert_int_equal(set->segments.len, 0);
    fts_set_close(set);
    end();
}

/* Any byte of a file is changed: it is found out, or does not matter. */
static void
finds_damage(void **state)
{
    (void)state;
    srand(2);
    begin();
    for (int i = 0; i < 60; i++) {
        struct builder *b = builder_new(&folder);

        for (uint32_t k = 0; k < 20; k++)
            put_doc(b, k);

        struct fts_name name = write_out(b);
        auto_close int dir = fts_dir(w.fts, &folder);
        auto_close int fd = openat(dir, name.text, O_RDWR | O_CLOEXEC);
        struct stat st;
        unsigned char c = 0;

        assert_int_equal(fstat(fd, &st), 0);
        off_t at = (off_t)dice(i < 30 ? 256 : (size_t)st.st_size);

        assert_int_equal(pread(fd, &c, 1, at), 1);
        c ^= (unsigned char)(1 + dice(255));
        assert_int_equal(pwrite(fd, &c, 1, at), 1);
        if (i % 10 == 0)
            assert_int_equal(ftruncate(fd, at), 0);

        struct fts_set *set = fts_set_open(w.fts, &folder);
        struct fts_ask ask;
        size_t hint = 0;

        fts_ask_begin(&ask, w.a, set, S("A"), 7);
        while (fts_ask_step(&ask))
            ;
        assert_null(fts_set_find(set, 1, 0, &hint));
        fts_set_close(set);

        /* It is removed by the next one who looks. */
        fts_set_close(fts_set_open(w.fts, &folder));
        assert_int_equal(faccessat(dir, name.text, F_OK, 0), -1);
    }
    end();
}

/* What has too many words, or was given up, is to be looked at. */
static void
knows_its_limits(void **state)
{
    (void)state;
    begin();

    struct builder *b = builder_new(&folder);

    builder_begin(b, 1, 1);
    builder_text(b, FTS_BODY);
    for (int i = 0; i < 400000; i++)
        builder_put(b, str_from(arena_fmt(w.a, "W%d ", i)));
    builder_end(b);
    builder_begin(b, 2, 2);
    builder_text(b, FTS_BODY);
    builder_put(b, S("GIVEN UP"));
    builder_forget(b);
    builder_begin(b, 3, 3);
    builder_text(b, FTS_BODY);
    builder_put(b, S("DONE"));
    builder_end(b);
    assert_int_equal(builder_count(b), 3);
    write_out(b);

    struct fts_set *set = fts_set_open(w.fts, &folder);
    struct fts_ask ask;
    size_t hint = 0;

    fts_ask_begin(&ask, w.a, set, S("W399999"), 1 << FTS_BODY);
    while (fts_ask_step(&ask))
        ;
    assert_int_equal(fts_ask_says(&ask, fts_set_find(set, 1, 1, &hint)),
                     FTS_PERHAPS);
    assert_null(fts_set_find(set, 2, 2, &hint));
    assert_int_equal(fts_ask_says(&ask, fts_set_find(set, 3, 3, &hint)),
                     FTS_NO);
    fts_set_close(set);
    end();
}

static void
knows_when_it_is_full(void **state)
{
    (void)state;
    begin();
    for (uint32_t docs = SEGMENT_DOCS_MAX - 1; docs <= SEGMENT_DOCS_MAX;
         docs++) {
        struct builder *b = builder_new(&folder);

        for (uint32_t i = 1; i <= docs; i++) {
            builder_begin(b, i, i);
            builder_text(b, FTS_BODY);
            builder_put(b, S("SAME"));
            builder_end(b);
        }
        write_out(b);
    }

    struct fts_set *set = fts_set_open(w.fts, &folder);

    assert_int_equal(set->segments.len, 2);
    assert_int_equal(set->count, 2 * SEGMENT_DOCS_MAX - 1);
    assert_int_equal(set->last, SEGMENT_DOCS_MAX);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(set->segments.at[i]->head->full,
                         set->segments.at[i]->count == SEGMENT_DOCS_MAX);

    struct fts_ask ask;
    size_t hint = 0;

    fts_ask_begin(&ask, w.a, set, S("SAM"), 1 << FTS_BODY);
    while (fts_ask_step(&ask))
        ;
    for (uint32_t i = 1; i <= SEGMENT_DOCS_MAX; i++)
        assert_int_equal(fts_ask_says(&ask, fts_set_find(set, i, i, &hint)),
                         FTS_YES);
    fts_set_close(set);
    end();
}

static void
one_writes_at_a_time(void **state)
{
    (void)state;
    begin();

    struct fts *other = fts_open(w.path);
    int lock = fts_lock(w.fts);

    assert_true(lock >= 0);
    assert_int_equal(fts_lock(other), -1);
    close(lock);
    lock = fts_lock(other);
    assert_true(lock >= 0);
    close(lock);
    fts_close(other);
    end();
}

static void
removes_what_is_nobodys(void **state)
{
    struct segment_folder other = folder;

    (void)state;
    srand(3);
    begin();
    build();
    other.guid[0]++;

    auto_close int dir = fts_dir(w.fts, &other);

    fts_tidy(w.fts, &folder, 1);
    assert_int_equal(system(arena_fmt(w.a, "test `ls %s | wc -l` = 2", w.path)),
                     0);
    fts_tidy(w.fts, NULL, 0);
    assert_int_equal(system(arena_fmt(w.a, "test `ls %s` = lock", w.path)), 0);
    end();
}

TESTS(TEST(says_what_is_there), TEST(knows_messages_by_content),
      TEST(finds_damage), TEST(knows_its_limits), TEST(knows_when_it_is_full),
      TEST(one_writes_at_a_time), TEST(removes_what_is_nobodys))
