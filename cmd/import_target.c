/* Where imported messages go: folders, flags, batches. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "import_work.h"
#include "mail/mutf7.h"
#include "store/folders.h"

/* A batch is stored when it has so many messages or bytes. */
#define BATCH_COUNT 100
#define BATCH_BYTES ((uint64_t)16 << 20)

static const struct {
    struct str name;
    unsigned bit;
} flags[] = {
    {S("\\Answered"), FLAG_ANSWERED},
    {S("\\Flagged"),  FLAG_FLAGGED },
    {S("\\Deleted"),  FLAG_DELETED },
    {S("\\Seen"),     FLAG_SEEN    },
    {S("\\Draft"),    FLAG_DRAFT   },
};

/* ---- folders */

bool
import_wants(const struct import_options *o, struct str name)
{
    for (size_t i = 0; i < o->folder_count; i++)
        if (str_ieq(o->folders[i], name))
            return true;
    return o->folder_count == 0;
}

/* Also those of U+0080 to U+009F, which terminals obey. NUL ends the text. */
static bool
is_control(const char *p)
{
    return (unsigned char)*p < ' ' || *p == 127 ||
           (p[0] == '\xc2' && (unsigned char)p[1] < 0xa0);
}

/* What cannot be in a name on disk becomes "_". */
static struct str
clean_part(struct import *im, struct arena *a, struct str part, bool mutf7)
{
    struct buf b = buf_in(a), again = buf_in(a);
    struct str text = part;

    if (mutf7 && mutf7_decode(&b, part))
        text = buf_str(&b);
    char *p = arena_cstr(a, text);

    for (size_t i = 0; i < text.len; i++)
        if (is_control(p + i) || p[i] == '/' ||
            (p[i] == '.' && (im->dots_divide || i == 0))) {
            p[i] = '_';
            im->cleaned = true;
        }
    text = (struct str){p, text.len};
    if (text.len > 0 && mutf7_encode(&again, text))
        return text;
    im->cleaned = true;
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)p[i] > 126)
            p[i] = '_';
    return text.len ? text : S("_");
}

struct str
import_name(struct import *im, struct arena *a, struct str name, char delimiter,
            bool mutf7)
{
    struct buf b = buf_in(a);
    struct str part;
    bool more = true;

    im->cleaned = false;
    if (str_ieq(name, S("INBOX")))
        return S("INBOX");
    while (more) {
        if (delimiter) {
            more = str_cut(&name, delimiter, &part);
        } else {
            part = name;
            more = false;
        }
        if (b.len > 0)
            buf_addc(&b, im->names.separator);
        buf_add(&b, clean_part(im, a, part, mutf7));
    }
    return buf_str(&b);
}

/* A folder that cannot be opened is made, with its special use. */
static enum rc
open_box(struct import *im, struct str name, struct str use, struct why *why)
{
    enum rc rc = mailbox_open(im->home, name, &im->box, why);

    if (rc != PERM)
        return rc;
    rc = folder_create(im->home, name, use, why);
    if (rc != OK && use.len) /* another folder may have it */
        rc = folder_create(im->home, name, S(""), why);
    return rc == OK ? mailbox_open(im->home, name, &im->box, why) : rc;
}

enum rc
import_enter(struct import *im, struct str key, uint32_t validity,
             struct str name, struct str use, struct why *why)
{
    enum rc rc = OK;

    im->box = NULL;
    im->shown = arena_str(im->life, name);
    im->copied = im->known = im->expected = 0;
    if (im->home)
        rc = open_box(im, name, use, why);
    if (rc != OK) {
        im->box = NULL;
        return rc;
    }
    name = names_divided(im->life, name, im->names.separator, '/');
    return import_state_folder(im->state, key, validity, name, why);
}

static void
forget_batch(struct import *im)
{
    im->batch.len = 0;
    im->batch_bytes = 0;
    arena_reset(im->work);
}

void
import_abort(struct import *im)
{
    if (im->append)
        append_abort(im->append);
    im->append = NULL;
    forget_batch(im);
    if (im->box)
        mailbox_close(im->box);
    im->box = NULL;
}

/* On disk as planned before it is stored, so that the next run knows. */
static enum rc
flush(struct import *im, struct why *why)
{
    struct append *append = im->append;
    struct uid_set uids;
    enum rc rc;

    if (im->batch.len == 0)
        return OK;
    rc = import_state_batch(im->state, im->batch.at, im->batch.len, im->box,
                            why);
    if (rc != OK)
        return rc;
    im->append = NULL;
    rc = append_commit(append, im->work, &uids, why);
    if (rc != OK)
        return rc;
    im->copied += im->batch.len;
    im->all += im->batch.len;
    rc = import_state_stored(im->state, why);
    forget_batch(im);
    return rc;
}

static void
show_progress(const struct import *im, bool last)
{
    size_t done = im->copied + im->known + im->batch.len;

    if (!im->terminal)
        return;
    if (last)
        fprintf(stderr, "\r\033[K");
    else if (done % 20 == 0)
        fprintf(stderr, "\r%.*s: %zu of %zu\033[K", STR(im->shown), done,
                im->expected);
}

enum rc
import_leave(struct import *im, struct why *why)
{
    enum rc rc = flush(im, why);

    show_progress(im, true);
    if (rc == OK && !im->options->quiet)
        printf("%.*s: %zu %s, %zu copied before\n", STR(im->shown), im->copied,
               im->options->dry ? "to copy" : "copied", im->known);
    fflush(stdout);
    import_abort(im);
    return rc;
}

/* ---- messages */

/* A keyword that has no room is left out, as COPY does it. */
static enum rc
add_keyword(struct import *im, struct str word, uint64_t *keywords,
            struct why *why)
{
    int bit = -1;
    enum rc rc;

    if (!keyword_valid(word))
        return OK;
    rc = mailbox_keyword(im->box, word, &bit, why);
    if (rc == OK && bit >= 0)
        *keywords |= UINT64_C(1) << bit;
    return rc == PERM ? OK : rc;
}

enum rc
import_flags(struct import *im, struct str words, unsigned *bits,
             uint64_t *keywords, struct why *why)
{
    struct str word;
    enum rc rc = OK;

    *bits = 0;
    *keywords = 0;
    while (rc == OK && str_word(&words, " ", &word)) {
        for (size_t i = 0; i < COUNT(flags); i++)
            if (str_ieq(word, flags[i].name))
                *bits |= flags[i].bit;
        if (im->box && !str_starts(word, S("\\")))
            rc = add_keyword(im, word, keywords, why);
    }
    return rc;
}

enum rc
import_begin(struct import *im, unsigned bits, uint64_t keywords, int64_t date,
             struct why *why)
{
    im->hash = IMPORT_HASH;
    im->bytes = 0;
    if (im->append == NULL)
        im->append = append_new(im->box);
    return append_message(im->append, bits, keywords, date, why);
}

enum rc
import_bytes(struct import *im, struct str bytes, struct why *why)
{
    im->hash = import_hash(im->hash, bytes);
    im->bytes += bytes.len;
    return append_write(im->append, bytes, why);
}

enum rc
import_end(struct import *im, struct str id, struct why *why)
{
    *vec_add(&im->batch) =
        (struct import_id){arena_str(im->work, id), im->hash};
    im->batch_bytes += im->bytes;
    show_progress(im, false);
    if (im->batch.len >= BATCH_COUNT || im->batch_bytes >= BATCH_BYTES)
        return flush(im, why);
    return OK;
}

enum rc
import_end_compared(struct import *im, struct str id, struct why *why)
{
    if (import_state_takes(im->state, im->hash)) {
        im->known++;
        append_abort(im->append);
        im->append = NULL;
        return OK;
    }
    enum rc rc = import_end(im, id, why);

    return rc == OK ? flush(im, why) : rc;
}
