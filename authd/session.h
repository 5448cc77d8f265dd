/*
 * session.h - a client of the socket: the lines of Dovecot's auth-client
 * protocol, many logins at a time. Root and mail_owner may also ask what is
 * known of a user, with USER of Dovecot's auth-master protocol.
 */
#ifndef AUTHD_SESSION_H
#define AUTHD_SESSION_H

#include "auth.h"

struct session;

/* A client has connected; fd does not block, and is the session's. */
void session_start(struct auth *auth, int fd);

/* Close those where nothing is under way; all where `now`. Others close when
 * their last login has ended. */
void sessions_end(struct auth *auth, bool now);

#endif
