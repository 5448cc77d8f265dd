/*
 * ask.h - role quota: smtpd asks whether a mailbox has room, before it takes a
 * message. It owns no mailbox itself, and this role reads nothing of a message.
 */
#ifndef LOCAL_ASK_H
#define LOCAL_ASK_H

#include "local.h"

/* The work of a worker: one question a connection. */
void ask_serve(struct daemon *d);

#endif
