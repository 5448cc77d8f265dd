/* Keys of TLS session tickets: made here, read by all from the board, never
 * on disk; whoever steals one later opens nothing older than its time. */
#include "master.h"

#include <string.h>
#include <sys/random.h>

#include "base/log.h"

static struct timer *timer;

static void
next(void *unused)
{
    struct board_ticket_key key;
    int64_t life = master.plan->conf->smtpd_tls_session_cache_timeout;

    (void)unused;
    timer = NULL;
    if (life <= 0 || getrandom(&key, sizeof key, 0) != sizeof key) {
        board_no_tickets(master.board);
        return;
    }
    board_put_ticket_key(master.board, &key);
    explicit_bzero(&key, sizeof key);
    timer = loop_after(master.loop, life / 2 + 1, next, NULL);
}

void
tickets_start(void)
{
    loop_cancel(timer);
    next(NULL);
}
