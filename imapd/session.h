/*
 * session.h - one IMAP connection after login, and what a user's connections
 * share.
 *
 * All of a user's sessions are in one process and one event loop, so nothing
 * may wait or work for long: a command that does becomes a task of steps.
 */
#ifndef IMAPD_SESSION_H
#define IMAPD_SESSION_H

#include "access/names.h"
#include "access/user.h"
#include "auth/user_quota.h"
#include "base/vec.h"
#include "command.h"
#include "reader.h"
#include "store/view.h"
#include "sys/conn.h"

#define IMAP_TAG_MAX 128

/* What a user's sessions share. */
struct imap {
    struct user *user;
    struct home *home; /* the store's */
    struct names names;
    struct quota_limits quota;
    struct converters *charsets;
    struct timer *flush; /* of changed flags */
    struct timer *still; /* says to idling ones that we are here */
    struct outside *outside;
    struct roster *roster; /* notify.h; NULL: nobody listens */
    struct indexing *indexing;
    struct spaces *spaces; /* mail of others */
    VEC(struct session *) sessions;
    VEC(struct mailbox *)
    behind; /* that sessions have let go of, and whose file
               names are not written yet */
};

/* What a client has enabled (RFC 5161). */
enum {
    ENABLED_CONDSTORE = 1,
    ENABLED_QRESYNC = 2,
    ENABLED_UTF8 = 4,
    ENABLED_REV2 = 8,
    ENABLED_UIDONLY = 16,
};

enum progress {
    DONE, /* the command has been answered */
    MORE, /* call again: output is full, or others shall have their turn */
};

struct home;
struct notify;
struct session;
struct upload;
struct walk;

/* A command that is not done in one go. */
struct task {
    enum progress (*step)(struct session *s, void *work);
    void (*drop)(struct session *s, void *work); /* the session ends before;
                                                    may be NULL */
    void *work;                                  /* in s->command */
    struct arena *arena; /* what s->command is in its steps; NULL: itself */
    bool aside;          /* no command is done: news are told. The arena goes
                            with it */
    bool whole; /* goes on to its end whatever becomes of the client, and
                   writes nothing before */
};

/* For the line of the log that ends a session: messages marked \Deleted,
 * expunged and put into \Trash, and the header sections and other texts that
 * were sent. */
struct tally {
    uint64_t deleted, expunged, trashed;
    uint64_t headers, header_bytes, bodies, body_bytes;
};

/* One connection. */
struct session {
    struct imap *imap;
    const struct conf *conf;
    unsigned number;
    struct conn *conn;
    struct arena *life;
    struct arena *command; /* of the command that is read, and done */
    struct reader *reader;
    struct command now;    /* the command that is done */
    uint32_t lowest;       /* UID that it worked on, where the limit left others
                              out; else 0 (limit.h) */
    struct task task;      /* .step NULL: none */
    struct walk *untold;   /* flags to be told before the reply is sent: */
    struct str reply;      /* ... this, which may be empty */
    struct upload *upload; /* messages that the command brings (upload.h) */
    struct timer *timer;   /* until it is logged out for doing nothing */
    struct timer *turn;    /* goes on with a long command */
    char id[32];           /* for the log */
    unsigned enabled;      /* ENABLED_ bits */
    bool idling;           /* IDLE: the next line ends it */
    bool tell;             /* there is news, when nothing else is at work */
    char idle_tag[IMAP_TAG_MAX + 1];
    int64_t began;    /* this turn, on the clock of io_now */
    bool compressing; /* as soon as all is sent */
    bool compressed;
    bool tls;             /* in the login stage, which has the socket */
    bool leaving;         /* back to there, when all is sent */
    bool ending;          /* closes when all is sent */
    bool lost;            /* is over as soon as its task, which is whole */
    const char *farewell; /* session_bye_soon */
    const char *end;      /* why it ended, for the log */
    struct tally tally;
    unsigned junk; /* bad commands in a row */

    /* The selected mailbox; NULL: none. */
    struct mailbox *box;
    struct view *view;
    struct str selected; /* its name, UTF-8 (malloc) */
    unsigned rights;     /* RIGHT_ bits on it */
    bool guest;          /* it is not in the private namespace */
    bool read_only;
    struct uid_set saved; /* "$": what SEARCH saved (RFC 5182); malloc */
    struct {
        struct uidbatches asked;
        uint32_t count, next; /* of the view then; count 0: never */
    } batches;                /* the last UIDBATCHES there */

    /* NOTIFY. */
    struct notify *notify; /* NULL: never said */
    uint32_t fetched;      /* messages from this UID on are new to the client */
    VEC(struct uid_range) added; /* but for those that it brought itself */
};

/* ---- session.c */

bool session_attach(struct imap *imap, const struct user_session *from);
/* With a word: "* BYE why". */
void session_bye(struct session *s, const char *why);
/* The same when whoever is at work has done: news come from anywhere. */
void session_bye_soon(struct session *s, const char *why);
/* Close when what was said is sent; the log says why. */
void session_end(struct session *s, const char *why);
/* The client goes back to before his login (RFC 8437) when what was said is
 * sent; for sessions with TLS. */
void session_leave(struct session *s);
/* Let go of the selected mailbox; no response. `removed`: so many messages of
 * it have been expunged just now, untold. */
void session_deselect(struct session *s, uint32_t removed);
/* Tell news as soon as the session has nothing else to do. */
void session_tell_soon(struct session *s);
/* Take another arena for the command's; the one before comes back. */
struct arena *session_borrow(struct session *s, struct arena *a);
/* The command goes on in steps. */
void session_task(struct session *s, struct task task);
/* Is there room for more output, and time? A step that writes or works much
 * asks between its pieces, and returns MORE if not. */
bool session_may_go_on(const struct session *s);

/* ---- reply.c: each tagged reply is the command's end; news are told first,
 * expunges among them where the command allows it */

void reply_ok(struct session *s, const char *fmt, ...) PRINTF(2, 3);
void reply_no(struct session *s, const char *fmt, ...) PRINTF(2, 3);
void reply_bad(struct session *s, const char *fmt, ...) PRINTF(2, 3);
/* NO with the response code that fits a failure of the store. */
void reply_why(struct session *s, const struct why *why);

/* Untagged text, with its CRLF. */
void say(struct session *s, const char *fmt, ...) PRINTF(2, 3);
void say_number(struct session *s, uint64_t n);
/* Whole values that were written wide (mail/imap_text.h): sent as this client
 * reads them. The arena is scratch. */
void say_wide(struct session *s, struct arena *a, struct str text);
/* A word now and then to who waits long for his command (RFC 9585). *told: when
 * that was last, 0 at the beginning. */
void say_progress(struct session *s, int64_t *told);
/* Does the client read UTF-8 in quoted strings and names? */
bool session_is_wide(const struct session *s);
/* Append a mailbox's name as this client reads it; from what it sent, into the
 * command's arena: false where it is none. */
void put_mailbox(const struct session *s, struct buf *b, struct str name);
bool take_mailbox(struct session *s, struct str sent, struct str *name);
/* The same of a pattern of names, which stays as it is. */
bool take_pattern(struct session *s, struct str sent, struct str *pattern);
/* Is the message \Recent for this client? IMAP4rev2 has no such flag. */
bool session_has_recent(const struct session *s, uint32_t uid);
/* Append "(\Seen work)". */
void put_flags(struct buf *b, unsigned flags, uint64_t keywords,
               const struct keywords *names, bool recent);

/* ---- news.c */

/* Tell what happened in the selected mailbox, of which NOTIFY may want less;
 * expunges only if allowed. */
void news_tell(struct session *s, bool expunges);
/* The same without the flags of messages that there is no time for: they are
 * left to news_flags. NULL: all has been told. */
struct walk *news_tell_some(struct session *s, bool expunges) MUST_USE;
/* Tell messages' flags, as long as there is room and time; nothing of one that
 * is gone. True: all has been told. */
bool news_flags(struct session *s, struct walk *w) MUST_USE;
/* Begin to tell all news, as a task that is no command's. */
void news_begin(struct session *s);
/* The session has stored messages in a mailbox itself: these are no news. */
void news_added(struct session *s, struct str name, struct mailbox *box,
                struct uid_set uids);
/* Are changes of flags among what it tells? */
bool news_tells_flags(const struct session *s);
/* Append UIDs: "4,7:9". */
void put_uids(struct buf *b, struct uid_set set);
/* Flags have changed: their files get new names a little later. */
void flags_soon(struct imap *imap);
/* Let go of a mailbox; where many files wait for their names, not before they
 * have them. */
void flags_close(struct imap *imap, struct mailbox *box);
/* The process ends: they get them now. */
void flags_end(struct imap *imap);
/* The mailbox may have changed: tell those who want to hear of it at once. */
void news_look(struct imap *imap, struct mailbox *box);

/* ---- outside.c: what other programs do at the files */

void outside_begin(struct imap *imap);
/* The process ends: nobody shall tell it anything. */
void outside_end(struct imap *imap);
/* Listen to those who change that home, until it is about to be closed. */
void outside_hear(struct imap *imap, struct home *home);
void outside_hear_no_more(struct imap *imap, const struct home *home);
/* The kernel tells nothing: what nobody else tells must be looked for. */
bool outside_is_blind(const struct imap *imap);
/* A session has selected a mailbox, or is about to let go of it. */
void outside_watch(struct session *s);
void outside_unwatch(struct session *s);
/* Folders that are not selected (store/watch.h): what changes there is told to
 * the roster, as far as the kernel tells it (outside_is_blind). */
enum rc outside_add_messages(struct imap *imap, const struct home *home,
                             const char *path, void *owner,
                             struct why *why) MUST_USE;
enum rc outside_add_folders(struct imap *imap, const struct home *home,
                            const char *path, void *owner,
                            struct why *why) MUST_USE;
void outside_drop(struct imap *imap, const void *owner);
/* The folder that says who shares (space_shares_changed). */
void outside_add_list(struct imap *imap, const char *path);
/* Look at the selected mailbox now, and again while another program keeps it
 * locked. */
void outside_look(struct session *s);

/* ---- walk.c */

/* The UIDs that a set of numbers or UIDs means. False where a number is none
 * of a message: BAD. */
bool set_uids(struct session *s, const struct seq_set *set, bool uid,
              struct uid_set *out);
/* The same in any view, whose messages alone are meant: numbers that are over
 * their count mean none. */
struct uid_set set_uids_there(struct session *s, const struct view *view,
                              const struct seq_set *set, bool uid);

/* How many messages of the view are in a range; *before: how many have lower
 * UIDs. */
uint32_t range_count(const struct view *view, struct uid_range r,
                     uint32_t *before);

/* Add a UID behind all others of a set. */
void uids_extend(struct uid_range *at, size_t *len, uint32_t uid);

/* The messages of the view that are in a set, in order; from the highest down
 * where the limit has cut the set (limit.h). */
struct walk {
    const struct view *view;
    struct uid_set set;
    bool down;
    size_t place; /* of a range, as it goes */
    uint32_t seq; /* the last one */
};
void walk_begin(struct walk *w, const struct session *s, struct uid_set set);
/* The same in order whatever the limit. */
void walk_begin_up(struct walk *w, const struct session *s, struct uid_set set);
/* Of such a walk: the next ones, at most `max`, in the arena. */
struct uid_set walk_take(struct walk *w, struct arena *a, size_t max);
bool walk_next(struct walk *w, uint32_t *seq, uint32_t *uid);

/* The same with what the index says of them, many at once. */
#define WALK_ROWS 64
struct walk_row {
    uint32_t seq;
    struct message m; /* the UID alone where it is gone */
    bool gone;
    size_t place;
};
/* The next ones, at most WALK_ROWS; *count 0 at the end. */
enum rc walk_read(struct walk *w, struct mailbox *box, struct walk_row *rows,
                  size_t *count, struct why *why) MUST_USE;
/* Read that row again, and those behind it. */
void walk_back(struct walk *w, const struct walk_row *row);

/* ---- commands.c */

/* Do s->now; true: it was answered or has become a task. */
void commands_run(struct session *s);
/* ENABLE of one word: its bit is set, and " WORD" appended, if we know it. */
void commands_enable(struct session *s, struct str word, struct buf *b);
/* Append "CAPABILITY IMAP4rev1 ..." as it is after login. */
void capabilities_put(const struct session *s, struct buf *b);

/* The commands: each answers, or begins a task. */
#define IMAP_RUN(name) void name(struct session *s, const struct command *c)
IMAP_RUN(do_capability);
IMAP_RUN(do_noop);
IMAP_RUN(do_logout);
IMAP_RUN(do_id);
IMAP_RUN(do_enable);
IMAP_RUN(do_namespace);
IMAP_RUN(do_idle);
IMAP_RUN(do_compress);
IMAP_RUN(do_unauthenticate);
IMAP_RUN(do_select);
IMAP_RUN(do_close);
IMAP_RUN(do_unselect);
IMAP_RUN(do_list);
IMAP_RUN(do_create);
IMAP_RUN(do_delete);
IMAP_RUN(do_rename);
IMAP_RUN(do_subscribe);
IMAP_RUN(do_status);
IMAP_RUN(do_append);
IMAP_RUN(do_getquota);
IMAP_RUN(do_getquotaroot);
IMAP_RUN(do_setquota);
IMAP_RUN(do_myrights);
IMAP_RUN(do_getacl);
IMAP_RUN(do_setacl);
IMAP_RUN(do_deleteacl);
IMAP_RUN(do_listrights);
IMAP_RUN(do_getmetadata);
IMAP_RUN(do_setmetadata);
IMAP_RUN(do_fetch);
IMAP_RUN(do_store);
IMAP_RUN(do_search); /* and SORT, THREAD */
IMAP_RUN(do_esearch);
IMAP_RUN(do_notify);
IMAP_RUN(do_copy);
IMAP_RUN(do_uidbatches);
IMAP_RUN(do_expunge);

#endif
