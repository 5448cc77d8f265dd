/* A message as IMAP shows it: what is kept of it, its sections, texts, facts;
 * and the same read back from damaged bytes. */
#include "base/utf8.h"
#include "fuzz/fuzz.h"
#include "mail/binary.h"
#include "mail/body.h"
#include "mail/facts.h"
#include "mail/header.h"
#include "mail/imap_text.h"
#include "mail/mutf7.h"
#include "mail/preview.h"
#include "mail/search_text.h"
#include "mail/subject.h"
#include "mail/surrogate.h"
#include "mail/words.h"

/* A run has as many bytes as it says, however it is read, and its parts are
 * parts of it. */
static void
check_run(struct arena *a, struct str message, const struct structure *s,
          struct run run)
{
    struct buf all = buf_in(a), again = buf_in(a);
    struct run copy = run;
    struct str span;
    size_t n;

    while (run_next(&copy, &span)) {
        must(span.len > 0);
        buf_add(&all, span);
    }
    must(all.len == run.size);
    copy = run;
    while ((n = run_read(&copy, buf_space(&again, 5), 5)) > 0)
        again.len += n;
    must(str_eq(buf_str(&all), buf_str(&again)));
    copy = run;
    run_cut(&copy, message, s, run.size / 2, 3);
    buf_reset(&again);
    while (run_next(&copy, &span))
        buf_add(&again, span);
    must(str_eq(buf_str(&again), str_sub(buf_str(&all), run.size / 2, 3)));
}

static void
show(struct arena *a, struct str message, const struct structure *s)
{
    struct buf wide = buf_in(a), narrow = buf_in(a);
    struct str names[] = {S("Subject"), S("X")};

    structure_put_body(s, STRUCTURE_EXTENDED | STRUCTURE_REV2, &wide);
    structure_put_body(s, 0, &wide);
    imap_put_narrow(&narrow, buf_str(&wide));
    for (uint32_t i = 0; i < 8 && i < s->count; i++)
        for (int text = SECTION_ALL; text <= SECTION_MIME; text++) {
            uint32_t numbers[] = {i, 1};
            struct section section = {numbers, i > 0 ? i % 2 + 1 : 0,
                                      (enum section_text)text, names, 2};
            struct run run;

            if (section_find(a, message, s, &section, &run))
                check_run(a, message, s, run);
        }
    for (size_t i = 0; i < s->count && i < 20; i++) {
        struct body b;
        struct str piece;
        uint64_t size = 0, known;

        body_open(a, message, s, &s->parts[i], &b);
        while (body_next(&b, &piece))
            size += piece.len;
        body_open(a, message, s, &s->parts[i], &b);
        must(!body_known_size(&b, &known) || known == size);
    }
}

static void
encode(struct arena *a, struct str message)
{
    struct binary b;
    struct str piece;

    binary_begin(&b, a, message);
    while (binary_next(&b, &piece))
        must(piece.len == 0 || memchr(piece.p, '\0', piece.len) == NULL);
    binary_end(&b);
}

static void
search(struct str message, const struct structure *s)
{
    struct arena *scratch = arena_new("scratch", 32 << 20);
    struct text_piece piece;
    struct text_walk w;

    text_begin(&w, scratch, NULL, message, s, TEXT_HEADER | TEXT_BODY);
    while (text_next(&w, &piece))
        must(piece.text.len == 0 || utf8_valid(piece.text));
    arena_free(scratch);
}

static void
fuzz(struct arena *a, struct str in)
{
    struct str kept = structure_make(a, in), header, body;
    struct buf out = buf_in(a), ascii = buf_in(a);
    struct structure s;
    struct facts facts;
    bool reply;

    encode(a, in);
    must(structure_read(a, kept, in.len, &s));
    must(s.parts[0].header == 0 && s.parts[0].end == in.len);
    show(a, in, &s);
    search(in, &s);
    must(preview(a, in, &s, NULL).len <= 4 * PREVIEW_MAX);
    header = header_of(in, &body);
    facts_of(a, NULL, header, FACTS_ALL, &facts);
    surrogate_put(a, header, &ascii);
    must(utf8_is_ascii(buf_str(&ascii)));
    (void)subject_base(a, words_read(a, NULL, in), &reply);
    if (mutf7_decode(&out, in)) {
        struct buf again = buf_in(a);

        must(mutf7_encode(&again, buf_str(&out)));
        must(str_eq(buf_str(&again), in));
    }
    /* As if it came from the index. */
    if (structure_read(a, in, 100, &s))
        show(a, S("x"), &s);
}

FUZZ(128 << 20)
