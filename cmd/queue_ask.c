#include "queue.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "sys/sock.h"

#define PATIENCE_MS 60000

int
queue_folder(const struct conf *conf)
{
    return open(conf->queue_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int
queue_ask(const struct conf *conf, const char *verb, struct str args,
          queue_take *take, void *own, int *file)
{
    static struct packet packet;
    struct arena *a = arena_new("question", 1 << 20);
    struct link link = {.self = SIDE(TOOL), .peer = SIDE(QMGR)};
    struct msg_ask_queue m = {.verb = str_from(verb), .args = args};
    struct msg_queue_says says = {.fd = -1};

    link.fd = sock_connect_unix(
        arena_fmt(a, "%s/public/qmgr", conf->queue_directory), SOCK_SEQPACKET);
    arena_free(a);

    auto_close int fd = link.fd;

    if (fd < 0 || !sock_timeout(fd, PATIENCE_MS) || !send_ask_queue(&link, &m))
        return QUEUE_DOWN;
    do {
        if (link_expect(&link, &packet, MSG_queue_says) != LINK_OK ||
            !read_queue_says(&packet, &says)) {
            errno = ECONNRESET;
            return QUEUE_DOWN;
        }
        if (says.text.len)
            take(own, says.text);
        if (file)
            *file = says.fd;
        else
            base_close_scope(&says.fd);
    } while (!says.last);
    return (int)says.status;
}
