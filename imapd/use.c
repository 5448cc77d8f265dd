#include "use.h"

/* \All and \Flagged would be views of other folders; what no RFC says has no
 * meaning. */
static const char *const known[] = {"\\Archive", "\\Drafts", "\\Junk", "\\Sent",
                                    "\\Trash"};

static bool
join(struct str word, struct buf *b)
{
    for (size_t i = 0; i < COUNT(known); i++)
        if (str_ieq(word, str_from(known[i]))) {
            buf_fmt(b, "%s%s", b->len > 0 ? " " : "", known[i]);
            return true;
        }
    return false;
}

bool
uses_join(const struct strings *words, struct buf *b)
{
    for (size_t i = 0; i < words->count; i++)
        if (i == COUNT(known) || !join(words->at[i], b))
            return false;
    return true;
}

bool
uses_join_text(struct str text, struct buf *b)
{
    struct str word;

    for (size_t i = 0; str_word(&text, " ", &word); i++)
        if (i == COUNT(known) || !join(word, b))
            return false;
    return true;
}
