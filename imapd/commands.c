#include "base/log.h"
#include "condstore.h"
#include "notify.h"
#include "rights.h"
#include "sys/io.h"

static const struct {
    enum command_id id;
    void (*run)(struct session *s, const struct command *c);
} commands[] = {
    {COMMAND_CAPABILITY,     do_capability    },
    {COMMAND_NOOP,           do_noop          },
    {COMMAND_CHECK,          do_noop          },
    {COMMAND_LOGOUT,         do_logout        },
    {COMMAND_ID,             do_id            },
    {COMMAND_ENABLE,         do_enable        },
    {COMMAND_NAMESPACE,      do_namespace     },
    {COMMAND_IDLE,           do_idle          },
    {COMMAND_COMPRESS,       do_compress      },
    {COMMAND_UNAUTHENTICATE, do_unauthenticate},
    {COMMAND_LIST,           do_list          },
    {COMMAND_LSUB,           do_list          },
    {COMMAND_CREATE,         do_create        },
    {COMMAND_DELETE,         do_delete        },
    {COMMAND_RENAME,         do_rename        },
    {COMMAND_SUBSCRIBE,      do_subscribe     },
    {COMMAND_UNSUBSCRIBE,    do_subscribe     },
    {COMMAND_STATUS,         do_status        },
    {COMMAND_APPEND,         do_append        },
    {COMMAND_REPLACE,        do_append        },
    {COMMAND_UID_REPLACE,    do_append        },
    {COMMAND_GETQUOTA,       do_getquota      },
    {COMMAND_GETQUOTAROOT,   do_getquotaroot  },
    {COMMAND_SETQUOTA,       do_setquota      },
    {COMMAND_MYRIGHTS,       do_myrights      },
    {COMMAND_GETACL,         do_getacl        },
    {COMMAND_SETACL,         do_setacl        },
    {COMMAND_DELETEACL,      do_deleteacl     },
    {COMMAND_LISTRIGHTS,     do_listrights    },
    {COMMAND_GETMETADATA,    do_getmetadata   },
    {COMMAND_SETMETADATA,    do_setmetadata   },
    {COMMAND_SELECT,         do_select        },
    {COMMAND_EXAMINE,        do_select        },
    {COMMAND_CLOSE,          do_close         },
    {COMMAND_UNSELECT,       do_unselect      },
    {COMMAND_FETCH,          do_fetch         },
    {COMMAND_UID_FETCH,      do_fetch         },
    {COMMAND_STORE,          do_store         },
    {COMMAND_UID_STORE,      do_store         },
    {COMMAND_COPY,           do_copy          },
    {COMMAND_UID_COPY,       do_copy          },
    {COMMAND_MOVE,           do_copy          },
    {COMMAND_UID_MOVE,       do_copy          },
    {COMMAND_UIDBATCHES,     do_uidbatches    },
    {COMMAND_EXPUNGE,        do_expunge       },
    {COMMAND_UID_EXPUNGE,    do_expunge       },
    {COMMAND_SEARCH,         do_search        },
    {COMMAND_UID_SEARCH,     do_search        },
    {COMMAND_SORT,           do_search        },
    {COMMAND_UID_SORT,       do_search        },
    {COMMAND_THREAD,         do_search        },
    {COMMAND_UID_THREAD,     do_search        },
    {COMMAND_ESEARCH,        do_esearch       },
    {COMMAND_UID_ESEARCH,    do_esearch       },
    {COMMAND_NOTIFY,         do_notify        },
};

/* What CAPABILITY announces after login: a word here when it works in full. */
static const char *const words[] = {
    "IMAP4rev1",
    "IMAP4rev2",
    "LITERAL+",
    "ID",
    "ENABLE",
    "IDLE",
    "NAMESPACE",
    "UNSELECT",
    "UIDPLUS",
    "MOVE",
    "MULTIAPPEND",
    "CATENATE",
    "REPLACE",
    "QUOTA",
    "QUOTA=RES-STORAGE",
    "QUOTA=RES-MESSAGE",
    "METADATA",
    "LIST-METADATA",
    "ACL",
    "RIGHTS=texk",
    "LIST-MYRIGHTS",
    "CHILDREN",
    "LIST-EXTENDED",
    "LIST-STATUS",
    "SPECIAL-USE",
    "CREATE-SPECIAL-USE",
    "STATUS=SIZE",
    "ESEARCH",
    "MULTISEARCH",
    "SEARCHRES",
    "WITHIN",
    "SORT",
    "SORT=DISPLAY",
    "ESORT",
    "THREAD=ORDEREDSUBJECT",
    "THREAD=REFERENCES",
    "THREAD=REFS",
    "I18NLEVEL=1",
    "SAVEDATE",
    "INPROGRESS",
    "NOTIFY",
    "CONDSTORE",
    "QRESYNC",
    "PARTIAL",
    "OBJECTID",
    "UIDONLY",
    "UIDBATCHES",
    "BINARY",
    "PREVIEW",
    "COMPRESS=DEFLATE",
};

void
capabilities_put(const struct session *s, struct buf *b)
{
    buf_add(b, S("CAPABILITY"));
    for (size_t i = 0; i < COUNT(words); i++)
        buf_fmt(b, " %s", words[i]);
    /* RFC 7889 2: without a number STATUS says that there is no limit. */
    if (s->conf->imap_append_size_limit > 0)
        buf_fmt(b, " APPENDLIMIT=%lld",
                (long long)s->conf->imap_append_size_limit);
    else
        buf_add(b, S(" APPENDLIMIT"));
    if (s->conf->imap_message_limit > 0)
        buf_fmt(b, " MESSAGELIMIT=%lld",
                (long long)s->conf->imap_message_limit);
    if (s->conf->imap_utf8_accept)
        buf_add(b, S(" UTF8=ACCEPT"));
    if (s->tls)
        buf_add(b, S(" UNAUTHENTICATE"));
}

void
commands_enable(struct session *s, struct str word, struct buf *b)
{
    static const struct {
        const char *word;
        unsigned bit;
    } known[] = {
        {"CONDSTORE",   ENABLED_CONDSTORE},
        {"QRESYNC",     ENABLED_QRESYNC  },
        {"IMAP4rev2",   ENABLED_REV2     },
        {"UIDONLY",     ENABLED_UIDONLY  },
        {"UTF8=ACCEPT", ENABLED_UTF8     },
    };

    for (size_t i = 0; i < COUNT(known); i++)
        if (str_ieq(word, str_from(known[i].word)) &&
            (known[i].bit != ENABLED_UTF8 || s->conf->imap_utf8_accept)) {
            if (known[i].bit & (ENABLED_CONDSTORE | ENABLED_QRESYNC))
                condstore_enable(s);
            s->enabled |= known[i].bit;
            buf_fmt(b, " %s", known[i].word);
        }
}

/* Does it name messages by number, or tell of them so? RFC 9586 3.2. */
static bool
has_numbers(enum command_id id)
{
    switch (id) {
    case COMMAND_FETCH:
    case COMMAND_STORE:
    case COMMAND_COPY:
    case COMMAND_MOVE:
    case COMMAND_REPLACE:
    case COMMAND_SEARCH:
    case COMMAND_SORT:
    case COMMAND_THREAD:
        return true;
    default:
        return false;
    }
}

/* Those that change what NOTIFY tells of folders: others hear of that, who did
 * it does not (RFC 5465 5). */
static bool
changes_folders(enum command_id id)
{
    switch (id) {
    case COMMAND_CREATE:
    case COMMAND_DELETE:
    case COMMAND_RENAME:
    case COMMAND_SUBSCRIBE:
    case COMMAND_UNSUBSCRIBE:
    case COMMAND_SETMETADATA:
    case COMMAND_SETACL:
    case COMMAND_DELETEACL:
        return true;
    default:
        return false;
    }
}

static void
run_one(struct session *s,
        void (*run)(struct session *, const struct command *))
{
    bool folders = changes_folders(s->now.id);

    if (folders)
        roster_look(s->imap, NULL);
    run(s, &s->now);
    if (folders)
        roster_look(s->imap, s);
}

/* Others may have changed what he may do in the selected mailbox. False: he is
 * no longer let in. */
static bool
look_at_rights(struct session *s)
{
    struct why why;

    if (s->box == NULL || !space_look(s))
        return true;
    if (!(s->rights & RIGHT_READ)) {
        session_bye(s, NO_RIGHT);
        return false;
    }
    if (rights_tell_flags(s, &why) != OK)
        log_warn("imap(%.*s): %s", STR(s->imap->user->user), why.text);
    return true;
}

void
commands_run(struct session *s)
{
    unsigned state = s->box ? WHEN_SELECTED : WHEN_AUTH;

    if (!look_at_rights(s))
        return;

    if (!(command_when(s->now.id) & state)) {
        reply_bad(s, s->box ? "Not after login" : "Select a mailbox first");
        return;
    }
    if (s->enabled & ENABLED_UIDONLY && has_numbers(s->now.id)) {
        reply_bad(s, "[UIDREQUIRED] Messages have no numbers");
        return;
    }
    for (size_t i = 0; i < COUNT(commands); i++)
        if (commands[i].id == s->now.id) {
            run_one(s, commands[i].run);
            return;
        }
    reply_bad(s, "Unknown command");
}
