/* The text files of a Maildir: what is read can be written and read again. */
#include "fuzz/fuzz.h"

#include "mail/mutf7.h"
#include "store/acl.h"
#include "store/keywords.h"
#include "store/name.h"
#include "store/quota.h"
#include "store/state.h"
#include "store/subs.h"
#include "store/uidlist.h"

static void
uidlist(struct arena *a, struct str in)
{
    struct buf b = buf_in(a);
    struct uidlist_head h, h2;
    struct uidlist_line l, l2;
    uint32_t last = 0, last2 = 0;
    struct str again;
    bool head = uidlist_head(&in, &h);

    if (head)
        uidlist_put_head(&b, &h);
    while (uidlist_next(&in, &last, &l)) {
        must(l.uid == last && l.base.len);
        (void)uidlist_field(l.fields, 'G');
        uidlist_put(&b, &l);
    }
    again = buf_str(&b);
    if (head) {
        must(uidlist_head(&again, &h2));
        must(h2.validity == h.validity && h2.next == h.next);
    }
    while (again.len) {
        must(uidlist_next(&again, &last2, &l2));
        must(str_find(l2.base, '\n') < 0);
    }
    must(last == last2);
}

static void
names(struct arena *a, struct str in)
{
    struct name n, m;

    if (!name_parse(in, &n))
        return;
    const char *again = name_with(a, &n, n.flags, n.keywords);

    if (strlen(again) > 255)
        return;
    must(name_parse(str_from(again), &m));
    must(m.flags == n.flags && m.keywords == n.keywords);
    must(str_eq(m.base, n.base) && m.size == n.size && m.made == n.made);
    must(name_cmp(n.base, m.base) == 0);
}

static void
keywords(struct arena *a, struct str in)
{
    struct keywords k = {0}, again = {0};
    struct buf b = buf_in(a);

    keywords_read(&k, in);
    keywords_put(&b, &k);
    keywords_read(&again, buf_str(&b));
    for (int i = 0; i < KEYWORDS_MAX; i++)
        must(str_eq(k.name[i], again.name[i]));
}

static void
state(struct arena *a, struct str in)
{
    struct state_line l, m;

    (void)state_head(&in);
    while (state_next(&in, &l)) {
        struct buf b = buf_in(a);
        struct str text;

        state_put(&b, &l);
        text = buf_str(&b);
        must(state_next(&text, &m));
        must(m.kind == l.kind && m.uid == l.uid && m.bit == l.bit &&
             m.value == l.value && str_eq(m.name, l.name));
    }
}

static void
subs(struct arena *a, struct str in)
{
    struct str name, use, path, text = in;
    int version = subs_head(&text);

    while (subs_next(a, &text, version, '.', &name))
        must(name.len && str_find(name, '\n') < 0);
    while (uses_next(&in, &use, &path))
        must(uses_valid(use));
}

static void
acl(struct arena *a, struct str in)
{
    const struct str groups[] = {S("staff"), S("big team")};
    const struct acl_who who = {S("ben"), in.len % 2, groups, 2};
    struct buf b = buf_in(a);
    struct acl one, two;
    struct why why;

    if (acl_parse(a, in, &one, &why) != OK)
        return;
    acl_put(&b, &one);
    must(acl_parse(a, buf_str(&b), &two, &why) == OK);
    must(one.count == two.count);
    must(acl_rights(&one, &who, 0) == acl_rights(&two, &who, 0));
}

static void
mutf7(struct arena *a, struct str in)
{
    struct buf b = buf_in(a), c = buf_in(a);

    if (mutf7_decode(&b, in)) {
        must(mutf7_encode(&c, buf_str(&b)));
        must(str_eq(buf_str(&c), in));
    }
}

static void
fuzz(struct arena *a, struct str in)
{
    static void (*const targets[])(struct arena *, struct str) = {
        uidlist, names, keywords, state, subs, acl, mutf7,
    };
    struct quota_sum sum;

    quota_parse(in, &sum);
    for (size_t i = 0; i < COUNT(targets); i++)
        targets[i](a, in);
}

FUZZ((size_t)64 << 20)
