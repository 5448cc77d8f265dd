/*
 * notify.h - NOTIFY (RFC 5465): telling a client of things that it has asked to
 * hear of, whenever they happen.
 *
 *   cmd_notify.c   the command, and what it leaves with a session
 *   roster.c       the user's folders, as long as a session listens: they are
 *                  watched, looked at, and compared with what they were
 *                  (roster_folders.c, roster_notes.c)
 *   notices.c      what a session is still to be told, and telling it
 *
 * What is to be told waits as state and not as text: of a mailbox with a
 * thousand new messages there is one STATUS response, and a client that does
 * not read costs nothing more.
 */
#ifndef IMAPD_NOTIFY_H
#define IMAPD_NOTIFY_H

#include "filter.h"

#define EVENTS_OF_MESSAGES                                                     \
    (EVENT_MESSAGE_NEW | EVENT_MESSAGE_EXPUNGE | EVENT_FLAG_CHANGE)

/* A group of events: all, for whichever mailbox it means. */
struct wish {
    struct filter_names where;
    unsigned events; /* EVENT_ bits; 0 is NONE */
};

/* One response that is due: LIST of a name, or METADATA. Texts are malloced. */
struct notice {
    char *name;  /* of the mailbox; "" is the server */
    char *old;   /* its old name, or NULL */
    char *entry; /* METADATA: which has changed; NULL: LIST */
};

/* What a session wants to hear, and waits to hear. */
struct notify {
    struct arena *a;
    unsigned selected; /* EVENT_ bits of messages in the selected mailbox */
    bool delayed;      /* SELECTED-DELAYED */
    struct fetch_item *items; /* of new messages there */
    size_t item_count;
    struct wish *wishes;
    size_t wish_count;

    VEC(struct notice) notices;
    size_t told;          /* so many of them have been */
    bool due;             /* there is a STATUS to tell */
    const char *overflow; /* why nothing can be told any more; NULL */
};

/* ---- cmd_notify.c */

/* The session ends. */
void notify_end(struct session *s);
/* What it wants to hear of a mailbox: EVENT_ bits. Groups add to each other,
 * but NONE outdoes them. `kind`: SPACE_ of its namespace. */
unsigned notify_events(const struct notify *n, const struct folder *f,
                       unsigned kind);
/* Does any group have one of these events? */
bool notify_wants(const struct notify *n, unsigned events);
/* STATUS_ items that tell of a change (5.1 to 5.3); 0 where it is none that
 * they want to hear of. was->validity 0: nothing has been told yet. */
unsigned notify_items(unsigned events, bool condstore,
                      const struct mailbox_status *was,
                      const struct mailbox_status *is);

/* ---- roster.c */

/* What a session knows of a folder whose messages it listens to. */
struct told {
    struct session *s;
    unsigned events; /* EVENT_ bits of messages */
    bool due;
    struct mailbox_status st;
};

struct place {
    struct folder f; /* with its whole name */
    struct home *home;
    unsigned kind; /* SPACE_ of its namespace */
    unsigned rights;
    bool watched;
    bool dirty; /* is to be looked at */
    struct mailbox_status now;
    VEC(struct told) told;
};

struct roster;

/* The session is about to listen: all folders are known, and nothing changes
 * until roster_end. PERM 5.3.4 where they are too many, TEMP where they cannot
 * be watched. */
enum rc roster_begin(struct session *s, struct why *why) MUST_USE;
/* It listens to what s->notify says now; what nobody wants is forgotten. */
void roster_end(struct session *s);
/* The same without roster_begin: it wants less than before, or nothing. */
void roster_settle(struct session *s);

size_t roster_count(const struct imap *imap);
struct place *roster_at(const struct imap *imap, size_t i);
/* The place of a name; NULL where there is none. */
struct place *roster_find(const struct imap *imap, struct str name);

/* What it wants to hear of messages there: none where it has no right to. */
unsigned roster_events(const struct notify *n, const struct place *p);
/* The session listens to the messages of a place: *t. What it knows of it is
 * what it was told already, or else what there is now (p->now). */
enum rc roster_listen(struct session *s, struct place *p, struct told **t,
                      struct why *why) MUST_USE;

/* Look at all folders now, tell all but one session of what has changed. */
void roster_look(struct imap *imap, const struct session *but);
/* The same is due soon: of all folders, of one, or of the one of that name. */
void roster_folders_changed(struct imap *imap);
void roster_place_changed(struct imap *imap, struct place *p);
void roster_name_changed(struct imap *imap, struct str name);
/* Messages in that folder of a home; path NULL: in all of them. */
void roster_home_changed(struct imap *imap, const struct home *home,
                         const struct str *path);
/* The session itself has added so many messages: that it knows. */
void roster_added(struct session *s, struct str name, struct mailbox *box,
                  uint32_t count);
/* It was told by a STATUS that it asked for, so that is what may change. */
void roster_told_unseen(struct session *s, struct str name, uint32_t unseen);
/* The session is about to let go of the selected mailbox, of which it knows
 * what it was told, and that it has expunged so many messages just now. */
void roster_left(struct session *s, uint32_t removed);

/* ---- notices.c */

/* From here on nothing is told, but that (5.8). */
void notify_overflow(struct session *s, const char *why);
/* A folder was one thing and is another now: NULL is none. */
void notices_folder(struct session *s, const struct folder *was,
                    const struct folder *is, unsigned kind);
/* An entry of a mailbox's notes has changed; name "": of the server's. */
void notices_metadata(struct session *s, const struct place *p,
                      struct str entry);
/* Tell all that is due, in steps. */
enum progress notices_step(struct session *s);

#endif
