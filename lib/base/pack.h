/*
 * pack.h - numbers and texts as bytes, for packets and records.
 *
 * A number is a zigzag varint (1 to 10 bytes), a text its length as a varint
 * and then its bytes. Readers take from the front of a view and refuse what is
 * cut short or too long; texts they return are views of the input.
 */
#ifndef BASE_PACK_H
#define BASE_PACK_H

#include "base/buf.h"

void pack_num(struct buf *b, int64_t value);
void pack_text(struct buf *b, struct str s);

bool unpack_num(struct str *from, int64_t *value) MUST_USE;
bool unpack_text(struct str *from, struct str *text) MUST_USE;

#endif
