/*
 * queue.h - what the queue commands share: asking qmgr, and where it does not
 * run, reading and changing the files themselves (root and mail_owner).
 */
#ifndef CMD_QUEUE_H
#define CMD_QUEUE_H

#include "conf/conf.h"
#include "ipc/message.h"
#include "queue/file.h"
#include "queue/spool.h"

/* What is done with each piece of an answer. */
typedef void queue_take(void *own, struct str text);

/*
 * Ask qmgr (qmgr/tool.h has the verbs). Its status, with a piece of text that
 * says what is wrong where that is not 0; QUEUE_DOWN with errno where nobody
 * answers. file, if not NULL, gets the descriptor that came, or -1.
 */
enum { QUEUE_DOWN = -1, QUEUE_DENIED = 77 };
int queue_ask(const struct conf *conf, const char *verb, struct str args,
              queue_take *take, void *own, int *file);

/* queue_directory; -1 with errno. */
int queue_folder(const struct conf *conf);

/* Show the records of queue/listing.h as they come: as text like mailq, or as
 * JSON, one line a message. */
struct queue_show {
    bool json, wide; /* wide: enable_long_queue_ids */
    unsigned long messages, bytes, rcpts;
    char reason[512]; /* the one that was shown last */
    char waiting[96]; /* why the message has none: it is not to go yet */
};
void queue_show_records(void *show, struct str records);
void queue_show_end(struct queue_show *s);

/* List all files without qmgr. False with errno: may not. */
bool queue_files_list(const struct conf *conf, queue_take *take, void *own);

/* The changes of postsuper, in qmgr's words. */
enum queue_change {
    QUEUE_CHANGE_DELETE,
    QUEUE_CHANGE_HOLD,
    QUEUE_CHANGE_RELEASE,
    QUEUE_CHANGE_REQUEUE,
    QUEUE_CHANGE_EXPIRE,
    QUEUE_CHANGES
};
const char *queue_change_verb(enum queue_change change);

/*
 * Change files without qmgr. words: names of folders, then ids or ALL, as
 * qmgr takes them; `take` gets the ids that were found, one a line.
 */
bool queue_files_change(const struct conf *conf, enum queue_change change,
                        struct str words, queue_take *take, void *own);

/* Files that stand in the wrong folder, and such that were never finished;
 * how many were mended or removed. */
size_t queue_files_mend(const struct conf *conf);
size_t queue_files_purge(const struct conf *conf);

#endif
