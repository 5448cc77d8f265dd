/*
 * saslprep.h - names and passwords made comparable (RFC 4013).
 */
#ifndef AUTH_SASLPREP_H
#define AUTH_SASLPREP_H

#include "base/arena.h"

/* Longest input. */
#define SASLPREP_MAX 4096

/*
 * The prepared form of a name or password, as a view with a NUL behind it.
 * False where it is no UTF-8, holds characters that are not allowed (controls
 * among them), mixes directions, is empty, too long, or holds a NUL.
 * `stored`: for what is kept, where code points that Unicode 3.2 did not
 * know are refused; for what is compared with it they pass as they are.
 */
bool saslprep(struct arena *a, struct str in, bool stored,
              struct str *out) MUST_USE;

#endif
