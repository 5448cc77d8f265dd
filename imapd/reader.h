/*
 * reader.h - what a client sends, cut into commands (RFC 9051 2.2.1, 4.3,
 * RFC 7888).
 *
 * A reader is given bytes in pieces of any size. A command is its lines, and
 * the literals that stand at the ends of lines but the last. Whoever reads is
 * asked about each literal before its bytes come: to hold it, to be handed its
 * bytes as they come (a message), or to refuse it. Memory is bounded by the
 * limits, whatever is sent.
 */
#ifndef IMAPD_READER_H
#define IMAPD_READER_H

#include "base/buf.h"

struct literal {
    size_t at;       /* where its "{" (or "~") stands in the command's text */
    uint64_t size;   /* bytes that were announced */
    bool sync;       /* the client waits for "+" */
    bool binary;     /* "~{": may hold NUL (RFC 3516) */
    bool streamed;   /* its bytes were handed over, and are not in data */
    bool pending;    /* its bytes have not come */
    struct str data; /* where it is held */
};

/* A command as it came: the lines without the last line end; behind the
 * announcement of each literal a line end stands, and not its bytes. */
struct command_text {
    struct str text;
    const struct literal *literals;
    size_t count;
};

struct reader_limits {
    size_t line;      /* bytes of all lines of a command */
    size_t held;      /* bytes of all its literals that are held */
    size_t literals;  /* how many */
    uint64_t nonsync; /* largest that is announced without waiting: 4096 where
                         LITERAL- is offered, UINT64_MAX with LITERAL+ */
};

enum reader_event {
    READER_MORE,     /* give more bytes */
    READER_COMMAND,  /* reader_command; then reader_next */
    READER_LITERAL,  /* reader_command, whose last literal is pending; answer
                        with reader_hold, reader_stream or reader_refuse */
    READER_DATA,     /* reader_data: bytes of a literal that is streamed */
    READER_TOO_LONG, /* the command is too long, or holds too much; the
                        connection must end, as nobody waits for what comes */
    READER_REFUSED,  /* a refused command is over; then reader_next */
};

struct reader;

/* The reader lives in `life`, a command's bytes in `command`, which the caller
 * resets when the command is done, before reader_next. */
struct reader *reader_new(struct arena *life, struct arena *command,
                          const struct reader_limits *limits);

/* Take bytes off the front of *in, up to the next event. */
enum reader_event reader_put(struct reader *r, struct str *in);

/* Other limits, from the next command on: after a login. */
void reader_limit(struct reader *r, const struct reader_limits *limits);

struct command_text reader_command(const struct reader *r);

/* The last piece of a streamed literal; `left` is what is still to come. */
struct str reader_data(const struct reader *r, uint64_t *left);

/* Take the literal into memory; false where that goes over the limits: refuse
 * it then. */
bool reader_hold(struct reader *r) MUST_USE;
void reader_stream(struct reader *r);

/* The command will not be done. Where the client waits for "+" it is over at
 * once; else the rest of it is read and thrown away up to READER_REFUSED. */
void reader_refuse(struct reader *r);

/* Begin the next command. `raw`: a line in which "{" means nothing, as those
 * that follow AUTHENTICATE and IDLE. */
void reader_next(struct reader *r, bool raw);

#endif
