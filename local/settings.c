#include "settings.h"

#include <unistd.h>

#include "base/log.h"
#include "conf/location.h"
#include "daemon/routing.h"
#include "map/words.h"
#include "pipe.h"
#include "run.h"

static const struct word {
    const char *name;
    unsigned bit;
} sources[] =
    {
        {"alias",   FROM_ALIAS  },
        {"forward", FROM_FORWARD},
        {"include", FROM_INCLUDE},
        {NULL,      0           },
},
  headers[] =
      {
          {"command", HEADER_COMMAND},
          {"file", HEADER_FILE},
          {"forward", HEADER_FORWARD},
          {NULL, 0},
},
  extensions[] = {
      {"alias", FROM_ALIAS},
      {"forward", FROM_FORWARD},
      {"include", FROM_INCLUDE},
      {"canonical", 0}, /* these three are for others to read */
      {"virtual", 0},
      {"generic", 0},
      {NULL, 0},
};

/* A list of words as bits. */
static unsigned
bits_of(const char *parameter, const char *list, const struct word *words)
{
    struct str rest = str_from(list), one;
    unsigned bits = 0;

    while (str_word(&rest, " ,\t\r\n", &one)) {
        const struct word *w = words;

        while (w->name && !str_ieq(one, str_from(w->name)))
            w++;
        if (w->name == NULL)
            log_fatal("%s: unknown word \"%.*s\"", parameter, STR(one));
        bits |= w->bit;
    }
    return bits;
}

/* Each alias table for itself: its owner decides about rights. */
static void
open_aliases(struct settings *s, struct arena *life, const char *list)
{
    struct str rest = str_from(list), spec;
    struct why why;

    s->aliases = arena_alloc(life, (rest.len / 2 + 1) * sizeof *s->aliases);
    while (words_next(&rest, &spec)) {
        struct alias_table *t = &s->aliases[s->naliases++];

        t->name = arena_cstr(life, spec);
        t->map = map_open_fixed(t->name, &why);
    }
}

static void
find_default_user(struct settings *s, const struct daemon *d)
{
    struct why why;

    if (d->unprivileged)
        return;
    if (priv_find_user(d->conf->default_privs, &s->default_user, &why) != OK)
        log_fatal("default_privs = %s: %s", d->conf->default_privs, why.text);
    s->default_user.ngroups = 0;
    if (s->default_user.uid == 0)
        log_fatal("default_privs = %s: privileged user is not allowed",
                  d->conf->default_privs);
    if (s->default_user.uid == s->queue_owner)
        log_fatal("default_privs = %s: mail_owner is not allowed",
                  d->conf->default_privs);
}

static void
find_queue_owner(struct settings *s, const struct daemon *d)
{
    struct priv_user owner;
    struct why why;

    s->queue_owner = geteuid();
    s->queue_group = getegid();
    if (d->unprivileged)
        return;
    if (priv_find_user(d->conf->mail_owner, &owner, &why) != OK)
        log_fatal("mail_owner = %s: %s", d->conf->mail_owner, why.text);
    s->queue_owner = owner.uid;
    s->queue_group = owner.gid;
}

/* What is wrong with it, imapd says. */
static bool
is_fs(const struct conf *conf)
{
    struct location l;
    struct why why;

    return location_parse(str_from(conf->mail_location), &l, &why) == OK &&
           l.fs;
}

static void
set_boxes(struct settings *s, const struct conf *conf, const char *parameter,
          const char *locks, const char *limit_name, int64_t limit)
{
    struct why why;

    if (limit > 0 &&
        (conf->message_size_limit == 0 || limit < conf->message_size_limit))
        log_fatal("configuration error: %s is smaller than "
                  "message_size_limit",
                  limit_name);
    s->size_limit = limit;
    s->lock = (struct lock_policy){
        .attempts = conf->deliver_lock_attempts,
        .delay = conf->deliver_lock_delay,
        .stale = conf->stale_lock_time,
    };
    if (lock_parse(locks, &s->lock.kinds, &why) != OK)
        log_fatal("%s: %s", parameter, why.text);
}

/* What leads from a recipient to his destinations. */
static void
open_expansion(struct settings *s, struct daemon *d)
{
    const struct conf *conf = d->conf;
    struct why why;

    open_aliases(s, d->life, conf->alias_maps);
    s->mailbox_commands = maps_open_fixed(conf->mailbox_command_maps, &why);
    s->mailbox_transports = maps_open_fixed(conf->mailbox_transport_maps, &why);
    s->fallback_transports =
        maps_open_fixed(conf->fallback_transport_maps, &why);
    s->router = routing_open(d->life, conf, &why);
    s->commands_from = bits_of("allow_mail_to_commands",
                               conf->allow_mail_to_commands, sources);
    s->files_from =
        bits_of("allow_mail_to_files", conf->allow_mail_to_files, sources);
    s->header_in = bits_of("prepend_delivered_header",
                           conf->prepend_delivered_header, headers);
    s->keep_extension =
        bits_of("propagate_unmatched_extensions",
                conf->propagate_unmatched_extensions, extensions);
}

static void
open_local(struct settings *s, struct daemon *d)
{
    const struct conf *conf = d->conf;

    set_boxes(s, conf, "mailbox_delivery_lock", conf->mailbox_delivery_lock,
              "mailbox_size_limit", conf->mailbox_size_limit);
    find_default_user(s, d);
    open_expansion(s, d);
}

static void
open_mailboxes(struct settings *s, const struct conf *conf)
{
    struct why why;

    s->virtual_mailboxes = maps_open_fixed(conf->virtual_mailbox_maps, &why);
    s->virtual_uids = maps_open_fixed(conf->virtual_uid_maps, &why);
    s->virtual_gids = maps_open_fixed(conf->virtual_gid_maps, &why);
}

static void
open_virtual(struct settings *s, struct daemon *d)
{
    const struct conf *conf = d->conf;

    if (*conf->virtual_mailbox_base == '\0')
        log_fatal("virtual_mailbox_base is not set: the folder below which "
                  "virtual mailboxes stand");
    if (conf->virtual_mailbox_base[0] != '/')
        log_fatal("do not specify relative pathname: virtual_mailbox_base = %s",
                  conf->virtual_mailbox_base);
    set_boxes(s, conf, "virtual_mailbox_lock", conf->virtual_mailbox_lock,
              "virtual_mailbox_limit", conf->virtual_mailbox_limit);
    s->header_in = HEADER_FILE;
    open_mailboxes(s, conf);
}

/* Role quota: it delivers nothing. */
static void
open_quota(struct settings *s, struct daemon *d)
{
    find_default_user(s, d);
    open_expansion(s, d);
    if (*d->conf->virtual_mailbox_base)
        open_mailboxes(s, d->conf);
}

const struct settings *
settings_open(struct daemon *d)
{
    struct settings *s = arena_make(d->life, struct settings);

    find_queue_owner(s, d);
    s->default_user =
        (struct priv_user){.uid = s->queue_owner, .gid = s->queue_group};
    s->fs = is_fs(d->conf);
    s->environment = run_environment(d->life, d->conf->export_environment);
    if (strcmp(d->role, "virtual") == 0)
        open_virtual(s, d);
    else if (strcmp(d->role, "pipe") == 0)
        s->pipe = pipe_open(d, s);
    else if (strcmp(d->role, "quota") == 0)
        open_quota(s, d);
    else
        open_local(s, d);
    return s;
}
