#include "daemon/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* 1 read, 0 not there, -1 with errno. */
static int
read_secret(int folder, const char *name, unsigned char secret[SECRET_SIZE])
{
    auto_close int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return errno == ENOENT ? 0 : -1;
    errno = EIO;
    return read(fd, secret, SECRET_SIZE) == SECRET_SIZE ? 1 : -1;
}

/* Whole or not at all, under its name; somebody else may be first. */
static bool
make_secret(int folder, const char *name)
{
    unsigned char bytes[SECRET_SIZE];
    char temporary[64];

    snprintf(temporary, sizeof temporary, "new.%s.%ld", name, (long)getpid());
    auto_close int fd = openat(folder, temporary,
                               O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0)
        return false;
    bool made =
        getrandom(bytes, sizeof bytes, 0) == sizeof bytes &&
        write(fd, bytes, sizeof bytes) == sizeof bytes && fsync(fd) == 0 &&
        (linkat(folder, temporary, folder, name, 0) == 0 || errno == EEXIST);
    int saved = errno;

    explicit_bzero(bytes, sizeof bytes);
    unlinkat(folder, temporary, 0);
    errno = saved;
    return made;
}

enum rc
secret_load(int folder, const char *name, unsigned char secret[SECRET_SIZE],
            struct why *why)
{
    int got = read_secret(folder, name, secret);

    if (got == 0 && !make_secret(folder, name))
        return fail(why, "4.3.0", "cannot make the key file %s: %m", name);
    if (got == 0)
        got = read_secret(folder, name, secret);
    return got == 1
               ? OK
               : fail(why, "4.3.0", "cannot read the key file %s: %m", name);
}
