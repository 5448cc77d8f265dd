/*
 * builder.h - a segment in the making: first the texts of messages, one after
 * the other, then its file, in steps of a millisecond or so.
 */
#ifndef FTS_BUILDER_H
#define FTS_BUILDER_H

#include "base/why.h"
#include "fts/segment.h"

struct builder;

struct builder *builder_new(const struct segment_folder *folder);
void builder_free(struct builder *b);

/* A message, with a higher UID than those before. */
void builder_begin(struct builder *b, uint32_t uid, uint64_t id);
/* One of its texts begins, then goes on: mapped, whole characters. */
void builder_text(struct builder *b, enum fts_area area);
/* False where it has had too much: more of it is of no use. */
bool builder_put(struct builder *b, struct str mapped);
void builder_end(struct builder *b);
/* The message that has begun is not to be in it. */
void builder_forget(struct builder *b);

size_t builder_count(const struct builder *b);
/* It has as much as it should: write it. */
bool builder_is_full(const struct builder *b);

/* Make the file, step by step: OK and *done when it has that name. Nothing can
 * be added any more. It is not synced: its CRC tells whether it is whole. */
enum rc builder_write(struct builder *b, int dir, const char *name, bool *done,
                      struct why *why) MUST_USE;

#endif
