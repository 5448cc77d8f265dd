/*
 * report.h - reports to senders, written by bounce workers.
 *
 * qmgr only says which message and which kind; the worker reads from the file
 * whom it is about, and submits the report as a message of its own.
 */
#ifndef QMGR_REPORT_H
#define QMGR_REPORT_H

#include "message.h"
#include "peer.h"

void report_init(void);
struct crew *report_crew(void);

/* Ask for a report (enum report); the message is `waiting` until then, and
 * message_reported tells it how that went. */
void report_ask(struct message *m, int64_t kind);

bool report_reported(struct peer *p, struct packet *packet) MUST_USE;
/* The worker died over a request. */
void report_lost(struct peer *p);
/* The message is to be forgotten. */
void report_withdraw(struct message *m);

#endif
