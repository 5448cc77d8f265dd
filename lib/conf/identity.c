#include "conf/identity.h"

#include "base/buf.h"

static struct str
get(struct arena *a, const char *prefix, const char *suffix,
    identity_value *value, void *own)
{
    return str_trim(value(own, arena_fmt(a, "%s_tls_%s", prefix, suffix)));
}

static void
add_pair(struct buf *out, struct str cert, struct str key)
{
    if (cert.len > 0 && !str_ieq(cert, S("none")))
        buf_fmt(out, "pair %.*s %.*s\n", STR(key.len > 0 ? key : cert),
                STR(cert));
}

struct str
identity_make(struct arena *a, const char *prefix, identity_value *value,
              void *own)
{
    struct str files = get(a, prefix, "chain_files", value, own), word;
    struct buf out = buf_in(a);

    if (files.len > 0) {
        buf_add(&out, S("chain"));
        while (str_word(&files, ", \t\r\n", &word))
            buf_fmt(&out, " %.*s", STR(word));
        buf_addc(&out, '\n');
        return buf_str(&out);
    }
    add_pair(&out, get(a, prefix, "eccert_file", value, own),
             get(a, prefix, "eckey_file", value, own));
    add_pair(&out, get(a, prefix, "cert_file", value, own),
             get(a, prefix, "key_file", value, own));
    return buf_str(&out);
}

static struct str
value_of(void *own, const char *name)
{
    const char *value = conf_get(own, name);

    return str_from(value ? value : "");
}

struct str
identity_of(struct arena *a, const struct conf *conf, const char *prefix)
{
    return identity_make(a, prefix, value_of, (void *)(uintptr_t)conf);
}

bool
identity_next_file(struct str *rest, struct str *file)
{
    while (str_word(rest, " \n", file))
        if (!str_eq(*file, S("chain")) && !str_eq(*file, S("pair")))
            return true;
    return false;
}
