#include "store/uidvalidity.h"

#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "base/log.h"
#include "store/text.h"

#define FILE_NAME "dovecot-uidvalidity"

enum rc
uidvalidity_new(int root, uint32_t *validity, struct why *why)
{
    struct arena *a = arena_new("uidvalidity", 1 << 16);
    struct text_stamp stamp;
    struct str text;
    uint64_t last = 0, now = (uint64_t)time(NULL);
    enum rc rc = text_read(a, root, FILE_NAME, 0, 64, &text, &stamp, why);

    if (rc == OK) {
        char hex[9];

        if (!str_hex(str_trim(text), &last) || last >= UINT32_MAX)
            last = 0;
        *validity = (uint32_t)(now > last ? now : last + 1);
        snprintf(hex, sizeof hex, "%08x", *validity);
        rc = text_write(root, FILE_NAME, str_from(hex), &stamp, why);
    }
    arena_free(a);
    return rc;
}

void
guid_new(uint8_t guid[16])
{
    if (getrandom(guid, 16, 0) != 16)
        log_fatal("getrandom: %m");
}
