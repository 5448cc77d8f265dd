/*
 * mapped.h - a file's bytes, mapped to be read. Small files are read instead,
 * which costs less.
 *
 * Nobody should cut a message off while it is read, but other programs of its
 * user may. The bytes that have gone are zeros then, instead of the end of this
 * process: what was announced with a length can still be sent with it.
 */
#ifndef SYS_MAPPED_H
#define SYS_MAPPED_H

#include "base/str.h"

/* All of the file as it is now, until file_unmap; no view needs its descriptor.
 * Empty, and not NULL, where it is empty. False: errno says why. */
bool file_map(int fd, struct str *bytes) MUST_USE;

/* What file_map gave; a NULL view is let be. */
void file_unmap(struct str bytes);

#endif
