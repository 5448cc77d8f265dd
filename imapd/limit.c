#include "limit.h"

#include "condstore.h"

uint32_t
limit_lowest(const struct session *s, struct uid_set set)
{
    uint32_t left = (uint32_t)s->conf->imap_message_limit, lowest = 0;

    if (left == 0)
        return 0;
    for (size_t i = set.len; i-- > 0;) {
        uint32_t before, count = range_count(s->view, set.at[i], &before);

        if (count > left)
            return left > 0 ? view_uid(s->view, before + count - left + 1)
                            : lowest;
        if (count > 0)
            lowest = view_uid(s->view, before + 1);
        left -= count;
    }
    return 0;
}

struct uid_set
limit_cut(struct session *s, struct uid_set set)
{
    struct uid_range above = {limit_lowest(s, set), UINT32_MAX};

    if (above.first == 0)
        return set;
    s->lowest = above.first;
    return condstore_both(s, set, (struct uid_set){&above, 1});
}

void
limit_put(const struct session *s, struct buf *b, uint32_t lowest)
{
    buf_fmt(b, "[MESSAGELIMIT %lld", (long long)s->conf->imap_message_limit);
    if (lowest > 0)
        buf_fmt(b, " %u", lowest);
    buf_add(b, S("] "));
}

void
limit_refuse(struct session *s, uint32_t lowest, const char *text)
{
    struct buf code = buf_in(s->command);

    limit_put(s, &code, lowest);
    reply_no(s, "%.*s%s", STR(buf_str(&code)), text);
}
