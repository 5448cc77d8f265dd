/*
 * What processes that were killed have left in tmp/. Maildir's rule: nobody
 * comes back to a file that has not been touched for 36 hours. Only its ctime
 * tells: of what is about to be a message the mtime is the INTERNALDATE.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/own.h"
#include "sys/disk.h"

#define TOO_OLD (36 * 3600) /* seconds */
#define PAUSE   (8 * 3600)  /* between two looks: Dovecot's, too */
#define SOME    1000        /* files of a look */

static bool
is_left(int tmp, const char *name, int64_t now)
{
    struct stat st;

    return fstatat(tmp, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(st.st_mode) && now - st.st_ctim.tv_sec > TOO_OLD;
}

void
leftovers_remove(int dir, const struct stat *tmp, int64_t now)
{
    static const struct timespec looked[] = {{.tv_nsec = UTIME_NOW},
                                             {.tv_nsec = UTIME_OMIT}};
    struct dirent *e;

    /* When it was listed last is its atime, which its owner may set. */
    if (now - tmp->st_atim.tv_sec < PAUSE || tmp->st_uid != geteuid())
        return;
    DIR *d = disk_list(dir, "tmp");

    if (d == NULL)
        return;
    (void)!futimens(dirfd(d), looked);
    for (int i = 0; i < SOME && (e = readdir(d)); i++)
        if (is_left(dirfd(d), e->d_name, now))
            (void)!disk_remove(dirfd(d), e->d_name);
    closedir(d);
}
