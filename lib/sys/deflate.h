/*
 * deflate.h - a connection whose bytes are compressed (RFC 1951), for IMAP's
 * COMPRESS (RFC 4978). The only door to zlib.
 *
 * Costs some 100 KiB a connection once it is used. What a peer sends is
 * inflated into the room there is, so nothing grows however well it is
 * compressed.
 */
#ifndef SYS_DEFLATE_H
#define SYS_DEFLATE_H

#include "sys/conn.h"

/* A carrier for conn_switch, over the socket of that connection, which has
 * none so far. */
struct conn_carrier deflate_carrier(int fd);

#endif
