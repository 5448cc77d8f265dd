/*
 * session.h - one POP3 session after login (RFC 1939 5 and 6).
 *
 * What the client sees is the INBOX as it was at login: numbers stay, and what
 * it deletes goes when it says QUIT, not before. Other sessions, of IMAP too,
 * go on meanwhile.
 */
#ifndef POP3D_SESSION_H
#define POP3D_SESSION_H

#include "access/user.h"
#include "base/vec.h"
#include "store/mailbox.h"
#include "sys/conn.h"

/* What a user's sessions share. */
struct pop3 {
    struct user *user;
    struct home *home; /* the store's */
    VEC(struct session *) sessions;
};

struct pop3_message {
    uint32_t uid;
    bool deleted, seen; /* seen: RETR was asked for */
    uint64_t size;      /* with CRLF; 0: not known yet */
};

struct session {
    struct pop3 *pop3;
    const struct conf *conf;
    unsigned number;
    struct conn *conn;
    struct arena *work; /* of one command */
    struct timer *timer;
    char id[32];
    bool utf8;               /* UTF8 was said before login */
    struct str capabilities; /* pop3d.h, of the greeting (malloc) */
    bool ending;
    uint64_t sent; /* when it was last looked, while it ends */
    unsigned junk;

    struct mailbox *box;
    struct pop3_message *list;
    uint32_t count;
    uint32_t validity;

    struct sending *sending; /* RETR, TOP under way */
    struct {
        bool begun; /* until all has been looked at that was deleted */
        bool failed;
        uint32_t at;
    } quit;
    struct {
        unsigned top, retr, deleted;
        uint64_t top_size, retr_size;
    } done;          /* for the log */
    const char *end; /* session_end */
};

void session_attach(struct pop3 *pop3, const struct user_session *from);
void session_bye(struct session *s, const char *why);

/* verbs.c: do one line. */
void verbs_run(struct session *s, struct str line);

/* send.c: answer +OK, with the size of the whole message, and put its first
 * piece, or that of its header and so many lines of its body (-1: all).
 * s->sending is set while there is more of it. False: nothing was said, and
 * why; 5.6.7 where it can be sent as UTF-8 only. */
bool send_begin(struct session *s, struct pop3_message *m, int64_t lines,
                struct why *why);
/* The next piece. */
void send_more(struct session *s);
void send_drop(struct session *s);

/* session.c: a line. */
void say(struct session *s, const char *fmt, ...) PRINTF(2, 3);
/* Close when what was said is sent; the log says why: a text that stays;
 * NULL: the client left. */
void session_end(struct session *s, const char *why);
/* QUIT: what was deleted goes, some at a time, and then the session ends. */
void session_quit(struct session *s);

#endif
