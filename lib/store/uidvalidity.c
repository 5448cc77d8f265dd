#include "store/uidvalidity.h"

#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "base/log.h"

#define FILE_NAME "dovecot-uidvalidity"
#define TAKE_MAX  1024

/* What was taken is good as long as nobody took others after it. */
static bool
has_some(const struct validities *v, int root, uint32_t now)
{
    struct text_stamp stamp;

    return v->left > 0 && v->next >= now &&
           text_stat(root, FILE_NAME, &stamp) &&
           text_stamp_eq(&stamp, &v->stamp);
}

/* Each time twice as many, as the file is synced each time: a thousand folders
 * that somebody copied here are found at once. */
static enum rc
take_some(struct validities *v, int root, uint32_t now, struct why *why)
{
    struct arena *a = arena_new("uidvalidity", 1 << 16);
    struct text_stamp stamp;
    struct str text;
    uint64_t last = 0;
    char hex[9];
    enum rc rc = text_read(a, root, FILE_NAME, 0, 64, &text, &stamp, why);

    if (!str_hex(str_trim(text), &last) || last >= UINT32_MAX - TAKE_MAX)
        last = 0;
    v->next = now > last ? now : (uint32_t)last + 1;
    v->took = v->took == 0 ? 1 : v->took < TAKE_MAX ? 2 * v->took : TAKE_MAX;
    snprintf(hex, sizeof hex, "%08x", v->next + v->took - 1);
    if (rc == OK)
        rc = text_write(root, FILE_NAME, str_from(hex), &v->stamp, why);
    v->left = rc == OK ? v->took : 0;
    arena_free(a);
    return rc;
}

enum rc
uidvalidity_new(struct validities *v, int root, uint32_t *validity,
                struct why *why)
{
    uint32_t now = (uint32_t)time(NULL);
    enum rc rc = has_some(v, root, now) ? OK : take_some(v, root, now, why);

    if (rc == OK) {
        *validity = v->next++;
        v->left--;
    }
    return rc;
}

void
guid_new(uint8_t guid[16])
{
    if (getrandom(guid, 16, 0) != 16)
        log_fatal("getrandom: %m");
}
