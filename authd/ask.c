#include "ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/vec.h"
#include "ipc/message.h"
#include "sys/sock.h"

#define WAITING_MAX 8192  /* questions without a link */
#define IDLE_MS     30000 /* how long a link is kept without any */
#define TELL_MS     1000  /* a line of those that were given up, at most */
#define TRIES       2

struct link_of {
    struct asker *asker;
    struct link link;
    struct watch *watch;
    struct timer *idle;
    struct ask *ask; /* NULL: idle */
};

struct ask {
    struct asker *asker;
    struct question question;
    void (*answered)(void *own, const struct answer *answer);
    void *own;
    struct timer *timer;
    struct link_of *link;    /* NULL: waits in line, or has joined */
    struct ask *prev, *next; /* in line, or of those who joined the same */
    int64_t tag;
    unsigned tries;
    bool has_key;
    uint8_t key[CACHE_KEY];
    struct ask *leader; /* whose answer it gets; NULL: its own */
    struct ask *joined; /* those who get this one's */
};

struct asker {
    struct loop *loop;
    const char *path;
    size_t links_max;
    int64_t limit, tag;
    VEC(struct link_of *) links;
    struct hash *open;        /* leaders with a key */
    struct ask *first, *last; /* those in line */
    size_t waiting;
    bool told; /* that nobody listens */
    unsigned given_up;
    struct timer *telling; /* says how many, now and then */
};

static struct packet packet;

/* Without a text: it has been logged here. */
static const struct answer temporary = {.verdict = CHECK_TEMP};

struct asker *
asker_new(struct arena *life, struct loop *l, const char *path,
          size_t links_max, int64_t limit)
{
    struct asker *a = arena_make(life, struct asker);

    a->loop = l;
    a->path = path;
    a->links_max = links_max;
    a->limit = limit;
    a->open = hash_new();
    return a;
}

/* ---- the line */

static void
line_up(struct ask *k)
{
    struct asker *a = k->asker;

    k->prev = a->last;
    k->next = NULL;
    if (a->last)
        a->last->next = k;
    else
        a->first = k;
    a->last = k;
    a->waiting++;
}

static void
line_leave(struct ask *k)
{
    struct asker *a = k->asker;

    if (k->prev)
        k->prev->next = k->next;
    else
        a->first = k->next;
    if (k->next)
        k->next->prev = k->prev;
    else
        a->last = k->prev;
    a->waiting--;
}

/* ---- the same question */

static struct str
key_of(const struct ask *k)
{
    return (struct str){(const char *)k->key, sizeof k->key};
}

static void
join(struct ask *k, struct ask *leader)
{
    k->leader = leader;
    k->prev = NULL;
    k->next = leader->joined;
    if (k->next)
        k->next->prev = k;
    leader->joined = k;
}

static void
part(struct ask *k)
{
    if (k->prev)
        k->prev->next = k->next;
    else
        k->leader->joined = k->next;
    if (k->next)
        k->next->prev = k->prev;
    k->leader = NULL;
}

/* One of those who joined goes on where k was. */
static void
pass_on(struct ask *k)
{
    struct ask *heir = k->joined;

    part(heir);
    heir->link = k->link;
    heir->tag = k->tag;
    heir->tries = k->tries;
    heir->joined = k->joined;
    for (struct ask *j = heir->joined; j; j = j->next)
        j->leader = heir;
    *hash_put(k->asker->open, key_of(k)) = heir;
    if (heir->link)
        heir->link->ask = heir;
    else
        line_up(heir);
}

/* k is given up, or answered: it stands nowhere any more. */
static void
leave(struct ask *k)
{
    if (k->leader) {
        part(k);
        return;
    }
    if (k->link == NULL)
        line_leave(k);
    if (k->joined)
        pass_on(k);
    else if (k->has_key)
        hash_del(k->asker->open, key_of(k));
}

/* ---- links */

static void
link_close(struct link_of *l)
{
    struct asker *a = l->asker;

    for (size_t i = 0; i < a->links.len; i++)
        if (a->links.at[i] == l) {
            vec_drop(&a->links, i);
            break;
        }
    loop_unwatch(l->watch);
    loop_cancel(l->idle);
    close(l->link.fd);
    free(l);
}

static void
idle_over(void *self)
{
    struct link_of *l = self;

    l->idle = NULL;
    link_close(l);
}

static void readable(void *self, unsigned events);

static struct link_of *
link_open(struct asker *a)
{
    int fd = sock_connect_unix(a->path, SOCK_SEQPACKET | SOCK_NONBLOCK);
    struct link_of *l;

    if (fd < 0) {
        /* EAGAIN: so many wait already that there is no room for one more. */
        if (!a->told && errno != EAGAIN)
            log_warn("cannot connect to %s: %m", a->path);
        a->told = errno != EAGAIN;
        return NULL;
    }
    a->told = false;
    l = calloc(1, sizeof *l);
    if (l == NULL)
        log_fatal("out of memory for a link");
    *l = (struct link_of){
        .asker = a,
        .link = {.fd = fd, .self = SIDE(AUTH), .peer = SIDE(CHECKER)},
        .watch = loop_watch(a->loop, fd, LOOP_READ, readable, l),
    };
    *vec_add(&a->links) = l;
    return l;
}

static struct link_of *
link_for(struct asker *a)
{
    for (size_t i = 0; i < a->links.len; i++)
        if (a->links.at[i]->ask == NULL)
            return a->links.at[i];
    return a->links.len < a->links_max ? link_open(a) : NULL;
}

static void
finish(struct ask *k, const struct answer *answer)
{
    leave(k);
    loop_cancel(k->timer);
    k->answered(k->own, answer);
    free(k);
}

/* Whoever is told may end other logins: so k and those who joined it leave
 * line and link at once, and stay in a list of their own until told. */
static void
gather(struct ask *k, struct ask *all)
{
    if (k->link == NULL)
        line_leave(k);
    if (k->has_key)
        hash_del(k->asker->open, key_of(k));
    k->link = NULL;
    all->joined = k->joined;
    k->joined = NULL;
    for (struct ask *j = all->joined; j; j = j->next)
        j->leader = all;
    join(k, all);
}

static void
finish_all(struct ask *k, const struct answer *answer)
{
    struct ask all = {.asker = k->asker};

    gather(k, &all);
    while (all.joined)
        finish(all.joined, answer);
}

static void
tell(void *self)
{
    struct asker *a = self;

    a->telling = NULL;
    if (a->given_up)
        log_warn("%s: %u checks of logins were given up in %d s, %zu wait",
                 a->path, a->given_up, TELL_MS / 1000, a->waiting);
    a->given_up = 0;
}

static void
give_up(struct ask *k)
{
    struct asker *a = k->asker;

    a->given_up++;
    if (a->telling == NULL)
        a->telling = loop_after(a->loop, TELL_MS, tell, a);
    finish(k, &temporary);
}

static void
give_up_all(struct ask *k)
{
    struct ask all = {.asker = k->asker};

    gather(k, &all);
    while (all.joined)
        give_up(all.joined);
}

static bool
send_question(struct link_of *l, struct ask *k)
{
    const struct question *q = &k->question;
    struct msg_check m = {
        .tag = k->tag = ++k->asker->tag,
        .what = q->what,
        .source = q->source,
        .user = q->user,
        .secret = q->secret,
        .stored = q->stored,
        .service = q->service,
        .address = q->address,
    };
    bool sent = send_check(&l->link, &m);

    packet_wipe(NULL);
    return sent;
}

/* Give the first in line to that link; false where it is none any more. */
static bool
hand_over(struct link_of *l, struct ask *k)
{
    loop_cancel(l->idle);
    l->idle = NULL;
    if (!send_question(l, k)) {
        link_close(l);
        return false;
    }
    line_leave(k);
    k->tries++;
    k->link = l;
    l->ask = k;
    return true;
}

static void
serve_line(struct asker *a)
{
    while (a->first) {
        struct link_of *l = link_for(a);

        if (l == NULL)
            return;
        (void)!hand_over(l, a->first);
    }
}

/* The worker has gone, or says what it may not. */
static void
link_lost(struct link_of *l)
{
    struct asker *a = l->asker;
    struct ask *k = l->ask;

    link_close(l);
    if (k) {
        k->link = NULL;
        line_up(k);
        if (k->tries >= TRIES)
            give_up_all(k);
    }
    serve_line(a);
}

static void
answer(struct link_of *l, const struct msg_checked *m)
{
    struct ask *k = l->ask;
    const struct answer got = {
        .verdict = m->verdict >= 0 && m->verdict <= CHECK_TEMP
                       ? (enum check_verdict)m->verdict
                       : CHECK_TEMP,
        .which = (unsigned)m->which,
        .user = m->user,
        .fields = m->fields,
        .text = m->text,
    };

    l->ask = NULL;
    l->idle = loop_after(l->asker->loop, IDLE_MS, idle_over, l);
    finish_all(k, &got);
    packet_wipe(&packet);
}

static void
readable(void *self, unsigned events)
{
    struct link_of *l = self;
    struct asker *a = l->asker;
    struct msg_checked m;
    enum link_state state = link_expect(&l->link, &packet, MSG_checked);

    (void)events;
    if (state == LINK_AGAIN)
        return;
    if (state != LINK_OK || !read_checked(&packet, &m) || l->ask == NULL ||
        m.tag != l->ask->tag) {
        link_lost(l);
        return;
    }
    answer(l, &m);
    serve_line(a);
}

static void
too_late(void *self)
{
    struct ask *k = self;
    struct link_of *l = k->link;
    struct asker *a = k->asker;

    k->timer = NULL;
    if (l) {
        l->ask = NULL;
        link_close(l);
        k->link = NULL;
        line_up(k);
    }
    give_up(k);
    serve_line(a);
}

/* Milliseconds until it is given up: at once where nobody listens, or too many
 * wait. */
static int64_t
patience(const struct ask *k, bool full)
{
    const struct asker *a = k->asker;
    bool hopeless =
        k->leader == NULL && k->link == NULL && (full || a->links.len == 0);

    return hopeless ? 0 : a->limit;
}

static void
ask_for_itself(struct ask *k)
{
    if (k->has_key)
        *hash_put(k->asker->open, key_of(k)) = k;
    line_up(k);
    serve_line(k->asker);
}

struct ask *
ask_start(struct asker *a, const struct question *q,
          const uint8_t key[CACHE_KEY],
          void (*answered)(void *own, const struct answer *answer), void *own)
{
    struct ask *k = calloc(1, sizeof *k), *same;
    bool full = a->waiting >= WAITING_MAX;

    if (k == NULL)
        log_fatal("out of memory for a question");
    *k = (struct ask){.asker = a,
                      .question = *q,
                      .answered = answered,
                      .own = own,
                      .has_key = key != NULL};
    if (key)
        memcpy(k->key, key, sizeof k->key);
    same = key ? hash_get(a->open, key_of(k)) : NULL;
    if (same)
        join(k, same);
    else
        ask_for_itself(k);
    k->timer = loop_after(a->loop, patience(k, full), too_late, k);
    return k;
}

bool
ask_has_joined(const struct ask *k)
{
    return k->leader != NULL;
}

void
ask_cancel(struct ask *k)
{
    struct asker *a;

    if (k == NULL)
        return;
    a = k->asker;
    loop_cancel(k->timer);
    /* It would answer what nobody waits for. */
    if (k->link && k->joined == NULL) {
        k->link->ask = NULL;
        link_close(k->link);
        k->link = NULL;
        line_up(k);
    }
    leave(k);
    free(k);
    serve_line(a);
}
