/*
 * Tables are written: created, added to, keys removed, and shown.
 */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/utf8.h"
#include "cmd.h"
#include "mail/base64.h"
#include "maker.h"
#include "map/source.h"

/* As the source's owner, so that a file in a user's folder never makes root
 * write for him; and as root again afterwards. */
static void
become(struct making *m, uid_t uid, gid_t gid)
{
    if (getuid() != 0 || m->as_root || (geteuid() == uid && getegid() == gid))
        return;
    if (seteuid(0) < 0 || setegid(gid) < 0 || setgroups(1, &gid) < 0 ||
        seteuid(uid) < 0)
        cmd_fatal(1, m->maker->name, "cannot run as user id %d: %s", (int)uid,
                  strerror(errno));
}

/* -F: the value names files; what is stored is what they hold. */
static const char *
read_files(struct making *m, struct str *value)
{
    struct buf content = buf_in(m->arena), encoded = buf_in(m->arena);
    struct str rest = *value, name;

    for (bool first = true; str_word(&rest, ", \t\r\n", &name); first = false) {
        const char *path = arena_cstr(m->arena, name);
        FILE *f = fopen(path, "re");
        size_t n;

        if (f == NULL)
            return arena_fmt(m->arena, "open %s: %s", path, strerror(errno));
        if (!first)
            buf_addc(&content, '\n');
        while ((n = fread(buf_space(&content, 65536), 1, 65536, f)) > 0)
            content.len += n;
        fclose(f);
    }
    base64_encode(&encoded, buf_str(&content));
    *value = buf_str(&encoded);
    return NULL;
}

/* What one line holds; NULL, or why it holds nothing. */
static const char *
parse(struct making *m, struct str line, struct str *key, struct str *value)
{
    if (!m->any_bytes && !utf8_valid(line))
        return arena_fmt(m->arena, "non-UTF-8 input \"%.*s\"", STR(line));

    const char *wrong = m->maker->parse(m->arena, line, key, value);

    if (wrong == NULL && key->len > KV_KEY_MAX - 1)
        return "the key is too long";
    return wrong == NULL && m->base64 ? read_files(m, value) : wrong;
}

static void
add_lines(struct making *m, struct table *t, struct source *s)
{
    enum table_old old = m->replace ? TABLE_REPLACE : TABLE_KEEP;
    struct str line, key = {0}, value = {0};
    unsigned number;

    while (source_line(s, m->arena, &line, &number)) {
        const char *wrong = parse(m, line, &key, &value);

        if (wrong) {
            log_warn("%s, line %u: %s -- ignoring this line", s->name, number,
                     wrong);
            continue;
        }
        key = maker_fold(m, key);
        if (!table_put(t, key, value, old) && !m->replace && !m->keep)
            log_warn("%s, line %u: duplicate entry: \"%.*s\"", s->name, number,
                     STR(key));
    }
}

static struct str
read_input(struct making *m)
{
    struct buf text = buf_in(m->arena);
    size_t n;

    while ((n = fread(buf_space(&text, 65536), 1, 65536, stdin)) > 0)
        text.len += n;
    return buf_str(&text);
}

static void
create(struct making *m, const char *path, const char *name)
{
    struct table t = table_new(m->arena);
    struct stat st;
    struct source s;
    struct why why;

    if (stat(name, &st) < 0)
        cmd_fatal(1, m->maker->name, "open %s: %s", name, strerror(errno));
    become(m, st.st_uid, st.st_gid);
    if (source_read(&s, m->arena, name, &why) != OK)
        cmd_fatal(1, m->maker->name, "%s", why.text);
    t.without_nul = m->without_nul;
    add_lines(m, &t, &s);
    if (m->maker->extra)
        m->maker->extra(&t, m->conf);

    /* Who may read the source may read the table. */
    st.st_mode = m->plain_mode ? 0644 : 0600 | (st.st_mode & 044);
    st.st_uid = geteuid();
    st.st_gid = getegid();
    size_t count = t.pairs.len;

    table_save(&t, m->maker->name, path, &st);
    maker_say(m, "%s: %zu entries of %s", path, count, name);
    table_free(&t);
    become(m, 0, 0);
}

static void
add(struct making *m, const char *path)
{
    struct table t = table_new(m->arena);
    struct source s = source_of("standard input", read_input(m));
    UNUSED auto_close int lock = kv_lock(path);

    table_load(&t, m->maker->name, path);
    t.without_nul = m->without_nul;
    add_lines(m, &t, &s);
    table_save(&t, m->maker->name, path, NULL);
    maker_say(m, "%s: %zu entries", path, t.pairs.len);
    table_free(&t);
}

void
maker_build(struct making *m, const char *spec)
{
    const char *source = NULL, *path = map_file(m->arena, spec, &source);
    const char *name = strchr(spec, ':') + 1;

    /* What is missing is said before what is impossible. */
    if (!m->add && access(name, F_OK) != 0 && path == NULL)
        cmd_fatal(1, m->maker->name, "open %s: %s", name, strerror(errno));
    if (path == NULL)
        path = maker_file(m, spec, "bulk-mode creation", &source);
    if (m->add)
        add(m, path);
    else
        create(m, path, source);
}

struct keys {
    struct arena *arena;
    VEC(struct str) of;
};

static void
keep_key(void *self, struct str key)
{
    struct keys *keys = self;

    *vec_add(&keys->of) = arena_str(keys->arena, key);
}

/* How many of the keys were there. */
static unsigned
delete_from(struct making *m, const struct keys *keys, const char *spec)
{
    const char *source, *path = maker_file(m, spec, "deletion", &source);
    UNUSED auto_close int lock = kv_lock(path);
    struct table t = table_new(m->arena);
    unsigned count = 0;

    if (!table_load(&t, m->maker->name, path))
        cmd_fatal(1, m->maker->name, "open database %s: %s", path,
                  strerror(errno));
    for (size_t i = 0; i < keys->of.len; i++)
        count += table_drop(&t, maker_fold(m, keys->of.at[i]));
    if (count > 0)
        table_save(&t, m->maker->name, path, NULL);
    table_free(&t);
    return count;
}

int
maker_delete(struct making *m, char **specs)
{
    struct keys keys = {.arena = m->arena};
    unsigned count = 0;

    if (strcmp(m->key, "-") == 0)
        maker_lines(m, keep_key, &keys);
    else
        keep_key(&keys, str_from(m->key));
    for (; *specs; specs++)
        count += delete_from(m, &keys, *specs);
    vec_free(&keys.of);
    return count > 0 ? 0 : 1;
}

static void
show(struct making *m, struct str key, struct str value)
{
    struct buf decoded = buf_in(m->arena);

    if (m->base64) {
        if (!base64_decode(&decoded, value))
            cmd_fatal(1, m->maker->name, "malformed BASE64 value: %.*s",
                      STR(value));
        value = buf_str(&decoded);
    }
    printf("%.*s%s", STR(key), m->maker->separator);
    fwrite(value.p, 1, value.len, stdout);
    putchar('\n');
}

static void
dump_source(struct making *m, const char *name)
{
    struct table t = table_new(m->arena);
    struct source s;
    struct why why;

    if (source_read(&s, m->arena, name, &why) != OK)
        cmd_fatal(1, m->maker->name, "%s", why.text);
    add_lines(m, &t, &s);
    for (size_t i = 0; i < t.pairs.len; i++)
        show(m, table_text(t.pairs.at[i].key), table_text(t.pairs.at[i].value));
    table_free(&t);
}

void
maker_dump(struct making *m, const char *spec)
{
    struct str name = str_from(spec);
    const char *source, *path;
    struct kv_pair pair;
    struct why why;
    struct kv *k;

    if (str_skip(&name, S("texthash:"))) {
        dump_source(m, name.p);
        return;
    }
    path = maker_file(m, spec, "sequential access", &source);
    if (kv_open(path, &k, &why) != OK)
        cmd_fatal(1, m->maker->name, "open database %s", why.text);
    for (bool more = kv_first(k, &pair); more; more = kv_next(k, &pair))
        show(m, table_text(pair.key), table_text(pair.value));
    kv_close(k);
}
