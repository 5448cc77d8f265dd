/*
 * drop.h - the form of a message in maildrop/, and on postdrop's input.
 *
 * A line "posta drop 1", then records (a number and a text as in
 * base/pack.h), an end record, and then the content as sendmail(1) was given
 * it, with LF line ends. The file belongs to the user who sent it, which is
 * how pickup knows him; while it is being written its mode is 0600, complete
 * it is DROP_COMPLETE. Whoever reads one trusts nothing in it.
 */
#ifndef QUEUE_DROP_H
#define QUEUE_DROP_H

#include "base/buf.h"
#include "base/why.h"
#include "mail/envelope.h"

/* Others may read it: only the queue owner gets into the folder. */
#define DROP_COMPLETE 0744

/* Most bytes before the content. */
#define DROP_HEAD_MAX (1 << 20)

struct drop {
    /* sender, rcpts (addr and notify), envid, verp, flags; internal form */
    struct envelope envelope;
    struct str full_name; /* sendmail -F: for a From that is made up */
};

void drop_put(struct buf *b, const struct drop *d);

/*
 * Read the head. *content is where the content begins. PERM where it is none,
 * is cut short, or has something that may not be there; views go into the
 * arena's memory, not into `bytes`.
 */
enum rc drop_get(struct arena *a, struct str bytes, struct drop *d,
                 size_t *content, struct why *why) MUST_USE;

#endif
