/* The file of bounce_template_file, and what stands in for its names. */
#include "mail/template.h"

#include "fuzz/fuzz.h"

static struct str
value(void *self, struct str name)
{
    (void)self;
    return name.len % 2 ? S("x") : (struct str){0};
}

static void
fuzz(struct arena *a, struct str in)
{
    struct template set[TEMPLATE_KINDS];
    struct why why;

    template_defaults(set);
    if (template_read(a, in, set, TEMPLATE_KINDS, &why) == OK)
        for (size_t i = 0; i < TEMPLATE_KINDS; i++)
            (void)template_fill(a, set[i].body, value, NULL);
    (void)template_fill(a, in, value, NULL);
    (void)template_time(a, in, "t", 1000);
}

FUZZ(8 << 20)
