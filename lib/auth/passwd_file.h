/*
 * passwd_file.h - users in a text file, as Dovecot's passwd-file has them.
 *
 *     user:password:uid:gid:gecos:home:shell:name=value name=value ...
 *
 * Fields may be missing at the end. Lines that are empty or begin with "#" or
 * ":" are none. Values with a blank cannot be written. Of two lines of a user
 * the first counts. A "%" in values of names is Dovecot's: %u %n %d %% and
 * %{user} %{username} %{domain} are filled in by passwd_expand.
 *
 * Application passwords are fields of the user:
 *
 *     posta_app_N=scope|created|label|{SCHEME}hash
 *
 * N is a number that is used once for each user, scope a list of smtp, imap,
 * pop3 and sieve with commas, created seconds since 1970, and the label any
 * text where bytes other than letters, digits and "._@-" are "+" and two
 * hexadecimal digits. Dovecot carries such fields along without a use for
 * them.
 */
#ifndef AUTH_PASSWD_FILE_H
#define AUTH_PASSWD_FILE_H

#include <sys/stat.h>

#include "base/buf.h"
#include "base/why.h"

/* Limits: of a file, of a line, and of one user's application passwords. */
#define PASSWD_FILE_MAX (256u << 20)
#define PASSWD_LINE_MAX 65536
#define PASSWD_APPS_MAX 64

struct passwd_field {
    struct str name, value; /* value.p NULL: only a name */
};

/* One user. Views of the file, or of what was given. */
struct passwd_user {
    struct str name, password;
    struct str uid, gid, gecos, home, shell;
    struct str extra; /* all name=value, as they stand in the line */
};

enum {
    PASSWD_SMTP = 1 << 0,
    PASSWD_IMAP = 1 << 1,
    PASSWD_POP3 = 1 << 2,
    PASSWD_SIEVE = 1 << 3,
};

struct passwd_app {
    unsigned number;
    unsigned scope; /* PASSWD_ bits */
    int64_t created;
    struct str label;  /* decoded */
    struct str stored; /* "{SCHEME}hash" */
};

/* Cut one line (without its end). False: it is no user. */
bool passwd_line_parse(struct str line, struct passwd_user *u);
/* The line of a user, without an end; false where a value cannot be
 * written (":" or a control in it). */
bool passwd_line_print(struct buf *b, const struct passwd_user *u) MUST_USE;

/* Take the next field off u->extra (or a copy of it). */
bool passwd_field_next(struct str *extra, struct passwd_field *f);
/* The value of that name; false where there is none. */
bool passwd_field_find(struct str extra, struct str name, struct str *value);

/* Is it an application password, and which? Label decoded into the arena. */
bool passwd_app_parse(struct arena *a, const struct passwd_field *f,
                      struct passwd_app *app);
void passwd_app_print(struct buf *b, const struct passwd_app *app);

/* "smtp,imap" as bits and back; false where a word is none. */
bool passwd_scope_parse(struct str words, unsigned *scope);
void passwd_scope_print(struct buf *b, unsigned scope);
/* The bit of a service as SASL calls it ("smtp", "submission", "lmtp",
 * "imap", "pop3", "pop", "sieve"); 0: none. */
unsigned passwd_scope_of(struct str service);

/* A value with Dovecot's variables filled in. */
struct str passwd_expand(struct arena *a, struct str value, struct str user);

/* Is the address in allow_nets, a list "127.0.0.0/8,192.168.1.1,::1,local"?
 * address is printed; empty: unknown, which only "local" allows. */
bool passwd_nets_allow(struct str nets, struct str address);

/*
 * A file, read whole, with an index. It stays as it was when it was opened:
 * whoever serves for long asks passwd_file_changed now and then.
 */
struct passwd_file;

/* TEMP where it cannot be read; *f is NULL then. */
enum rc passwd_file_open(const char *path, struct passwd_file **f,
                         struct why *why) MUST_USE;
void passwd_file_close(struct passwd_file *f);

/* Another file has its name now, or it was written to. One stat(2). */
bool passwd_file_changed(const struct passwd_file *f);

/* Read it again; where that fails the old contents stay. */
enum rc passwd_file_reload(struct passwd_file *f, struct why *why) MUST_USE;

/* As fstat tells. */
void passwd_file_stat(const struct passwd_file *f, struct stat *st);

/* The user of that name, byte for byte; views until the file is closed or
 * read again. */
bool passwd_file_find(const struct passwd_file *f, struct str name,
                      struct passwd_user *u);

/* All users in the order of the file: start with *pos = 0. */
bool passwd_file_next(const struct passwd_file *f, size_t *pos,
                      struct passwd_user *u);
size_t passwd_file_count(const struct passwd_file *f);

#endif
