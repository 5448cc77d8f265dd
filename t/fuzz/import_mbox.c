/* A mailbox file, as posta import reads it: what is stored is what was looked
 * at first, and no more than there was. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cmd/import_work.h"
#include "fuzz/fuzz.h"
#include "sys/disk.h"

static struct {
    uint64_t looked, stored; /* hashes of a message */
    size_t bytes;            /* of all */
} seen;

/* ---- what the target does */

void
cmd_say(const char *name, const char *fmt, ...)
{
    (void)name;
    (void)fmt;
}

struct str
import_name(struct import *im, struct arena *a, struct str name, char delimiter,
            bool mutf7)
{
    (void)im;
    (void)a;
    (void)delimiter;
    (void)mutf7;
    return name;
}

enum rc
import_enter(struct import *im, struct str key, uint32_t validity,
             struct str name, struct str use, struct why *why)
{
    (void)im;
    (void)key;
    (void)validity;
    (void)name;
    (void)use;
    (void)why;
    return OK;
}

enum rc
import_leave(struct import *im, struct why *why)
{
    (void)im;
    (void)why;
    return OK;
}

void
import_abort(struct import *im)
{
    (void)im;
}

uint64_t
import_hash(uint64_t hash, struct str bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        hash = (hash ^ (unsigned char)bytes.p[i]) * UINT64_C(0x100000001b3);
    return hash;
}

bool
import_state_takes(struct import_state *s, uint64_t hash)
{
    (void)s;
    seen.looked = hash;
    return hash % 4 == 0;
}

enum rc
import_flags(struct import *im, struct str flags, unsigned *bits,
             uint64_t *keywords, struct why *why)
{
    (void)im;
    (void)flags;
    (void)why;
    *bits = 0;
    *keywords = 0;
    return OK;
}

enum rc
import_begin(struct import *im, unsigned bits, uint64_t keywords, int64_t date,
             struct why *why)
{
    (void)im;
    (void)bits;
    (void)keywords;
    (void)date;
    (void)why;
    seen.stored = IMPORT_HASH;
    return OK;
}

enum rc
import_bytes(struct import *im, struct str bytes, struct why *why)
{
    (void)im;
    (void)why;
    seen.bytes += bytes.len;
    seen.stored = import_hash(seen.stored, bytes);
    return OK;
}

enum rc
import_end(struct import *im, struct str id, struct why *why)
{
    (void)im;
    (void)id;
    (void)why;
    must(seen.stored == seen.looked);
    return OK;
}

static void
fuzz(struct arena *a, struct str in)
{
    const struct import_options options = {0};
    struct import im = {.life = a, .options = &options};
    auto_close int fd = memfd_create("mbox", MFD_CLOEXEC);

    must(fd >= 0 && disk_write(fd, in));
    seen.bytes = 0;
    int status = import_mbox(&im, arena_fmt(a, "/proc/self/fd/%d", fd));

    must(status == IMPORT_DONE || status == IMPORT_NO_INPUT);
    must(seen.bytes <= in.len);
}

FUZZ((size_t)16 << 20)
