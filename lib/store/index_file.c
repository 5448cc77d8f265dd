/*
 * Which file is which message: N pairs, and H pairs to find them by name.
 */
#include <stdlib.h>

#include "store/index.h"
#include "store/name.h"

#define VALUE_MAX 300

/* The key of an H pair. */
static struct str
key_of_hash(struct index_key *k, uint32_t folder, const uint8_t hash[8])
{
    index_key(k, 'H', folder);
    memcpy(k->p + k->len, hash, 8);
    k->len += 8;
    return (struct str){k->p, k->len};
}

static struct str
key_hash(struct index_key *k, uint32_t folder, struct str base)
{
    uint8_t id[16];

    index_hash(base, id);
    return key_of_hash(k, folder, id);
}

/* An H pair's UIDs: nearly always one. */
struct namesakes {
    uint32_t uid[64];
    size_t count;
};

static void
get_namesakes(struct kv_env *kv, struct str key, struct namesakes *n)
{
    struct str value;

    n->count = 0;
    if (!kv_env_get(kv, key, &value) || value.len > sizeof n->uid)
        return;
    memcpy(n->uid, value.p, value.len);
    n->count = value.len / sizeof *n->uid;
}

static void
put_namesakes(struct kv_env *kv, struct str key, const struct namesakes *n)
{
    if (n->count)
        kv_env_put(
            kv, key,
            (struct str){(const char *)n->uid, n->count * sizeof *n->uid});
    else
        kv_env_del(kv, key);
}

static void
add_name(struct kv_env *kv, uint32_t folder, struct str base, uint32_t uid)
{
    struct index_key k;
    struct str key = key_hash(&k, folder, base);
    struct namesakes n;

    get_namesakes(kv, key, &n);
    if (n.count < COUNT(n.uid))
        n.uid[n.count++] = uid;
    put_namesakes(kv, key, &n);
}

static void
drop_name(struct kv_env *kv, uint32_t folder, struct str base, uint32_t uid)
{
    struct index_key k;
    struct str key = key_hash(&k, folder, base);
    struct namesakes n;

    get_namesakes(kv, key, &n);
    for (size_t i = 0; i < n.count; i++)
        if (n.uid[i] == uid)
            n.uid[i] = n.uid[--n.count];
    put_namesakes(kv, key, &n);
}

bool
index_file_get(struct kv_env *kv, uint32_t folder, uint32_t uid,
               struct index_file *file)
{
    struct index_key k;
    struct str value;

    if (!kv_env_get(kv, index_key_uid(&k, 'N', folder, uid), &value) ||
        value.len < 2)
        return false;
    file->in_new = value.p[0] == 'n';
    file->name = str_sub(value, 1, value.len);
    return true;
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
    struct name n;
    char value[VALUE_MAX];

    must(name_parse(file->name, &n));

    bool known = index_file_get(kv, f->id, uid, &old);

    f->in_new += (uint32_t)file->in_new - (known && old.in_new);
    if (!known)
        add_name(kv, f->id, n.base, uid);
    kv_env_put(kv, index_key_uid(&k, 'N', f->id, uid), value_of(file, value));
}

uint32_t
index_file_find(struct kv_env *kv, uint32_t folder, struct str base,
                struct index_file *file)
{
    struct index_key k;
    struct namesakes found;
    struct name n;

    get_namesakes(kv, key_hash(&k, folder, base), &found);
    for (size_t i = 0; i < found.count; i++)
        if (index_file_get(kv, folder, found.uid[i], file) &&
            name_parse(file->name, &n) && str_eq(n.base, base))
            return found.uid[i];
    return 0;
}

void
index_file_drop(struct kv_env *kv, struct index_folder *f, uint32_t uid)
{
    struct index_file file;
    struct index_key k;
    struct name n;

    if (index_file_get(kv, f->id, uid, &file) && name_parse(file.name, &n)) {
        char base[256];

        f->in_new -= file.in_new;
        memcpy(base, n.base.p, n.base.len); /* the page may move */
        drop_name(kv, f->id, (struct str){base, n.base.len}, uid);
    }
    kv_env_del(kv, index_key_uid(&k, 'N', f->id, uid));
}

/* ---- many at once: each kind of record has a cursor that goes on from key to
 * key, and hashes are put in order first */

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
    index_hash(base, named->hash);
}

static int
cmp_named(const void *a, const void *b)
{
    const struct index_named *x = a, *y = b;

    return memcmp(x->hash, y->hash, 8);
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

        if (!kv_walk_add(&hashes, key_of_hash(&k, fill->f->id, n->hash), value))
            add_name(fill->kv, fill->f->id, n->base, n->uid);
    }
    kv_walk_end(&hashes);
    vec_free(&fill->names);
}
