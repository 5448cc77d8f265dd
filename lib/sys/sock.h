/*
 * sock.h - sockets: packets with descriptors between our processes, and
 * streams to the world.
 *
 * Everything made here is close-on-exec. Functions that return a descriptor
 * return -1 with errno where they fail.
 */
#ifndef SYS_SOCK_H
#define SYS_SOCK_H

#include <sys/socket.h>
#include <sys/un.h>

#include "base/str.h"
#include "base/why.h"

#define SOCK_PACKET_MAX 65536
#define SOCK_FILES_MAX  64

/* Two connected SOCK_SEQPACKET ends. */
bool sock_pair(int ends[2]);

/*
 * Send one packet with descriptors. Blocks unless the socket is non-blocking;
 * false with errno, EAGAIN if it would have to wait.
 */
bool sock_send(int fd, struct str data, const int *files, size_t count);

/*
 * Receive one packet into data (SOCK_PACKET_MAX bytes of room) and up to
 * SOCK_FILES_MAX descriptors into files; *count says how many. The length, 0
 * when the peer is gone, -1 with errno. A packet that does not fit is EMSGSIZE.
 */
ssize_t sock_recv(int fd, char *data, int *files, size_t *count);

/*
 * Listen. `path` may be relative to the current folder; an old socket there
 * is replaced. mode is the file's. flags: SOCK_STREAM, SOCK_SEQPACKET, and
 * SOCK_NONBLOCK.
 */
int sock_listen_unix(const char *path, int flags, mode_t mode);
int sock_listen_inet(const struct sockaddr *sa, socklen_t len, int flags);

/* Connect to a UNIX socket of that type. */
int sock_connect_unix(const char *path, int type);

/* How long a read or a write may block, in milliseconds; 0 is for ever. */
bool sock_timeout(int fd, int64_t ms);

/* Send small writes at once (TCP_NODELAY); no effect on other sockets. */
void sock_nodelay(int fd);

/* The user at the other end of a UNIX socket, as the kernel knows it. */
bool sock_peer_uid(int fd, uid_t *uid, pid_t *pid);

/* Has the other end been closed, whatever it sent before? */
bool sock_peer_gone(int fd);

/*
 * An address as text: "192.0.2.1", "2001:db8::1" (IPv4-mapped as IPv4), and
 * its port (0 for a UNIX socket, whose text is "local"). text has room for
 * SOCK_TEXT_MAX bytes.
 */
#define SOCK_TEXT_MAX 64
void sock_text(const struct sockaddr *sa, char *text, unsigned *port);

#endif
