#include "space.h"

enum rc
space_find(struct session *s, struct str name, struct spot *spot,
           struct why *why)
{
    const char *path;

    *spot = (struct spot){
        .home = s->imap->home,
        .kind = SPACE_PRIVATE,
        .name = name,
        .rights = RIGHTS_ALL,
    };
    return home_path(spot->home, s->command, name, &path, why);
}

enum rc
space_check(const struct spot *spot, unsigned rights, struct why *why)
{
    if ((spot->rights & rights) == rights)
        return OK;
    if (spot->rights & RIGHT_LOOKUP)
        return fail(why, "5.7.1", "You may not do that with %.*s",
                    STR(spot->name));
    return fail(why, "5.2.0", "there is no folder %.*s", STR(spot->name));
}

enum rc
space_open(struct session *s, struct str name, unsigned rights,
           struct mailbox **box, struct why *why)
{
    struct spot spot;
    enum rc rc = space_find(s, name, &spot, why);

    *box = NULL;
    if (rc == OK)
        rc = space_check(&spot, rights, why);
    return rc == OK ? mailbox_open(spot.home, spot.name, box, why) : rc;
}

enum rc
space_list(struct session *s, struct arena *a, unsigned kinds,
           struct space_list *list, struct why *why)
{
    struct folder_list found = {0};
    enum rc rc = OK;

    if (kinds & SPACE_PRIVATE)
        rc = folders_list(s->imap->home, a, &found, why);
    *list = (struct space_list){
        arena_alloc(a, (found.len + 1) * sizeof *list->at), found.len};
    for (size_t i = 0; i < found.len; i++)
        list->at[i] = (struct space_folder){
            .f = found.at[i],
            .spot = {s->imap->home, SPACE_PRIVATE, found.at[i].name,
                     RIGHTS_ALL},
        };
    return rc;
}
