#include "store/own.h"
#include "store/state.h"
#include "store/uidlist.h"

enum rc
mailbox_keywords(struct mailbox *box, const struct keywords **k,
                 struct why *why)
{
    struct index_folder f;
    enum rc rc = mailbox_read(box, &f, why);

    *k = &box->keywords;
    if (rc != OK)
        return rc;
    if (f.serial != box->named.serial || f.id != box->named.id ||
        box->home->generation != box->named.generation) {
        arena_reset(box->words);
        index_keywords_get(box->words, box->home->kv, f.id, &box->keywords);
        box->named.serial = f.serial;
        box->named.id = f.id;
        box->named.generation = box->home->generation;
    }
    return mailbox_end(box, why);
}

static enum rc
write_letters(struct mailbox *box, struct index_folder *f, struct arena *a,
              const struct keywords *k, struct why *why)
{
    struct buf b = buf_in(a);

    keywords_put(&b, k);
    return text_write(box->dir, KEYWORDS_FILE, buf_str(&b), &f->keywords, why);
}

static enum rc
write_word(struct mailbox *box, struct index_folder *f, struct arena *a,
           int bit, struct str name, struct why *why)
{
    struct buf b = buf_in(a);
    struct state_line l = {.kind = 'K', .bit = bit, .name = name};

    state_put(&b, &l);
    return state_append(box->dir, buf_str(&b), true, &f->state, why);
}

static enum rc
take_place(struct keywords *k, struct str name, int *bit, struct why *why)
{
    *bit = keywords_free(k);
    if (*bit < 0)
        return fail(why, "5.3.4", "the folder has %d keywords already",
                    KEYWORDS_MAX);
    k->name[*bit] = name;
    return OK;
}

static enum rc
add(struct mailbox *box, struct arena *a, struct str name, int *bit,
    struct why *why)
{
    struct index_folder f;
    struct keywords k;
    enum rc rc = mailbox_write(box, &f, why);

    if (rc != OK)
        return rc;
    index_keywords_get(a, box->home->kv, f.id, &k);
    *bit = keywords_find(&k, name);
    if (*bit >= 0) { /* somebody was faster */
        mailbox_abort(box);
        return OK;
    }
    rc = take_place(&k, name, bit, why);
    if (rc == OK)
        rc = *bit < KEYWORD_LETTERS ? write_letters(box, &f, a, &k, why)
                                    : write_word(box, &f, a, *bit, name, why);
    if (rc != OK) {
        mailbox_abort(box);
        return rc;
    }
    index_keywords_put(a, box->home->kv, f.id, &k);
    return mailbox_commit(box, &f, why);
}

static enum rc
no_keyword(struct why *why)
{
    return fail(why, "5.5.2", "that is no keyword");
}

/* Could all of these be made? */
static enum rc
fit(struct mailbox *box, const struct str *names, size_t count, struct why *why)
{
    const struct keywords *there;
    struct keywords k;
    enum rc rc;
    int bit;

    if (count == 0)
        return OK;
    rc = mailbox_keywords(box, &there, why);
    k = *there;
    for (size_t i = 0; rc == OK && i < count; i++)
        if (keywords_find(&k, names[i]) < 0)
            rc = keyword_valid(names[i]) ? take_place(&k, names[i], &bit, why)
                                         : no_keyword(why);
    return rc;
}

enum rc
mailbox_keyword(struct mailbox *box, struct str name, int *bit, struct why *why)
{
    const struct keywords *k;
    enum rc rc = mailbox_keywords(box, &k, why);

    *bit = rc == OK ? keywords_find(k, name) : -1;
    if (rc != OK || *bit >= 0)
        return rc;
    if (!keyword_valid(name))
        return no_keyword(why);
    rc = mailbox_lock(box, LOCK_WAIT, why);
    if (rc != OK)
        return rc;

    struct arena *a = arena_new("keyword", 1 << 20);

    rc = add(box, a, name, bit, why);
    mailbox_unlock(box);
    arena_free(a);
    return rc;
}

enum rc
mailbox_keyword_bits(struct mailbox *box, const struct str *names, size_t count,
                     uint64_t *bits, struct why *why)
{
    enum rc rc = fit(box, names, count, why);
    int bit;

    *bits = 0;
    for (size_t i = 0; rc == OK && i < count; i++) {
        rc = mailbox_keyword(box, names[i], &bit, why);
        if (rc == OK)
            *bits |= UINT64_C(1) << bit;
    }
    return rc;
}
