#include "reader.h"

enum mode {
    LINE,    /* of a command */
    ASKED,   /* about a literal */
    HOLD,    /* bytes of a literal come */
    STREAM,  /* the same, handed on */
    SWALLOW, /* the same, of a command that was refused */
    DISCARD, /* the rest of its line */
    DONE,    /* an event was told; reader_next is awaited */
};

struct reader {
    struct arena *command;
    struct reader_limits limits, next_limits;
    enum mode mode;
    bool raw;
    struct buf text; /* lines so far */
    size_t line;     /* where the newest begins in it */
    struct literal *literals;
    size_t count, cap, held;
    uint64_t left; /* bytes of the literal still to come */
    char *into;    /* where they go */
    struct str data;
    char tail[32]; /* the end of a line that is thrown away */
    size_t tail_len;
};

struct reader *
reader_new(struct arena *life, struct arena *command,
           const struct reader_limits *limits)
{
    struct reader *r = arena_make(life, struct reader);

    r->command = command;
    r->limits = r->next_limits = *limits;
    reader_next(r, false);
    return r;
}

void
reader_limit(struct reader *r, const struct reader_limits *limits)
{
    r->next_limits = *limits;
}

void
reader_next(struct reader *r, bool raw)
{
    r->limits = r->next_limits;
    r->mode = LINE;
    r->raw = raw;
    r->text = buf_in(r->command);
    r->line = 0;
    r->literals = NULL;
    r->count = r->cap = r->held = 0;
    r->tail_len = 0;
}

struct command_text
reader_command(const struct reader *r)
{
    return (struct command_text){
        {r->text.p, r->text.len},
        r->literals, r->count
    };
}

struct str
reader_data(const struct reader *r, uint64_t *left)
{
    *left = r->left;
    return r->data;
}

/* "{12}", "{12+}", "~{12}" at the end of a line without its line end. A number
 * that is too large counts as the largest: it will be refused. */
static bool
find_literal(struct str line, struct literal *l)
{
    ssize_t open = str_rfind(line, '{');

    if (open < 0 || line.p[line.len - 1] != '}')
        return false;

    struct str number =
        str_sub(line, (size_t)open + 1, line.len - (size_t)open - 2);

    *l = (struct literal){.at = (size_t)open, .sync = true, .pending = true};
    if (str_ends(number, S("+"))) {
        l->sync = false;
        number.len--;
    }
    if (number.len == 0)
        return false;
    for (size_t i = 0; i < number.len; i++)
        if (!is_digit(number.p[i]))
            return false;
    if (!str_num(number, &l->size))
        l->size = UINT64_MAX;
    if (open > 0 && line.p[open - 1] == '~') {
        l->binary = true;
        l->at--;
    }
    return true;
}

static void
add_literal(struct reader *r, struct literal l)
{
    if (r->count == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 4;

        r->literals =
            arena_grow(r->command, r->literals, r->cap * sizeof *r->literals,
                       cap * sizeof *r->literals);
        r->cap = cap;
    }
    l.at += r->line;
    r->literals[r->count++] = l;
}

static enum reader_event
over(struct reader *r, enum reader_event event)
{
    r->mode = DONE;
    return event;
}

/* The end of a line that is thrown away: more may come with it. */
static enum reader_event
end_discarded(struct reader *r)
{
    struct str line = {r->tail, r->tail_len};
    struct literal l;

    if (str_ends(line, S("\r")))
        line.len--;
    r->tail_len = 0;
    if (r->raw || line.len == 0 || !find_literal(line, &l) || l.sync)
        return over(r, READER_REFUSED);
    r->left = l.size;
    r->mode = SWALLOW;
    return READER_MORE;
}

static enum reader_event
end_line(struct reader *r)
{
    struct str line = str_sub(buf_str(&r->text), r->line, r->text.len);
    struct literal l;

    if (str_ends(line, S("\r"))) {
        line.len--;
        r->text.len--;
    }
    if (r->raw || line.len == 0 || !find_literal(line, &l))
        return over(r, READER_COMMAND);
    add_literal(r, l);
    r->left = l.size;
    buf_add(&r->text, S("\r\n"));
    r->line = r->text.len;
    r->mode = ASKED;
    return r->count <= r->limits.literals &&
                   (l.sync || l.size <= r->limits.nonsync)
               ? READER_LITERAL
               : over(r, READER_TOO_LONG);
}

static void
keep_tail(struct reader *r, struct str s)
{
    if (s.len > sizeof r->tail)
        s = str_sub(s, s.len - sizeof r->tail, sizeof r->tail);

    size_t old = sizeof r->tail - s.len;

    old = old < r->tail_len ? old : r->tail_len;
    memmove(r->tail, r->tail + r->tail_len - old, old);
    memcpy(r->tail + old, s.p, s.len);
    r->tail_len = old + s.len;
}

static enum reader_event
put_line(struct reader *r, struct str *in)
{
    ssize_t lf = str_find(*in, '\n');
    struct str part = str_sub(*in, 0, lf < 0 ? in->len : (size_t)lf);

    *in = str_sub(*in, lf < 0 ? in->len : (size_t)lf + 1, in->len);
    if (r->mode == LINE && part.len > r->limits.line - r->text.len)
        return over(r, READER_TOO_LONG);
    if (r->mode == DISCARD)
        keep_tail(r, part);
    else
        buf_add(&r->text, part);
    if (lf < 0)
        return READER_MORE;
    return r->mode == DISCARD ? end_discarded(r) : end_line(r);
}

static enum reader_event
put_literal(struct reader *r, struct str *in)
{
    struct str part = *in;

    if (part.len > r->left)
        part.len = (size_t)r->left;
    *in = str_sub(*in, part.len, in->len);
    r->left -= part.len;
    if (r->mode == HOLD) {
        memcpy(r->into, part.p, part.len);
        r->into += part.len;
    }
    r->data = part;

    enum reader_event event = r->mode == STREAM ? READER_DATA : READER_MORE;

    if (r->left == 0)
        r->mode = r->mode == SWALLOW ? DISCARD : LINE;
    return event;
}

enum reader_event
reader_put(struct reader *r, struct str *in)
{
    enum reader_event event = READER_MORE;

    must(r->mode != DONE && r->mode != ASKED);
    while (event == READER_MORE) {
        /* An empty literal needs no byte to be over. */
        bool empty = r->left == 0 && (r->mode == HOLD || r->mode == SWALLOW);

        if (in->len == 0 && !empty)
            break;
        if (r->mode == LINE || r->mode == DISCARD)
            event = put_line(r, in);
        else
            event = put_literal(r, in);
    }
    return event;
}

static struct literal *
asked(struct reader *r)
{
    must(r->mode == ASKED);
    return &r->literals[r->count - 1];
}

bool
reader_hold(struct reader *r)
{
    struct literal *l = asked(r);

    if (l->size > r->limits.held - r->held)
        return false;
    r->held += (size_t)l->size;
    r->into = arena_alloc(r->command, (size_t)l->size + 1);
    l->data = (struct str){r->into, (size_t)l->size};
    l->pending = false;
    r->mode = HOLD;
    return true;
}

void
reader_stream(struct reader *r)
{
    struct literal *l = asked(r);

    l->streamed = true;
    l->pending = false;
    r->mode = l->size > 0 ? STREAM : LINE;
}

void
reader_refuse(struct reader *r)
{
    bool sync = asked(r)->sync;

    r->mode = sync ? DONE : SWALLOW;
}
