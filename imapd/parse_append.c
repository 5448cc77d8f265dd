/* APPEND and REPLACE. */
#include "parser.h"

/* Messages of one APPEND, over what cmd_append.c ever allows; pieces of one
 * message. */
#define APPEND_MAX 10001
#define PIECES_MAX 1000

static bool
parse_literal_piece(struct parser *p, struct append_message *m)
{
    const struct literal *l;

    if (!parse_message(p, &l))
        return false;
    *PARSE_ADD(p, m->pieces, m->count) = (struct append_piece){.literal = l};
    return true;
}

/* UTF8 (~{12}...), of RFC 6855 4, behind its first word. */
static bool
parse_utf8(struct parser *p, struct append_message *m)
{
    m->utf8 = true;
    if (!parse_space(p) || !parse_open(p))
        return false;
    if (!parse_at(p, '~'))
        return parse_fail(p, "Expected a literal with ~");
    return parse_literal_piece(p, m) && parse_close(p);
}

/* CATENATE (URL "..." TEXT {12}...) */
static bool
parse_catenate(struct parser *p, struct append_message *m)
{
    m->catenate = true;
    if (!parse_space(p) || !parse_open(p))
        return false;
    do {
        struct append_piece piece = {.is_url = true};

        if (m->count == PIECES_MAX)
            return parse_fail(p, "Too many pieces");
        if (parse_word(p, "TEXT")) {
            if (!parse_space(p) || !parse_literal_piece(p, m))
                return false;
            continue;
        }
        if (parse_word(p, "UTF8")) {
            if (!parse_utf8(p, m))
                return false;
            continue;
        }
        if (!parse_word(p, "URL"))
            return parse_fail(p, "Expected URL or TEXT");
        if (!parse_space(p) || !parse_astring(p, &piece.url))
            return false;
        *PARSE_ADD(p, m->pieces, m->count) = piece;
    } while (parse_skip(p, ' '));
    return parse_close(p);
}

static bool
parse_append_message(struct parser *p, struct append_message *m)
{
    *m = (struct append_message){0};
    if (parse_at(p, '(') && (!parse_flags(p, &m->flags) || !parse_space(p)))
        return false;
    if (parse_at(p, '"')) {
        m->dated = true;
        if (!parse_date_time(p, &m->date, &m->zone) || !parse_space(p))
            return false;
    }
    if (parse_word(p, "CATENATE"))
        return parse_catenate(p, m);
    if (parse_word(p, "UTF8"))
        return parse_utf8(p, m);
    return parse_literal_piece(p, m);
}

/* The message that is pending counts: its flags and date are known. */
static bool
parse_messages(struct parser *p, struct append *a, bool many)
{
    do {
        struct append_message *m;

        if (a->count == APPEND_MAX)
            return parse_fail(p, "Too many messages");
        m = PARSE_ADD(p, a->messages, a->count);
        if (!parse_append_message(p, m))
            return false;
    } while (many && parse_skip(p, ' '));
    return true;
}

bool
parse_append(struct parser *p, struct command *c)
{
    return parse_space(p) && parse_astring(p, &c->append.mailbox) &&
           parse_space(p) && parse_messages(p, &c->append, true);
}

bool
parse_replace(struct parser *p, struct command *c)
{
    struct append *a = &c->append;

    if (!parse_space(p) ||
        (!parse_skip(p, '*') && !parse_nonzero(p, &a->replaced)))
        return false;
    return parse_space(p) && parse_astring(p, &a->mailbox) && parse_space(p) &&
           parse_messages(p, a, false);
}
