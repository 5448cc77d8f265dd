#include "store/index.h"

#include <stdlib.h>

#include "base/vec.h"

/* Vanished ranges kept per folder. */
#define HISTORY 50000

static void
put_bytes(struct index_key *k, uint64_t value, int bytes)
{
    while (bytes-- > 0)
        k->p[k->len++] = (char)(value >> (8 * bytes));
}

static uint64_t
get_bytes(const char *p, int bytes)
{
    uint64_t value = 0;

    while (bytes-- > 0)
        value = value << 8 | (unsigned char)*p++;
    return value;
}

static struct str
view(const struct index_key *k)
{
    return (struct str){k->p, k->len};
}

struct str
index_key(struct index_key *k, char kind, uint32_t folder)
{
    k->len = 0;
    k->p[k->len++] = kind;
    put_bytes(k, folder, 4);
    return view(k);
}

struct str
index_key_uid(struct index_key *k, char kind, uint32_t folder, uint32_t uid)
{
    index_key(k, kind, folder);
    put_bytes(k, uid, 4);
    return view(k);
}

struct str
index_key_blob(struct index_key *k, uint32_t folder, enum blob_kind kind,
               uint32_t uid)
{
    index_key(k, 'B', folder);
    k->p[k->len++] = (char)kind;
    put_bytes(k, uid, 4);
    return view(k);
}

struct str
index_key_modseq(struct index_key *k, char kind, uint32_t folder,
                 uint64_t modseq, uint32_t uid)
{
    index_key(k, kind, folder);
    put_bytes(k, modseq, 8);
    put_bytes(k, uid, 4);
    return view(k);
}

struct str
index_key_path(struct index_key *k, struct str path)
{
    must(path.len < sizeof k->p);
    k->p[0] = 'F';
    memcpy(k->p + 1, path.p, path.len);
    k->len = 1 + path.len;
    return view(k);
}

uint32_t
index_uid_of(struct str key)
{
    return key.len < 4 ? 0 : (uint32_t)get_bytes(key.p + key.len - 4, 4);
}

uint64_t
index_modseq_of(struct str key)
{
    return key.len < 12 ? 0 : get_bytes(key.p + key.len - 12, 8);
}

/* FNV-1a: names are the user's own, nobody gains by a collision. */
void
index_hash(struct str text, uint8_t id[16])
{
    const unsigned __int128 prime = (unsigned __int128)1 << 88 | 0x13b;
    unsigned __int128 sum =
        (unsigned __int128)0x6c62272e07bb0142 << 64 | 0x62b821756295c58d;

    for (size_t i = 0; i < text.len; i++)
        sum = (sum ^ (unsigned char)text.p[i]) * prime;
    memcpy(id, &sum, 16);
}

uint32_t
index_last_of(struct str value)
{
    uint32_t last = 0;

    if (value.len == sizeof last)
        memcpy(&last, value.p, sizeof last);
    return last;
}

/* A record of that size; false where there is none. */
static bool
get_record(struct kv_env *kv, struct str key, void *record, size_t size)
{
    struct str value;

    if (!kv_env_get(kv, key, &value) || value.len != size)
        return false;
    memcpy(record, value.p, size);
    return true;
}

bool
index_folder_get(struct kv_env *kv, struct str path, struct index_folder *f)
{
    struct index_key k;

    return get_record(kv, index_key_path(&k, path), f, sizeof *f);
}

void
index_folder_put(struct kv_env *kv, struct str path, struct index_folder *f)
{
    struct index_key k;

    f->serial++;
    kv_env_put(kv, index_key_path(&k, path),
               (struct str){(const char *)f, sizeof *f});
}

/* A change of what the records mean gets another version. */
static const struct index_kind {
    uint32_t version, folder, message, keywords;
} records = {4, sizeof(struct index_folder), sizeof(struct index_message),
             KEYWORDS_MAX};

bool
index_is_ours(struct kv_env *kv)
{
    struct index_kind found;

    return get_record(kv, S("Z"), &found, sizeof found) &&
           memcmp(&found, &records, sizeof records) == 0;
}

bool
index_begin(struct kv_env *kv)
{
    struct str value;

    if (index_is_ours(kv))
        return true;
    if (kv_env_get(kv, S("Z"), &value) || kv_env_get(kv, S("I"), &value))
        return false;
    kv_env_put(kv, S("Z"),
               (struct str){(const char *)&records, sizeof records});
    return true;
}

uint32_t
index_folder_number(struct kv_env *kv)
{
    uint32_t number = 0;

    if (!get_record(kv, S("I"), &number, sizeof number))
        number = 1;
    number++;
    kv_env_put(kv, S("I"), (struct str){(const char *)&number, sizeof number});
    return number - 1;
}

static void
clear_kind(struct kv_env *kv, char kind, uint32_t folder)
{
    struct index_key k;
    struct str prefix = index_key(&k, kind, folder);
    struct kv_walk w;

    kv_walk_begin(&w, kv, prefix, prefix);
    while (kv_walk_next(&w))
        kv_walk_del(&w);
    kv_walk_end(&w);
}

void
index_folder_clear(struct kv_env *kv, uint32_t folder)
{
    for (const char *kind = "MNHCVBKXTR"; *kind; kind++)
        clear_kind(kv, *kind, folder);
}

struct index_message
index_message_of(struct str value)
{
    struct index_message m = {0};

    if (value.len == sizeof m)
        memcpy(&m, value.p, sizeof m);
    return m;
}

bool
index_message_get(struct kv_env *kv, uint32_t folder, uint32_t uid,
                  struct index_message *m)
{
    struct index_key k;

    return get_record(kv, index_key_uid(&k, 'M', folder, uid), m, sizeof *m);
}

void
index_count(struct index_folder *f, const struct index_message *m, uint32_t by)
{
    f->messages += by;
    f->unseen += m->flags & FLAG_SEEN ? 0 : by;
    f->deleted += m->flags & FLAG_DELETED ? by : 0;
    f->unsized += m->vsize ? 0 : by;
    f->size += by == 1 ? m->size : -m->size;
    f->vsize += by == 1 ? m->vsize : -m->vsize;
}

void
index_message_put(struct kv_env *kv, struct index_folder *f, uint32_t uid,
                  const struct index_message *old,
                  const struct index_message *new)
{
    struct index_key k;

    if (old)
        index_count(f, old, (uint32_t)-1);
    index_count(f, new, 1);
    kv_env_put(kv, index_key_uid(&k, 'M', f->id, uid),
               (struct str){(const char *)new, sizeof *new});
}

/* A change of many makes older changes inside it things of the past. */
#define MANY 1000

static void
drop_covered(struct kv_env *kv, struct index_folder *f, uint32_t first,
             uint32_t last)
{
    struct index_key k;
    struct str prefix = index_key(&k, 'C', f->id);
    struct kv_walk w;

    kv_walk_begin(&w, kv, prefix, prefix);
    while (kv_walk_next(&w))
        if (index_uid_of(w.key) >= first && index_last_of(w.value) <= last) {
            kv_walk_del(&w);
            f->changes--;
        }
    kv_walk_end(&w);
}

struct change {
    uint64_t modseq;
    uint32_t uid, rank; /* among the folder's messages */
};

static int
cmp_change(const void *a, const void *b)
{
    const struct change *x = a, *y = b;

    if (x->modseq != y->modseq)
        return x->modseq > y->modseq ? 1 : -1;
    return (x->uid > y->uid) - (x->uid < y->uid);
}

static void
put_change(struct kv_env *kv, struct index_folder *f, uint64_t modseq,
           uint32_t first, uint32_t last)
{
    struct index_key k;

    kv_env_put(kv, index_key_modseq(&k, 'C', f->id, modseq, first),
               (struct str){(const char *)&last, sizeof last});
    f->changes++;
}

/* Most C keys are things of the past: make them anew from the messages. */
static void
renew_changes(struct kv_env *kv, struct index_folder *f)
{
    VEC(struct change) all = {0};
    struct index_key k;
    struct str prefix = index_key(&k, 'M', f->id);
    struct kv_walk w;

    kv_walk_begin(&w, kv, prefix, prefix);
    for (uint32_t rank = 0; kv_walk_next(&w); rank++) {
        struct change *c = vec_add(&all);

        c->uid = index_uid_of(w.key);
        c->rank = rank;
        c->modseq = index_message_of(w.value).modseq;
    }
    kv_walk_end(&w);
    clear_kind(kv, 'C', f->id);
    f->changes = 0;
    if (all.len)
        qsort(all.at, all.len, sizeof *all.at, cmp_change);
    for (size_t i = 0, j; i < all.len; i = j) {
        for (j = i + 1; j < all.len && all.at[j].modseq == all.at[i].modseq &&
                        all.at[j].rank == all.at[j - 1].rank + 1;)
            j++;
        put_change(kv, f, all.at[i].modseq, all.at[i].uid, all.at[j - 1].uid);
    }
    vec_free(&all);
}

void
index_changed_put(struct kv_env *kv, struct index_folder *f, uint32_t first,
                  uint32_t last)
{
    if (last - first >= MANY)
        drop_covered(kv, f, first, last);
    put_change(kv, f, f->modseq, first, last);
    if (f->changes > 2 * f->messages + MANY)
        renew_changes(kv, f);
}

static void
forget_history(struct kv_env *kv, struct index_folder *f)
{
    struct index_key k;
    struct str prefix = index_key(&k, 'V', f->id);
    struct kv_walk w;

    kv_walk_begin(&w, kv, prefix, prefix);
    /* All of one modseq goes, and half of it all, so it is seldom done. */
    while (kv_walk_next(&w)) {
        uint64_t modseq = index_modseq_of(w.key);

        if (f->vanished <= HISTORY / 2 && modseq != f->floor)
            break;
        f->floor = modseq;
        f->vanished--;
        kv_walk_del(&w);
    }
    kv_walk_end(&w);
}

void
index_vanished_put(struct kv_env *kv, struct index_folder *f, uint32_t first,
                   uint32_t last)
{
    struct index_key k;

    kv_env_put(kv, index_key_modseq(&k, 'V', f->id, f->modseq, first),
               (struct str){(const char *)&last, sizeof last});
    f->vanished++;
    if (f->vanished > HISTORY)
        forget_history(kv, f);
}

void
index_keywords_get(struct arena *a, struct kv_env *kv, uint32_t folder,
                   struct keywords *k)
{
    struct index_key key;
    struct str value, name;

    *k = (struct keywords){0};
    if (!kv_env_get(kv, index_key(&key, 'K', folder), &value))
        return;
    value = arena_str(a, value);
    while (str_cut(&value, '\0', &name))
        if (name.len > 1 && (unsigned char)name.p[0] < KEYWORDS_MAX + 1)
            k->name[name.p[0] - 1] = str_sub(name, 1, name.len);
}

void
index_keywords_put(struct arena *a, struct kv_env *kv, uint32_t folder,
                   const struct keywords *k)
{
    struct index_key key;
    struct buf b = buf_in(a);

    for (int i = 0; i < KEYWORDS_MAX; i++) {
        if (k->name[i].len == 0)
            continue;
        buf_addc(&b, (char)(i + 1)); /* never NUL */
        buf_add(&b, k->name[i]);
        buf_addc(&b, '\0');
    }
    kv_env_put(kv, index_key(&key, 'K', folder), buf_str(&b));
}
