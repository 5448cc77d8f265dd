/*
 * message.h - packets between our processes, made from messages.def.
 *
 * For each row there is
 *     struct msg_NAME { ... };
 *     bool send_NAME(struct link *, const struct msg_NAME *);
 *     bool read_NAME(const struct packet *, struct msg_NAME *);
 * and for each record
 *     struct rec_NAME { ... };
 *     void put_NAME(struct buf *list, const struct rec_NAME *);
 *     bool get_NAME(struct str *list, struct rec_NAME *);
 *
 * A packet whose type the peer may not send, that is cut short or has bytes
 * left over, or that lacks its descriptor is refused: the link is broken then
 * and the caller cuts it off.
 */
#ifndef IPC_MESSAGE_H
#define IPC_MESSAGE_H

#include "base/pack.h"
#include "sys/sock.h"

enum side {
    MASTER,
    DAEMON,
    PRODUCER,
    QMGR,
    AGENT,
    BOUNCE,
    RESOLVE,
    TOOL,
    TLS,
    KEYS,
    AUTH,
    CHECKER,
    LOGIN,
    BROKER,
    HOME,
    ROOM,
};

enum msg_type {
#define MSG(from, to, name, fields) MSG_##name,
#include "ipc/messages.def"
    MSG_COUNT
};

/* Up to SOCK_FILES_MAX descriptors. */
struct files {
    size_t count;
    int fd[SOCK_FILES_MAX];
};

#define Num(name)   int64_t name;
#define Text(name)  struct str name;
#define File(name)  int name;
#define Files(name) struct files name;
#define MSG(from, to, name, fields)                                            \
    struct msg_##name {                                                        \
        fields                                                                 \
    };
#define RECORD(name, fields)                                                   \
    struct rec_##name {                                                        \
        fields                                                                 \
    };
#include "ipc/messages.def"
#undef Num
#undef Text
#undef File
#undef Files

/* One end of a link. A side is a bit set, as a local is PRODUCER and AGENT. */
struct link {
    int fd;
    unsigned self, peer; /* SIDE(...) bits */
};
#define SIDE(side) (1u << (side))

/* A received packet; owns the descriptors until read_NAME gives them out. */
struct packet {
    enum msg_type type;
    struct str body;
    struct files files;
    size_t taken; /* private: of the files, by the reader at work */
    char data[SOCK_PACKET_MAX];
};

enum link_state {
    LINK_OK,
    LINK_AGAIN, /* nothing there (non-blocking), or the wait timed out */
    LINK_GONE,  /* the peer closed */
    LINK_BAD,   /* the peer erred: cut it off; has been logged */
};

/*
 * Receive one packet. `p` is big: keep one a process. Descriptors that were
 * not taken from the last packet are closed first.
 */
enum link_state link_receive(const struct link *link, struct packet *p);

/* Receive, and insist on that type (for sequential askers). */
enum link_state link_expect(const struct link *link, struct packet *p,
                            enum msg_type type);

/* "queue_open", for logs. */
const char *msg_name(enum msg_type type);

/* Close what the packet still holds. */
void packet_drop(struct packet *p);

/* Wipe a packet that held a secret, and what was sent last. NULL: only that. */
void packet_wipe(struct packet *p);

/*
 * Send: false if the link is gone or (non-blocking) full, errno tells. The
 * descriptors stay the caller's. Text that makes the packet too large is a
 * bug of the caller (must).
 */
#define MSG(from, to, name, fields)                                            \
    bool send_##name(const struct link *link, const struct msg_##name *m)      \
        MUST_USE;                                                              \
    bool read_##name(struct packet *p, struct msg_##name *m) MUST_USE;
#define RECORD(name, fields)                                                   \
    void put_##name(struct buf *list, const struct rec_##name *r);             \
    bool get_##name(struct str *list, struct rec_##name *r) MUST_USE;
#include "ipc/messages.def"

/* flags of deliver, beside the ENVELOPE_ bits of mail/envelope.h */
enum {
    DELIVER_CLAIM = 1 << 16,  /* fd is writable; queue/file.h, claiming */
    DELIVER_VERIFY = 1 << 17, /* a probe: all but the delivery itself */
};

/* action of a result beside its rc: what has become of the recipient */
enum action {
    ACTION_NONE,      /* rc says it: OK is delivered */
    ACTION_RELAYED,   /* handed to a system that sends no success reports */
    ACTION_EXPANDED,  /* to several new recipients (aliases) */
    ACTION_FORWARDED, /* to one new recipient; DSN duty went along */
    ACTION_PASS,      /* not tried: another transport is to deliver it now;
                         relay is "transport:nexthop" (mailbox_transport) */
};

/* Most bytes of a recipient's `done`. */
#define DONE_MAX 16384

/* kind of report */
enum report { REPORT_FAILURE = 1, REPORT_DELAY = 2, REPORT_SUCCESS = 3 };

#endif
