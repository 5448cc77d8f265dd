/* Another IMAP server as the source. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "import_conn.h"
#include "import_work.h"
#include "mail/date.h"
#include "mail/imap_text.h"
#include "mail/mutf7.h"
#include "store/folders.h"

#define MESSAGES_MAX ((size_t)5000000) /* of one folder */
#define FOLDERS_MAX  ((size_t)20000)
#define NAME_LEN     ((size_t)1000) /* of a folder */
#define WINDOW       ((size_t)32)   /* commands sent ahead of their answers */
#define TRIES        6 /* to connect, without a message in between */

struct remote_folder {
    struct str name;  /* as the server writes it */
    struct str key;   /* the same, as one line */
    struct str shown; /* here, in UTF-8 */
    struct str use;
    bool subscribed, done;
    bool cleaned; /* it cannot have the server's name here */
};

/* What is known of a message before it is fetched. */
struct remote_message {
    uint32_t uid;
    unsigned bits;
    uint64_t keywords;
    int64_t date;
    bool ended; /* it has come */
};

struct imap_source {
    struct import *im;
    struct conn_server server;
    struct conn *conn;
    struct arena *life;
    struct str prefix; /* of the personal namespace */
    VEC(struct remote_folder) folders;
    bool listed;

    /* The folder at hand. */
    struct arena *work;
    uint32_t validity;
    VEC(struct remote_message) messages;

    /* The message at hand. */
    struct remote_message *at; /* NULL: none has begun */
    bool begun, writing_failed;
    size_t first, asked; /* messages that have not come yet, up to the last that
                            was asked for */
    size_t window;
    bool refused; /* the folder, before any message was asked for */
    bool reached; /* the server has answered */
    struct why why;
};

/* ---- folders */

/* Special uses that a folder here can have (RFC 6154); those of which others
 * hold the messages are no folders to copy. */
static struct str
use_of(struct str attributes)
{
    static const struct str uses[] = {S("\\Archive"), S("\\Drafts"),
                                      S("\\Junk"), S("\\Sent"), S("\\Trash")};

    for (size_t i = 0; i < COUNT(uses); i++)
        if (imap_reply_has(attributes, uses[i]))
            return uses[i];
    return S("");
}

static bool
is_virtual(struct str attributes)
{
    return imap_reply_has(attributes, S("\\Flagged")) ||
           imap_reply_has(attributes, S("\\Important")) ||
           imap_reply_has(attributes, S("\\Noselect")) ||
           imap_reply_has(attributes, S("\\NonExistent"));
}

static struct str
name_here(struct imap_source *s, struct str name, char delimiter)
{
    struct str rest = name;

    if (s->prefix.len > 0 && !str_ieq(name, S("INBOX")) &&
        str_iskip(&rest, s->prefix) && rest.len > 0) {
        if (!str_ieq(rest, S("INBOX")))
            return import_name(s->im, s->life, rest, delimiter, true);
        s->im->cleaned = true; /* "INBOX.INBOX" is another folder */
        return S("INBOX_");
    }
    return import_name(s->im, s->life, name, delimiter, true);
}

static struct str
one_line(struct imap_source *s, struct str name)
{
    char *p = arena_cstr(s->life, name);

    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)p[i] < ' ')
            p[i] = '?';
    return (struct str){p, name.len};
}

static struct remote_folder *
find_folder(struct imap_source *s, struct str name)
{
    for (size_t i = 0; i < s->folders.len; i++)
        if (str_eq(s->folders.at[i].name, name))
            return &s->folders.at[i];
    return NULL;
}

static enum rc
take_list(void *own, const struct imap_reply *r, struct why *why)
{
    struct imap_source *s = own;
    struct remote_folder *f;

    if (r->kind != IMAP_LIST && r->kind != IMAP_LSUB)
        return OK;
    f = find_folder(s, r->list.name);
    if (r->kind == IMAP_LSUB ||
        imap_reply_has(r->list.attributes, S("\\Subscribed"))) {
        if (f)
            f->subscribed = true;
        if (r->kind == IMAP_LSUB)
            return OK;
    }
    if (f || is_virtual(r->list.attributes))
        return OK;
    if (r->list.name.len > NAME_LEN) {
        import_say("a folder with too long a name is left out");
        s->im->failed++;
        return OK;
    }
    if (s->folders.len >= FOLDERS_MAX)
        return fail(why, "5.5.0", "the server has too many folders");
    *vec_add(&s->folders) = (struct remote_folder){
        .name = arena_str(s->life, r->list.name),
        .key = one_line(s, r->list.name),
        .shown = name_here(s, r->list.name, r->list.delimiter),
        .cleaned = s->im->cleaned,
        .use = use_of(r->list.attributes),
        .subscribed = imap_reply_has(r->list.attributes, S("\\Subscribed")),
    };
    return OK;
}

static enum rc
take_namespace(void *own, const struct imap_reply *r, struct why *why)
{
    struct imap_source *s = own;
    struct str prefix;
    char delimiter;

    (void)why;
    if (r->kind == IMAP_NAMESPACE &&
        imap_reply_namespace(s->life, r->text, &prefix, &delimiter))
        s->prefix = arena_str(s->life, prefix);
    return OK;
}

/* What the server says no to, and goes on. */
static bool
is_refusal(enum rc rc, const struct why *why)
{
    return rc == PERM && str_starts(str_from(why->dsn), S("5.3."));
}

/* Folders of the personal namespace, which is where other users' are not. */
static enum rc
list_folders(struct imap_source *s, struct why *why)
{
    struct buf b = buf_in(s->life);
    bool extended = conn_has(s->conn, "LIST-EXTENDED");
    enum rc rc = OK;

    if (s->listed)
        return OK;
    s->folders.len = 0;
    if (conn_has(s->conn, "NAMESPACE")) {
        conn_send(s->conn, "NAMESPACE");
        rc = conn_wait(s->conn, take_namespace, s, why);
        if (is_refusal(rc, why))
            rc = OK;
    }
    imap_put_string(&b, s->prefix);
    if (rc == OK) {
        conn_send(s->conn, "LIST \"\" INBOX");
        rc = conn_wait(s->conn, take_list, s, why);
    }
    if (rc == OK) {
        conn_send(s->conn, "LIST %.*s \"*\"%s", STR(buf_str(&b)),
                  !extended ? ""
                  : conn_has(s->conn, "SPECIAL-USE")
                      ? " RETURN (SUBSCRIBED SPECIAL-USE)"
                      : " RETURN (SUBSCRIBED)");
        rc = conn_wait(s->conn, take_list, s, why);
    }
    if (rc == OK && !extended) {
        conn_send(s->conn, "LSUB %.*s \"*\"", STR(buf_str(&b)));
        rc = conn_wait(s->conn, take_list, s, why);
    }
    s->listed = rc == OK;
    return rc;
}

/* ---- what there is in a folder */

static enum rc
take_selected(void *own, const struct imap_reply *r, struct why *why)
{
    struct imap_source *s = own;

    (void)why;
    if (r->kind == IMAP_OK)
        (void)imap_reply_code(r->code, S("UIDVALIDITY"), &s->validity);
    return OK;
}

static int
compare(const void *a, const void *b)
{
    const struct remote_message *x = a, *y = b;

    return x->uid < y->uid ? -1 : x->uid > y->uid;
}

static enum rc
take_message(void *own, const struct imap_reply *r, struct why *why)
{
    struct imap_source *s = own;
    struct import *im = s->im;
    struct remote_message m = {.uid = r->fetch.uid};
    char id[16];
    enum rc rc = OK;

    if (r->kind != IMAP_FETCH || m.uid == 0 || !r->fetch.flagged ||
        r->fetch.date.len == 0)
        return OK; /* news of a message's flags */
    snprintf(id, sizeof id, "%u", m.uid);
    im->expected++;
    if (import_state_knows(im->state, str_from(id))) {
        im->known++;
        return OK;
    }
    if (s->messages.len >= MESSAGES_MAX)
        return fail(why, "5.5.0", "the folder has too many messages");
    if (!date_parse(r->fetch.date, &m.date, NULL))
        m.date = time(NULL);
    rc = import_flags(im, r->fetch.flags, &m.bits, &m.keywords, why);
    if (rc == OK)
        *vec_add(&s->messages) = m;
    return rc;
}

static enum rc
list_messages(struct imap_source *s, struct why *why)
{
    conn_send(s->conn, "UID FETCH 1:* (UID FLAGS INTERNALDATE)");
    enum rc rc = conn_wait(s->conn, take_message, s, why);

    if (rc != OK)
        return rc;
    /* A server may say a message twice. */
    if (s->messages.len > 0)
        qsort(s->messages.at, s->messages.len, sizeof *s->messages.at, compare);
    size_t kept = 0;

    for (size_t i = 0; i < s->messages.len; i++)
        if (i == 0 || s->messages.at[i].uid != s->messages.at[i - 1].uid)
            s->messages.at[kept++] = s->messages.at[i];
    s->messages.len = kept;
    return OK;
}

/* ---- messages */

/*
 * Commands are sent ahead. A server may answer them as it likes, so what a
 * response is about is what its UID says; where that comes behind the body,
 * it must be what was asked for first.
 */
static struct remote_message *
find_message(struct imap_source *s, uint32_t uid)
{
    for (size_t i = s->first; i < s->asked; i++)
        if (!s->messages.at[i].ended &&
            (uid == 0 || s->messages.at[i].uid == uid))
            return &s->messages.at[i];
    return NULL;
}

static bool
put_bytes(struct imap_source *s, struct str bytes)
{
    const struct remote_message *m = s->at;
    enum rc rc = OK;

    if (!s->begun)
        rc = import_begin(s->im, m->bits, m->keywords, m->date, &s->why);
    s->begun = true;
    if (rc == OK)
        rc = import_bytes(s->im, bytes, &s->why);
    s->writing_failed |= rc != OK;
    return rc == OK;
}

static bool
sink(void *own, uint32_t uid, struct str bytes)
{
    struct imap_source *s = own;

    if (s->at == NULL)
        s->at = find_message(s, uid);
    return s->at && !s->writing_failed && put_bytes(s, bytes);
}

static enum rc
end_message(struct imap_source *s, struct remote_message *m, struct why *why)
{
    char id[16];

    m->ended = true;
    if (!s->begun) {
        import_say("%.*s: message %u is empty, it is left out",
                   STR(s->im->shown), m->uid);
        s->im->failed++;
        return OK;
    }
    snprintf(id, sizeof id, "%u", m->uid);
    return import_state_by_content(s->im->state)
               ? import_end_compared(s->im, str_from(id), why)
               : import_end(s->im, str_from(id), why);
}

static enum rc
take_body(void *own, const struct imap_reply *r, struct why *why)
{
    struct imap_source *s = own;
    struct remote_message *m = s->at;
    enum rc rc;

    if (r->kind != IMAP_FETCH || !r->fetch.body)
        return OK;
    if (m == NULL)
        m = s->at = find_message(s, r->fetch.uid);
    if (m == NULL || (r->fetch.uid != 0 && r->fetch.uid != m->uid))
        return fail(why, "5.5.0",
                    "the server sends another message than was "
                    "asked for");
    if (r->fetch.bytes.len > 0 && !s->writing_failed)
        (void)!put_bytes(s, r->fetch.bytes);
    if (s->writing_failed) {
        *why = s->why;
        return TEMP;
    }
    rc = end_message(s, m, why);
    s->at = NULL;
    s->begun = false;
    return rc;
}

static void
ask_messages(struct imap_source *s, size_t answered)
{
    /* Half of them at a time, so that commands share packets. */
    if (s->asked > answered + s->window / 2)
        return;
    for (; s->asked < s->messages.len && s->asked < answered + s->window;
         s->asked++)
        conn_send(s->conn, "UID FETCH %u (UID BODY.PEEK[])",
                  s->messages.at[s->asked].uid);
}

/* What was expunged meanwhile does not come. */
static void
tell_gone(struct imap_source *s)
{
    for (size_t i = 0; i < s->messages.len; i++)
        if (!s->messages.at[i].ended)
            import_say("%.*s: message %u is gone", STR(s->im->shown),
                       s->messages.at[i].uid);
}

/* One message that a server cannot give keeps nobody from the others. */
static void
pass_over(struct imap_source *s, struct remote_message *m,
          const struct why *why)
{
    if (m->ended)
        return;
    import_say("%.*s: message %u: %s", STR(s->im->shown), m->uid, why->text);
    s->im->failed++;
    m->ended = true;
}

static enum rc
fetch_messages(struct imap_source *s, struct why *why)
{
    size_t count = s->messages.len;
    enum rc rc = OK;

    s->at = NULL;
    s->begun = s->writing_failed = false;
    s->first = s->asked = 0;
    conn_stream(s->conn, sink, s);
    for (size_t i = 0; rc == OK && i < count; i++) {
        ask_messages(s, i);
        rc = conn_wait(s->conn, take_body, s, why);
        if (is_refusal(rc, why)) {
            pass_over(s, &s->messages.at[i], why);
            rc = OK;
        }
        while (s->first < s->asked && s->messages.at[s->first].ended)
            s->first++;
        if (s->first <= i && s->window == 1)
            s->first = i + 1;
    }
    conn_stream(s->conn, NULL, NULL);
    if (rc == OK)
        tell_gone(s);
    return rc;
}

static enum rc
copy_folder(struct imap_source *s, struct remote_folder *f, struct why *why)
{
    struct import *im = s->im;
    struct buf b;
    enum rc rc;

    arena_reset(s->work);
    b = buf_in(s->work);
    s->messages.len = 0;
    s->validity = 0;
    imap_put_string(&b, f->name);
    if (f->cleaned && !im->options->quiet)
        printf("%.*s goes to %.*s, as no folder here can have its name\n",
               STR(f->key), STR(f->shown));
    conn_send(s->conn, "EXAMINE %.*s", STR(buf_str(&b)));
    rc = conn_wait(s->conn, take_selected, s, why);
    if (rc == OK && s->validity == 0)
        rc = fail(why, "5.2.0",
                  "the server gives its messages no lasting "
                  "numbers (UIDVALIDITY)");
    if (rc == OK)
        rc = import_enter(im, f->key, s->validity, f->shown, f->use, why);
    s->refused = rc == PERM && strcmp(why->dsn, "5.5.0") != 0;
    if (rc == OK)
        rc = list_messages(s, why);
    if (rc == OK && im->options->dry)
        im->copied = s->messages.len;
    else if (rc == OK)
        rc = fetch_messages(s, why);
    if (rc == OK)
        rc = import_leave(im, why);
    else
        import_abort(im);
    if (rc == OK && f->subscribed && im->home)
        rc = folder_subscribe(im->home, f->shown, true, why);
    f->done = rc == OK;
    return rc;
}

/* ---- the whole */

static bool
is_lost(const struct why *why)
{
    return str_starts(str_from(why->dsn), S("4.4."));
}

/* Folders that the server refuses are told, and left; what has other reasons
 * ends the run. */
static enum rc
copy_folders(struct imap_source *s, struct why *why)
{
    enum rc rc = OK;

    for (size_t i = 0; i < s->folders.len; i++) {
        struct remote_folder *f = &s->folders.at[i];

        if (f->done || !import_wants(s->im->options, f->shown))
            continue;
        rc = copy_folder(s, f, why);
        if (rc != OK && s->refused) {
            import_say("%.*s: %s", STR(f->shown), why->text);
            s->im->failed++;
            f->done = true;
            rc = OK;
        }
        if (rc != OK)
            return rc;
    }
    return OK;
}

static enum rc
session(struct imap_source *s, struct why *why)
{
    const struct import_options *o = s->im->options;
    enum rc rc = conn_open(&s->server, &s->conn, why);

    s->reached |= rc == OK || strcmp(why->dsn, "4.4.2") == 0;
    if (rc == OK)
        rc = conn_login(s->conn, str_from(o->login), o->password, why);
    if (rc == OK)
        rc = list_folders(s, why);
    if (rc == OK)
        rc = copy_folders(s, why);
    if (rc == OK) {
        struct why unused;

        conn_send(s->conn, "LOGOUT");
        (void)!conn_wait(s->conn, NULL, NULL, &unused);
    }
    conn_close(s->conn);
    s->conn = NULL;
    return rc;
}

static int
status_of(const struct why *why)
{
    if (is_lost(why))
        return strcmp(why->dsn, "4.4.2") == 0 ? IMPORT_LATER : IMPORT_NO_HOST;
    if (str_starts(str_from(why->dsn), S("5.7.")) || is_refusal(PERM, why))
        return IMPORT_REFUSED;
    return strcmp(why->dsn, "5.5.0") == 0 ? IMPORT_PROTOCOL : IMPORT_STORE;
}

static int
finish(struct imap_source *s)
{
    const struct import_options *o = s->im->options;

    for (size_t i = 0; i < o->folder_count; i++) {
        bool found = false;

        for (size_t k = 0; k < s->folders.len; k++)
            found |= str_ieq(s->folders.at[k].shown, o->folders[i]);
        if (!found) {
            import_say("the server has no folder %.*s", STR(o->folders[i]));
            s->im->failed++;
        }
    }
    return s->im->failed ? IMPORT_PARTLY : IMPORT_DONE;
}

int
import_imap(struct import *im, struct imap_source *s)
{
    struct why why;
    size_t before = 0;
    enum rc rc = TEMP;

    for (int i = 0; i < TRIES; i++) {
        rc = session(s, &why);
        if (rc == PERM && s->window > 1 && strcmp(why.dsn, "5.5.0") == 0) {
            s->window = 1; /* perhaps it takes only one command at a time */
            continue;
        }
        if (rc == OK || !is_lost(&why) || !s->reached)
            break;
        if (im->all > before)
            i = 0;
        before = im->all;
        if (i + 1 < TRIES) {
            import_say("%s; trying again", why.text);
            sleep(1u << i);
        }
    }
    if (rc == OK)
        return finish(s);
    import_say("%s", why.text);
    return status_of(&why);
}

/* imap[s]://host[:port][/] */
static bool
parse_url(struct imap_source *s, struct str url)
{
    struct conn_server *v = &s->server;
    struct str port = S(""), host;
    uint64_t n;

    v->wrapped = str_iskip(&url, S("imaps://"));
    if (!v->wrapped && !str_iskip(&url, S("imap://")))
        return false;
    if (str_ends(url, S("/")))
        url.len--;
    if (str_skip(&url, S("["))) {
        if (!str_cut(&url, ']', &host))
            return false;
        port = url;
        if (port.len > 0 && !str_skip(&port, S(":")))
            return false;
    } else {
        port = url;
        if (!str_cut(&port, ':', &host))
            port = S("");
    }
    v->host = arena_lower(s->life, host);
    v->port = v->wrapped ? 993 : 143;
    if (port.len > 0) {
        if (!str_num(port, &n) || n == 0 || n > 65535)
            return false;
        v->port = (unsigned)n;
    }
    return host.len > 0 && str_find(host, '/') < 0 && str_find(host, '@') < 0;
}

/* Of its two usual ports the server has the same mail. */
struct str
import_imap_source(const struct imap_source *s)
{
    const struct conn_server *v = &s->server;
    const char *login = s->im->options->login;
    const char *text =
        arena_fmt(s->life, "imap %.*s:%u %s", STR(v->host), v->port, login);

    if (v->port == (v->wrapped ? 993 : 143))
        text = arena_fmt(s->life, "imap %.*s %s", STR(v->host), login);
    return str_from(text);
}

struct imap_source *
import_imap_prepare(struct import *im, struct str url)
{
    const struct dns_options dns = {.servers = im->conf->dns_servers};
    const struct tls_client_options tls = {
        .ca_file = im->conf->smtp_tls_CAfile,
        .ca_path = im->conf->smtp_tls_CApath,
        .system_cas = true,
        .depth = 9,
        .print_digest = "sha256",
        .dane_digests = "sha512 sha256",
    };
    struct imap_source *s = arena_make(im->life, struct imap_source);
    struct why why;

    s->im = im;
    s->life = arena_new("import", (size_t)64 << 20);
    s->work = arena_new("folder", (size_t)16 << 20);
    s->prefix = S("");
    s->window = WINDOW;
    if (!parse_url(s, url)) {
        import_say("%.*s: write imaps://host or imaps://host:port", STR(url));
        return NULL;
    }
    s->server.insecure = im->options->insecure;
    s->server.dns = dns_open(im->life, &dns, &why);
    if (s->server.dns)
        s->server.tls = tls_client_new(im->life, &tls, &why);
    if (s->server.dns && s->server.tls)
        return s;
    import_say("%s", why.text);
    return NULL;
}
