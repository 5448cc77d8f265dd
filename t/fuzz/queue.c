/* Queue files: as they are, and blocks with right footers around them. */
#include "fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "ipc/message.h"
#include "queue/format.h"
#include "queue/id.h"
#include "queue/journal.h"
#include "queue/listing.h"
#include "sys/disk.h"

#define SEAL 0x0123456789abcdef

/* Everything that readers do with a message. */
static void
walk(struct arena *a, const struct queue_file *f)
{
    struct queue_cursor c = queue_rcpts(f);
    struct queue_result *results = queue_results(a, f);
    struct buf b = buf_in(a);
    struct listing_record record;
    struct rcpt r;
    size_t n = 0, todo = 0, listed = 0;

    for (; queue_next(&c, &r); n++) {
        for (int64_t kind = 0; kind < 5; kind++)
            (void)queue_reports(f, n, &r, &results[n], kind);
        todo += queue_state_of(f, n) <= QUEUE_DEFERRED;
    }
    must(n == f->envelope.nrcpts && todo == f->todo);

    listing_message(&b, S("ID"), S("deferred"), f);
    must(listing_rcpts(a, &b, f, 0, SIZE_MAX) == n);
    for (struct str rest = buf_str(&b); rest.len;) {
        must(listing_next(&rest, &record));
        listed += record.kind == LISTING_RCPT;
    }
    must(listed == todo);
}

/* A copy without history says the same. */
static void
copy(struct arena *a, int fd, const struct queue_file *f)
{
    auto_close int out = memfd_create("copy", MFD_CLOEXEC);
    struct queue_place at = {.seal = f->at.seal};
    struct queue_file g;
    struct why why;

    must(queue_copy(a, out, fd, f, &at));
    must(queue_load(a, out, at.seal, &g, &why) == QUEUE_WHOLE);
    must(g.todo == f->todo && g.held == f->held && g.forced == f->forced);
}

static void
load(struct arena *a, struct str bytes)
{
    auto_close int fd = memfd_create("queue", MFD_CLOEXEC);
    struct queue_file f;
    struct queue_place at = {.seal = SEAL};
    struct envelope e;
    struct why why;

    must(disk_pwrite(fd, bytes, 0));
    (void)!queue_read_delivery_block(a, fd, &at, &e);
    if (queue_load(a, fd, SEAL, &f, &why) != QUEUE_WHOLE &&
        queue_load(a, fd, 0, &f, &why) != QUEUE_WHOLE)
        return;
    walk(a, &f);
    copy(a, fd, &f);
}

/* Blocks are cut by a length of two bytes before each. */
static void
load_blocks(struct arena *a, struct str in)
{
    struct buf b = buf_in(a);
    uint64_t previous = 0;

    buf_add(&b, S("text\n"));
    while (in.len > 2) {
        size_t len = (unsigned char)in.p[0] * 256u + (unsigned char)in.p[1];
        struct str block = str_sub(in, 2, len);
        size_t from = b.len;

        in = str_sub(in, 2 + block.len, in.len);
        if (block.len == 0)
            continue;
        buf_add(&b, block);
        format_footer(&b, from, &(struct footer){SEAL, 0, 5, from, previous});
        previous = b.len - FORMAT_FOOTER;
    }
    load(a, buf_str(&b));
}

static void
fuzz(struct arena *a, struct str in)
{
    struct listing_record record;
    struct queue_id id;
    int64_t seal;

    if (queue_name_parse(in, &id, &seal)) {
        char name[QUEUE_NAME_MAX];

        must(str_from(queue_name(id, seal, name)).len == in.len);
    }
    for (struct str rest = in; listing_next(&rest, &record);)
        continue;
    if (in.len && in.p[0] == 'B')
        load_blocks(a, str_sub(in, 1, in.len));
    else
        load(a, in);
}

FUZZ((size_t)64 << 20)
