/*
 * command.h - every command of IMAP, with its arguments, as plain structs.
 *
 * Made by command_parse (parse.h) in the command's arena; texts are views of
 * what the client sent, or copies in that arena. Names of mailboxes are as they
 * were sent: take_mailbox (session.h) makes UTF-8 of them. The grammar is
 * that of RFC 9051 and 3501 and of the extensions named at each struct.
 */
#ifndef IMAPD_COMMAND_H
#define IMAPD_COMMAND_H

#include "mail/section.h"
#include "mail/sort.h"
#include "mail/thread.h"
#include "store/name.h"

/* When a command may come (RFC 9051 3). */
enum {
    WHEN_GREETED = 1,
    WHEN_AUTH = 2,
    WHEN_SELECTED = 4,
    WHEN_LOGGED_IN = WHEN_AUTH | WHEN_SELECTED,
    WHEN_ANY = WHEN_GREETED | WHEN_LOGGED_IN,
};

enum command_id {
    COMMAND_NONE,
#define COMMAND(id, name, when, arguments) COMMAND_##id,
#include "commands.def"
#undef COMMAND
    COMMAND_COUNT
};

/* ---- pieces that several commands have ---- */

/* Message numbers or UIDs: 5, 5:7, 7:5, 5:*, *. 0 stands for "*". */
struct seq_range {
    uint32_t from, to;
};
struct seq_set {
    bool saved; /* "$" (RFC 5182); then nothing else */
    struct seq_range *at;
    size_t count;
};

/* <64-bit numbers that fit in 63> mod-sequences, sizes. */

struct flags {
    unsigned system; /* FLAG_ bits */
    struct str *keywords;
    size_t count;
};

/* PARTIAL 1:500 or -1:-100 (RFC 9394): from is nearer to the end that is
 * counted from, both are positive. */
struct partial {
    bool asked, from_end;
    uint32_t from, to;
};

struct strings {
    struct str *at;
    size_t count;
};

/* ---- before a mailbox is selected ---- */

struct login {
    struct str user, password;
};

/* RFC 4959: initial.p is NULL where none was sent; "=" is the empty one. Still
 * base64. */
struct authenticate {
    struct str mechanism, initial;
};

/* RFC 2971, pairs; value.p is NULL for NIL. count 0: NIL. */
struct id_pair {
    struct str field, value;
};
struct id_list {
    struct id_pair *at;
    size_t count;
};

/* SELECT, EXAMINE (RFC 7162). */
struct select {
    struct str mailbox;
    bool condstore, qresync;
    uint32_t uidvalidity;
    uint64_t modseq;
    struct seq_set known; /* UIDs; empty where none were sent */
    struct seq_set match_seqs, match_uids;
};

/* CREATE (RFC 6154): uses are "\Sent" ... */
struct create {
    struct str mailbox;
    struct strings uses;
};

/* DELETE, SUBSCRIBE, GETACL ... or a quota root. */
struct one_name {
    struct str name;
};
struct rename {
    struct str from, to;
};

/* STATUS items (RFC 9051, 7162, 7889, 8438, 8474, 9208). */
enum {
    STATUS_MESSAGES = 1,
    STATUS_RECENT = 2,
    STATUS_UIDNEXT = 4,
    STATUS_UIDVALIDITY = 8,
    STATUS_UNSEEN = 16,
    STATUS_DELETED = 32,
    STATUS_SIZE = 64,
    STATUS_HIGHESTMODSEQ = 128,
    STATUS_APPENDLIMIT = 256,
    STATUS_MAILBOXID = 512,
    STATUS_DELETED_STORAGE = 1024,
};
struct status {
    struct str mailbox;
    unsigned items;
};

/* LIST (RFC 5258, 5819, 6154, 8440, 9590) and LSUB. */
enum {
    LIST_SUBSCRIBED = 1, /* may be asked for, and returned */
    LIST_REMOTE = 2,
    LIST_RECURSIVEMATCH = 4,
    LIST_SPECIAL_USE = 8,
    LIST_CHILDREN = 16, /* this and the rest are only returned */
    LIST_MYRIGHTS = 32,
    LIST_STATUS = 64,
    LIST_METADATA = 128,
};
struct list {
    bool extended; /* the client knows LIST-EXTENDED */
    unsigned select, returned;
    struct str reference;
    struct strings patterns;
    unsigned status;         /* items, with LIST_STATUS */
    struct strings metadata; /* entries, with LIST_METADATA */
};

/* A message's bytes: a literal that is streamed or held. */
struct append_piece {
    bool is_url;
    struct str url;      /* CATENATE URL (RFC 4469) */
    const void *literal; /* struct literal, of the command's text */
};
struct append_message {
    struct flags flags;
    bool dated;
    int64_t date; /* seconds since 1970 */
    int zone;     /* minutes east of UTC */
    bool utf8;    /* UTF8 (~{...}) (RFC 6855) */
    bool catenate;
    struct append_piece *pieces; /* one without CATENATE */
    size_t count;
};
/* APPEND (RFC 3502, 4469) and REPLACE (RFC 8508: `replaced`). */
struct append {
    struct str mailbox;
    struct append_message *messages;
    size_t count;
    uint32_t replaced; /* number or UID; 0 is "*" */
};

/* ACL (RFC 4314). `change` is '+', '-' or 0. */
struct acl_words {
    struct str mailbox, identifier, rights;
    char change;
};

/* SETQUOTA (RFC 9208). */
struct quota_limit {
    struct str resource;
    uint64_t limit;
};
struct quota {
    struct str root;
    struct quota_limit *limits;
    size_t count;
};

/* GETMETADATA, SETMETADATA (RFC 5464). */
#define METADATA_INFINITY UINT32_MAX
struct metadata_value {
    struct str entry, value; /* value.p NULL: NIL, remove it */
};
struct metadata {
    struct str mailbox; /* empty: the server */
    bool sized;
    uint32_t max_size;
    uint32_t depth; /* 0, 1, METADATA_INFINITY */
    struct metadata_value *entries;
    size_t count;
};

/* NOTIFY (RFC 5465), and where ESEARCH looks (RFC 7377). */
enum filter {
    FILTER_SELECTED,
    FILTER_SELECTED_DELAYED,
    FILTER_INBOXES,
    FILTER_PERSONAL,
    FILTER_SUBSCRIBED,
    FILTER_SUBTREE,
    FILTER_SUBTREE_ONE,
    FILTER_MAILBOXES,
};
struct filter_mailboxes {
    enum filter filter;
    struct strings mailboxes; /* of the last three */
};
enum {
    EVENT_MESSAGE_NEW = 1,
    EVENT_MESSAGE_EXPUNGE = 2,
    EVENT_FLAG_CHANGE = 4,
    EVENT_ANNOTATION_CHANGE = 8,
    EVENT_MAILBOX_NAME = 16,
    EVENT_SUBSCRIPTION_CHANGE = 32,
    EVENT_MAILBOX_METADATA_CHANGE = 64,
    EVENT_SERVER_METADATA_CHANGE = 128,
    EVENT_UNKNOWN = 256, /* answer NO [BADEVENT (...)] */
};

/* ---- FETCH and STORE ---- */

enum fetch_kind {
    FETCH_ENVELOPE,
    FETCH_FLAGS,
    FETCH_INTERNALDATE,
    FETCH_UID,
    FETCH_BODY_STRUCTURE, /* BODYSTRUCTURE */
    FETCH_BODY,           /* BODY without a section */
    FETCH_SECTION,        /* BODY[...] */
    FETCH_BINARY,         /* BINARY[...] (RFC 3516) */
    FETCH_BINARY_SIZE,    /* BINARY.SIZE[...] */
    FETCH_RFC822,
    FETCH_RFC822_HEADER,
    FETCH_RFC822_SIZE,
    FETCH_RFC822_TEXT,
    FETCH_MODSEQ,  /* RFC 7162 */
    FETCH_PREVIEW, /* RFC 8970 */
    FETCH_EMAILID, /* RFC 8474 */
    FETCH_THREADID,
    FETCH_SAVEDATE, /* RFC 8514 */
};
struct fetch_item {
    enum fetch_kind kind;
    bool peek; /* .PEEK: does not set \Seen */
    bool lazy; /* PREVIEW (LAZY) */
    bool kept; /* found by FETCH: the index has these fields */
    struct section section;
    bool partial;
    uint64_t offset, length;
};
struct fetch {
    struct seq_set set;
    struct fetch_item *items;
    size_t count;
    uint64_t changed_since; /* 0 where not said (RFC 7162) */
    bool vanished;
    struct partial range; /* RFC 9394 */
};

enum store_how { STORE_REPLACE, STORE_ADD, STORE_REMOVE };
struct store {
    struct seq_set set;
    bool guarded; /* UNCHANGEDSINCE, which may be 0 */
    uint64_t unchanged_since;
    enum store_how how;
    bool silent;
    struct flags flags;
};

/* COPY, MOVE. */
struct copy {
    struct seq_set set;
    struct str mailbox;
};

struct uid_expunge {
    struct seq_set set;
};

/* RFC 10022: batches of so many messages, and which of them. */
struct uidbatches {
    uint32_t size;
    uint32_t from, to; /* 0: all */
};

/* ---- SEARCH and its kin ---- */

enum search_kind {
    SEARCH_ALL,
    SEARCH_FLAG, /* has it: flag, or keyword where flag is 0 */
    SEARCH_NO_FLAG,
    SEARCH_NEW, /* recent and unseen */
    SEARCH_OLD, /* not recent */
    SEARCH_RECENT,
    SEARCH_AND, /* all children */
    SEARCH_OR,
    SEARCH_NOT,
    SEARCH_SEQ, /* message numbers; "$" too */
    SEARCH_UID,
    SEARCH_BEFORE, /* date; the internal one */
    SEARCH_ON,
    SEARCH_SINCE,
    SEARCH_SENT_BEFORE,
    SEARCH_SENT_ON,
    SEARCH_SENT_SINCE,
    SEARCH_SAVED_BEFORE, /* RFC 8514 */
    SEARCH_SAVED_ON,
    SEARCH_SAVED_SINCE,
    SEARCH_SAVE_DATE_SUPPORTED,
    SEARCH_LARGER, /* number */
    SEARCH_SMALLER,
    SEARCH_OLDER, /* number: seconds (RFC 5032) */
    SEARCH_YOUNGER,
    SEARCH_MODSEQ, /* number; field is "/flags/..." or empty */
    SEARCH_HEADER, /* field, text; BCC, CC, FROM, SUBJECT, TO too */
    SEARCH_BODY,   /* text */
    SEARCH_TEXT,
    SEARCH_EMAILID, /* text (RFC 8474) */
    SEARCH_THREADID,
};
struct search_key {
    enum search_kind kind;
    unsigned flag; /* FLAG_ bit */
    struct str field;
    struct str text; /* in the charset of the command, or the keyword */
    uint64_t number;
    int32_t day; /* days since 1970-01-01 */
    struct seq_set set;
    struct search_key *children;
    size_t count;
};

/* RETURN options (RFC 4731, 5182, 9394). */
enum {
    RETURN_MIN = 1,
    RETURN_MAX = 2,
    RETURN_ALL = 4,
    RETURN_COUNT = 8,
    RETURN_SAVE = 16,
};
/* SEARCH, SORT, THREAD, ESEARCH (RFC 5256, 5267, 7377). */
struct search {
    bool extended;    /* RETURN was given: answer ESEARCH */
    unsigned returns; /* RETURN_ bits; "RETURN ()" is ALL */
    struct partial partial;
    struct str charset; /* empty: US-ASCII, or UTF-8 where that is enabled */
    struct search_key *key;
    struct sort_criterion *criteria; /* SORT */
    size_t criteria_count;
    enum thread_method method;        /* THREAD */
    struct filter_mailboxes *sources; /* ESEARCH IN (...) */
    size_t source_count;
};

struct notify_group {
    struct filter_mailboxes where;
    unsigned events;          /* EVENT_ bits; 0 is NONE */
    struct fetch_item *items; /* of MessageNew */
    size_t count;
    struct strings unknown;
};
struct notify_command {
    bool none;
    bool status; /* SET STATUS */
    struct notify_group *groups;
    size_t count;
};

/* ---- a command ---- */

struct command {
    struct str tag;
    enum command_id id;
    bool uid; /* UID FETCH and its kin */
    union {
        struct login login;
        struct authenticate authenticate;
        struct id_list ids;
        struct strings words; /* ENABLE, COMPRESS */
        struct select select;
        struct create create;
        struct one_name one;
        struct rename rename;
        struct status status;
        struct list list;
        struct append append;
        struct acl_words acl;
        struct quota quota;
        struct metadata metadata;
        struct notify_command notify;
        struct fetch fetch;
        struct store store;
        struct copy copy;
        struct uid_expunge expunge;
        struct uidbatches batches;
        struct search search;
    };
};

/* Its name in capitals; WHEN_ bits. */
const char *command_name(enum command_id id);
unsigned command_when(enum command_id id);

#endif
