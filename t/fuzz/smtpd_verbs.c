/* SMTP command lines: verb, MAIL, RCPT, BDAT, AUTH with their parameters, and
 * responses to challenges. */
#include "mail/base64.h"
#include "mail/command.h"

/* AUTH and a response to a challenge: what is taken for base64 is that, and
 * nothing else. */
static void
login(struct arena *a, struct str line, struct str args)
{
    struct auth_args given;
    struct buf again = buf_in(a);
    struct str data;

    if (command_auth(a, args, &given) != AUTH_SYNTAX)
        must(given.mech.len > 0 && given.mech.len <= 20);
    if (command_response(a, line, &data) != RESPONSE_DATA)
        return;
    base64_encode(&again, data);
    must(str_eq(buf_str(&again), line));
}

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

    bool strict = data[0] & 1, utf8 = data[0] & 2;
    unsigned offered = data[0] & 4 ? ~0u : data[1];

    command_cut(str_sub(line, 2, size), &verb, &args);
    (void)command_mail(arena, args, offered, strict, &m);
    (void)command_rcpt(arena, args, offered, strict, utf8, &r);
    if (command_bdat(args, &count, &last))
        must(args.len > 0);
    login(arena, line, args);
    return 0;
}
