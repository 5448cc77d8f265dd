/*
 * index_job.h - bringing the index of words up to date for one folder.
 *
 * Looks which messages are in it, and where they are too few for it, that is
 * all. Else those that are missing are read, and a segment is written as often
 * as there is enough for one. Segments that are small, or mostly of messages
 * that are gone, are made anew in the same way; the old ones are removed when
 * that is done. So at any time what is in the folder is right.
 */
#ifndef ACCESS_INDEX_JOB_H
#define ACCESS_INDEX_JOB_H

#include "access/words.h"

struct index_job;

/* The lock (fts_lock) is the job's to close. Nobody else opens so many of the
 * character sets that one is not to be had. */
struct index_job *index_job_new(struct converters *charsets,
                                struct mailbox *box, struct fts *fts, int lock);
void index_job_free(struct index_job *job);

/* Work for some ms. False when it is done, or why could not be (*rc). */
bool index_job_step(struct index_job *job, int64_t ms, enum rc *rc,
                    struct why *why);

bool index_job_has_written(const struct index_job *job);

/* Messages that have been read, of how many: 0 as long as that is not known,
 * and where there are too few. */
uint32_t index_job_read(const struct index_job *job, uint32_t *of);

/* So many messages that are in no segment are searched as they are. */
#define INDEX_MIN 200

/* Are there so many small segments that they should be one? */
bool index_job_has_small(const struct fts_set *set);

#endif
