/*
 * writer.h - how a producer writes a message into its queue file.
 *
 * The producer got an empty file from qmgr (message queue_opened). It puts
 * content, LF line ends, in order, then finishes with the envelope; after OK
 * the file is complete and on disk, and a queue_commit makes it qmgr's. After
 * TEMP (disk full, I/O error) the message is not stored: reply 4xx, abandon.
 */
#ifndef QUEUE_WRITER_H
#define QUEUE_WRITER_H

#include "base/arena.h"
#include "base/why.h"
#include "mail/envelope.h"

struct queue_writer;

/*
 * The writer lives in the arena; fd, a new and empty file, stays the caller's.
 * The seal came with it in queue_opened: only who knows it can write a footer
 * that qmgr believes, so content that looks like one is never taken for it.
 */
struct queue_writer *queue_write(struct arena *a, int fd, int64_t seal);

/* Empty the file and begin anew, after RSET or a failed transaction. */
void queue_restart(struct queue_writer *w);

/*
 * Begin the content with the delivery block that mailboxes show and relays
 * skip: Return-Path, and where the one recipient is known, X-Original-To and
 * Delivered-To. rcpt is NULL where there are several recipients (the file can
 * then not be claimed, only copied). Call at most once, first.
 */
void queue_put_delivery_block(struct queue_writer *w, struct str sender,
                              const struct rcpt *rcpt);

/* Content, buffered; errors are kept for queue_finish. */
void queue_put(struct queue_writer *w, struct str content);

/* Bytes of content so far, without the delivery block. */
int64_t queue_size(const struct queue_writer *w);

/* Write the envelope, the footer, and sync (fdatasync). PERM where an address
 * is longer than a queue file may have it (file.h). */
enum rc queue_finish(struct queue_writer *w, const struct envelope *e,
                     struct why *why) MUST_USE;

#endif
