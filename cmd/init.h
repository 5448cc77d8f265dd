/*
 * init.h - posta init, which writes a configuration.
 */
#ifndef CMD_INIT_H
#define CMD_INIT_H

#include "base/arena.h"

/* The command; dir is the folder of `posta -c DIR init`, or NULL. */
int init_main(int argc, char **argv, const char *dir);

/* Write DIR/tls/cert.pem and key.pem, self-signed, ECDSA P-256, ten years,
 * for that host. Says on standard error what went wrong. */
bool init_certificate(struct arena *a, const char *dir, const char *host);

#endif
