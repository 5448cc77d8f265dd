/*
 * base64.h - base64 (RFC 4648 4, RFC 2045 6.8).
 */
#ifndef MAIL_BASE64_H
#define MAIL_BASE64_H

#include "base/buf.h"

/* Append in one line, padded. */
void base64_encode(struct buf *out, struct str in);

/* Append in lines of 76, each ended by LF. in is all of it, or a multiple of
 * 57 bytes. */
void base64_encode_lines(struct buf *out, struct str in);

/* Strict, for SASL: the alphabet, right padding, no bits left over, nothing
 * else. out is undefined where it is false. */
bool base64_decode(struct buf *out, struct str in) MUST_USE;

/* As mail has it: bytes outside the alphabet are skipped, decoding ends at the
 * padding, a broken end gives what it can. */
void base64_decode_mail(struct buf *out, struct str in);

#endif
