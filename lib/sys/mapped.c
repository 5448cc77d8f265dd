#include "sys/mapped.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/vec.h"
#include "sys/disk.h"

#define SMALL 65536

static struct {
    bool guarded;
    uintptr_t page;
    VEC(struct str) all;
} own;

static bool
is_ours(uintptr_t at)
{
    for (size_t i = 0; i < own.all.len; i++)
        if (at - (uintptr_t)own.all.at[i].p < own.all.at[i].len)
            return true;
    return false;
}

/* A page behind the end of the file was read. It comes from the instruction
 * that reads, never from the middle of vec_add, so the list is whole; mmap is
 * a mere system call. Any other fault happens again, and kills. */
static void
page_is_gone(int signal, siginfo_t *info, void *context)
{
    uintptr_t at = (uintptr_t)info->si_addr;
    void *page = (void *)(at - at % own.page);
    int error = errno;

    (void)context;
    if (!is_ours(at) ||
        mmap(page, own.page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
             -1, 0) == MAP_FAILED)
        sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    errno = error;
}

static void
guard(void)
{
    struct sigaction act = {.sa_sigaction = page_is_gone,
                            .sa_flags = SA_SIGINFO};

    if (own.guarded)
        return;
    own.guarded = true;
    own.page = (uintptr_t)sysconf(_SC_PAGESIZE);
    sigaction(SIGBUS, &act, NULL);
}

static bool
read_small(int fd, size_t size, struct str *bytes)
{
    char *p = calloc(1, size); /* zeros where it was cut off meanwhile */

    if (p == NULL)
        log_fatal("out of memory for a file");
    *bytes = (struct str){p, size};
    if (disk_read(fd, p, size, 0) >= 0)
        return true;
    free(p);
    return false;
}

bool
file_map(int fd, struct str *bytes)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return false;
    if (st.st_size == 0) {
        *bytes = S("");
        return true;
    }
    if (st.st_size <= SMALL)
        return read_small(fd, (size_t)st.st_size, bytes);

    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

    if (p == MAP_FAILED)
        return false;
    guard();
    *bytes = (struct str){p, (size_t)st.st_size};
    *vec_add(&own.all) = *bytes;
    return true;
}

void
file_unmap(struct str bytes)
{
    if (bytes.len == 0)
        return;
    for (size_t i = own.all.len; i > 0; i--)
        if (own.all.at[i - 1].p == bytes.p) {
            vec_drop(&own.all, i - 1);
            munmap((void *)(uintptr_t)bytes.p, bytes.len);
            return;
        }
    free((void *)(uintptr_t)bytes.p);
}
