#include "defaults.h"

#include "base/log.h"
#include "conf/value.h"
#include "store/folders.h"

#define MEMORY_MAX ((size_t)64 << 20)

static bool
has_use(const struct folder_list *list, struct str use)
{
    for (size_t i = 0; i < list->len; i++) {
        struct str all = list->at[i].use, one;

        while (str_word(&all, " ", &one))
            if (str_ieq(one, use))
                return true;
    }
    return false;
}

static const struct folder *
find(const struct folder_list *list, struct str name)
{
    for (size_t i = 0; i < list->len; i++)
        if (list->at[i].bits & FOLDER_SELECTABLE &&
            str_eq(list->at[i].name, name))
            return &list->at[i];
    return NULL;
}

static enum rc
make(struct home *home, struct arena *a, struct str name, struct str use,
     struct why *why)
{
    struct folder_list list;
    const struct folder *f;
    enum rc rc = folders_list(home, a, &list, why);

    if (rc != OK || (use.len > 0 && has_use(&list, use)))
        return rc;
    f = find(&list, name);
    if (f && f->use.len == 0 && use.len > 0)
        return folder_set_use(home, f->path, use, why);
    if (f)
        return OK;
    rc = folder_create(home, name, use, why);
    return rc == OK ? folder_subscribe(home, name, true, why) : rc;
}

void
defaults_make(struct imap *imap)
{
    struct str list = str_from(imap->user->conf->imap_default_folders);
    struct str use, name;
    struct why why;

    while (value_next(&list, &use)) {
        struct arena *a = arena_new("folders", MEMORY_MAX);

        if (!str_cut(&use, '=', &name))
            use = S("");
        if (make(imap->home, a, name, use, &why) != OK)
            log_warn("imap(%.*s): imap_default_folders: %.*s: %s",
                     STR(imap->user->user), STR(name), why.text);
        arena_free(a);
    }
}
