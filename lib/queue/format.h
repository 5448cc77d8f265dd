/*
 * format.h - the queue file, byte by byte. For writer.c and file.c.
 *
 *     delivery block   "Return-Path: <...>" ..., may be absent
 *     content          LF line ends
 *     block, footer    the envelope
 *     block, footer    one pair per event: an attempt, a mark
 *     ...
 *
 * A block is numbers and texts of base/pack.h, the first number is its kind.
 * Its footer follows at once. The newest valid footer is the state of the
 * file, and what follows it is garbage of a write that was cut off.
 *
 * envelope: kind, version, FORMAT_CLAIMABLE bit, arrived, release, sender,
 *     envid, verp, filter, message_id, flags, origin (name, addr, helo,
 *     proto, login, port), count of recipients, and for each: addr, orig,
 *     orcpt, notify, same (1: transport and next hop as of the one before),
 *     else transport, nexthop
 * attempt: kind, when, count, and for each: index, state, action, dsn, text,
 *     relay, remote, reply, done
 * mark: kind, when, enum queue_mark
 *
 * footer, 48 bytes, numbers with the lowest byte first:
 *      0  magic
 *      4  CRC-32C of the block and of the footer with this field 0
 *      8  seal (queue/id.h): not 0
 *     16  start of the content (length of the delivery block)
 *     24  end of the content
 *     32  start of this footer's block
 *     40  start of the footer before it, 0 in the first
 */
#ifndef QUEUE_FORMAT_H
#define QUEUE_FORMAT_H

#include "base/buf.h"
#include "mail/envelope.h"

#define FORMAT_FOOTER  48
#define FORMAT_MAGIC   "PqF1"
#define FORMAT_VERSION 1

/* Envelope block and all events together; more is refused at the writing. */
#define FORMAT_TAIL_MAX  ((size_t)64 << 20)
#define FORMAT_BLOCK_MAX ((size_t)32 << 20)

enum format_kind { FORMAT_ENVELOPE = 1, FORMAT_ATTEMPT = 2, FORMAT_MARK = 3 };

struct footer {
    int64_t seal;
    uint64_t content_start, content_end, block, previous;
};

/* The delivery block names the one recipient. */
#define FORMAT_CLAIMABLE 1

void format_envelope(struct buf *b, const struct envelope *e, bool claimable);

/*
 * Add the footer of the block that stands in b from offset `from`; in the
 * file the block is to stand at footer->block.
 */
void format_footer(struct buf *b, size_t from, const struct footer *footer);

/*
 * Read the footer that stands at the end of `bytes`, whose first byte is at
 * offset `base` of the file. False if there is none with that seal (seal 0:
 * any) or it is not whole.
 */
bool format_read_footer(struct str bytes, uint64_t base, int64_t seal,
                        struct footer *footer) MUST_USE;

/* Does that footer's checksum hold? Its block must lie within `bytes`. */
bool format_check(struct str bytes, uint64_t base, const struct footer *f,
                  struct str *block) MUST_USE;

#endif
