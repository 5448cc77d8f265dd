/*
 * Tables are asked: one key, keys by line, or the headers and lines of a
 * message as header_checks and body_checks see them. What is wrong with a
 * table lib/map says.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/utf8.h"
#include "cmd.h"
#include "mail/base64.h"
#include "mail/mime_walk.h"
#include "maker.h"

/* Longest message that -h and -b read. */
#define MESSAGE_MAX ((size_t)256 << 20)

struct query {
    struct making *making;
    struct map **maps;
    struct arena *arena; /* of one look-up */
    struct buf line;     /* body: the line that is not at its end */
    unsigned found;
    bool print_key;
};

static void
print(struct query *q, struct str key, struct str value)
{
    struct buf decoded = buf_in(q->arena);

    if (value.len == 0)
        log_warn("key %.*s: empty string result is not allowed; a table should "
                 "have no result where it has none",
                 STR(key));
    if (q->making->base64) {
        if (!base64_decode(&decoded, value))
            cmd_fatal(1, q->making->maker->name, "malformed BASE64 value: %.*s",
                      STR(value));
        value = buf_str(&decoded);
    }
    if (q->print_key) {
        fwrite(key.p, 1, key.len, stdout);
        putchar('\t');
    }
    fwrite(value.p, 1, value.len, stdout);
    putchar('\n');
}

static enum rc
get(struct query *q, struct map *m, struct str key, struct str *value,
    struct why *why)
{
    return q->making->no_fold ? map_get_exact(m, key, q->arena, value, why)
                              : map_get(m, key, q->arena, value, why);
}

static void
ask(void *self, struct str key)
{
    struct query *q = self;
    bool content = q->making->header || q->making->body;
    bool check = q->making->check_bytes || (!content && !q->making->any_bytes);

    arena_reset(q->arena);
    if (check && !utf8_valid(key)) {
        log_warn("non-UTF-8 key \"%.*s\": not looked up", STR(key));
        return;
    }
    for (struct map **m = q->maps; *m; m++) {
        struct str value;
        struct why why;

        if (get(q, *m, key, &value, &why) != OK)
            exit(1);
        if (value.p == NULL)
            continue;
        print(q, key, value);
        q->found++;
        return;
    }
}

/* Body lines may come in pieces. */
static void
body_bytes(struct query *q, struct str bytes)
{
    struct str line;

    while (str_find(bytes, '\n') >= 0) {
        str_cut(&bytes, '\n', &line);
        buf_add(&q->line, line);
        ask(q, buf_str(&q->line));
        buf_reset(&q->line);
    }
    buf_add(&q->line, bytes);
}

static void
on_field(void *self, const struct mime_part *p, const struct header_field *f)
{
    struct query *q = self;
    struct str key = f->whole;

    if (!q->making->header || (!q->making->mime && p->number > 0))
        return;
    while (key.len > 0 && key.p[key.len - 1] == '\n')
        key.len--;
    ask(q, key);
}

static void
on_header_end(void *self, const struct mime_part *p, bool empty_line)
{
    struct query *q = self;

    (void)p;
    if (q->making->body && empty_line)
        body_bytes(q, S("\n"));
}

static void
on_between(void *self, struct str bytes)
{
    struct query *q = self;

    if (q->making->body)
        body_bytes(q, bytes);
}

static void
on_text(void *self, const struct mime_part *p, struct str bytes)
{
    (void)p;
    on_between(self, bytes);
}

static void
on_text_end(void *self, const struct mime_part *p)
{
    (void)self;
    (void)p;
}

/* The message's own header, and all that follows it as lines. */
static void
ask_plain(struct query *q, struct str message)
{
    struct header_field f;
    struct mime_part whole = {0};

    while (header_next(&message, &f))
        on_field(q, &whole, &f);
    if (q->making->body)
        body_bytes(q, message);
}

static void
ask_mime(struct query *q, struct str message)
{
    static const struct mime_calls calls = {
        .field = on_field,
        .header_end = on_header_end,
        .text = on_text,
        .text_end = on_text_end,
        .between = on_between,
    };
    struct mime_walk *w = mime_walk_new(q->making->arena, &calls, q);

    mime_walk_put(w, message);
    mime_walk_end(w);
}

static void
ask_message(struct query *q)
{
    struct arena *a = arena_new("message", 4 * MESSAGE_MAX);
    struct buf text = buf_in(a);
    size_t n;

    q->line = buf_in(a);
    while ((n = fread(buf_space(&text, 65536), 1, 65536, stdin)) > 0)
        if ((text.len += n) > MESSAGE_MAX)
            cmd_fatal(1, q->making->maker->name, "the message is too large");
    if (q->making->mime)
        ask_mime(q, buf_str(&text));
    else
        ask_plain(q, buf_str(&text));
    if (q->line.len > 0)
        ask(q, buf_str(&q->line));
    arena_free(a);
}

int
maker_query(struct making *m, char **specs)
{
    struct query q = {.making = m, .print_key = strcmp(m->key, "-") == 0};
    size_t count = 0;

    while (specs[count])
        count++;
    map_stay(); /* all keys are of one table, not of an old and a new one */
    q.arena = arena_new("look-ups", (size_t)1 << 30);
    q.maps = arena_alloc(m->arena, (count + 1) * sizeof *q.maps);
    for (size_t i = 0; i < count; i++) {
        struct why why;

        q.maps[i] = map_open(specs[i], &why);
        if (why.text[0])
            exit(1);
        maker_say(m, "%s is open", map_name(q.maps[i]));
    }
    if (!q.print_key)
        ask(&q, str_from(m->key));
    else if (m->header || m->body)
        ask_message(&q);
    else
        maker_lines(m, ask, &q);
    return q.found > 0 ? 0 : 1;
}
