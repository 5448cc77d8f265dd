/*
 * base.h - what every file may assume.
 *
 * Attributes, scope guards and the abort for our own bugs. Everything else in
 * lib/base has a header of its own.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define MUST_USE          __attribute__((warn_unused_result))
#define NORETURN          __attribute__((noreturn))
#define UNUSED            __attribute__((unused))

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Close the descriptor at the end of the scope; -1 is nothing to close. */
#define auto_close __attribute__((cleanup(base_close_scope)))

void base_close_scope(int *fd);

/*
 * End the process when a condition that only a bug of ours can break does not
 * hold: logs file, line and condition, flushes the log, aborts.
 */
#define must(cond) ((cond) ? (void)0 : base_broken(__FILE__, __LINE__, #cond))

void base_broken(const char *file, int line, const char *cond) NORETURN;

#endif
