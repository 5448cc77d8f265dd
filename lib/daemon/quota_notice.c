#include "daemon/quota_notice.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "daemon/templates.h"
#include "mail/address.h"
#include "mail/addrlist.h"
#include "mail/date.h"
#include "mail/header.h"
#include "store/maildir.h"
#include "store/quota.h"

#define MESSAGE_MAX ((size_t)8 << 20) /* with its template */

enum { ABOVE, BELOW, KINDS };

static const struct template defaults[KINDS] = {
    [ABOVE] = {.name = "quota_warning_template",
               .subject = S("Your mailbox is $percent% full"),
               .body =
                   S("This is the mail system at host $myhostname.\n\n"
                     "You have $used, and there is room for $limit. When that "
                     "is used up, mail for\nyou goes back to its senders.\n\n"
                     "Please remove what you no longer need, and empty the "
                     "folder of deleted messages.\n")},
    [BELOW] = {.name = "quota_below_template",
               .subject = S("Your mailbox is $percent% full"),
               .body = S("This is the mail system at host $myhostname.\n\n"
                         "You have $used, and there is room for $limit. That "
                         "is enough again.\n")       },
};

static struct {
    const struct conf *conf;
    struct quota_line *lines;
    struct quota_watch watch;
    struct template words[KINDS];
    struct str user;
    const char *root;
} own;

/* One crossing. */
struct notice {
    struct arena *a;
    struct str user;
    const struct quota_line *line;
    int64_t used, limit; /* bytes or messages */
};

/* "95 MB", "17 messages" */
static struct str
amount(struct arena *a, const struct quota_line *line, int64_t n)
{
    static const char *const units[] = {"KB", "MB", "GB", "TB"};
    size_t unit = 0;

    if (line->messages)
        return str_from(arena_fmt(a, "%lld messages", (long long)n));
    for (n = (n + 1023) / 1024; n >= 10 * 1024 && unit < COUNT(units) - 1;
         unit++)
        n = (n + 512) / 1024;
    return str_from(arena_fmt(a, "%lld %s", (long long)n, units[unit]));
}

/* What $name in a template stands for. */
static struct str
value_of(void *self, struct str name)
{
    const struct notice *n = self;

    if (str_eq(name, S("user")))
        return n->user;
    if (str_eq(name, S("used")))
        return amount(n->a, n->line, n->used);
    if (str_eq(name, S("limit")))
        return amount(n->a, n->line, n->limit);
    if (str_eq(name, S("percent")))
        return str_from(arena_fmt(n->a, "%.0f",
                                  100.0 * (double)n->used / (double)n->limit));
    if (str_eq(name, S("myhostname")))
        return str_from(own.conf->myhostname);
    if (str_eq(name, S("mydomain")))
        return str_from(own.conf->mydomain);
    return (struct str){0};
}

static enum rc
complete(void *self, struct arena *a, struct str addr, struct str *out,
         struct why *why)
{
    (void)self;
    (void)why;
    *out = addr;
    if (str_find(addr, '@') < 0)
        *out = str_from(arena_fmt(a, "%.*s@%s", STR(addr), own.conf->myorigin));
    return OK;
}

static void
put_address(struct notice *n, struct buf *b, const char *field, struct str list)
{
    struct str whole = list;
    struct why why;

    if (addrlist_rewrite(n->a, list, complete, NULL, &whole, &why) == OK)
        header_put(b, field, whole);
}

static struct str
compose(struct notice *n)
{
    const struct template *t = &own.words[n->line->below ? BELOW : ABOVE];
    struct str body = template_fill(n->a, t->body, value_of, n);
    struct str subject = template_fill(n->a, t->subject, value_of, n);
    bool ascii = utf8_is_ascii(body);
    struct str charset =
        !ascii && str_ieq(t->charset, S("us-ascii")) ? S("utf-8") : t->charset;
    struct buf b = buf_in(n->a);

    buf_add(&b, S("Return-Path: <>\n"));
    header_put(&b, "Date", date_format(n->a, time(NULL)));
    put_address(n, &b, "From", t->from);
    if (n->user.len > 0)
        put_address(n, &b, "To", address_quote(n->a, n->user));
    header_put(&b, "Subject", subject);
    buf_fmt(&b, "Message-ID: <%s.quota@%s>\n", maildir_unique(n->a),
            own.conf->myhostname);
    buf_fmt(&b,
            "Auto-Submitted: auto-generated\nMIME-Version: 1.0\n"
            "Content-Type: text/plain; charset=%.*s\n"
            "Content-Transfer-Encoding: %s\n\n",
            STR(charset), ascii ? "7bit" : "8bit");
    buf_add(&b, body);
    return buf_str(&b);
}

static void
crossed(const char *root, const struct quota_line *line,
        const struct quota_sum *now)
{
    struct arena *a = arena_new("quota warning", MESSAGE_MAX);
    bool is_his = own.root == NULL || strcmp(root, own.root) == 0;
    struct notice n = {.a = a, .line = line};
    struct store_message m = {.fd = -1, .lines = -1};
    struct why why;

    n.user = is_his ? own.user : S("");
    n.used = line->messages ? now->messages : now->bytes;
    n.limit = line->messages ? now->limits.messages : now->limits.bytes;
    if (n.limit == 0)
        n.limit = line->value;
    m.head = compose(&n);
    if (maildir_save(a, root, root, &m, &why) == OK)
        log_info("quota warning: user=<%.*s>, used=%lld, limit=%lld%s",
                 STR(n.user), (long long)n.used, (long long)n.limit,
                 line->messages ? ", messages" : "");
    else
        log_warn("quota warning: user=<%.*s>: %s", STR(n.user), why.text);
    arena_free(a);
}

static void
read_lines(struct arena *life, struct str list)
{
    struct quota_line line;
    struct str word;

    own.lines = arena_alloc(life, (list.len + 1) * sizeof line);
    while (str_word(&list, " \t\r\n,", &word))
        if (quota_line_read(word, &line)) /* others were told at the start */
            own.lines[own.watch.count++] = line;
}

void
quota_notice_open(struct arena *life, const struct conf *conf)
{
    own.conf = conf;
    read_lines(life, str_from(conf->quota_warning));
    if (own.watch.count == 0)
        return;
    for (size_t i = 0; i < KINDS; i++) {
        own.words[i] = defaults[i];
        own.words[i].charset = S("us-ascii");
        own.words[i].from = TEMPLATE_FROM;
    }
    templates_read(life, "quota_warning_template_file",
                   conf->quota_warning_template_file, own.words, KINDS);
    own.watch.lines = own.lines;
    own.watch.crossed = crossed;
    quota_watch(&own.watch);
}

bool
quota_notice_wanted(void)
{
    return own.watch.count > 0;
}

void
quota_notice_to(struct str user, const char *root)
{
    own.user = user;
    own.root = root;
}
