#include "json.h"

#include <stdio.h>

void
json_text(struct str s)
{
    putchar('"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < 32 || c == 127)
            printf("\\u%04X", c);
        else
            putchar(c);
    }
    putchar('"');
}
