/* Values of aliases and lines of .forward files. */
#include "mail/alias.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena *arena;
    struct str text = {(const char *)data, size};
    struct alias d;

    if (size > 65536)
        return 0;
    if (arena == NULL)
        arena = arena_new("fuzz", 256 << 20);
    arena_reset(arena);

    size_t left = text.len + 1;

    while (alias_next(arena, &text, &d)) {
        must(d.text.len > 0 && text.len < left);
        left = text.len;
    }
    return 0;
}
