/* What is known of a user. */
#include "ipc/message.h"
#include "login_own.h"

static void next(struct login *l);

static void
answered(void *own, const struct answer *a)
{
    struct login *l = own;

    l->ask = NULL;
    if (a->verdict == CHECK_UNKNOWN) {
        next(l);
        return;
    }
    if (a->verdict == CHECK_YES)
        buf_add(&l->fields, str_sub(a->fields, 0, ANSWER_FIELDS_MAX));
    l->found(l, a->verdict == CHECK_YES ? CHECK_YES : CHECK_TEMP);
}

/* True: it is over, or answered later. */
static bool
try(struct login *l, struct source *s)
{
    struct passwd_file *file;
    struct passwd_user u;

    if (s->kind->type == SOURCE_STATIC) {
        source_put_fields(&l->fields, &s->user, l->name, false);
        l->found(l, CHECK_YES);
        return true;
    }
    if (s->kind->asks != SOURCE_HERE) {
        l->question = (struct question){
            .what = CHECK_USER, .source = s->spec, .user = l->name};
        l->ask =
            ask_start(auth_asker(l->auth, s), &l->question, NULL, answered, l);
        return true;
    }
    file = auth_file(l->auth, s);
    if (file == NULL) {
        l->found(l, CHECK_TEMP);
        return true;
    }
    if (!passwd_file_find(file, l->name, &u))
        return false;
    source_put_fields(&l->fields, &u, l->name, false);
    l->found(l, CHECK_YES);
    return true;
}

static void
next(struct login *l)
{
    while (l->next_user < l->auth->users.count)
        if (try(l, &l->auth->users.at[l->next_user++]))
            return;
    l->found(l, CHECK_UNKNOWN);
}

void
lookup_user(struct login *l,
            void (*found)(struct login *l, enum check_verdict v))
{
    l->next_user = 0;
    l->found = found;
    next(l);
}
