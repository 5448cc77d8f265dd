/* Packets between our processes: a worker that a stranger has taken over may
 * send any bytes. */
#include "ipc/message.h"

#include <fcntl.h>

#include "base/log.h"
#include "fuzz/fuzz.h"

static struct packet packet;

static void
records(struct str list)
{
#define RECORD(name, fields)                                                   \
    for (struct str rest = list; rest.len > 0;) {                              \
        struct rec_##name r;                                                   \
                                                                               \
        if (!get_##name(&rest, &r))                                            \
            break;                                                             \
    }
#include "ipc/messages.def"
}

static void
fuzz(struct arena *a, struct str in)
{
    static int quiet = -1;

    (void)a;
    if (quiet < 0) {
        quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
        log_open("fuzz", quiet, "mail");
    }
    records(in);
    if (in.len < 1 || in.len > sizeof packet.data)
        return;
    memcpy(packet.data, in.p, in.len);
#define MSG(from, to, name, fields)                                            \
    {                                                                          \
        struct msg_##name m;                                                   \
                                                                               \
        packet.type = MSG_##name;                                              \
        packet.body = str_sub((struct str){packet.data, in.len}, 1, in.len);   \
        packet.files.count = 0;                                                \
        if (read_##name(&packet, &m))                                          \
            must(packet.body.len == 0);                                        \
    }
#include "ipc/messages.def"
}

FUZZ(1 << 16)
