/*
 * import.h - posta import: its command line.
 */
#ifndef CMD_IMPORT_H
#define CMD_IMPORT_H

#include "base/arena.h"
#include "cmd.h"

/* Exit statuses (sysexits.h). */
enum {
    IMPORT_DONE = 0,
    IMPORT_PARTLY = 1, /* some could not be copied; told */
    IMPORT_USAGE = 64,
    IMPORT_NO_INPUT = 66,
    IMPORT_NO_USER = 67,
    IMPORT_NO_HOST = 69,
    IMPORT_STORE = 73, /* the mailboxes here cannot be written */
    IMPORT_LATER = 75, /* the connection is lost, or the like: try again */
    IMPORT_PROTOCOL = 76,
    IMPORT_REFUSED = 77, /* the login, or rights */
};

struct import_options {
    const char *source;  /* as given */
    const char *user;    /* whose mailboxes here; NULL: the caller's */
    const char *login;   /* the name at the source */
    struct str password; /* wiped with its arena */
    const char *password_file;
    struct str *folders; /* only these; or where an mbox goes */
    size_t folder_count;
    bool dry, insecure, quiet;
};

/* -1: go on; else the exit status. */
int import_read_options(struct arena *a, int argc, char **argv,
                        struct import_options *o);

/* imap:// or imaps:// */
bool import_is_imap(const struct import_options *o);

/* The password at the source, if it takes one, with the rights of the caller.
 * False (said) where there is none. */
bool import_find_password(struct arena *a, struct import_options *o);

/* One line on standard error: "posta import: ...". */
#define import_say(...) cmd_say("posta import", __VA_ARGS__)

/* posta import; dir as -c said, or NULL. */
int import_main(int argc, char **argv, const char *dir);

#endif
