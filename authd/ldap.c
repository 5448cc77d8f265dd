#include "ldap.h"

#include <dlfcn.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "ipc/message.h"
#include "ldap_module.h"
#include "ldap_text.h"
#include "source_file.h"

#define TIMEOUT_MS 5000
#define FIELDS_MAX 32
#define LONG_NAME  1024 /* longer than any user's (name.h) */

struct directory {
    const struct ldap_module *module;
    void *connection;
    struct ldap_server server;
    const char *tls, *verify, *base, *scope, *filter, *bind_template, *fields,
        *user_attribute;
    /* "uidNumber=uid": attribute and what it is called in answers. */
    char *attributes[FIELDS_MAX + 1];
    const char *names[FIELDS_MAX];
};

/* ---- set-up */

static const char *
module_path(struct arena *life)
{
    char exe[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", exe, sizeof exe - 1);
    char *slash;

    exe[len < 0 ? 0 : len] = '\0';
    slash = strrchr(exe, '/');
    return arena_fmt(life, "%.*s/%s", slash ? (int)(slash - exe) : 0, exe,
                     LDAP_MODULE_FILE);
}

static enum rc
load(struct arena *life, struct directory *d, struct why *why)
{
    const char *path = module_path(life);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

    if (handle == NULL)
        return fail(why, "5.3.5", "cannot load %s: %s", path, dlerror());
    d->module = dlsym(handle, LDAP_MODULE_SYMBOL);
    if (d->module == NULL || d->module->version != LDAP_MODULE_VERSION)
        return fail(why, "5.3.5", "%s is of another version", path);
    return OK;
}

static enum rc
cut_fields(struct arena *life, struct directory *d, const char *path,
           struct why *why)
{
    struct str rest = str_from(d->fields), word;
    size_t n = 0;

    while (str_word(&rest, ", \t\r\n", &word)) {
        struct str name = word, attribute;

        if (n == FIELDS_MAX - 1 || !str_cut(&name, '=', &attribute))
            return fail(why, "5.3.5", "%s: fields = %s: write attribute=name",
                        path, d->fields);
        d->attributes[n] = arena_cstr(life, attribute);
        d->names[n++] = arena_cstr(life, name);
    }
    if (d->user_attribute[0]) {
        d->attributes[n] = arena_fmt(life, "%s", d->user_attribute);
        d->names[n] = "user";
    }
    return OK;
}

static enum rc
look_over(struct directory *d, const char *path, struct why *why)
{
    bool never = strcmp(d->verify, "never") == 0;

    if (!never && strcmp(d->verify, "demand") != 0)
        return fail(why, "5.3.5", "%s: tls_verify = %s: demand or never", path,
                    d->verify);
    d->server.insecure_tls = never;
    d->server.start_tls = strcmp(d->tls, "starttls") == 0;
    if (!d->server.start_tls && strcmp(d->tls, "none") != 0)
        return fail(why, "5.3.5",
                    "%s: tls = %s: starttls or none (ldaps stands in uris)",
                    path, d->tls);
    if (strcmp(d->scope, "subtree") != 0 && strcmp(d->scope, "base") != 0)
        return fail(why, "5.3.5", "%s: scope = %s: subtree or base", path,
                    d->scope);
    if (d->server.uris[0] == '\0')
        return fail(why, "5.3.5", "%s: uris is missing", path);
    if (d->bind_template[0] == '\0' && d->filter[0] == '\0')
        return fail(why, "5.3.5", "%s: bind_template or filter is needed",
                    path);
    return OK;
}

enum rc
ldap_prepare(struct arena *life, struct source *s, struct why *why)
{
    struct directory *d = arena_make(life, struct directory);
    const struct source_setting rows[] = {
        {"uris",           &d->server.uris,          ""       },
        {"tls",            &d->tls,                  "none"   },
        {"tls_verify",     &d->verify,               "demand" },
        {"tls_ca_file",    &d->server.ca_file,       ""       },
        {"bind_dn",        &d->server.bind_dn,       ""       },
        {"bind_password",  &d->server.bind_password, ""       },
        {"bind_template",  &d->bind_template,        ""       },
        {"base",           &d->base,                 ""       },
        {"scope",          &d->scope,                "subtree"},
        {"filter",         &d->filter,               ""       },
        {"user_attribute", &d->user_attribute,       ""       },
        {"fields",         &d->fields,
         "uidNumber=uid, gidNumber=gid, homeDirectory=home"   },
    };
    enum rc rc = source_file_read(life, s->argument, rows, COUNT(rows), why);

    if (rc == OK)
        rc = look_over(d, s->argument, why);
    if (rc == OK)
        rc = cut_fields(life, d, s->argument, why);
    if (rc == OK)
        rc = load(life, d, why);
    d->server.timeout_ms = TIMEOUT_MS;
    s->own = rc == OK ? d : NULL;
    return rc;
}

/* ---- questions */

struct taking {
    const struct directory *directory;
    struct buf fields;
    struct answer *answer;
};

/* What authd takes no more of (check.h) would not fit a packet either. */
static void
take_field(struct buf *fields, const char *name, struct str value)
{
    if (value.len > ANSWER_FIELDS_MAX ||
        fields->len + value.len > ANSWER_FIELDS_MAX)
        log_warn("ldap: the value for %s is too long, and left out", name);
    else
        put_field(fields,
                  &(struct rec_field){.name = str_from(name), .value = value});
}

static void
take_value(void *own, const char *attribute, const char *bytes,
           unsigned long len)
{
    struct taking *t = own;
    const struct directory *d = t->directory;
    struct str value = {bytes, len};

    for (size_t i = 0; d->attributes[i]; i++) {
        if (d->attributes[i] != attribute)
            continue;
        if (strcmp(d->names[i], "user") == 0)
            t->answer->user =
                arena_str(t->fields.arena, str_sub(value, 0, LONG_NAME));
        else
            take_field(&t->fields, d->names[i], value);
    }
}

static enum check_verdict
verdict_of(enum ldap_found found)
{
    switch (found) {
    case LDAP_FOUND:
        return CHECK_YES;
    case LDAP_NOBODY:
        return CHECK_UNKNOWN;
    case LDAP_WRONG:
        return CHECK_NO;
    case LDAP_TROUBLE:
        break;
    }
    return CHECK_TEMP;
}

static enum ldap_found
find(struct directory *d, struct arena *a, const struct question *q,
     struct ldap_entry *e)
{
    const struct ldap_search search = {
        .base = ldap_fill(a, d->base, LDAP_ESCAPE_DN, q->user),
        .filter = ldap_fill(a, d->filter, LDAP_ESCAPE_FILTER, q->user),
        .subtree = strcmp(d->scope, "subtree") == 0,
        .attributes = d->attributes,
    };

    return d->module->find(d->connection, &search, e);
}

static enum ldap_found
try_password(struct directory *d, struct arena *a, const struct question *q,
             struct ldap_entry *e)
{
    const char *dn = e->dn;

    if (q->secret.len == 0 || memchr(q->secret.p, '\0', q->secret.len))
        return LDAP_WRONG;
    if (d->bind_template[0]) {
        dn = ldap_fill(a, d->bind_template, LDAP_ESCAPE_DN, q->user);
    } else {
        enum ldap_found found = find(d, a, q, e);

        if (found != LDAP_FOUND)
            return found;
    }
    return d->module->bind(d->connection, dn, arena_cstr(a, q->secret), e);
}

void
ldap_check(struct source *s, struct arena *a, const struct question *q,
           struct answer *answer)
{
    struct directory *d = s->own;
    struct taking t = {.directory = d, .fields = buf_in(a), .answer = answer};
    struct ldap_entry e = {.value = take_value, .own = &t};
    enum ldap_found found;

    if (d && d->connection == NULL)
        d->connection = d->module->open(&d->server);
    if (d == NULL || d->connection == NULL)
        return;
    if (q->what == CHECK_USER && d->filter[0] == '\0')
        found = LDAP_NOBODY;
    else
        found = q->what == CHECK_USER ? find(d, a, q, &e)
                                      : try_password(d, a, q, &e);
    answer->verdict = verdict_of(found);
    answer->text = str_from(arena_fmt(a, "%s", e.text));
    if (q->what == CHECK_USER)
        answer->fields = buf_str(&t.fields);
}
