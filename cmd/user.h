/*
 * user.h - what the parts of `posta user` share.
 *
 * The passwd-file is the list of users; the table of mailboxes says where
 * their mail goes. Both are changed under a lock and replaced whole.
 */
#ifndef CMD_USER_H
#define CMD_USER_H

#include "auth/last_use.h"
#include "auth/passwd_text.h"
#include "conf/config.h"

/* Exit statuses beside 0 and 1. */
#define USER_USAGE 64 /* the command line is wrong */
#define USER_WRONG 2  /* check: not the password */

/* One call: the instance's files, and the options. */
struct user_call {
    struct arena *arena;
    const char *dir; /* the configuration's folder */
    struct config config;
    const char *users; /* the passwd-file */

    bool json, from_stdin;
    const char *scheme, *label, *scope, *service;
    unsigned rounds;
    int argc; /* what is no option */
    char **argv;
};

/* posta user; dir as -c said, or NULL. */
int user_main(int argc, char **argv, const char *dir);

/* Subcommands. Each returns the exit status and has said what went wrong. */
int user_list(struct user_call *call);
int user_add(struct user_call *call);
int user_password(struct user_call *call);
int user_disable(struct user_call *call);
int user_enable(struct user_call *call);
int user_remove(struct user_call *call);
int user_check(struct user_call *call);
int user_app_add(struct user_call *call);
int user_app_list(struct user_call *call);
int user_app_remove(struct user_call *call);

/* Say what went wrong; returns 1. */
int user_error(const char *fmt, ...) PRINTF(1, 2);
/* The same in a function that says whether it went well. */
#define user_refuse(...) (user_error(__VA_ARGS__), false)
/* Say what the administrator should know besides. */
void user_note(const char *fmt, ...) PRINTF(1, 2);

/* A parameter of main.cf; "" where it has no value. */
struct str user_setting(struct user_call *call, const char *name);

/* The name as it stands in the file: lower case, with the only domain where
 * it has none. False (said) where it cannot be one. */
bool user_name(struct user_call *call, const char *given, struct str *name);

/* The user's line of the file as it is now. False (said) if there is none. */
bool user_find(struct user_call *call, struct str name, struct passwd_user *u);

/*
 * Change the user's line: `change` gets it and says whether to write it.
 * *status is the exit status where it says no.
 */
typedef bool user_change(struct user_call *call, struct passwd_user *u,
                         void *own);
int user_edit(struct user_call *call, struct str name, user_change *change,
              void *own);

/* The password, prepared (RFC 4013), from standard input or the terminal;
 * twice where it is a new one. False (said) where there is none. */
bool user_ask_password(struct user_call *call, struct str name, bool fresh,
                       struct str *password);

/* Make the folder and the line of a mailbox, or take the line out. False
 * (said) where that fails. */
bool user_mailbox_add(struct user_call *call, struct passwd_user *u);
bool user_mailbox_remove(struct user_call *call, struct str name);

/* When a password was last used: "2026-02-06T09:00:00Z", "never" where that is
 * not known. app 0: the user's own. */
struct last_use user_last_use_open(struct user_call *call);
struct str user_last_use(struct user_call *call, const struct last_use *l,
                         struct str name, unsigned app);

#endif
