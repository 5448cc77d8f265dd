/*
 * tables.h - for tests of look-up tables: files in a folder of their own, and
 * what is asked of them.
 */
#ifndef UNIT_TABLES_H
#define UNIT_TABLES_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "map/map.h"
#include "sys/kv.h"
#include "unit/test.h"

static struct {
    char folder[32];
    struct arena *arena;
    int log;
} tables UNUSED;

/* A table "type:FOLDER/name". */
static UNUSED const char *
spec(const char *type, const char *name)
{
    return arena_fmt(tables.arena, "%s:%s/%s", type, tables.folder, name);
}

static UNUSED const char *
path(const char *name)
{
    return arena_fmt(tables.arena, "%s/%s", tables.folder, name);
}

static UNUSED void
put_file(const char *name, const char *text)
{
    const char *temp = path("new");
    FILE *f = fopen(temp, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(rename(temp, path(name)), 0);
}

/* What was logged since the last call. */
static UNUSED const char *
logged(void)
{
    static char text[65536];

    log_flush();
    ssize_t n = pread(tables.log, text, sizeof text - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    assert_int_equal(ftruncate(tables.log, 0), 0);
    lseek(tables.log, 0, SEEK_SET);
    return text;
}

static UNUSED void
assert_logged(const char *part)
{
    const char *text = logged();

    if (!strstr(text, part))
        fail_msg("no \"%s\" in the log: %s", part, text);
}

/* The answer: the value, NULL for absent, "TEMP". */
static UNUSED const char *
ask(struct map *m, const char *key)
{
    struct str value;
    struct why why;

    if (map_get(m, str_from(key), tables.arena, &value, &why) != OK)
        return "TEMP";
    return value.p ? arena_cstr(tables.arena, value) : NULL;
}

static UNUSED void
assert_answer(struct map *m, const char *key, const char *want)
{
    const char *got = ask(m, key);

    if (!str_eq(str_from(got), str_from(want)) ||
        (got == NULL) != (want == NULL))
        fail_msg("%s: key \"%s\": got %s, not %s", map_name(m), key,
                 got ? got : "nothing", want ? want : "nothing");
}

static UNUSED int
set_up(void **state)
{
    (void)state;
    tables.arena = arena_new("test", (size_t)64 << 20);
    strcpy(tables.folder, "/tmp/tables.XXXXXX");
    if (mkdtemp(tables.folder) == NULL)
        return -1;
    tables.log = open(path("log"), O_RDWR | O_CREAT, 0600);
    log_open("test", tables.log, "mail");
    return 0;
}

static UNUSED int
remove_one(const char *name, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(name);
}

static UNUSED int
tear_down(void **state)
{
    (void)state;
    close(tables.log);
    return nftw(tables.folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
