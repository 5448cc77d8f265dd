#include "daemon/roles.h"

#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "ipc/message.h"

/* To become the recipient, to give a queue file to him (claiming), and to end
 * his command when its time is over. */
#define BECOME                                                                 \
    (1u << CAP_SETUID | 1u << CAP_SETGID | 1u << CAP_CHOWN | 1u << CAP_KILL)

/* pam_unix reads shadow as its owner and needs none; other modules become the
 * user. libpam refuses all where root cannot write to the kernel's audit. */
#define ASK_PAM (1u << CAP_SETUID | 1u << CAP_SETGID | 1u << CAP_AUDIT_WRITE)

static const struct role roles[] = {
#define ROLE(...) {__VA_ARGS__},
#include "daemon/roles.def"
};

const struct role *
role_find(const char *name)
{
    for (size_t i = 0; i < COUNT(roles); i++)
        if (strcmp(roles[i].name, name) == 0)
            return &roles[i];
    return NULL;
}

/* One line that says what is wrong, where it stands, and the remedy. */
static enum rc
find_user(const char *parameter, const char *name, struct priv_user *u,
          struct why *why)
{
    struct why found;

    if (priv_find_user(name, u, &found) != OK)
        return fail(why, "5.3.5",
                    "%s = %s: %s; make it with \"posta init\", or \"useradd "
                    "--system --no-create-home --shell /usr/sbin/nologin %s\"",
                    parameter, name, found.text, name);
    if (u->uid == 0)
        return fail(why, "5.3.5", "%s = %s: must not be root", parameter, name);
    return OK;
}

static enum rc
role_user(const struct role *r, const struct conf *conf, struct priv_user *u,
          struct why *why)
{
    struct priv_user owner;
    enum rc rc;

    if (geteuid() != 0 || r->user == ROOT) {
        *u = (struct priv_user){.uid = geteuid(), .gid = getegid()};
        return OK;
    }
    rc = find_user("mail_owner", conf->mail_owner, &owner, why);
    if (rc != OK || r->user == OWNER) {
        *u = owner;
        return rc;
    }

    /* The way into private/, where Posta's own sockets are, and those that
     * other software offers to mail_owner (Dovecot's auth, milters). */
    rc = r->user == NETWORK
             ? find_user("network_owner", conf->network_owner, u, why)
             : find_user("auth_owner", conf->auth_owner, u, why);
    priv_add_groups(u, &owner);
    return rc;
}

/* A container may have no audit, and then nobody asks for the right. */
static uint64_t
not_to_be_had(void)
{
    return prctl(PR_CAPBSET_READ, CAP_AUDIT_WRITE, 0, 0, 0) == 1
               ? 0
               : (uint64_t)1 << CAP_AUDIT_WRITE;
}

enum rc
role_rights(const struct role *r, const struct conf *conf, struct priv *rights,
            struct why *why)
{
    static const struct {
        const char *word;
        enum priv_filter filter;
    } words[] = {
        {"off", PRIV_FILTER_OFF},
        {"log", PRIV_FILTER_LOG},
        {"on",  PRIV_FILTER_ON },
    };
    bool known = false;

    *rights = (struct priv){
        .role = r->name,
        .may = r->may,
        .caps = r->caps & ~not_to_be_had(),
        .folders = {conf->queue_directory, conf->data_directory},
    };
    for (size_t i = 0; i < COUNT(words); i++)
        if (strcmp(conf->sandbox, words[i].word) == 0) {
            rights->filter = words[i].filter;
            known = true;
        }
    if (!known)
        return fail(why, "5.3.5", "sandbox = %s: must be on, log or off",
                    conf->sandbox);
    return role_user(r, conf, &rights->user, why);
}
