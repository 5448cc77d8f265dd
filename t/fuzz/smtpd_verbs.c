/* SMTP command lines: verb, MAIL, RCPT, BDAT with their parameters. */
#include "mail/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena *arena;
    struct str line = {(const char *)data, size}, verb, args;
    struct mail_args m;
    struct rcpt_args r;
    uint64_t count;
    bool last;

    if (size < 2)
        return 0;
    if (arena == NULL)
        arena = arena_new("fuzz", 16 << 20);
    arena_reset(arena);

    unsigned allowed = (unsigned)data[0] << 8 | (unsigned)data[1];

    command_cut(str_sub(line, 2, size), &verb, &args);
    (void)command_mail(arena, args, allowed, &m);
    (void)command_rcpt(arena, args, allowed, &r);
    (void)command_bdat(args, &count, &last);
    return 0;
}
