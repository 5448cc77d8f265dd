/*
 * Which file is which message: N pairs, and H pairs to find them by name.
 */
#include <stdlib.h>

#include "store/index.h"
#include "store/name.h"

#define VALUE_MAX 300

/* The key of an H pair. */
static struct str
key_of_place(struct index_key *k, uint32_t folder, const uint8_t place[8])
{
    index_key(k, 'H', folder);
    memcpy(k->p + k->len, place, 8);
    k->len += 8;
    return (struct str){k->p, k->len};
}

/* What came together stands together, so whoever adds or removes many writes
 * few pages. */
static void
find_place(struct str base, uint8_t place[8])
{
    uint64_t seconds = name_rank(base).seconds;
    uint8_t id[16];

    for (int i = 0; i < 4; i++)
        place[i] = (uint8_t)(seconds >> (24 - 8 * i));
    index_hash(base, id);
    memcpy(place + 4, id, 4);
}

static struct str
key_name(struct index_key *k, uint32_t folder, struct str base)
{
    uint8_t place[8];

    find_place(base, place);
    return key_of_place(k, folder, place);
}

/* An H pair's UIDs: nearly always one. */
struct namesakes {
    uint32_t uid[64];
    size_t count;
};

static void
read_namesakes(struct str value, struct namesakes *n)
{
    n->count = value.len > sizeof n->uid ? 0 : value.len / sizeof *n->uid;
    memcpy(n->uid, value.p, n->count * sizeof *n->uid);
}

static struct str
value_of_namesakes(const struct namesakes *n)
{
    return (struct str){(const char *)n->uid, n->count * sizeof *n->uid};
}

static void
get_namesakes(struct kv_env *kv, struct str key, struct namesakes *n)
{
    struct str value;

    n->count = 0;
    if (kv_env_get(kv, key, &value))
        read_namesakes(value, n);
}

static void
add_name(struct kv_env *kv, uint32_t folder, struct str base, uint32_t uid)
{
    struct index_key k;
    struct str key = key_name(&k, folder, base);
    struct namesakes n;

    get_namesakes(kv, key, &n);
    if (n.count < COUNT(n.uid))
        n.uid[n.count++] = uid;
    kv_env_put(kv, key, value_of_namesakes(&n));
}

bool
index_file_of(struct str value, struct index_file *file)
{
    if (value.len < 2)
        return false;
    file->in_new = value.p[0] == 'n';
    file->name = str_sub(value, 1, value.len);
    return true;
}

bool
index_file_get(struct kv_env *kv, uint32_t folder, uint32_t uid,
               struct index_file *file)
{
    struct index_key k;
    struct str value;

    return kv_env_get(kv, index_key_uid(&k, 'N', folder, uid), &value) &&
           index_file_of(value, file);
}

/* The value of an N pair. */
static struct str
value_of(const struct index_file *file, char value[VALUE_MAX])
{
    must(file->name.len < VALUE_MAX);
    value[0] = file->in_new ? 'n' : 'c';
    memcpy(value + 1, file->name.p, file->name.len);
    return (struct str){value, 1 + file->name.len};
}

void
index_file_put(struct kv_env *kv, struct index_folder *f, uint32_t uid,
               const struct index_file *file)
{
    struct index_file old;
    struct index_key k;
    struct str base;
    char value[VALUE_MAX];

    must(name_base(file->name, &base));

    bool known = index_file_get(kv, f->id, uid, &old);

    f->in_new += (uint32_t)file->in_new - (known && old.in_new);
    if (!known)
        add_name(kv, f->id, base, uid);
    kv_env_put(kv, index_key_uid(&k, 'N', f->id, uid), value_of(file, value));
}

uint32_t
index_file_find(struct kv_env *kv, uint32_t folder, struct str base,
                struct index_file *file)
{
    struct index_key k;
    struct namesakes found;
    struct str own;

    get_namesakes(kv, key_name(&k, folder, base), &found);
    for (size_t i = 0; i < found.count; i++)
        if (index_file_get(kv, folder, found.uid[i], file) &&
            name_base(file->name, &own) && str_eq(own, base))
            return found.uid[i];
    return 0;
}

/* ---- many at once: each kind of record has a cursor that goes on from key to
 * key, and names are put in order first */

void
index_fill_begin(struct index_fill *fill, struct kv_env *kv,
                 struct index_folder *f)
{
    struct kv_walk *const walks[] = {&fill->messages, &fill->files,
                                     &fill->fields};

    *fill = (struct index_fill){.kv = kv, .f = f};
    for (size_t i = 0; i < COUNT(walks); i++)
        kv_walk_begin(walks[i], kv, (struct str){0}, (struct str){0});
}

void
index_fill_put(struct index_fill *fill, uint32_t uid,
               const struct index_message *m, const struct index_file *file,
               struct str base, struct str fields)
{
    struct index_folder *f = fill->f;
    struct index_named *named = vec_add(&fill->names);
    struct index_key k;
    char value[VALUE_MAX];

    kv_walk_add(&fill->messages, index_key_uid(&k, 'M', f->id, uid),
                (struct str){(const char *)m, sizeof *m});
    index_count(f, m, 1);
    kv_walk_add(&fill->files, index_key_uid(&k, 'N', f->id, uid),
                value_of(file, value));
    f->in_new += file->in_new;
    if (fields.len)
        kv_walk_add(&fill->fields, index_key_uid(&k, 'X', f->id, uid), fields);
    *named = (struct index_named){.uid = uid, .base = base};
    find_place(base, named->place);
}

static int
cmp_named(const void *a, const void *b)
{
    const struct index_named *x = a, *y = b;

    return memcmp(x->place, y->place, 8);
}

void
index_fill_end(struct index_fill *fill)
{
    struct kv_walk hashes;
    struct index_key k;

    kv_walk_end(&fill->messages);
    kv_walk_end(&fill->files);
    kv_walk_end(&fill->fields);
    if (fill->names.len)
        qsort(fill->names.at, fill->names.len, sizeof *fill->names.at,
              cmp_named);
    kv_walk_begin(&hashes, fill->kv, (struct str){0}, (struct str){0});
    for (size_t i = 0; i < fill->names.len; i++) {
        const struct index_named *n = &fill->names.at[i];
        struct str value = {(const char *)&n->uid, sizeof n->uid};

        if (!kv_walk_add(&hashes, key_of_place(&k, fill->f->id, n->place),
                         value))
            add_name(fill->kv, fill->f->id, n->base, n->uid);
    }
    kv_walk_end(&hashes);
    vec_free(&fill->names);
}

struct drop {
    struct kv_env *kv;
    struct index_folder *f;
    const uint32_t *uids;
    size_t count;
    VEC(struct index_named) names;
};

/* Their messages; the list loses those that are none. */
static size_t
drop_messages(struct drop *d, uint32_t *uids)
{
    struct index_key k;
    struct kv_walk w;
    size_t kept = 0;

    kv_walk_begin(&w, d->kv, (struct str){0}, (struct str){0});
    for (size_t i = 0; i < d->count; i++) {
        if (!kv_walk_find(&w, index_key_uid(&k, 'M', d->f->id, uids[i])))
            continue;

        const struct index_message m = index_message_of(w.value);

        index_count(d->f, &m, (uint32_t)-1);
        kv_walk_del(&w);
        uids[kept++] = uids[i];
    }
    kv_walk_end(&w);
    return kept;
}

static void
drop_files(struct drop *d)
{
    struct index_key k;
    struct index_file file;
    struct kv_walk w;
    struct str base;

    kv_walk_begin(&w, d->kv, (struct str){0}, (struct str){0});
    for (size_t i = 0; i < d->count; i++) {
        if (!kv_walk_find(&w, index_key_uid(&k, 'N', d->f->id, d->uids[i])))
            continue;
        if (index_file_of(w.value, &file) && name_base(file.name, &base)) {
            struct index_named *named = vec_add(&d->names);

            d->f->in_new -= file.in_new;
            named->uid = d->uids[i];
            find_place(base, named->place);
        }
        kv_walk_del(&w);
    }
    kv_walk_end(&w);
}

static void
drop_names(struct drop *d)
{
    struct index_key k;
    struct kv_walk w;

    if (d->names.len)
        qsort(d->names.at, d->names.len, sizeof *d->names.at, cmp_named);
    kv_walk_begin(&w, d->kv, (struct str){0}, (struct str){0});
    for (size_t i = 0; i < d->names.len; i++) {
        const struct index_named *named = &d->names.at[i];
        struct namesakes n;

        if (!kv_walk_find(&w, key_of_place(&k, d->f->id, named->place)))
            continue;
        read_namesakes(w.value, &n);
        for (size_t u = 0; u < n.count; u++)
            if (n.uid[u] == named->uid)
                n.uid[u] = n.uid[--n.count];
        if (n.count)
            kv_walk_set(&w, value_of_namesakes(&n));
        else
            kv_walk_del(&w);
    }
    kv_walk_end(&w);
}

static void
drop_fields(struct drop *d)
{
    struct index_key k;
    struct kv_walk w;

    kv_walk_begin(&w, d->kv, (struct str){0}, (struct str){0});
    for (size_t i = 0; i < d->count; i++)
        if (kv_walk_find(&w, index_key_uid(&k, 'X', d->f->id, d->uids[i])))
            kv_walk_del(&w);
    kv_walk_end(&w);
}

static void
drop_blobs(struct drop *d, enum blob_kind kind)
{
    struct index_key k;
    struct kv_walk w;

    kv_walk_begin(&w, d->kv, (struct str){0}, (struct str){0});
    for (size_t i = 0; i < d->count; i++)
        if (kv_walk_find(&w, index_key_blob(&k, d->f->id, kind, d->uids[i])))
            kv_walk_del(&w);
    kv_walk_end(&w);
}

size_t
index_messages_drop(struct kv_env *kv, struct index_folder *f, uint32_t *uids,
                    size_t count)
{
    struct drop d = {.kv = kv, .f = f, .uids = uids, .count = count};

    d.count = drop_messages(&d, uids);
    drop_files(&d);
    drop_names(&d);
    drop_fields(&d);
    for (enum blob_kind kind = 0; kind < BLOB_KINDS; kind++)
        drop_blobs(&d, kind);
    vec_free(&d.names);
    return d.count;
}
