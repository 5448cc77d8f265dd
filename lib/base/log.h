/*
 * log.h - one line, one fact.
 *
 * Lines have Postfix's shape: "TIME HOST TAG[PID]: text". They collect in
 * memory and go out with one write, at log_flush, when 8 KiB are waiting or
 * at once where something is wrong (warning and above). A process flushes
 * before it hands a message on and before it waits for long, so the lines of
 * one message stand in order. Control bytes and what is no UTF-8 become '?'.
 * Secrets are never arguments.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/base.h"

/*
 * Log as `tag` ("posta/smtpd") to a file descriptor, or with fd -1 to the
 * syslog socket in that facility ("mail"). Until the first call lines go to
 * standard error without time and host. The tag is copied.
 */
void log_open(const char *tag, int fd, const char *facility);

/* Lines on standard error begin with "NAME: ", as those of commands do. The
 * name stays the caller's. */
void log_command(const char *name);

/* A new process id after fork; forgets lines that the parent still holds. */
void log_forked(void);

/* Take over the descriptor of a log file that was rotated. */
void log_reopen(int fd);

void log_info(const char *fmt, ...) PRINTF(1, 2);
/* The same as another program than this one is called, for lines that other
 * software knows by that name. */
void log_as(const char *tag, const char *fmt, ...) PRINTF(2, 3);
/* Postfix's prefixes: "warning: ", "error: ", "panic: ". */
void log_warn(const char *fmt, ...) PRINTF(1, 2);
void log_error(const char *fmt, ...) PRINTF(1, 2);
void log_panic(const char *fmt, ...) PRINTF(1, 2);
/* "fatal: ", then exit status 1. */
void log_fatal(const char *fmt, ...) PRINTF(1, 2) NORETURN;

void log_flush(void);

#endif
