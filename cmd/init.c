/*
 * posta init: a complete, ready-to-run configuration in one folder.
 *
 * The files are conf/main.cf, master.cf, aliases and senders of the source
 * tree with @WORDS@ replaced. Nothing that exists is written over.
 */
#include "init.h"

#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/saslprep.h"
#include "auth/scheme.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/vec.h"

#define TEMPLATE(name, path)                                                   \
    __asm__(".pushsection .rodata\n"                                           \
            "" #name "_text: .incbin \"" path "\"\n"                           \
            ".byte 0\n"                                                        \
            ".popsection\n");                                                  \
    extern const char name##_text[];

TEMPLATE(main_cf, "conf/main.cf")
TEMPLATE(master_cf, "conf/master.cf")
TEMPLATE(aliases, "conf/aliases")
TEMPLATE(senders, "conf/senders")

/* Ids for a private instance of root's, where nobody wants accounts made:
 * the range that systemd keeps for users without an account. */
#define IDS_FIRST 61184u
#define IDS_LAST  65500u
#define IDS       5u /* of one instance */

struct user {
    const char *name, *password;
};

struct init {
    struct arena *life;
    const char *dir, *domain, *host, *interfaces;
    unsigned port_base; /* 0: the standard ports */
    bool private;       /* -c: an instance of its own in dir */
    bool root;
    unsigned owner, network, auth, mailbox, group; /* ids */
    VEC(struct user) users;
    struct {
        const char *word, *value;
    } words[32];
    size_t nwords;
};

static const char usage[] =
    "usage: posta init [-c DIR] --domain DOMAIN [--user NAME:PASSWORD]...\n"
    "                  [--hostname NAME] [--port-base N]\n"
    "\n"
    "Write a complete configuration that can be started at once.\n"
    "\n"
    "  -c DIR             an instance of its own in DIR: configuration, "
    "queue,\n"
    "                     mailboxes and log; without -c the system's own\n"
    "  --domain DOMAIN    the domain to receive mail for\n"
    "  --user NAME:PASS   a mailbox NAME@DOMAIN; may be given several times\n"
    "  --hostname NAME    this machine's full name (default mail.DOMAIN)\n"
    "  --port-base N      listen on loopback only, on N+25 instead of 25 ...\n";

static void
set(struct init *in, const char *word, const char *value)
{
    must(in->nwords < COUNT(in->words));
    in->words[in->nwords].word = word;
    in->words[in->nwords++].value = value;
}

static struct str
value_of(const struct init *in, struct str word)
{
    for (size_t i = 0; i < in->nwords; i++)
        if (str_eq(word, str_from(in->words[i].word)))
            return str_from(in->words[i].value);
    log_fatal("a template has the unknown word %.*s", STR(word));
}

/* The template with each @WORD@ (capitals only) replaced. */
static struct str
fill_in(const struct init *in, const char *template)
{
    struct str rest = str_from(template), text, word;
    struct buf b = buf_in(in->life);

    while (str_cut(&rest, '@', &text)) {
        size_t len = 0;

        buf_add(&b, text);
        while (len < rest.len && rest.p[len] >= 'A' && rest.p[len] <= 'Z')
            len++;
        word = str_sub(rest, 0, len);
        if (len > 0 && len < rest.len && rest.p[len] == '@') {
            buf_add(&b, value_of(in, word));
            rest = str_sub(rest, len + 1, rest.len);
        } else {
            buf_addc(&b, '@');
        }
    }
    buf_add(&b, text);
    return buf_str(&b);
}

static const char *
in_dir(const struct init *in, const char *name)
{
    return arena_fmt(in->life, "%s/%s", in->dir, name);
}

static bool
write_file(const struct init *in, const char *name, struct str text,
           mode_t mode, const char *what)
{
    const char *path = in_dir(in, name);
    auto_close int fd =
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

    if (fd < 0) {
        fprintf(stderr, "posta: cannot create %s: %s%s\n", path,
                strerror(errno),
                errno == EEXIST ? "; move it away first, nothing is written "
                                  "over"
                                : "");
        return false;
    }
    if (fchmod(fd, mode) < 0 ||
        write(fd, text.p, text.len) != (ssize_t)text.len) {
        fprintf(stderr, "posta: cannot write %s: %s\n", path, strerror(errno));
        return false;
    }
    printf("  %-40s %s\n", path, what);
    return true;
}

/* root's, and auth_owner may read it. */
static bool
give_to_auth(const struct init *in, const char *name)
{
    struct passwd *pw = getpwuid(in->auth);
    const char *path = in_dir(in, name);

    if (!in->root || chown(path, 0, pw ? pw->pw_gid : in->auth) == 0)
        return true;
    fprintf(stderr, "posta: cannot give %s to auth_owner's group: %s\n", path,
            strerror(errno));
    return false;
}

static bool
make_dir(const char *path, mode_t mode, long uid, long gid)
{
    struct stat st;

    if (mkdir(path, mode) < 0 &&
        (errno != EEXIST || stat(path, &st) < 0 || !S_ISDIR(st.st_mode))) {
        fprintf(stderr, "posta: cannot make folder %s: %s\n", path,
                strerror(errno));
        return false;
    }
    if (uid >= 0 && chown(path, (uid_t)uid, (gid_t)gid) < 0) {
        fprintf(stderr, "posta: cannot give %s to user %ld: %s\n", path, uid,
                strerror(errno));
        return false;
    }
    chmod(path, mode);
    return true;
}

/* As posta user makes them. */
static const char *
hash_password(const struct init *in, const char *password)
{
    struct str prepared, stored;
    struct why why;

    if (!saslprep(in->life, str_from(password), true, &prepared))
        log_fatal("a password holds a control character, or is no UTF-8");
    if (scheme_make(in->life, S(SCHEME_DEFAULT), prepared, 0, &stored, &why) !=
        OK)
        log_fatal("cannot hash a password: %s", why.text);
    return stored.p;
}

static bool
write_users(const struct init *in)
{
    struct buf users = buf_in(in->life), boxes = buf_in(in->life);
    const char *mail = value_of(in, S("MAIL")).p;

    buf_fmt(&users,
            "# user:password:uid:gid::home::, as Dovecot's passwd-file\n");
    buf_fmt(&boxes, "# address         mailbox below virtual_mailbox_base; "
                    "with / at the end a Maildir\n");
    for (size_t i = 0; i < in->users.len; i++) {
        const char *name = in->users.at[i].name;

        buf_fmt(&users, "%s@%s:%s:%u:%u::%s/%s/%s::\n", name, in->domain,
                hash_password(in, in->users.at[i].password), in->mailbox,
                in->mailbox, mail, in->domain, name);
        buf_fmt(&boxes, "%s@%s %s/%s/Maildir/\n", name, in->domain, in->domain,
                name);
    }
    return write_file(in, "users", buf_str(&users), 0640,
                      "users and their hashed passwords") &&
           give_to_auth(in, "users") &&
           write_file(in, "mailboxes", buf_str(&boxes), 0644,
                      "addresses that have a mailbox");
}

static bool
write_virtual(const struct init *in)
{
    struct buf b = buf_in(in->life);
    const char *to = in->users.len ? in->users.at[0].name : "root";
    const char *at = in->users.len ? in->domain : "localhost";

    buf_fmt(&b,
            "# address         where its mail goes\n"
            "postmaster@%s %s@%s\nabuse@%s %s@%s\n",
            in->domain, to, at, in->domain, to, at);
    return write_file(in, "virtual", buf_str(&b), 0644,
                      "other names of mailboxes");
}

static bool
make_mail_folders(const struct init *in)
{
    long uid = in->root ? (long)in->mailbox : -1, gid = uid;
    const char *base = value_of(in, S("MAIL")).p;
    const char *domain = arena_fmt(in->life, "%s/%s", base, in->domain);

    if (!make_dir(base, 0755, uid, gid) || !make_dir(domain, 0755, uid, gid))
        return false;
    for (size_t i = 0; i < in->users.len; i++)
        if (!make_dir(
                arena_fmt(in->life, "%s/%s", domain, in->users.at[i].name),
                0700, uid, gid))
            return false;
    return true;
}

static bool
make_folders(const struct init *in)
{
    const char *queue = value_of(in, S("QUEUE")).p;
    const char *data = value_of(in, S("DATA")).p;
    long owner = in->root ? (long)in->owner : -1;

    return make_dir(queue, 0755, in->root ? 0 : -1, 0) &&
           make_dir(data, 0700, owner, owner) && make_mail_folders(in);
}

/* The first of IDS neighbouring ids that no account has. */
static unsigned
free_ids(const char *dir)
{
    unsigned range = IDS_LAST - IDS_FIRST - IDS;
    unsigned start = 0;

    for (const char *c = dir; *c; c++)
        start = start * 31 + (unsigned char)*c;
    for (unsigned i = 0; i < range; i += IDS) {
        unsigned id = IDS_FIRST + (start * IDS + i) % range, taken = 0;

        for (unsigned k = 0; k < IDS; k++)
            taken += getpwuid(id + k) != NULL || getgrgid(id + k) != NULL;
        if (taken == 0)
            return id;
    }
    log_fatal("no free user ids between %u and %u", IDS_FIRST, IDS_LAST);
}

/* An account of the system's own instance; made where it is missing. */
static bool
account(const char *name, unsigned *id)
{
    struct passwd *pw = getpwnam(name);

    if (pw == NULL) {
        char command[256];

        snprintf(command, sizeof command,
                 "useradd --system --no-create-home --user-group "
                 "--home-dir / --shell /usr/sbin/nologin %s",
                 name);
        if (system(command) != 0 || (pw = getpwnam(name)) == NULL) {
            fprintf(stderr, "posta: cannot make the account: %s\n", command);
            return false;
        }
        printf("  %-40s system account, made\n", name);
    }
    *id = pw->pw_uid;
    return true;
}

static bool
group(const char *name, unsigned *id)
{
    struct group *gr = getgrnam(name);

    if (gr == NULL) {
        char command[128];

        snprintf(command, sizeof command, "groupadd --system %s", name);
        if (system(command) != 0 || (gr = getgrnam(name)) == NULL) {
            fprintf(stderr, "posta: cannot make the group: %s\n", command);
            return false;
        }
        printf("  %-40s system group, made\n", name);
    }
    *id = gr->gr_gid;
    return true;
}

static bool
choose_owners(struct init *in)
{
    if (!in->root) {
        in->owner = in->network = in->auth = in->mailbox = getuid();
        in->group = getgid();
        set(in, "OWNERS",
            "# Started by an ordinary user, all runs as that "
            "user and nothing is separated.");
    } else if (in->private) {
        unsigned id = free_ids(in->dir);

        in->owner = id;
        in->network = id + 1;
        in->mailbox = id + 2;
        in->group = id + 3;
        in->auth = id + 4;
        set(in, "OWNERS",
            arena_fmt(in->life,
                      "mail_owner = %u\nnetwork_owner = %u\nauth_owner = %u\n"
                      "setgid_group = %u",
                      in->owner, in->network, in->auth, in->group));
    } else {
        if (!account("postfix", &in->owner) ||
            !account("posta-net", &in->network) ||
            !account("posta-auth", &in->auth) ||
            !account("vmail", &in->mailbox) || !group("postdrop", &in->group))
            return false;
        set(in, "OWNERS",
            "mail_owner = postfix\nnetwork_owner = posta-net\n"
            "auth_owner = posta-auth\nsetgid_group = postdrop");
    }
    set(in, "UID", arena_fmt(in->life, "%u", in->mailbox));
    set(in, "GID",
        arena_fmt(in->life, "%u", in->root ? in->mailbox : getgid()));
    return true;
}

/* The programs stand beside the commands (as they are built) or in lib (as
 * make install puts them below PREFIX). */
static const char *
daemon_line(const struct init *in, const char *commands)
{
    const char *const folders[] = {
        commands, arena_fmt(in->life, "%s/../lib/postfix/sbin", commands)};
    char real[PATH_MAX];

    for (size_t i = 0; i < COUNT(folders); i++)
        if (access(arena_fmt(in->life, "%s/master", folders[i]), X_OK) == 0 &&
            realpath(folders[i], real))
            return arena_fmt(in->life, "daemon_directory = %s\n", real);
    return "";
}

/* Where the programs are, said only where that is not the usual place. */
static const char *
program_lines(const struct init *in)
{
    char exe[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", exe, sizeof exe - 1);

    if (len < 0)
        return "";
    exe[len] = '\0';
    const char *dir = dirname(exe);

    if (strcmp(dir, "/usr/sbin") == 0)
        return "";
    return arena_fmt(in->life, "command_directory = %s\n%s", dir,
                     daemon_line(in, dir));
}

static const char *
below(const struct init *in, const char *here, const char *system)
{
    return in->private ? in_dir(in, here) : system;
}

/* A service of master.cf, as wide as its column. */
static const char *
port_word(const struct init *in, unsigned port, const char *name)
{
    return in->port_base ? arena_fmt(in->life, "%-16u", in->port_base + port)
                         : arena_fmt(in->life, "%-16s", name);
}

static void
set_words(struct init *in)
{
    set(in, "DIR", in->dir);
    set(in, "DOMAIN", in->domain);
    set(in, "HOSTNAME", in->host);
    set(in, "INTERFACES", in->port_base ? "loopback-only" : "all");
    set(in, "QUEUE", below(in, "queue", "/var/spool/postfix"));
    set(in, "DATA", below(in, "data", "/var/lib/postfix"));
    set(in, "MAIL", below(in, "mail", "/var/vmail"));
    set(in, "PROGRAMS", program_lines(in));
    set(in, "SMTP", port_word(in, 25, "smtp"));
    set(in, "SUBMISSION", port_word(in, 587, "submission"));
    set(in, "SUBMISSIONS", port_word(in, 465, "submissions"));
    set(in, "IMAP", port_word(in, 143, "imap"));
    set(in, "IMAPS", port_word(in, 993, "imaps"));
    set(in, "POP", port_word(in, 110, "pop3"));
    set(in, "POPS", port_word(in, 995, "pop3s"));
    set(in, "LOGGING",
        in->private ? arena_fmt(in->life,
                                "# A file instead of syslog.\n"
                                "maillog_file = %s/log\n"
                                "maillog_file_prefixes = %s",
                                in->dir, in->dir)
                    : "# To syslog, facility mail. maillog_file = /var/log/"
                      "posta.log writes a file instead.");
    set(in, "POSTMASTER",
        in->users.len
            ? arena_fmt(in->life, "%s@%s", in->users.at[0].name, in->domain)
            : "/dev/null");
}

static bool
write_all(struct init *in)
{
    return make_folders(in) &&
           write_file(in, "main.cf", fill_in(in, main_cf_text), 0644,
                      "the settings") &&
           write_file(in, "master.cf", fill_in(in, master_cf_text), 0644,
                      "the services") &&
           write_file(in, "aliases", fill_in(in, aliases_text), 0644,
                      "who gets root's mail") &&
           write_file(in, "senders", fill_in(in, senders_text), 0644,
                      "who may send from which address") &&
           write_users(in) && write_virtual(in) &&
           init_certificate(in->life, in->dir, in->host);
}

/* Compile the alias table, as newaliases(1) does. */
static bool
compile_aliases(const struct init *in)
{
    char *table = arena_fmt(in->life, "hash:%s/aliases", in->dir);
    char *argv[] = {"postalias", "-c", (char *)(uintptr_t)in->dir, table, NULL};

    return cmd_run_self(argv) == 0;
}

static void
say_next(const struct init *in)
{
    const char *c = in->private ? arena_fmt(in->life, " -c %s", in->dir) : "";
    unsigned base = in->port_base;

    printf("\nNext:\n"
           "  posta%s check      look it over\n"
           "  posta%s start      start it; mail for @%s comes in on port %u\n"
           "  posta%s status     see what runs\n"
           "Users log in with their whole address and password:\n"
           "  sending   port %u (STARTTLS) or %u (TLS)\n"
           "  IMAP      port %u (STARTTLS) or %u (TLS)\n"
           "  POP3      port %u (STARTTLS) or %u (TLS)\n",
           c, c, in->domain, base + 25, c, base + 587, base + 465, base + 143,
           base + 993, base + 110, base + 995);
    if (in->users.len == 0)
        printf("There is no mailbox yet: posta%s user add NAME@%s\n", c,
               in->domain);
}

static bool
good_name(struct str name, const char *also)
{
    for (size_t i = 0; i < name.len; i++)
        if (!is_alnum(name.p[i]) && !strchr(also, name.p[i]))
            return false;
    return name.len > 0 && name.p[0] != '.' && name.p[0] != '-';
}

static bool
add_user(struct init *in, char *option)
{
    char *colon = strchr(option, ':');

    if (colon == NULL || colon[1] == '\0' ||
        !good_name((struct str){option, (size_t)(colon - option)}, "._-")) {
        fprintf(stderr, "posta: --user wants NAME:PASSWORD, the name of "
                        "letters, digits, dot, dash and underscore\n");
        return false;
    }
    *colon = '\0';
    *vec_add(&in->users) = (struct user){option, colon + 1};
    return true;
}

static bool
port_base(struct init *in, const char *text)
{
    uint64_t n;

    if (!str_num(str_from(text), &n) || n < 1 || n > 64000) {
        fprintf(stderr,
                "posta: --port-base %s: wants a number from 1 to "
                "64000\n",
                text);
        return false;
    }
    in->port_base = (unsigned)n;
    return true;
}

enum { DOMAIN = 256, USER, HOSTNAME, PORT_BASE, HELP };

static int
options(struct init *in, int argc, char **argv)
{
    static const struct option longs[] = {
        {"domain",    required_argument, NULL, DOMAIN   },
        {"user",      required_argument, NULL, USER     },
        {"hostname",  required_argument, NULL, HOSTNAME },
        {"port-base", required_argument, NULL, PORT_BASE},
        {"help",      no_argument,       NULL, HELP     },
        {NULL,        0,                 NULL, 0        },
    };
    int c;

    optind = 1;
    while ((c = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
        bool good = true;

        switch (c) {
        case 'c':
            in->dir = optarg;
            break;
        case DOMAIN:
            in->domain = optarg;
            break;
        case HOSTNAME:
            in->host = optarg;
            break;
        case USER:
            good = add_user(in, optarg);
            break;
        case PORT_BASE:
            good = port_base(in, optarg);
            break;
        case 'h':
        case HELP:
            fputs(usage, stdout);
            return 0;
        default:
            good = false;
        }
        if (!good)
            return 64;
    }
    return -1;
}

/* The folder as an absolute path, made where it is missing. */
static bool
open_dir(struct init *in)
{
    char real[PATH_MAX];
    const char *dir = in->private ? in->dir : "/etc/posta";

    if (mkdir(dir, 0755) < 0 && errno != EEXIST) {
        fprintf(stderr, "posta: cannot make folder %s: %s\n", dir,
                strerror(errno));
        return false;
    }
    if (realpath(dir, real) == NULL || access(real, W_OK) < 0) {
        fprintf(stderr, "posta: cannot write to %s: %s%s\n", dir,
                strerror(errno),
                in->private ? ""
                            : "; be root, or use -c DIR for an "
                              "instance of your own");
        return false;
    }
    in->dir = arena_fmt(in->life, "%s", real);
    return true;
}

int
init_main(int argc, char **argv, const char *dir)
{
    struct init in = {.life = arena_new("init", 16 << 20), .dir = dir};
    int status = options(&in, argc, argv);

    if (status >= 0)
        return status;
    if (in.domain == NULL || !good_name(str_from(in.domain), ".-")) {
        fprintf(stderr, "posta: init needs --domain DOMAIN, for example "
                        "--domain example.org\n");
        return 64;
    }
    in.private = in.dir != NULL;
    in.root = geteuid() == 0;
    if (in.host == NULL)
        in.host = arena_fmt(in.life, "mail.%s", in.domain);
    umask(022);
    if (!open_dir(&in))
        return 1;
    if (in.private)
        chmod(in.dir, 0755);
    printf("Writing:\n");
    if (!choose_owners(&in))
        return 1;
    set_words(&in);
    if (!write_all(&in) || !compile_aliases(&in))
        return 1;
    say_next(&in);
    arena_free(in.life);
    return 0;
}
