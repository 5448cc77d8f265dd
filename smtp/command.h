/*
 * command.h - the lines of a transaction, each with its CRLF. Nothing that
 * goes into them can hold a line end.
 */
#ifndef SMTP_COMMAND_H
#define SMTP_COMMAND_H

#include "content.h"
#include "job.h"

/* Fill j->sender and each recipient's wire form: external form, and only
 * bytes that may stand in a command. Recipients who have none fail. */
enum rc command_prepare(struct job *j, struct why *why) MUST_USE;

struct str command_mail(const struct session *s, const struct job *j,
                        const struct content *c);
struct str command_rcpt(const struct session *s, const struct job *j,
                        const struct job_rcpt *r);

#endif
