/*
 * fts.h - which messages may have a text in them: an index of the words of
 * mail, for one home.
 *
 * It is a folder of its own with a folder for each folder of mail, which is
 * known by its GUID and UIDVALIDITY, and in that *segments* (segment.h), each
 * of some messages. Messages that are in none are to be read by who searches.
 * So it may lack anything at any time, and all of it may be removed; what it
 * says of a message holds for the content of that id only.
 *
 * Many processes may read it; one of them at a time may write it.
 */
#ifndef FTS_FTS_H
#define FTS_FTS_H

#include "base/vec.h"
#include "fts/builder.h"
#include "fts/segment.h"

struct fts;

/* The index in that folder, which is made when it is first written. */
struct fts *fts_open(const char *path);
void fts_close(struct fts *fts);
/* Sets are kept for whoever asks next; let go of those that nobody uses. */
void fts_rest(struct fts *fts);

/* ---- reading */

struct fts_place {
    uint32_t uid;
    uint16_t segment, doc;
};

/* The segments of a folder as they were when it was looked at. */
struct fts_set {
    VEC(struct segment *) segments;
    size_t count;  /* of messages */
    uint32_t last; /* the highest UID */
    unsigned users;
    VEC(struct fts_place) places; /* by UID; made when one is asked for */
};

/* Look at the folder. Never NULL; what cannot be read is not in it. A set that
 * is in use keeps its segments though they are replaced meanwhile. */
struct fts_set *fts_set_open(struct fts *fts, const struct segment_folder *f);
void fts_set_close(struct fts_set *set);

/* Where a message is; NULL where it is in no segment, or in one that is
 * damaged. *hint, 0 at first, makes it cheap to ask by rising UIDs. */
const struct fts_place *fts_set_find(struct fts_set *set, uint32_t uid,
                                     uint64_t id, size_t *hint);

/* ---- writing */

/* The right to write, until it is given back; -1 where somebody else has it.
 * Does not wait. */
int fts_lock(struct fts *fts);

/* The folder for a folder of mail, for builder_write; -1 with errno. */
int fts_dir(struct fts *fts, const struct segment_folder *f);

/* A name for a new segment. */
struct fts_name {
    char text[32];
};
struct fts_name fts_name_new(void);

/* Segments of no use any more; damaged ones. */
void fts_remove(int dir, struct segment *const *segments, size_t count);

/* Remove what is of none of these folders, which are all there are. */
void fts_tidy(struct fts *fts, const struct segment_folder *folders,
              size_t count);

#endif
