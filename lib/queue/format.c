#include "queue/format.h"

#include "base/crc.h"
#include "base/pack.h"

static void
put_u64(char *at, uint64_t value)
{
    for (int i = 0; i < 8; i++, value >>= 8)
        at[i] = (char)(value & 0xff);
}

static uint64_t
get_u64(const char *at)
{
    uint64_t value = 0;

    for (int i = 7; i >= 0; i--)
        value = value << 8 | (unsigned char)at[i];
    return value;
}

static uint32_t
get_u32(const char *at)
{
    uint32_t value = 0;

    for (int i = 3; i >= 0; i--)
        value = value << 8 | (unsigned char)at[i];
    return value;
}

static void
pack_origin(struct buf *b, const struct origin *o)
{
    pack_text(b, o->name);
    pack_text(b, o->addr);
    pack_text(b, o->helo);
    pack_text(b, o->proto);
    pack_text(b, o->login);
    pack_num(b, o->port);
}

static void
pack_rcpt(struct buf *b, const struct rcpt *r, const struct rcpt *before)
{
    bool same = before && str_eq(r->transport, before->transport) &&
                str_eq(r->nexthop, before->nexthop);

    pack_text(b, r->addr);
    pack_text(b, r->orig);
    pack_text(b, r->orcpt);
    pack_num(b, r->notify);
    pack_num(b, same);
    if (same)
        return;
    pack_text(b, r->transport);
    pack_text(b, r->nexthop);
}

void
format_envelope(struct buf *b, const struct envelope *e, bool claimable)
{
    pack_num(b, FORMAT_ENVELOPE);
    pack_num(b, FORMAT_VERSION);
    pack_num(b, claimable ? FORMAT_CLAIMABLE : 0);
    pack_num(b, e->arrived);
    pack_num(b, e->release);
    pack_text(b, e->sender);
    pack_text(b, e->envid);
    pack_text(b, e->verp);
    pack_text(b, e->filter);
    pack_text(b, e->message_id);
    pack_num(b, e->flags);
    pack_origin(b, &e->origin);
    pack_num(b, (int64_t)e->nrcpts);
    for (size_t i = 0; i < e->nrcpts; i++)
        pack_rcpt(b, &e->rcpts[i], i ? &e->rcpts[i - 1] : NULL);
}

void
format_footer(struct buf *b, size_t from, const struct footer *footer)
{
    char *at = buf_space(b, FORMAT_FOOTER);

    memcpy(at, FORMAT_MAGIC "\0\0\0\0", 8);
    put_u64(at + 8, (uint64_t)footer->seal);
    put_u64(at + 16, footer->content_start);
    put_u64(at + 24, footer->content_end);
    put_u64(at + 32, footer->block);
    put_u64(at + 40, footer->previous);
    b->len += FORMAT_FOOTER;

    uint32_t crc = crc32c(0, (struct str){b->p + from, b->len - from});

    for (int i = 0; i < 4; i++, crc >>= 8)
        at[4 + i] = (char)(crc & 0xff);
}

bool
format_read_footer(struct str bytes, uint64_t base, int64_t seal,
                   struct footer *f)
{
    if (bytes.len < FORMAT_FOOTER)
        return false;

    const char *at = bytes.p + bytes.len - FORMAT_FOOTER;
    uint64_t here = base + bytes.len - FORMAT_FOOTER;

    *f = (struct footer){(int64_t)get_u64(at + 8), get_u64(at + 16),
                         get_u64(at + 24), get_u64(at + 32), get_u64(at + 40)};
    return memcmp(at, FORMAT_MAGIC, 4) == 0 && f->seal != 0 &&
           (seal == 0 || f->seal == seal) &&
           f->content_start <= f->content_end && f->content_end <= f->block &&
           f->block < here && here - f->block <= FORMAT_BLOCK_MAX &&
           (f->previous == 0 ? f->block == f->content_end
                             : f->previous > f->content_end &&
                                   f->block == f->previous + FORMAT_FOOTER);
}

bool
format_check(struct str bytes, uint64_t base, const struct footer *f,
             struct str *block)
{
    char head[8];

    if (f->block < base || f->block - base > bytes.len - FORMAT_FOOTER)
        return false;

    struct str all = str_sub(bytes, f->block - base, bytes.len);

    *block = str_sub(all, 0, all.len - FORMAT_FOOTER);

    const char *foot = all.p + block->len;
    uint32_t crc = crc32c(0, *block);

    memcpy(head, FORMAT_MAGIC "\0\0\0\0", 8);
    crc = crc32c(crc, (struct str){head, 8});
    crc = crc32c(crc, (struct str){foot + 8, FORMAT_FOOTER - 8});
    return crc == get_u32(foot + 4);
}
