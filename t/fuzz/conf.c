/*
 * main.cf and master.cf: the first byte says what is done with the rest. A
 * text is read, checked names and all, edited, and what came out must be read
 * as well.
 */
#include "conf/edit.h"
#include "conf/expand.h"
#include "conf/names.h"
#include "conf/print.h"
#include "conf/services.h"
#include "conf/snapshot.h"
#include "conf/used.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
fuzz_main(struct arena *a, struct str text)
{
    struct settings *s = settings_new(a);
    struct names *names = names_new(a, NULL);
    struct services none = {0};
    struct conf_pairs pairs;
    struct why why;

    if (settings_parse(s, text, "main.cf", &why) == OK) {
        used_free(used_find(a, names, s, &none, NULL, NULL));
        if (snapshot_resolve(a, s, names, &pairs, &why) == OK)
            (void)conf_make(a, &pairs, &why);
    }
    settings_free(s);
    names_free(names);
}

static void
fuzz_master(struct arena *a, struct str text)
{
    struct services s, again;
    struct buf out = buf_in(a);
    struct why why;

    if (services_parse(a, text, "master.cf", &s, &why) != OK)
        return;
    for (size_t i = 0; i < s.count; i++)
        print_service(&out, &s.at[i], true, NULL);

    /* What is printed says the same. */
    must(services_parse(a, buf_str(&out), "again", &again, &why) == OK);
    must(again.count == s.count);
    for (size_t i = 0; i < s.count; i++)
        must(again.at[i].word_count == s.at[i].word_count);
}

static void
fuzz_edit(struct arena *a, struct str text)
{
    struct edit_main e = {S("a"), S("b"), 0};
    struct edit_master m = {.value = S("x")};
    struct str out = edit_main(a, text, EDIT_SET, &e, 1);
    struct settings *s = settings_new(a);
    struct why why;

    if (settings_parse(s, text, "old", &why) == OK) {
        must(settings_parse(s, out, "new", &why) == OK);
        must(str_eq(settings_get(s, S("a"))->value, S("b")));
    }
    settings_free(s);
    must(pattern_parse(S("*/inet/a"), 3, 3, &m.pattern));
    (void)!edit_master(a, text, "master.cf", EDIT_PARAM, EDIT_SET, &m, 1, &out,
                       &why);
    (void)!edit_master(a, text, "master.cf", EDIT_SERVICE, EDIT_COMMENT, &m, 1,
                       &out, &why);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena *arena;
    struct str text = {(const char *)data + 1, size - 1};

    if (size == 0 || size > 16384)
        return 0;
    if (arena == NULL)
        arena = arena_new("fuzz", (size_t)2 << 30);
    arena_reset(arena);
    if (data[0] == 'm')
        fuzz_main(arena, text);
    else if (data[0] == 's')
        fuzz_master(arena, text);
    else if (data[0] == 'e')
        fuzz_edit(arena, text);
    return 0;
}
