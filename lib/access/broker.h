/*
 * broker.h - between the login stage and the processes of users.
 *
 * The login stage, which speaks with strangers, sends a connection and a
 * ticket of authd (auth/ticket.h). The broker believes the ticket alone, finds
 * or starts the user's process, and hands the connection over. It reads
 * nothing that a client has sent. Its rights: to become other users.
 */
#ifndef ACCESS_BROKER_H
#define ACCESS_BROKER_H

#include "access/user.h"

/* As in struct program. */
void broker_prepare(struct daemon *d, const struct user_program *p);
void broker_work(struct daemon *d, const struct user_program *p);

#endif
