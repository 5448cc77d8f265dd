#include "store/folder_files.h"

#include "mail/mutf7.h"
#include "store/dotlock.h"
#include "store/folders.h"

#define SUBS_LOCK SUBS_FILE ".lock"
#define USES_LOCK USES_FILE ".lock"

bool
path_is_below(const struct home *h, struct str path, struct str top,
              struct str *rest)
{
    if (!str_skip(&path, top))
        return false;
    *rest = path;
    return path.len == 0 || path.p[0] == (h->fs ? '/' : '.');
}

/* Of names in version 1. */
static char
divider(const struct home *h)
{
    return h->fs ? '/' : '.';
}

/* Could some mailbox be called so? Not only one of this home. */
static bool
is_name(const struct home *h, struct str name)
{
    struct str part;
    bool more = true;

    if (name.len == 0 || name.len > PATH_LEN)
        return false;
    while (more) {
        more = str_cut(&name, h->separator, &part);
        if (part.len == 0)
            return false;
    }
    return true;
}

/* A name of the file in UTF-8, part by part; a NULL view for what is none: a
 * part with the separator in it would be two. */
static struct str
decoded(const struct home *h, struct arena *a, struct str name)
{
    struct buf b = buf_in(a);
    struct str part;
    bool more = true;

    while (more) {
        more = str_cut(&name, '\t', &part);
        if (b.len)
            buf_addc(&b, h->separator);
        if (str_find(part, h->separator) >= 0 || !mutf7_decode(&b, part))
            return (struct str){0};
    }
    if (str_ieq(buf_str(&b), S("INBOX")))
        return S("INBOX");
    return is_name(h, buf_str(&b)) ? buf_str(&b) : (struct str){0};
}

enum rc
subs_load(struct home *h, struct arena *a, struct str **names, size_t *count,
          struct why *why)
{
    VEC(struct str) list = {0};
    struct text_stamp stamp;
    struct str text, name;
    int version;
    enum rc rc =
        text_read(a, h->dir, SUBS_FILE, 0, SUBS_MAX, &text, &stamp, why);

    *count = 0;
    *names = NULL;
    if (rc != OK)
        return rc;
    version = subs_head(&text);
    while (subs_next(a, &text, version, divider(h), &name)) {
        name = decoded(h, a, name);
        if (name.len)
            *vec_add(&list) = name;
    }
    *count = list.len;
    *names = arena_alloc(a, (list.len + 1) * sizeof *list.at);
    if (list.len)
        memcpy(*names, list.at, list.len * sizeof *list.at);
    vec_free(&list);
    return OK;
}

/* A name as the file has it, parts divided by tabs. */
static enum rc
encoded(const struct home *h, struct arena *a, struct str name, struct str *out,
        struct why *why)
{
    struct buf b = buf_in(a);
    struct str part;
    bool more = true;

    if (str_ieq(name, S("INBOX")))
        name = S("INBOX");
    if (!is_name(h, name))
        return fail(why, "5.1.1", "a folder cannot have that name");
    while (more) {
        more = str_cut(&name, h->separator, &part);
        if (b.len)
            buf_addc(&b, '\t');
        if (!mutf7_encode(&b, part))
            return fail(why, "5.1.1", "a folder cannot have that name");
    }
    *out = buf_str(&b);
    return OK;
}

static enum rc
change_subs(struct home *h, struct arena *a, struct str wanted, bool subscribed,
            struct why *why)
{
    struct buf b = buf_in(a);
    struct text_stamp stamp;
    struct str text, name;
    int version = 2, old = 2;
    bool there = false;
    enum rc rc =
        text_read(a, h->dir, SUBS_FILE, 0, SUBS_MAX, &text, &stamp, why);

    if (rc != OK)
        return rc;
    if (stamp.ino)
        version = old = subs_head(&text);
    /* A part that has a divider in it: only version 2 can say that. */
    if (subscribed && str_find(wanted, divider(h)) >= 0)
        version = 2;
    subs_put_head(&b, version);
    while (subs_next(a, &text, old, divider(h), &name)) {
        bool same = str_eq(name, wanted);

        there |= same;
        if (!same || subscribed)
            subs_put(&b, version, divider(h), name);
    }
    if (there == subscribed)
        return OK;
    if (subscribed)
        subs_put(&b, version, divider(h), wanted);
    return text_write(h->dir, SUBS_FILE, buf_str(&b), &stamp, why);
}

enum rc
folder_subscribe(struct home *h, struct str name, bool subscribed,
                 struct why *why)
{
    struct arena *a = arena_new("subscribe", (size_t)64 << 20);
    struct str wanted;
    enum rc rc = encoded(h, a, name, &wanted, why);

    if (rc == OK)
        rc = dotlock_take(h->dir, SUBS_LOCK, NULL, LOCK_WAIT, why);
    if (rc == OK) {
        rc = change_subs(h, a, wanted, subscribed, why);
        dotlock_drop(h->dir, SUBS_LOCK);
        home_tell(h, S(""));
    }
    arena_free(a);
    return rc;
}

enum rc
uses_load(struct home *h, struct arena *a, struct str *text, struct why *why)
{
    struct text_stamp stamp;

    return text_read(a, h->dir, USES_FILE, 0, SUBS_MAX, text, &stamp, why);
}

/* Write the file anew: `to` NULL gives path `from` that use; else what is
 * `from` or below becomes `to`. */
static enum rc
change_uses(struct home *h, struct arena *a, struct str from, const char *to,
            struct str use, struct why *why)
{
    struct buf b = buf_in(a);
    struct text_stamp stamp;
    struct str text, old_use, path, rest;
    enum rc rc = uses_load(h, a, &text, why);

    if (rc != OK || (text.len == 0 && use.len == 0))
        return rc;
    while (uses_next(&text, &old_use, &path)) {
        if (to && path_is_below(h, path, from, &rest))
            path = str_from(arena_fmt(a, "%s%.*s", to, STR(rest)));
        else if (to == NULL && str_eq(path, from))
            continue;
        uses_put(&b, old_use, path);
    }
    if (use.len)
        uses_put(&b, use, from);
    return text_write(h->dir, USES_FILE, buf_str(&b), &stamp, why);
}

static enum rc
change_uses_alone(struct home *h, struct arena *a, struct str from,
                  const char *to, struct str use, struct why *why)
{
    enum rc rc = dotlock_take(h->dir, USES_LOCK, NULL, LOCK_WAIT, why);

    if (rc != OK)
        return rc;
    rc = change_uses(h, a, from, to, use, why);
    dotlock_drop(h->dir, USES_LOCK);
    return rc;
}

enum rc
uses_set(struct home *h, struct arena *a, const char *path, struct str use,
         struct why *why)
{
    return change_uses_alone(h, a, str_from(path), NULL, use, why);
}

enum rc
folder_use(struct home *h, struct arena *a, const char *path, struct str *use,
           struct why *why)
{
    struct str text, found, at;
    enum rc rc = uses_load(h, a, &text, why);

    *use = S("");
    while (rc == OK && uses_next(&text, &found, &at))
        if (str_eq(at, str_from(path)))
            *use = found;
    return rc;
}

enum rc
folder_set_use(struct home *h, const char *path, struct str use,
               struct why *why)
{
    struct arena *a = arena_new("uses", (size_t)16 << 20);
    enum rc rc = uses_set(h, a, path, use, why);

    home_tell(h, S(""));
    arena_free(a);
    return rc;
}

enum rc
uses_rename(struct home *h, struct arena *a, const char *from, const char *to,
            struct why *why)
{
    return change_uses_alone(h, a, str_from(from), to, (struct str){0}, why);
}
