/* IMAP commands, in pieces of any size: the first byte says how large. */
#include "fuzz/fuzz.h"
#include "imapd/parse.h"

static void
fuzz(struct arena *a, struct str in)
{
    struct reader_limits limits = {4096, 4096, 10, 4096};
    struct arena *command = arena_new("command", 4 << 20);
    struct reader *r = reader_new(a, command, &limits);
    size_t piece = in.len > 0 ? (unsigned char)in.p[0] % 16 + 1 : 1;
    uint64_t left;

    for (size_t at = 1; at < in.len; at += piece) {
        struct str part = str_sub(in, at, piece);
        enum reader_event event;

        while ((event = reader_put(r, &part)) != READER_MORE) {
            struct command_text text = reader_command(r);
            struct command c;
            const char *error;
            enum parsed parsed;

            if (event == READER_DATA) {
                (void)reader_data(r, &left);
                continue;
            }
            parsed = command_parse(command, &text, &c, &error);
            must((parsed == PARSED_BAD) == (error != NULL));
            if (event == READER_LITERAL && parsed == PARSED_MESSAGE) {
                reader_stream(r);
                continue;
            }
            if (event == READER_LITERAL && parsed == PARSED_WANTS &&
                reader_hold(r))
                continue;
            if (event == READER_LITERAL) {
                bool sync = text.literals[text.count - 1].sync;

                reader_refuse(r);
                if (!sync)
                    continue;
            }
            arena_reset(command);
            reader_next(r, false);
        }
    }
    arena_free(command);
}

FUZZ(1 << 20)
