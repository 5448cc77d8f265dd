/*
 * parse.h - a command's text as a struct command.
 */
#ifndef IMAPD_PARSE_H
#define IMAPD_PARSE_H

#include "command.h"
#include "reader.h"

enum parsed {
    PARSED,
    PARSED_BAD,     /* *error says why, for a tagged BAD; the tag is set where
                       there was one */
    PARSED_WANTS,   /* so far it is right; the literal that is pending belongs
                       into memory: reader_hold */
    PARSED_MESSAGE, /* so far it is right; the literal that is pending is a
                       message, or part of one: reader_stream, or reader_hold
                       where it is small. The command says where it goes: of
                       APPEND the mailbox, and the messages so far */
};

/* Which command it is, and its tag, without a look at its arguments;
 * COMMAND_NONE where command_parse will say what is wrong. */
enum command_id command_look(const struct command_text *text, struct str *tag);

/*
 * Parse a command, or its beginning when a literal is pending (READER_LITERAL),
 * so that a client is told at once of a mistake, before it sends what it
 * announced. `c` is filled as far as that went. Linear in the text.
 */
enum parsed command_parse(struct arena *a, const struct command_text *text,
                          struct command *c, const char **error);

#endif
