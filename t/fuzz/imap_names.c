/* What clients name by text: patterns, URLs, notes, quota rules. */
#include "access/names.h"
#include "fuzz/fuzz.h"
#include "imapd/pattern.h"
#include "imapd/url.h"
#include "mail/quota_rule.h"
#include "store/metadata.h"

/* What a name is in the home comes back as the same name. */
static void
fuzz_names(struct arena *a, struct str name)
{
    static const struct names all[] = {
        {S(""),       '/'},
        {S("INBOX."), '.'},
        {S("Mail/"),  '/'}
    };

    for (size_t i = 0; i < COUNT(all); i++) {
        struct str whole = names_canonical(&all[i], a, name), inner;

        must(str_eq(whole, names_canonical(&all[i], a, whole)));
        if (names_inner(&all[i], whole, &inner) &&
            memchr(inner.p, '\0', inner.len) == NULL)
            must(str_eq(names_outer(&all[i], a, inner), whole));
    }
}

static void
fuzz(struct arena *a, struct str in)
{
    struct quota_limits limits = {0};
    struct metadata_note note;
    struct imap_url url;
    struct str text = in, name;

    str_cut(&text, '\n', &name);
    fuzz_names(a, name);
    name = str_sub(name, 0, PATTERN_NAME_MAX);
    struct str pattern = pattern_make(a, str_sub(text, 0, 4096));

    /* What a pattern of the whole name and a star matches. */
    (void)pattern_match(pattern, name, '/');
    pattern = pattern_make(a, str_from(arena_fmt(a, "%.*s*", STR(name))));
    must(memchr(name.p, '\0', name.len) || pattern.len == 0 ||
         pattern_match(pattern, name, '/'));
    if (url_parse(a, in, &url))
        must(url.mailbox.len > 0 && url.uid > 0);
    if (quota_rule_read(in, &limits))
        must(limits.bytes >= 0 && limits.messages >= 0);
    while (metadata_next(a, &in, &note))
        must(note.entry.len > 0);
}

FUZZ(1 << 20)
