#include "access/members.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"

struct members {
    struct hash *by_name; /* struct member */
    VEC(struct member *) retired;
};

struct members *
members_new(void)
{
    struct members *m = calloc(1, sizeof *m);

    must(m != NULL);
    m->by_name = hash_new();
    return m;
}

static void
member_free(struct member *u)
{
    vec_free(&u->sessions);
    free(u->name);
    free(u);
}

void
members_free(struct members *m)
{
    struct members_place p = {0};
    struct member *u;

    while ((u = members_next(m, &p)))
        member_free(u);
    hash_free(m->by_name);
    vec_free(&m->retired);
    free(m);
}

size_t
members_count(const struct members *m)
{
    return hash_count(m->by_name) + m->retired.len;
}

struct member *
members_find(const struct members *m, struct str name)
{
    return hash_get(m->by_name, name);
}

struct member *
members_add(struct members *m, struct str name, pid_t pid)
{
    struct member *u = calloc(1, sizeof *u);

    must(u != NULL);
    u->name = strndup(name.p, name.len);
    must(u->name != NULL);
    u->pid = pid;
    *hash_put(m->by_name, str_from(u->name)) = u;
    return u;
}

static void
forget(struct members *m, const struct member *u)
{
    if (!u->retired) {
        hash_del(m->by_name, str_from(u->name));
        return;
    }
    for (size_t i = 0; i < m->retired.len; i++)
        if (m->retired.at[i] == u) {
            vec_drop(&m->retired, i);
            return;
        }
}

void
members_retire(struct members *m, struct member *u)
{
    if (u->retired)
        return;
    forget(m, u);
    u->retired = true;
    *vec_add(&m->retired) = u;
}

void
members_drop(struct members *m, struct member *u)
{
    forget(m, u);
    member_free(u);
}

struct member *
members_next(const struct members *m, struct members_place *p)
{
    struct str name;
    void *value;

    if (hash_next(m->by_name, &p->at, &name, &value))
        return value;
    return p->old < m->retired.len ? m->retired.at[p->old++] : NULL;
}

void
members_forget(struct members *m, const struct asker *k)
{
    struct members_place p = {0};
    struct member *u;

    while ((u = members_next(m, &p)))
        for (size_t i = 0; i < u->sessions.len; i++)
            if (u->sessions.at[i].from == k)
                u->sessions.at[i].from = NULL;
}

struct open_session *
member_add(struct member *u, struct str client)
{
    struct open_session *s = vec_add(&u->sessions);

    *s = (struct open_session){.number = ++u->last};
    snprintf(s->client, sizeof s->client, "%.*s", STR(client));
    return s;
}

struct open_session *
member_find(struct member *u, int64_t number)
{
    for (size_t i = 0; i < u->sessions.len; i++)
        if (u->sessions.at[i].number == number)
            return &u->sessions.at[i];
    return NULL;
}

void
member_remove(struct member *u, const struct open_session *s)
{
    vec_drop(&u->sessions, (size_t)(s - u->sessions.at));
}

int64_t
member_count(const struct member *u, struct str client)
{
    int64_t n = 0;

    for (size_t i = 0; i < u->sessions.len; i++)
        n += str_eq(str_from(u->sessions.at[i].client), client);
    return n;
}
