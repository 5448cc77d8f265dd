#include "filter.h"

struct filter_names
filter_make(struct session *s, struct arena *a,
            const struct filter_mailboxes *sent)
{
    const struct strings *names = &sent->mailboxes;
    struct filter_names f = {.filter = sent->filter,
                             .separator = s->imap->names.separator};

    f.names = arena_alloc(a, (names->count + 1) * sizeof *f.names);
    for (size_t i = 0; i < names->count; i++) {
        struct str name;

        if (take_mailbox(s, names->at[i], &name))
            f.names[f.count++] = arena_str(a, name);
    }
    return f;
}

/* Below it: "a/b" of "a"; only one level where that is said. */
static bool
is_below(struct str name, struct str top, char separator, bool one)
{
    return str_skip(&name, top) && name.len > 1 && name.p[0] == separator &&
           (!one || str_find(str_sub(name, 1, name.len), separator) < 0);
}

bool
filter_has(const struct filter_names *f, const struct folder *folder,
           unsigned kind)
{
    bool tree = f->filter == FILTER_SUBTREE || f->filter == FILTER_SUBTREE_ONE;

    switch (f->filter) {
    case FILTER_SELECTED:
    case FILTER_SELECTED_DELAYED:
        return false;
    case FILTER_INBOXES:
    case FILTER_PERSONAL:
        return kind == SPACE_PRIVATE;
    case FILTER_SUBSCRIBED:
        return folder->bits & FOLDER_SUBSCRIBED;
    default:
        break;
    }
    for (size_t i = 0; i < f->count; i++)
        if (str_eq(f->names[i], folder->name) ||
            (tree && is_below(folder->name, f->names[i], f->separator,
                              f->filter == FILTER_SUBTREE_ONE)))
            return true;
    return false;
}
