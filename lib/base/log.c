#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/utf8.h"

#define SYSLOG_NAMES
#include <syslog.h>

#define LINE_MAX_LEN 2048

static struct {
    int fd;         /* file, or connected syslog socket */
    bool opened;    /* log_open was called */
    bool is_syslog; /* one datagram a line */
    int facility;
    const char *command; /* before lines on standard error */
    char tag[64], host[65];
    pid_t pid;
    time_t second; /* what stamp was made for */
    char stamp[32];
    char waiting[8192 + LINE_MAX_LEN];
    size_t len;
} state = {.fd = 2};

static int
facility_of(const char *name)
{
    for (const CODE *c = facilitynames; name && c->c_name; c++)
        if (strcmp(c->c_name, name) == 0)
            return c->c_val;
    return LOG_MAIL;
}

static int
syslog_connect(void)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (void *)&sa, sizeof sa) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

void
log_open(const char *tag, int fd, const char *facility)
{
    struct utsname host;

    log_flush();
    state.opened = true;
    state.is_syslog = fd < 0;
    state.facility = facility_of(facility);
    state.fd = fd < 0 ? syslog_connect() : fd;
    state.pid = getpid();
    snprintf(state.tag, sizeof state.tag, "%s", tag);
    if (uname(&host) == 0) {
        snprintf(state.host, sizeof state.host, "%s", host.nodename);
        state.host[strcspn(state.host, ".")] = '\0';
    }
}

void
log_command(const char *name)
{
    state.command = name;
}

void
log_forked(void)
{
    state.len = 0;
    state.pid = getpid();
}

void
log_reopen(int fd)
{
    log_flush();
    state.fd = fd;
}

void
log_flush(void)
{
    size_t done = 0;

    while (done < state.len && state.fd >= 0) {
        ssize_t n = write(state.fd, state.waiting + done, state.len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    state.len = 0;
}

static void
send_syslog(int level, const char *line)
{
    char packet[LINE_MAX_LEN + 64];
    int len = snprintf(packet, sizeof packet, "<%d>%s %s[%d]: %s",
                       state.facility | level, state.stamp, state.tag,
                       (int)state.pid, line);
    size_t size = (size_t)len < sizeof packet ? (size_t)len : sizeof packet - 1;

    /* syslogd may have been restarted since. */
    if (state.fd < 0 || send(state.fd, packet, size, MSG_NOSIGNAL) < 0) {
        if (state.fd >= 0)
            close(state.fd);
        state.fd = syslog_connect();
        if (state.fd >= 0)
            send(state.fd, packet, size, MSG_NOSIGNAL);
    }
}

static void
update_stamp(void)
{
    time_t now = time(NULL);
    struct tm tm;

    if (now == state.second)
        return;
    state.second = now;
    localtime_r(&now, &tm);
    strftime(state.stamp, sizeof state.stamp, "%b %e %H:%M:%S", &tm);
}

static void
keep_line(const char *line)
{
    char *at = state.waiting + state.len;
    size_t room = sizeof state.waiting - state.len;
    int len =
        state.opened
            ? snprintf(at, room, "%s %s %s[%d]: %s\n", state.stamp, state.host,
                       state.tag, (int)state.pid, line)
            : snprintf(at, room, "%s%s%s\n", state.command ? state.command : "",
                       state.command ? ": " : "", line);

    if (len < 0)
        return;
    if ((size_t)len >= room) {
        len = (int)room - 1;
        at[len - 1] = '\n';
    }
    state.len += (size_t)len;
    if (!state.opened || state.len > 8192)
        log_flush();
}

/* Strangers' bytes: no control bytes, and nothing that is no UTF-8. */
static void
mask(char *line)
{
    char *at = line;

    while (*at) {
        unsigned char c = (unsigned char)*at;

        if (c > 127) {
            struct str rest = str_from(at);

            if (utf8_next(&rest) == UTF8_BAD)
                *at = '?';
            at = line + (rest.p - line);
        } else {
            if (c < ' ' || c == 127)
                *at = '?';
            at++;
        }
    }
}

PRINTF(3, 0)
static void
say(int level, const char *prefix, const char *fmt, va_list args)
{
    char line[LINE_MAX_LEN];
    int saved = errno;
    size_t len = (size_t)snprintf(line, sizeof line, "%s", prefix);

    errno = saved; /* %m */
    vsnprintf(line + len, sizeof line - len, fmt, args);
    mask(line);
    update_stamp();
    if (state.is_syslog)
        send_syslog(level, line);
    else
        keep_line(line);
    if (level <= LOG_WARNING)
        log_flush();
    errno = saved;
}

#define SAY(name, level, prefix)                                               \
    void name(const char *fmt, ...)                                            \
    {                                                                          \
        va_list args;                                                          \
                                                                               \
        va_start(args, fmt);                                                   \
        say(level, prefix, fmt, args);                                         \
        va_end(args);                                                          \
    }

SAY(log_info, LOG_INFO, "")
SAY(log_warn, LOG_WARNING, "warning: ")
SAY(log_error, LOG_ERR, "error: ")
SAY(log_panic, LOG_CRIT, "panic: ")

void
log_as(const char *tag, const char *fmt, ...)
{
    char own[sizeof state.tag];
    va_list args;

    memcpy(own, state.tag, sizeof own);
    snprintf(state.tag, sizeof state.tag, "%s", tag);
    va_start(args, fmt);
    say(LOG_INFO, "", fmt, args);
    va_end(args);
    memcpy(state.tag, own, sizeof own);
}

void
log_fatal(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say(LOG_CRIT, "fatal: ", fmt, args);
    va_end(args);
    log_flush();
    exit(1);
}
