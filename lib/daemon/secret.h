/*
 * secret.h - random keys that stay the same for years.
 *
 * A file of 32 bytes in the role's folder, made by whoever needs it first;
 * only root, or the one user of an instance without root, reads it. For
 * `prepare`: later the rights are gone.
 */
#ifndef DAEMON_SECRET_H
#define DAEMON_SECRET_H

#include "base/why.h"

#define SECRET_SIZE 32

/* TEMP with why where it cannot be read or made. */
enum rc secret_load(int folder, const char *name,
                    unsigned char secret[SECRET_SIZE],
                    struct why *why) MUST_USE;

#endif
