#include "target.h"

#include "base/buf.h"
#include "box.h"
#include "detail.h"
#include "mail/address.h"
#include "run.h"

static const char *
texts(struct job *j, const struct target *t)
{
    return arena_cstr(j->arena, t->text);
}

static struct str
delivered_to(const struct job *j, const struct target *t, unsigned where)
{
    return j->set->header_in & where ? t->delivered : S("");
}

/* The message may be claimed where the delivery block in the queue file says
 * just what we would say. */
static bool
may_claim(const struct job *j, const struct rec_rcpt *rcpt,
          const struct target *t, bool only)
{
    return only && (j->msg.flags & DELIVER_CLAIM) &&
           (j->set->header_in & HEADER_FILE) &&
           str_eq(t->delivered, rcpt->addr);
}

static enum rc
serve_mailbox(struct job *j, const struct rec_rcpt *rcpt,
              const struct target *t, bool only, struct why *why)
{
    const char *path = texts(j, t);
    const struct detail detail = {
        .path = path,
        .user = &t->user->user,
        .owner = t->user->name,
        .addr = t->who.addr,
        .extension = t->who.extension,
    };
    struct box_place place = {
        .path = detail_path(j, &detail),
        .user = &t->user->user,
        .owner = t->user->name,
        .delivered = delivered_to(j, t, HEADER_FILE),
        .spool = *j->conf->home_mailbox == '\0',
        .claiming = may_claim(j, rcpt, t, only),
    };
    struct why cause;
    enum rc rc = box_deliver(j, rcpt, &place, &cause);

    if (rc == OK || str_ends(t->text, S("/"))) {
        *why = cause;
        return rc;
    }
    return fail(why, cause.dsn, "cannot update mailbox %s for user %.*s. %s",
                path, STR(t->user->name), cause.text);
}

/* Root's files and commands are default_privs'. */
static const struct priv_user *
rights_of(const struct job *j, const struct target *t)
{
    if (t->rights && t->rights->user.uid != 0)
        return &t->rights->user;
    return &j->set->default_user;
}

static enum rc
serve_file(struct job *j, const struct rec_rcpt *rcpt, const struct target *t,
           bool only, struct why *why)
{
    const char *path = texts(j, t);
    bool maildir = str_ends(t->text, S("/"));
    struct box_place place = {
        .path = path,
        .user = rights_of(j, t),
        .owner = t->rights ? t->rights->name : S(""),
        .delivered = delivered_to(j, t, HEADER_FILE),
        .named = true,
        .claiming = may_claim(j, rcpt, t, only),
    };
    struct why cause;
    enum rc rc = box_deliver(j, rcpt, &place, &cause);

    if (maildir)
        *why = cause;
    else if (rc == OK)
        job_say(why, "2.0.0", "delivered to file: %s", path);
    else
        rc = fail(why, cause.dsn, "cannot append message to file %s: %s", path,
                  cause.text);
    return rc;
}

/* NAME=value, if there is a value. */
static void
add_variable(struct job *j, char **env, size_t *n, const char *name,
             struct str value)
{
    if (value.len == 0)
        return;
    value = who_filter(j->arena, value, j->conf->command_expansion_filter);
    env[(*n)++] = arena_fmt(j->arena, "%s=%.*s", name, STR(value));
}

static enum rc
environment(struct job *j, const struct rec_rcpt *rcpt, const struct target *t,
            char ***env, struct why *why)
{
    const struct account *user = t->rights;
    const struct envelope *e;
    enum rc rc = job_envelope(j, &e, why);

    if (rc != OK)
        return rc;
    const struct {
        const char *name;
        struct str value;
    } variables[] = {
        {"HOME",               user ? str_from(user->home) : S("")                   },
        {"LOGNAME",            user ? user->name : t->who.user                       },
        {"USER",               user ? user->name : t->who.user                       },
        {"SHELL",              user ? str_from(user->shell) : S("/bin/sh")           },
        {"DOMAIN",             t->who.domain                                         },
        {"RECIPIENT",          t->who.addr                                           },
        {"LOCAL",              t->who.local                                          },
        {"EXTENSION",          t->who.extension                                      },
        {"SENDER",             j->msg.sender.len ? j->msg.sender : S("MAILER-DAEMON")},
        {"ORIGINAL_RECIPIENT", rcpt->orig.len ? rcpt->orig : rcpt->addr              },
        {"CLIENT_HOSTNAME",    e->origin.name                                        },
        {"CLIENT_ADDRESS",     e->origin.addr                                        },
        {"CLIENT_HELO",        e->origin.helo                                        },
        {"CLIENT_PROTOCOL",    e->origin.proto                                       },
        {"SASL_USERNAME",      e->origin.login                                       },
    };
    size_t n = 0;

    while (j->set->environment[n])
        n++;
    *env = arena_alloc(j->arena, (n + COUNT(variables) + 1) * sizeof **env);
    memcpy(*env, j->set->environment, n * sizeof **env);
    for (size_t i = 0; i < COUNT(variables); i++)
        add_variable(j, *env, &n, variables[i].name, variables[i].value);
    return OK;
}

/* command_execution_directory, or the queue's folder. */
static enum rc
folder(struct job *j, const struct target *t, struct run *r, struct why *why)
{
    struct who_names names = {
        .who = &t->who,
        .home = t->rights ? t->rights->home : NULL,
        .shell = t->rights ? t->rights->shell : NULL,
        .filter = j->conf->execution_directory_expansion_filter,
    };
    struct why cause;
    struct str dir;

    r->dir = j->conf->queue_directory;
    if (*j->conf->command_execution_directory == '\0')
        return OK;
    if (who_expand(j->arena, j->conf->command_execution_directory, &names, &dir,
                   &cause) != OK)
        return fail(why, "4.3.5", "command_execution_directory: %s",
                    cause.text);
    r->dir = arena_cstr(j->arena, dir);
    r->must_dir = dir.len > 0;
    return OK;
}

static enum rc
serve_command(struct job *j, const struct rec_rcpt *rcpt,
              const struct target *t, struct why *why)
{
    struct store_message m =
        job_content(j, rcpt, delivered_to(j, t, HEADER_COMMAND));
    struct buf head = buf_in(j->arena);
    struct str output;
    struct run r = {
        .shown = texts(j, t),
        .argv = run_words(j->arena, t->text, j->conf->local_command_shell),
        .user = rights_of(j, t),
        .limit = j->conf->command_time_limit,
        .file_limit = j->set->size_limit,
    };

    buf_add(&head, job_from_line(j, S("MAILER-DAEMON")));
    buf_add(&head, m.head);
    r.head = buf_str(&head);
    r.content = copier_new(j->arena, &m, &(struct copier_style){0});
    if (environment(j, rcpt, t, &r.env, why) != OK ||
        folder(j, t, &r, why) != OK)
        return TEMP;
    job_return(j);
    enum rc rc = run_command(j->arena, &r, &output, why);

    if (rc == OK)
        job_say(why, "2.0.0", "delivered to command: %s", r.shown);
    return rc;
}

enum rc
target_serve(struct job *j, const struct rec_rcpt *rcpt, const struct target *t,
             bool only, struct why *why)
{
    switch (t->kind) {
    case TARGET_MAILBOX:
        return serve_mailbox(j, rcpt, t, only, why);
    case TARGET_FILE:
        return serve_file(j, rcpt, t, only, why);
    default:
        must(t->kind == TARGET_COMMAND);
        return serve_command(j, rcpt, t, why);
    }
}
