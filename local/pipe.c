#include "pipe.h"

#include "base/buf.h"
#include "base/log.h"
#include "mail/address.h"
#include "pipe_args.h"
#include "run.h"

struct pipe_service {
    char **argv; /* with macros */
    unsigned flags;
    struct str eol, null_sender;
    uint64_t size; /* largest message; 0: any */
    struct priv_user user;
    const char *chroot, *dir;
    int64_t time_limit;
};

static const struct {
    char letter;
    unsigned flag;
} letters[] = {
    {'B', PIPE_BLANK      },
    {'D', PIPE_DELIVERED  },
    {'F', PIPE_FROM       },
    {'O', PIPE_ORIGINAL   },
    {'R', PIPE_RETURN_PATH},
    {'X', PIPE_FINAL      },
    {'h', PIPE_FOLD_DOMAIN},
    {'q', PIPE_QUOTE      },
    {'u', PIPE_FOLD_USER  },
    {'.', PIPE_DOTS       },
    {'>', PIPE_QUOTE_FROM },
};

static unsigned
flags_of(struct str text)
{
    unsigned flags = 0;

    for (size_t i = 0; i < text.len; i++) {
        size_t k = 0;

        while (k < COUNT(letters) && letters[k].letter != text.p[i])
            k++;
        if (k == COUNT(letters))
            log_warn("unknown flag: %c (ignored)", text.p[i]);
        else
            flags |= letters[k].flag;
    }
    return flags;
}

/* "user" or "user:group"; never root, never the queue's owner. */
static void
set_user(struct pipe_service *p, const struct daemon *d,
         const struct settings *s, struct str text)
{
    const char *whole = arena_cstr(d->life, text);
    struct str name;
    bool group = str_cut(&text, ':', &name);
    struct why why;

    if (d->unprivileged) {
        p->user = s->default_user;
        return;
    }
    if (priv_find_user(arena_cstr(d->life, name), &p->user, &why) != OK)
        log_fatal("user=%s: unknown username: %s", whole, why.text);
    if (group &&
        priv_find_group(arena_cstr(d->life, text), &p->user.gid, &why) != OK)
        log_fatal("user=%s: unknown group: %s", whole, why.text);
    p->user.ngroups = 0;
    if (p->user.uid == 0)
        log_fatal("user= command-line attribute specifies root privileges");
    if (p->user.uid == s->queue_owner)
        log_fatal("user= command-line attribute specifies mail system owner "
                  "%s",
                  d->conf->mail_owner);
    if (p->user.gid == 0 || p->user.gid == s->queue_group)
        log_fatal("user=%s: a group of root or of the mail system", whole);
}

/* One attribute before argv=. */
static void
set_attribute(struct pipe_service *p, struct daemon *d,
              const struct settings *s, struct str arg)
{
    struct str value = arg, name;

    if (!str_cut(&value, '=', &name))
        log_fatal("unknown attribute name: %.*s", STR(arg));
    if (str_eq(name, S("flags")))
        p->flags = flags_of(value);
    else if (str_eq(name, S("user")))
        set_user(p, d, s, value);
    else if (str_eq(name, S("null_sender")))
        p->null_sender = value;
    else if (str_eq(name, S("chroot")))
        p->chroot = value.p;
    else if (str_eq(name, S("directory")))
        p->dir = value.p;
    else if (str_eq(name, S("size")) && !str_num(value, &p->size))
        log_fatal("bad size= value: %.*s", STR(value));
    else if (str_eq(name, S("eol")) &&
             (!pipe_unescape(d->life, value, &p->eol) ||
              p->eol.len > COPIER_EOL_MAX))
        log_fatal("bad eol= value: %.*s", STR(value));
    else if (!str_eq(name, S("size")) && !str_eq(name, S("eol")))
        log_fatal("unknown attribute name: %.*s", STR(name));
}

/* Delivered-To and X-Original-To can name one recipient only. */
static void
check_limit(const struct pipe_service *p, const struct daemon *d)
{
    const char *text = conf_get(d->conf, "default_destination_recipient_limit");
    uint64_t fallback = 50;

    if (!(p->flags & (PIPE_DELIVERED | PIPE_ORIGINAL)))
        return;
    if (text && !str_num(str_from(text), &fallback))
        fallback = 50;
    if (conf_transport_int(d->conf, d->service, "destination_recipient_limit",
                           (int64_t)fallback) != 1)
        log_fatal("pipe flag `%c' requires %s_destination_recipient_limit = 1",
                  p->flags & PIPE_DELIVERED ? 'D' : 'O', d->service);
}

/* Unknown macros show now, not with the first message. */
static void
check_macros(const struct pipe_service *p, const struct daemon *d)
{
    static const struct msg_deliver msg;
    static const struct origin origin;
    static const struct rec_rcpt rcpt;
    struct pipe_args args = {.delimiters = "",
                             .msg = &msg,
                             .origin = &origin,
                             .rcpts = &rcpt,
                             .nrcpts = 1};
    struct arena *a = arena_new("check", (size_t)16 << 20);
    struct why why;
    char **argv;

    if (pipe_expand(a, &args, p->argv, &argv, &why) != OK)
        log_fatal("service %s: %s", d->service, why.text);
    arena_free(a);
}

const struct pipe_service *
pipe_open(struct daemon *d, const struct settings *s)
{
    struct pipe_service *p = arena_make(d->life, struct pipe_service);
    char **arg = d->args;

    p->null_sender = S("MAILER-DAEMON");
    p->user.uid = (uid_t)-1;
    p->dir = NULL;
    for (; *arg; arg++) {
        struct str text = str_from(*arg);

        if (str_skip(&text, S("argv="))) {
            *arg = arena_cstr(d->life, text);
            p->argv = arg;
            break;
        }
        set_attribute(p, d, s, text);
    }
    if (p->argv && p->argv[0][0] == '\0')
        p->argv++;
    if (p->user.uid == (uid_t)-1)
        log_fatal("missing user= command-line attribute");
    if (p->argv == NULL || p->argv[0] == NULL)
        log_fatal("missing argv= command-line attribute");
    check_limit(p, d);
    check_macros(p, d);
    p->time_limit = conf_transport_time(d->conf, d->service, "time_limit",
                                        d->conf->command_time_limit);
    return p;
}

static void
add_line(struct buf *b, const struct pipe_service *p, const char *name,
         struct str addr, const char *close)
{
    struct str quoted = address_quote(b->arena, addr);

    buf_fmt(b, "%s%.*s%s", name, STR(quoted), close);
    buf_add(b, p->eol.len ? p->eol : S("\n"));
}

static struct str
make_head(struct job *j, const struct pipe_service *p,
          const struct rec_rcpt *rcpt)
{
    struct buf b = buf_in(j->arena);
    struct str from = j->msg.sender.len ? j->msg.sender : p->null_sender;

    if (p->flags & PIPE_FROM) {
        struct str line = job_from_line(j, p->null_sender);

        buf_add(&b, str_sub(line, 0, line.len - 1));
        buf_add(&b, p->eol.len ? p->eol : S("\n"));
    }
    if (p->flags & PIPE_RETURN_PATH)
        add_line(&b, p, "Return-Path: <", from, ">");
    if (p->flags & PIPE_ORIGINAL)
        add_line(&b, p,
                 "X-Original-To: ", rcpt->orig.len ? rcpt->orig : rcpt->addr,
                 "");
    if (p->flags & PIPE_DELIVERED)
        add_line(&b, p, "Delivered-To: ", rcpt->addr, "");
    return buf_str(&b);
}

static const char *
shown(struct arena *a, char *const *argv)
{
    struct buf b = buf_in(a);

    for (size_t i = 0; argv[i]; i++)
        buf_fmt(&b, "%s%s", i ? " " : "", argv[i]);
    return buf_str(&b).p;
}

static enum rc
run(struct job *j, const struct pipe_service *p, const struct rec_rcpt *rcpts,
    struct why *why)
{
    struct store_message m = {
        .fd = j->msg.fd, .from = j->msg.skip, .to = j->msg.end};
    struct copier_style style = {
        .quote_from = p->flags & PIPE_QUOTE_FROM,
        .stuff_dots = p->flags & PIPE_DOTS,
        .end_line = p->flags & PIPE_BLANK,
        .eol = p->eol,
    };
    struct run r = {
        .shown = shown(j->arena, p->argv),
        .env = j->set->environment,
        .user = &p->user,
        .chroot = p->chroot,
        .dir = p->dir ? p->dir : j->conf->queue_directory,
        .must_dir = p->dir != NULL,
        .limit = p->time_limit,
        .head = make_head(j, p, rcpts),
        .content = copier_new(j->arena, &m, &style),
    };
    struct pipe_args args = {
        .flags = p->flags,
        .delimiters = j->conf->recipient_delimiter,
        .null_sender = p->null_sender,
        .msg = &j->msg,
        .rcpts = rcpts,
        .nrcpts = j->nrcpts,
    };
    const struct envelope *e;
    struct str output;

    if (job_envelope(j, &e, why) != OK)
        return TEMP;
    args.origin = &e->origin;
    if (p->flags & PIPE_BLANK)
        r.tail = p->eol.len ? p->eol : S("\n");
    if (pipe_expand(j->arena, &args, p->argv, &r.argv, why) != OK)
        return fail(why, "4.3.5", "mail system configuration error");
    enum rc rc = run_command(j->arena, &r, &output, why);

    if (rc == OK)
        job_say(why, "2.0.0", "delivered via %s service%s%.*s%s", j->d->service,
                output.len ? " (" : "",
                (int)(output.len < 100 ? output.len : 100), output.p,
                output.len ? ")" : "");
    return rc;
}

static enum rc
deliver(struct job *j, const struct pipe_service *p,
        const struct rec_rcpt *rcpts, struct why *why)
{
    if (p->size && (uint64_t)(j->msg.end - j->msg.skip) > p->size)
        return fail(why, "5.2.3", "message too large");
    if ((p->flags & PIPE_DELIVERED) && job_was_delivered_to(j, rcpts->addr))
        return fail(why, "5.4.6", "mail forwarding loop for %.*s",
                    STR(rcpts->addr));
    if (!job_is_probe(j))
        return run(j, p, rcpts, why);
    job_say(why, "2.0.0", "delivers to command: %s", p->argv[0]);
    return OK;
}

void
deliver_pipe(struct job *j, struct buf *results)
{
    const struct pipe_service *p = j->set->pipe;
    struct rec_rcpt *rcpts =
        arena_alloc(j->arena, (j->nrcpts + 1) * sizeof *rcpts);
    struct str rest = j->msg.rcpts;
    struct rec_result result;
    struct why why;

    for (size_t i = 0; i < j->nrcpts; i++)
        must(get_rcpt(&rest, &rcpts[i]));
    if (j->nrcpts == 0)
        return;
    enum rc rc = deliver(j, p, rcpts, &why);

    for (size_t i = 0; i < j->nrcpts; i++) {
        job_log(j, &rcpts[i], rcpts[i].addr, rc, &why);
        job_result(j, &rcpts[i], rc, &why, &result);
        if (rc == OK && !(p->flags & PIPE_FINAL))
            result.action = ACTION_RELAYED;
        put_result(results, &result);
    }
}
