#include "access/words.h"

#include <gnu/libc-version.h> /* which has iconv */
#include <stdio.h>
#include <stdlib.h>
#include <utf8proc.h>

#include "base/crc.h"
#include "store/folders.h"

#define LAYOUT   2 /* which texts are in which area, and as what */
#define TIDY_MAX ((size_t)64 << 20)

struct fts *
words_open(const struct home *home)
{
    char *path = NULL;
    struct fts *fts;

    must(asprintf(&path, "%s/search", home_index(home)) > 0);
    fts = fts_open(path);
    free(path);
    return fts;
}

uint64_t
words_id(const struct message *m)
{
    uint64_t id;

    memcpy(&id, m->id, sizeof id);
    return id;
}

enum fts_area
words_area(const struct text_piece *piece)
{
    if (piece->kind == TEXT_BODY)
        return FTS_BODY;
    return piece->of_message ? words_field_area(piece->id) : FTS_HEADER;
}

/* A change is another LAYOUT. */
enum fts_area
words_field_area(enum header_id id)
{
    switch (id) {
    case HEADER_ID_BCC:
    case HEADER_ID_CC:
    case HEADER_ID_FROM:
    case HEADER_ID_IN_REPLY_TO:
    case HEADER_ID_MESSAGE_ID:
    case HEADER_ID_REFERENCES:
    case HEADER_ID_REPLY_TO:
    case HEADER_ID_SENDER_FIELD:
    case HEADER_ID_SUBJECT:
    case HEADER_ID_TO:
        return FTS_FIELDS;
    default:
        return FTS_HEADER;
    }
}

/* What is in the index is compared with texts that are mapped when somebody
 * searches: all that makes those must be as it was. */
static uint32_t
text_version(void)
{
    char all[200];

    snprintf(all, sizeof all, "%d %d %d %s %s %s", LAYOUT, TEXT_VERSION,
             STRUCTURE_VERSION, utf8proc_version(), utf8proc_unicode_version(),
             gnu_get_libc_version());
    return crc32c(0, str_from(all));
}

static struct segment_folder
folder_of(const uint8_t guid[16], uint32_t validity)
{
    struct segment_folder f = {.validity = validity, .version = text_version()};

    memcpy(f.guid, guid, sizeof f.guid);
    return f;
}

struct segment_folder
words_folder(const struct mailbox_status *status)
{
    return folder_of(status->guid, status->validity);
}

void
words_tidy(struct fts *fts, struct home *home)
{
    struct arena *a = arena_new("tidy", TIDY_MAX);
    struct folder_ids ids;
    struct why why;

    if (folders_ids(home, a, &ids, &why) == OK && ids.complete) {
        struct segment_folder *all =
            arena_alloc(a, (ids.len + 1) * sizeof *all);

        for (size_t i = 0; i < ids.len; i++)
            all[i] = folder_of(ids.at[i].guid, ids.at[i].validity);
        fts_tidy(fts, all, ids.len);
    }
    arena_free(a);
}
