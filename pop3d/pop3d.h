/*
 * pop3d.h - the parts of the POP3 server.
 *
 *   login.c    before login (role pop3d): no rights
 *   both.c     what both stages say
 *   session.c  after it (role pop3-users): as the mailbox's user
 */
#ifndef POP3D_POP3D_H
#define POP3D_POP3D_H

#include "access/login.h"
#include "access/user.h"

extern const struct login_protocol pop3_login;
extern const struct user_program pop3_user;

/*
 * The greeting (access/login.h): what CAPA lists that depends on the login
 * stage, USER and SASL, as lines with CRLF; RFC 2449 5 wants these after login
 * too. Before them this where the client reads UTF-8.
 */
#define POP3_UTF8 "*"

/* What CAPA lists before and after login, but for SASL, STLS and USER. Lines
 * with CRLF. */
extern const char pop3_capabilities[];

/* LANG (RFC 6856 3). */
void pop3_lang(struct conn *c, struct str args);

#endif
