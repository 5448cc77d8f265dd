/* Dates. */
#include "mail/date.h"

#include "fuzz/fuzz.h"

static void
fuzz(struct arena *a, struct str in)
{
    int64_t seconds, again, sent;
    int zone;
    bool any = date_parse_sent(in, &sent, &zone);

    must(!any || (zone > -24 * 60 && zone < 24 * 60));
    if (!date_parse(in, &seconds, &zone))
        return;
    must(any && sent == seconds);
    must(zone > -24 * 60 && zone < 24 * 60);
    /* What is near the year 10000 or 1 may be outside of it in local time. */
    if (seconds < 253402200000 && seconds > -61000000000) {
        must(date_parse(date_format(a, seconds), &again, NULL));
        must(again == seconds);
    }
}

FUZZ(1 << 20)
