/*
 * spool.h - the folders of the queue, below queue_directory.
 *
 *     incoming/       never tried
 *     deferred/00-3F  tried; the folder follows from the id
 *     hold/           on hold
 *     corrupt/        set aside: nobody can read them
 *
 * Names are made by id.h. `dir` is always the descriptor of queue_directory.
 * What counts is what stands in a file, not where it stands.
 */
#ifndef QUEUE_SPOOL_H
#define QUEUE_SPOOL_H

#include <sys/types.h>

#include "base/why.h"
#include "queue/id.h"

enum spool_folder {
    SPOOL_INCOMING,
    SPOOL_DEFERRED,
    SPOOL_HOLD,
    SPOOL_CORRUPT,
    SPOOL_FOLDERS
};

enum { SPOOL_PARTS = 64, SPOOL_PATH_MAX = QUEUE_NAME_MAX + 16 };

/* "deferred/1A/ID-SEAL"; returns path. */
char *spool_path(enum spool_folder folder, struct queue_id id, int64_t seal,
                 char path[SPOOL_PATH_MAX]);

/* "incoming" ...; and the inverse. */
const char *spool_folder_name(enum spool_folder folder);
bool spool_folder_find(struct str name, enum spool_folder *folder);

/* Make the folders that are missing; as root they are given to that user. */
enum rc spool_make(int dir, uid_t uid, gid_t gid, struct why *why) MUST_USE;

/*
 * As root, before qmgr gives its rights up: files in incoming that a delivery
 * had given to their recipient when it was interrupted become the queue's
 * again. One with a second name is in the mailbox already and stays his. A
 * delivery that is still at it, with the file locked, gets a little time.
 */
void spool_reclaim(int dir, uid_t uid, gid_t gid);

/* Walk a folder. Names that are not ours are counted and left alone. */
struct spool_walk {
    int dir;
    enum spool_folder folder;
    int part; /* of deferred */
    void *stream;
    size_t strange;
};
struct spool_walk spool_walk(int dir, enum spool_folder folder);
bool spool_next(struct spool_walk *w, struct queue_id *id, int64_t *seal);
/* Ends it early; spool_next does so at the end. */
void spool_walk_end(struct spool_walk *w);

/* Search all folders but corrupt for an id; slow, for when no qmgr runs. */
bool spool_find(int dir, struct queue_id id, enum spool_folder *folder,
                int64_t *seal);

#endif
