#include "mail/section.h"

#include <stdlib.h>

#include "unit/messages.h"

static struct arena *arena;

static struct structure
structure_of(struct str message)
{
    struct structure s;
    struct str kept = structure_make(arena, message);

    assert_true(structure_read(arena, kept, message.len, &s));
    return s;
}

/* "1.2.HEADER.FIELDS_(a_b)" */
static struct section
read_section(struct str text)
{
    static const char *const names[] = {
        "", "HEADER", "HEADER.FIELDS", "HEADER.FIELDS.NOT", "TEXT", "MIME",
    };
    struct section s = {0};
    uint32_t *numbers = arena_alloc(arena, 64 * sizeof *numbers);
    struct str *fields = arena_alloc(arena, 64 * sizeof *fields), word;
    uint64_t n;

    while (text.len > 0 && is_digit(text.p[0])) {
        str_cut(&text, '.', &word);
        assert_true(str_num(word, &n));
        numbers[s.depth++] = (uint32_t)n;
    }
    s.numbers = numbers;
    s.fields = fields;
    str_cut(&text, '_', &word);
    for (size_t i = 0; i < COUNT(names); i++)
        if (str_eq(word, str_from(names[i])) || str_eq(word, S("-")))
            s.text = str_eq(word, S("-")) ? SECTION_ALL : (enum section_text)i;
    while (str_word(&text, "_()", &word))
        fields[s.count++] = word;
    return s;
}

/* All of a run, in pieces of that size. */
static struct str
text_of(struct run run, size_t piece)
{
    struct buf b = buf_in(arena);
    size_t n;

    while ((n = run_read(&run, buf_space(&b, piece), piece)) > 0)
        b.len += n;
    return buf_str(&b);
}

static struct str
spans_of(struct run run)
{
    struct buf b = buf_in(arena);
    struct str span;

    while (run_next(&run, &span)) {
        assert_true(span.len > 0);
        buf_add(&b, span);
    }
    return buf_str(&b);
}

static void
is_what_others_say(void **state)
{
    struct str list, name, rest;
    unsigned seen = 0, wrong = 0;

    (void)state;
    arena = arena_new("test", (size_t)256 << 20);
    list = message_file(arena, S("sections.txt"));
    while (next_wanted(&list, &name, &rest)) {
        struct str message = message_file(arena, name), section;
        struct structure s = structure_of(message);
        struct run run;

        str_cut(&rest, ' ', &section);

        struct section wanted = read_section(section);

        (void)section_find(arena, message, &s, &wanted, &run);

        struct str got = text_of(run, 7);

        assert_int_equal(got.len, run.size);
        assert_str(spans_of(run), got);
        if (!str_eq(escaped(arena, got), rest)) {
            print_error("%.*s %.*s:\n got %.*s\nwant %.*s\n", STR(name),
                        STR(section), STR(escaped(arena, got)), STR(rest));
            wrong++;
        }
        seen++;
    }
    assert_true(seen > 140);
    assert_int_equal(wrong, 0);
    arena_free(arena);
}

/* Every part of every partial fetch is that part of the whole. */
static void
cuts(void **state)
{
    static const char *const names[] = {
        "plain", "mixed-ends", "nul", "bare-cr", "nested", "lf-only-body"};

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        arena = arena_new("test", (size_t)1 << 30);

        struct str message = message_file(arena, str_from(names[i]));
        struct structure s = structure_of(message);
        struct section all = {0};
        struct run run;

        assert_true(section_find(arena, message, &s, &all, &run));

        struct str whole = spans_of(run);

        for (size_t from = 0; from <= whole.len + 1; from++)
            for (size_t count = 1; count < 5; count++) {
                struct run part = run;

                run_cut(&part, message, &s, from, count);
                assert_str(text_of(part, 2), str_sub(whole, from, count));
                assert_str(spans_of(part), str_sub(whole, from, count));
            }
        arena_free(arena);
    }
}

/* Over many marks: random lines with either line end, random cuts. */
static void
marks(void **state)
{
    (void)state;
    arena = arena_new("test", (size_t)1 << 30);

    struct buf b = buf_in(arena);

    srand(7);
    buf_add(&b, S("Subject: x\nContent-Type: multipart/mixed; boundary=b\n"
                  "\n\n--b\n\n"));
    while (b.len < 500000) {
        static const char *const ends[] = {"\n", "\r\n", "\r", "\n\n",
                                           "\r\r\n"};

        if (rand() % 8000 == 0)
            buf_add(&b, S("\n--b\n\n"));
        for (int n = rand() % 30; n > 0; n--)
            buf_addc(&b, (char)('a' + rand() % 26));
        buf_add(&b, str_from(ends[rand() % 5]));
    }

    struct str message = buf_str(&b);
    struct structure s = structure_of(message);

    assert_true(s.count > 3);
    for (uint32_t n = 0; n < s.count; n++) {
        struct section section = {.numbers = &n, .depth = n > 0};
        struct run run;

        assert_true(section_find(arena, message, &s, &section, &run));

        struct str whole = spans_of(run);

        assert_int_equal(whole.len, run.size);
        for (int i = 0; i < 500; i++) {
            struct run part = run;
            size_t from = (size_t)rand() % (whole.len + 1);
            size_t count = (size_t)rand() % 100 + 1;

            run_cut(&part, message, &s, from, count);
            assert_str(text_of(part, 33), str_sub(whole, from, count));
        }
    }
    arena_free(arena);
}

/* A message that is shorter than what is kept of it says: what was announced
 * is sent. */
static void
shorter(void **state)
{
    (void)state;
    arena = arena_new("test", (size_t)16 << 20);

    struct str message = message_file(arena, S("plain"));
    struct structure s = structure_of(message);
    struct section all = {0};
    struct run run;

    message.len -= 5;
    assert_true(section_find(arena, message, &s, &all, &run));
    run.size = 149;
    assert_int_equal(spans_of(run).len, 149);
    assert_int_equal(text_of(run, 10).len, 149);
    arena_free(arena);
}

TESTS(TEST(is_what_others_say), TEST(cuts), TEST(marks), TEST(shorter))
