/*
 * start_tls.h - a session becomes a TLS session: by STARTTLS (RFC 3207), or at
 * once (smtp_tls_wrappermode).
 */
#ifndef SMTP_START_TLS_H
#define SMTP_START_TLS_H

#include "session.h"

/*
 * After EHLO: do what s->demand says about an offer, or its absence. *secured:
 * TLS has begun, and the server must be greeted again. TEMP with trouble where
 * it is needed and not to be had.
 */
enum rc start_tls(struct session *s, struct arena *a, bool *secured,
                  struct trouble *t) MUST_USE;

/*
 * The handshake alone, and the judgement of the certificate. Where the former
 * fails the connection is of no more use (s->dead, s->handshake_failed).
 */
enum rc start_tls_now(struct session *s, struct arena *a,
                      struct trouble *t) MUST_USE;

#endif
