#include "mail/thread.h"

#include "mail/casemap.h"
#include "mail/sort.h"
#include "unit/messages.h"

#define MAX 100

static struct arena *arena;
static struct sort_message messages[MAX];
static struct thread_message threads[MAX];
static size_t count;

static struct thread_message
say(struct arena *a, uint32_t number, int64_t arrival, const struct facts *f)
{
    uint64_t *references = arena_alloc(a, (f->count + 1) * sizeof *references);

    for (size_t i = 0; i < f->count; i++)
        references[i] = thread_number(f->references[i]);
    return (struct thread_message){
        .number = number,
        .reply = f->reply,
        .date = f->dated ? f->date : arrival,
        .subject = thread_number(f->subject),
        .id = thread_number(f->message_id),
        .references = references,
        .count = f->count,
    };
}

/* How many steps it took. */
static size_t
put_threads(struct arena *a, enum thread_method method,
            const struct thread_message *m, size_t n, struct buf *b)
{
    struct threading *t = thread_begin(a, method, m, n);
    size_t steps = 0;

    while (!thread_step(t))
        steps++;
    while (!thread_put(t, b))
        steps++;
    return steps;
}

static void
check_thread(struct str name, struct str want)
{
    static const struct {
        const char *name;
        enum thread_method method;
    } methods[] = {
        {"ORDEREDSUBJECT", THREAD_ORDEREDSUBJECT},
        {"REFERENCES",     THREAD_REFERENCES    },
        {"REFS",           THREAD_REFS          },
    };
    struct buf b = buf_in(arena);

    for (size_t i = 0; i < COUNT(methods); i++)
        if (str_eq(name, str_from(methods[i].name)))
            put_threads(arena, methods[i].method, threads, count, &b);
    if (!str_eq(buf_str(&b), want))
        fail_msg("%.*s:\n got %.*s\nwant %.*s", STR(name), STR(buf_str(&b)),
                 STR(want));
}

static size_t
read_criteria(struct str name, struct sort_criterion *criteria)
{
    static const char *const keys[] = {
        "ARRIVAL", "CC", "DATE",        "FROM",      "SIZE",
        "SUBJECT", "TO", "DISPLAYFROM", "DISPLAYTO",
    };
    struct str word;
    size_t n = 0;
    bool reverse = false;

    while (str_word(&name, " ", &word)) {
        if (str_eq(word, S("REVERSE"))) {
            reverse = true;
            continue;
        }
        for (size_t i = 0; i < COUNT(keys); i++)
            if (str_eq(word, str_from(keys[i])))
                criteria[n] =
                    (struct sort_criterion){(enum sort_key)i, reverse};
        n++;
        reverse = false;
    }
    return n;
}

static void
check_sort(struct str name, struct str want)
{
    struct sort_criterion criteria[8];
    struct buf b = buf_in(arena);
    struct sort sort;

    sort_begin(&sort, arena, messages, count, criteria,
               read_criteria(name, criteria));
    while (!sort_step(&sort))
        ;
    for (size_t i = 0; i < count; i++)
        buf_fmt(&b, "%s%u", i ? " " : "", sort.order.at[i].place + 1);
    if (!str_eq(buf_str(&b), want))
        fail_msg("%.*s:\n got %.*s\nwant %.*s", STR(name), STR(buf_str(&b)),
                 STR(want));
}

static void
add_message(int64_t arrival, struct str header)
{
    struct facts *facts = arena_make(arena, struct facts);

    must(count < MAX);
    facts_of(arena, NULL, header, FACTS_ALL, facts);
    threads[count] = say(arena, (uint32_t)count + 1, arrival, facts);
    messages[count] = (struct sort_message){
        .arrival = arrival, .date = threads[count].date, .facts = facts};
    count++;
}

static void
is_what_others_say(void **state)
{
    struct str list, line, name;
    unsigned checks = 0;

    (void)state;
    arena = arena_new("test", (size_t)64 << 20);
    list = message_file(arena, S("threads.txt"));
    count = 0;
    while (list.len > 0) {
        str_cut(&list, '\n', &line);
        if (str_skip(&line, S("== "))) {
            uint64_t arrival;
            ssize_t end = str_search(list, S("\n="));

            if (checks % 11 == 0 && checks > 0 && count > 0 &&
                messages[0].size == 1)
                count = 0;
            assert_true(str_num(line, &arrival));
            add_message((int64_t)arrival, str_sub(list, 0, (size_t)end + 1));
        } else if (str_skip(&line, S("= "))) {
            assert_true(str_cut(&line, ':', &name));
            line = str_trim(line);
            if (str_starts(line, S("(")))
                check_thread(name, line);
            else
                check_sort(name, line);
            checks++;
            messages[0].size = 1;
        }
    }
    assert_int_equal(checks, 22);
    arena_free(arena);
}

/* ---- what is made to take long ---- */

#define MANY 50000

static struct thread_message many[MANY];
static struct facts many_facts[MANY];

static void
run_many(void)
{
    static const enum thread_method methods[] = {
        THREAD_ORDEREDSUBJECT, THREAD_REFERENCES, THREAD_REFS};

    for (uint32_t i = 0; i < MANY; i++)
        many[i] = say(arena, i + 1, i, &many_facts[i]);
    for (size_t i = 0; i < COUNT(methods); i++) {
        struct arena *scratch = arena_new("scratch", (size_t)256 << 20);
        struct buf b = buf_in(scratch);
        size_t numbers = 0;

        /* Others are served meanwhile. */
        assert_true(put_threads(scratch, methods[i], many, MANY, &b) > 200);
        for (size_t at = 0; at < b.len; at++)
            numbers += is_digit(b.p[at]) &&
                       (at + 1 == b.len || !is_digit(b.p[at + 1]));
        assert_int_equal(numbers, MANY);
        arena_free(scratch);
    }
}

static struct str
id(size_t n)
{
    return str_from(arena_fmt(arena, "%zu@x", n));
}

static void
chains_and_loops(void **state)
{
    (void)state;
    arena = arena_new("test", (size_t)256 << 20);
    /* Each answers the next, the last one the first: a loop of all. */
    for (size_t i = 0; i < MANY; i++) {
        struct str *reference = arena_make(arena, struct str);

        *reference = id((i + 1) % MANY);
        many_facts[i] = (struct facts){.message_id = id(i),
                                       .references = reference,
                                       .count = 1,
                                       .subject = S("X")};
    }
    run_many();
    /* A chain in the other order, of answers with different subjects. */
    for (size_t i = 0; i < MANY; i++) {
        *many_facts[i].references = id(i == 0 ? MANY + 1 : i - 1);
        many_facts[i].subject = id(i);
        many_facts[i].reply = true;
    }
    run_many();
    /* All have one id, refer to it, and have one subject. */
    for (size_t i = 0; i < MANY; i++) {
        many_facts[i].message_id = *many_facts[i].references = S("1@x");
        many_facts[i].subject = S("X");
        many_facts[i].reply = i % 2;
    }
    run_many();
    /* Nothing at all. */
    memset(many_facts, 0, sizeof many_facts);
    run_many();
    arena_free(arena);
}

static void
references(void **state)
{
    struct facts f;

    (void)state;
    arena = arena_new("test", (size_t)1 << 20);
    facts_of(arena, NULL,
             S("Message-ID: <\"01KF8JCEOCBS0045PS\"@xxx.yyy.com>\n"
               "References: junk <a@b>\n\t<c\\@d@e> <no-at> <> <<f@g>\n"
               "In-Reply-To: <z@z>\n"),
             FACTS_ALL, &f);
    assert_str(f.message_id, S("01KF8JCEOCBS0045PS@xxx.yyy.com"));
    assert_int_equal(f.count, 3);
    assert_str(f.references[1], S("c@d@e"));
    assert_str(f.references[2], S("f@g"));
    facts_of(arena, NULL, S("In-Reply-To: Ana's of Monday <a@b> <c@d>\n"),
             FACTS_ALL, &f);
    assert_int_equal(f.count, 1);
    assert_str(f.references[0], S("a@b"));

    struct buf b = buf_in(arena);

    buf_add(&b, S("References:"));
    for (int i = 0; i < 1000; i++)
        buf_fmt(&b, " <%d@x>", i);
    facts_of(arena, NULL, buf_str(&b), FACTS_ALL, &f);
    assert_int_equal(f.count, FACTS_REFERENCES_MAX);
    assert_str(f.references[0], S("0@x"));
    assert_str(f.references[FACTS_REFERENCES_MAX - 1], S("999@x"));
    arena_free(arena);
}

/* Of fields that come again the last one counts, but for addresses; a million
 * of them take no more memory than one. */
static void
fields_again(void **state)
{
    static const char *const lines[] = {
        "Subject: Re: x\n", "Message-ID: <x@y>\n", "To: \"\n", "From: ,\n"};
    struct arena *text = arena_new("text", (size_t)64 << 20);
    struct buf b = buf_in(text);
    struct facts f;

    (void)state;
    arena = arena_new("test", (size_t)1 << 20);
    for (int i = 0; i < 400000; i++)
        buf_add(&b, str_from(lines[i % 4]));
    buf_add(&b, S("Subject: last\nMessage-ID: <last@y>\nMessage-ID: none\n"));
    facts_of(arena, NULL, buf_str(&b), FACTS_ALL, &f);
    assert_str(f.subject, S("LAST"));
    assert_false(f.reply);
    assert_str(f.message_id, S("last@y"));
    assert_null(f.from.p);
    facts_of(arena, NULL, S("From: ,\nFrom: a@b\nFrom: c@d\n"), FACTS_ALL, &f);
    assert_str(f.from, S("A"));
    arena_free(text);
    arena_free(arena);
}

TESTS(TEST(is_what_others_say), TEST(chains_and_loops), TEST(references),
      TEST(fields_again))
