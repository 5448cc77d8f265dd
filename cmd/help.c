#include "help.h"

#include <string.h>

#include "base/base.h"

static const struct {
    const char *name, *text;
} texts[] = {
#define HELP(name, text) {name, text},
#include "help.def"
};

const char *
help_text(const char *name)
{
    for (size_t i = 0; i < COUNT(texts); i++)
        if (strcmp(name, texts[i].name) == 0)
            return texts[i].text;
    return NULL;
}
