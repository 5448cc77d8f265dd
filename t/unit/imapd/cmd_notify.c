#include "imapd/notify.h"
#include "unit/test.h"

#define NEW      (EVENT_MESSAGE_NEW | EVENT_MESSAGE_EXPUNGE)
#define ALL      (NEW | EVENT_FLAG_CHANGE)
#define VALIDITY STATUS_UIDVALIDITY
#define COUNTS   (VALIDITY | STATUS_MESSAGES | STATUS_UIDNEXT)

static struct mailbox_status
st(uint32_t validity, uint32_t next, uint32_t messages, uint32_t unseen,
   uint64_t modseq)
{
    return (struct mailbox_status){
        .validity = validity,
        .next = next,
        .messages = messages,
        .unseen = unseen,
        .modseq = modseq,
    };
}

/* RFC 5465 5.1 to 5.3. */
static void
items(void **state)
{
    const struct mailbox_status was = st(1, 5, 4, 2, 9);
    const struct {
        struct mailbox_status is;
        unsigned new, all, condstore; /* with NEW, ALL, and CONDSTORE */
    } cases[] = {
        {st(1, 5, 4, 2, 9),  0,      0,                        0                              },
        {st(1, 6, 5, 2, 10), COUNTS, COUNTS,                   COUNTS | STATUS_HIGHESTMODSEQ  },
        {st(1, 6, 4, 2, 10), COUNTS, COUNTS,                   COUNTS | STATUS_HIGHESTMODSEQ  },
        {st(1, 5, 3, 1, 10), COUNTS, COUNTS | STATUS_UNSEEN,
         COUNTS | STATUS_UNSEEN | STATUS_HIGHESTMODSEQ                                        },
        {st(1, 5, 4, 2, 10), 0,      0,                        VALIDITY | STATUS_HIGHESTMODSEQ},
        {st(1, 5, 4, 3, 10), 0,      VALIDITY | STATUS_UNSEEN,
         VALIDITY | STATUS_UNSEEN | STATUS_HIGHESTMODSEQ                                      },
        {st(2, 5, 4, 2, 9),  COUNTS, COUNTS | STATUS_UNSEEN,
         COUNTS | STATUS_UNSEEN | STATUS_HIGHESTMODSEQ                                        },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct mailbox_status *is = &cases[i].is;

        assert_int_equal(notify_items(NEW, false, &was, is), cases[i].new);
        assert_int_equal(notify_items(ALL, false, &was, is), cases[i].all);
        assert_int_equal(notify_items(ALL, true, &was, is), cases[i].condstore);
        assert_int_equal(notify_items(0, true, &was, is), 0);
    }
}

static void
groups(void **state)
{
    struct str two[] = {S("two"), S("INBOX")};
    struct wish wishes[] = {
        {{.filter = FILTER_PERSONAL},       ALL                          },
        {{FILTER_MAILBOXES, '/', two, 2},   EVENT_MAILBOX_NAME           },
        {{.filter = FILTER_SUBSCRIBED},     0                            },
        {{FILTER_SUBTREE_ONE, '/', two, 1}, EVENT_MAILBOX_METADATA_CHANGE},
    };
    const struct notify n = {.wishes = wishes, .wish_count = 4};
    const struct folder one = {.name = S("one")}, inbox = {.name = S("INBOX")},
                        both = {.name = S("two")}, below = {.name = S("two/x")},
                        subscribed = {.name = S("two"),
                                      .bits = FOLDER_SUBSCRIBED};

    (void)state;
    assert_int_equal(notify_events(&n, &one, SPACE_PRIVATE), ALL);
    assert_int_equal(notify_events(&n, &one, SPACE_PUBLIC), 0);
    assert_int_equal(notify_events(&n, &inbox, SPACE_PRIVATE),
                     ALL | EVENT_MAILBOX_NAME);
    assert_int_equal(notify_events(&n, &both, SPACE_SHARED),
                     EVENT_MAILBOX_NAME | EVENT_MAILBOX_METADATA_CHANGE);
    assert_int_equal(notify_events(&n, &below, SPACE_SHARED),
                     EVENT_MAILBOX_METADATA_CHANGE);
    assert_int_equal(notify_events(&n, &subscribed, SPACE_PRIVATE), 0);
    assert_true(notify_wants(&n, EVENT_MAILBOX_NAME));
    assert_false(notify_wants(&n, EVENT_SERVER_METADATA_CHANGE));
}

TESTS(TEST(items), TEST(groups))
