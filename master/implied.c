/* Services that run though master.cf need not name them: a file that was taken
 * over from Postfix has no rows for what only Posta has. */
#include "master.h"

static const char *const rows[] = {
    "keys        unix - - n - 20  keys",
    "authd       unix - - n - 1   authd",
    "auth-worker unix - - n - 50  auth-worker",
    "imap-users  unix - - n - 1   imap-users",
    "pop3-users  unix - - n - 1   pop3-users",
    "auth-pam    unix - - n - 20  auth-pam",
};

/* Where quota_rule is set, smtpd asks it. */
static const char quota_row[] = "quota unix - - n - 10 quota";

static bool
is_there(const struct config *c, const struct service *wanted)
{
    for (size_t i = 0; i < c->services.count; i++)
        if (strcmp(c->services.at[i].name, wanted->name) == 0 &&
            c->services.at[i].type == SERVICE_UNIX)
            return true;
    return false;
}

static void
add(struct plan *plan, const char *row, struct problems *p)
{
    struct service *s = arena_make(plan->life, struct service);
    struct why why;

    must(service_parse(plan->life, str_from(row), "(built in)", 0, s, &why) ==
         OK);
    if (!is_there(&plan->config, s))
        plan_add_row(plan, s, p);
}

void
plan_add_implied(struct plan *plan, struct problems *p)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        add(plan, rows[i], p);
    if (*plan->conf->quota_rule)
        add(plan, quota_row, p);
}
