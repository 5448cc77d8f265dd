#include "ipc/message.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

static const struct row {
    const char *name;
    unsigned from, to;
} rows[] = {
#define MSG(from, to, name, fields) {#name, SIDE(from), SIDE(to)},
#include "ipc/messages.def"
};

const char *
msg_name(enum msg_type type)
{
    return (unsigned)type < MSG_COUNT ? rows[type].name : "?";
}

void
packet_drop(struct packet *p)
{
    for (size_t i = 0; i < p->files.count; i++)
        if (p->files.fd[i] >= 0)
            close(p->files.fd[i]);
    p->files.count = 0;
}

static enum link_state
bad(const struct packet *p, const char *what)
{
    log_warn("internal protocol: %s (%s)", what, msg_name(p->type));
    return LINK_BAD;
}

enum link_state
link_receive(const struct link *link, struct packet *p)
{
    packet_drop(p);

    ssize_t n;

    do
        n = sock_recv(link->fd, p->data, p->files.fd, &p->files.count);
    while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return LINK_AGAIN;
    if (n <= 0)
        return LINK_GONE;
    p->type = (enum msg_type)(unsigned char)p->data[0];
    p->body = (struct str){p->data + 1, (size_t)n - 1};
    if ((unsigned)p->type >= MSG_COUNT)
        return bad(p, "unknown message");
    if (!(rows[p->type].from & link->peer) || !(rows[p->type].to & link->self))
        return bad(p, "this peer may not say that");
    return LINK_OK;
}

enum link_state
link_expect(const struct link *link, struct packet *p, enum msg_type type)
{
    enum link_state state = link_receive(link, p);

    if (state == LINK_OK && p->type != type)
        return bad(p, "unexpected message");
    return state;
}

/*
 * Packing goes into a static buffer: one packet is made and sent at a time.
 */
struct writer {
    char data[SOCK_PACKET_MAX];
    size_t len;
    struct files files;
};

static struct writer out;

void
packet_wipe(struct packet *p)
{
    if (p && p->body.p)
        explicit_bzero(p->data, (size_t)(p->body.p + p->body.len - p->data));
    explicit_bzero(out.data, out.len);
}

static void
write_num(int64_t value)
{
    uint64_t v = ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);

    must(out.len + 10 <= sizeof out.data);
    for (; v >= 0x80; v >>= 7)
        out.data[out.len++] = (char)(v | 0x80);
    out.data[out.len++] = (char)v;
}

static void
write_text(struct str s)
{
    write_num((int64_t)s.len);
    must(s.len <= sizeof out.data - out.len);
    if (s.len)
        memcpy(out.data + out.len, s.p, s.len);
    out.len += s.len;
}

static void
write_file(int fd)
{
    write_num(fd >= 0);
    if (fd >= 0)
        out.files.fd[out.files.count++] = fd;
}

static void
write_files(const struct files *files)
{
    write_num((int64_t)files->count);
    out.files = *files;
}

static bool
take_file(struct packet *p, int *fd)
{
    int64_t there;

    *fd = -1;
    if (!unpack_num(&p->body, &there) || there != (p->files.count == 1))
        return false;
    if (there)
        *fd = p->files.fd[0];
    p->taken = p->files.count;
    return true;
}

static bool
take_files(struct packet *p, struct files *files)
{
    int64_t count;

    if (!unpack_num(&p->body, &count) || (uint64_t)count != p->files.count)
        return false;
    *files = p->files;
    p->taken = p->files.count;
    return true;
}

/* The descriptors leave the packet only with a message that is right. */
static bool
all_read(struct packet *p, bool right)
{
    if (!right || p->body.len > 0 || p->files.count != p->taken) {
        bad(p, "malformed message");
        return false;
    }
    p->files.count = 0;
    return true;
}

static bool
send_out(const struct link *link)
{
    return sock_send(link->fd, (struct str){out.data, out.len}, out.files.fd,
                     out.files.count);
}

#define Num(name)   write_num(m->name);
#define Text(name)  write_text(m->name);
#define File(name)  write_file(m->name);
#define Files(name) write_files(&m->name);
#define MSG(from, to, name, fields)                                            \
    bool send_##name(const struct link *link, const struct msg_##name *m)      \
    {                                                                          \
        out.len = out.files.count = 0;                                         \
        out.data[out.len++] = (char)MSG_##name;                                \
        fields return send_out(link);                                          \
    }
#include "ipc/messages.def"
#undef Num
#undef Text
#undef File
#undef Files

#define Num(name)   &&unpack_num(&p->body, &m->name)
#define Text(name)  &&unpack_text(&p->body, &m->name)
#define File(name)  &&take_file(p, &m->name)
#define Files(name) &&take_files(p, &m->name)
#define MSG(from, to, name, fields)                                            \
    bool read_##name(struct packet *p, struct msg_##name *m)                   \
    {                                                                          \
        p->taken = 0;                                                          \
        return all_read(p, true fields);                                       \
    }
#include "ipc/messages.def"
#undef Num
#undef Text
#undef File
#undef Files

#define Num(name)  pack_num(list, r->name);
#define Text(name) pack_text(list, r->name);
#define RECORD(name, fields)                                                   \
    void put_##name(struct buf *list, const struct rec_##name *r)              \
    {                                                                          \
        fields                                                                 \
    }
#include "ipc/messages.def"
#undef Num
#undef Text

#define Num(name)  &&unpack_num(list, &r->name)
#define Text(name) &&unpack_text(list, &r->name)
#define RECORD(name, fields)                                                   \
    bool get_##name(struct str *list, struct rec_##name *r)                    \
    {                                                                          \
        return true fields;                                                    \
    }
#include "ipc/messages.def"
