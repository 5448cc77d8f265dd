/*
 * view.h - what one session sees of a mailbox.
 *
 * Sequence numbers are frozen: they change only in view_update, when the
 * session says so. Flags are not frozen, they are what the index says. Whether
 * others of this process, another process, or a program at the files changed
 * something makes no difference: a view asks the index what happened since the
 * mod-sequence it has seen.
 */
#ifndef STORE_VIEW_H
#define STORE_VIEW_H

#include "store/flags.h"

struct view;

/* writable: SELECT, which claims \Recent messages; not EXAMINE. */
enum rc view_open(struct mailbox *box, bool writable, struct view **view,
                  struct why *why) MUST_USE;
void view_close(struct view *v);

uint32_t view_count(const struct view *v);
/* The UID of a sequence number, 0 where it is over the count. */
uint32_t view_uid(const struct view *v, uint32_t seq);
/* The sequence number of a UID, 0 where the view has no such message. */
uint32_t view_seq(const struct view *v, uint32_t uid);
/* How many messages have lower UIDs. */
uint32_t view_rank(const struct view *v, uint32_t uid);
/* The UIDs of sequence numbers first to last, as ranges without a gap that a
 * message of the view could be in. */
struct uid_set view_uids(const struct view *v, struct arena *a, uint32_t first,
                         uint32_t last);
/* Is the message \Recent in this session, and how many are? */
bool view_is_recent(const struct view *v, uint32_t uid);
uint32_t view_recent(const struct view *v);
/* What arrives and has not been taken up yet has this UID, or a higher one. */
uint32_t view_next(const struct view *v);
/* The mod-sequence up to which the session has been told of everything. */
uint64_t view_modseq(const struct view *v);

struct view_news {
    /* The folder has another UIDVALIDITY now: the session must end, or select
     * it anew. Nothing else is said. */
    bool replaced;
    /* Expunged: as UIDs, and as the numbers of EXPUNGE responses in the order
     * they are to be sent in. */
    struct uid_set vanished;
    const uint32_t *expunged;
    size_t expunged_count;
    /* What was expunged waits until it may be told, or did until now. */
    bool waited;
    bool arrived;           /* count or recent are to be told */
    struct uid_set changed; /* messages with other flags or mod-sequence */
};

/* Is there anything to tell? No system call. */
bool view_has_news(struct view *v);

/*
 * Take up what happened; expunges only if they may be told now. Changes that
 * the session made itself are among them, unless view_skip was called.
 */
enum rc view_update(struct view *v, bool expunges, struct arena *a,
                    struct view_news *news, struct why *why) MUST_USE;

/* Only what was expunged is taken up: nothing has arrived or changed for this
 * session, whatever happened. */
enum rc view_expunge(struct view *v, struct arena *a, struct view_news *news,
                     struct why *why) MUST_USE;

/* The session has told of a change of its own (done->before and ->modseq of
 * flags_store); if nothing else happened meanwhile, it is not news. */
void view_skip(struct view *v, uint64_t before, uint64_t modseq);

#endif
