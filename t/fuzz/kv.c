/* LMDB files with damage in them: refused, or read without a fault. */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "sys/kv.h"

static void
fuzz(struct arena *a, struct str in)
{
    static int fd = -1;
    const char *name;
    struct kv_pair pair;
    struct str value;
    struct why why;
    struct kv *k;
    size_t budget = 1000, sum = 0;

    if (fd < 0)
        fd = memfd_create("table", 0);
    name = arena_fmt(a, "/proc/self/fd/%d", fd);
    must(ftruncate(fd, 0) == 0);
    must(pwrite(fd, in.p, in.len, 0) == (ssize_t)in.len);
    if (kv_open(name, &k, &why) != OK)
        return;
    (void)kv_get(k, S("key"), &value);
    for (bool more = kv_first(k, &pair); more && budget--;
         more = kv_next(k, &pair))
        for (size_t i = 0; i < pair.value.len; i++)
            sum += (unsigned char)pair.value.p[i];
    must(sum < SIZE_MAX);
    kv_close(k);
}

FUZZ(1 << 20)
