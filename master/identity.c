/*
 * Certificates. The role keys reads them as root when its template starts; so
 * new ones mean a new template. That the files have changed is seen here,
 * since nobody else may look into their folders.
 */
#include "master.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/log.h"
#include "conf/identity.h"
#include "daemon/identity.h"

#define LOOK_MS 1000

static struct {
    struct timer *timer;
    uint64_t seen;    /* a sum over what stat says of the files in use */
    uint64_t changed; /* the same at the last look, where it was another */
} state;

struct asked {
    const struct plan *plan;
    const struct service *service;
};

static struct str
value_of(void *own, const char *name)
{
    const struct asked *a = own;
    struct str value = S("");
    struct why why;

    if (config_value(&a->plan->config, a->service, name, &value, &why) != OK)
        return S(""); /* it has been told of with the service's settings */
    return value;
}

static bool
has_identity(struct str all, struct str one)
{
    struct str text;

    while (str_cut(&all, '\0', &text))
        if (str_eq(text, one))
            return true;
    return false;
}

void
identities_find(struct plan *plan, struct problems *p)
{
    static const char *const prefixes[] = {"smtpd", "smtp", "lmtp"};
    struct buf all = buf_in(plan->life);

    (void)p;
    for (size_t i = 0; i < plan->rows.len; i++) {
        struct asked asked = {plan, plan->rows.at[i].settings};

        if (!(plan->rows.at[i].role->may & PRIV_NET))
            continue;
        for (size_t k = 0; k < COUNT(prefixes); k++) {
            struct str one =
                identity_make(plan->life, prefixes[k], value_of, &asked);

            if (one.len == 0 || has_identity(buf_str(&all), one))
                continue;
            buf_add(&all, one);
            buf_addc(&all, '\0');
        }
    }
    plan->identities = buf_str(&all);
    for (size_t i = 0; i < plan->rows.len; i++)
        if (strcmp(plan->rows.at[i].role->name, "keys") == 0)
            plan->rows.at[i].args = plan->identities;
}

static void
warn(void *own, const char *text)
{
    problem_warn(own, "%s", text);
}

void
identities_check(const struct plan *plan, struct problems *p)
{
    struct str all = plan->identities, one;

    while (str_cut(&all, '\0', &one))
        identity_check(plan->life, plan->conf, one, warn, p);
}

/* ---- changed files */

static void
mix(uint64_t *sum, uint64_t n)
{
    *sum = (*sum ^ n) * 0x9e3779b97f4a7c15u;
    *sum ^= *sum >> 29;
}

/* A renewal makes other files, or puts links to others in their place. */
static uint64_t
look(const struct plan *plan)
{
    struct str all = plan->identities, one, file;
    uint64_t sum = 0;

    while (str_cut(&all, '\0', &one))
        while (identity_next_file(&one, &file)) {
            char path[PATH_MAX];
            struct stat st;

            snprintf(path, sizeof path, "%.*s", STR(file));
            if (stat(path, &st) != 0)
                continue; /* between the old one and the new one */
            mix(&sum, (uint64_t)st.st_ino);
            mix(&sum, (uint64_t)st.st_size);
            mix(&sum, (uint64_t)st.st_mtim.tv_sec);
            mix(&sum, (uint64_t)st.st_mtim.tv_nsec);
        }
    return sum;
}

static void
renew(void)
{
    for (size_t i = 0; i < master.units.len; i++) {
        struct unit *u = master.units.at[i];

        if (u->row && strcmp(u->role->name, "keys") == 0 && u->template) {
            log_info("certificates or their keys have changed: read again");
            process_replace(u);
        }
    }
}

static void
look_again(void *unused)
{
    uint64_t now = master.plan ? look(master.plan) : 0;

    (void)unused;
    /* A certificate and its key are not replaced in one instant. */
    if (now != state.seen && now == state.changed && !master.stopping) {
        state.seen = now;
        renew();
    }
    state.changed = now;
    state.timer = loop_after(master.loop, LOOK_MS, look_again, NULL);
}

void
identities_watch(void)
{
    loop_cancel(state.timer);
    state.seen = look(master.plan);
    state.timer = loop_after(master.loop, LOOK_MS, look_again, NULL);
}

void
identities_ready(void)
{
    board_next_generation(master.board);
}
