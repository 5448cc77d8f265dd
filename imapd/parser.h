/*
 * parser.h - what the parsers of arguments have in common (private to
 * parse_*.c).
 *
 * A parser takes what it knows off the front and returns true; else it returns
 * false and has left a text in `error`, with parse_fail, which the first
 * failure alone does.
 */
#ifndef IMAPD_PARSER_H
#define IMAPD_PARSER_H

#include "command.h"
#include "reader.h"

/* How deep parentheses, NOT and OR may be nested. */
#define PARSE_DEPTH_MAX 50
/* How many keys a search, items a FETCH, words a list may have. */
#define PARSE_ITEMS_MAX 4096

struct parser {
    struct arena *arena;
    const char *start;
    struct str rest;
    const struct literal *literals; /* those to come */
    size_t count;
    unsigned depth, items;
    bool wants;   /* the pending literal is a string */
    bool message; /* it is a message */
    const char *error;
};

/* A growing array in the arena. */
#define PARSE_ADD(p, array, n)                                                 \
    ((array) = parse_room(p, (array), (n), sizeof *(array)), &(array)[(n)++])
void *parse_room(struct parser *p, void *array, size_t count, size_t size);

bool parse_fail(struct parser *p, const char *error);

/* One blank. */
bool parse_space(struct parser *p) MUST_USE;
bool parse_end(struct parser *p) MUST_USE;
bool parse_open(struct parser *p) MUST_USE;
bool parse_close(struct parser *p) MUST_USE;

/* Is that the next byte? And: take it if so. */
bool parse_at(const struct parser *p, char c);
bool parse_skip(struct parser *p, char c);

/* Take a word, if it comes next and ends there: a blank, parenthesis, bracket
 * or the end follows. */
bool parse_word(struct parser *p, const char *word);

bool parse_atom(struct parser *p, struct str *s) MUST_USE;
bool parse_string(struct parser *p, struct str *s) MUST_USE;
bool parse_astring(struct parser *p, struct str *s) MUST_USE;
bool parse_nstring(struct parser *p, struct str *s) MUST_USE;
bool parse_pattern(struct parser *p, struct str *s) MUST_USE;
bool parse_number(struct parser *p, uint64_t max, uint64_t *n) MUST_USE;
bool parse_nonzero(struct parser *p, uint32_t *n) MUST_USE;
/* A literal that is a message; NULL in *l where it is still to come. */
bool parse_message(struct parser *p, const struct literal **l) MUST_USE;

/* Parsers of pieces; of several files. */
bool parse_set(struct parser *p, struct seq_set *set) MUST_USE;
bool parse_known_set(struct parser *p, struct seq_set *set) MUST_USE;
bool parse_partial(struct parser *p, struct partial *r) MUST_USE;
bool parse_flags(struct parser *p, struct flags *f) MUST_USE;
bool parse_flag(struct parser *p, struct flags *f) MUST_USE;
bool parse_status_items(struct parser *p, unsigned *items) MUST_USE;
bool parse_fetch_items(struct parser *p, struct fetch_item **items,
                       size_t *count) MUST_USE;
/* "[1.2.HEADER]<0.100>", as the item's kind allows. */
bool parse_section(struct parser *p, struct fetch_item *item) MUST_USE;
bool parse_filter(struct parser *p, struct filter_mailboxes *f) MUST_USE;
/* "(" astrings ")", or a single one. */
bool parse_names(struct parser *p, struct strings *names) MUST_USE;
/* "1-Feb-1994", quoted or not, as days since 1970. */
bool parse_date(struct parser *p, int32_t *day) MUST_USE;
/* " 1-Feb-1994 10:00:00 +0100" in quotes. */
bool parse_date_time(struct parser *p, int64_t *seconds, int *zone) MUST_USE;

/* Arguments of commands: what commands.def names. */
typedef bool parse_arguments(struct parser *p, struct command *c);

parse_arguments parse_nothing, parse_id, parse_authenticate, parse_login,
    parse_words, parse_select, parse_create, parse_mailbox, parse_rename,
    parse_list, parse_lsub, parse_status, parse_append, parse_notify,
    parse_esearch, parse_setacl, parse_identifier, parse_setquota,
    parse_getmetadata, parse_setmetadata, parse_search, parse_sort,
    parse_thread, parse_fetch, parse_store, parse_copy, parse_replace,
    parse_uidbatches, parse_uid_expunge;

#endif
