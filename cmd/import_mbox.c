/*
 * A mailbox file as the source: "mboxo" and its kin.
 *
 * A message begins with a line "From sender date" behind an empty line, or at
 * the beginning. Content-Length is not believed, as few who write it are right.
 * Status, X-Status and X-Keywords have the flags, and go, with what else only
 * programs that work in such a file need; ">From " loses its ">". Messages have
 * no numbers: which of them have been copied is known by their content.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "import_work.h"
#include "mail/date.h"
#include "sys/disk.h"

#define PIECE  ((size_t)64 << 10)
#define VALUES ((size_t)2000) /* bytes of flags that are looked at */

struct mbox {
    struct import *im;
    int fd;
    off_t at, size; /* of the next piece; of the file */
    char data[PIECE];
    size_t len, used;

    /* The message at hand. */
    bool whole;      /* the last piece ended a line */
    bool blank;      /* and that line was empty */
    bool header;     /* we are in it */
    bool dropped;    /* in a field that goes */
    unsigned blanks; /* empty lines that are held back */
    char values[VALUES];
    size_t values_len;
    bool internal; /* "FOLDER INTERNAL DATA", no message */
};

/* What becomes of the bytes of a message. */
typedef enum rc mbox_put(struct mbox *m, struct str bytes, struct why *why);

static void
seek(struct mbox *m, off_t at)
{
    m->at = at;
    m->len = m->used = 0;
}

static bool
refill(struct mbox *m)
{
    ssize_t n;

    if (m->used > 0) {
        memmove(m->data, m->data + m->used, m->len - m->used);
        m->len -= m->used;
        m->used = 0;
    }
    n = disk_read(m->fd, m->data + m->len, PIECE - m->len,
                  m->at + (off_t)m->len);
    if (n > 0)
        m->len += (size_t)n;
    return n > 0;
}

/* The next line with its end, or as much of it as there is room for, without
 * taking it. False at the end. */
static bool
look(struct mbox *m, struct str *piece)
{
    struct str have = {m->data + m->used, m->len - m->used};
    ssize_t end = str_find(have, '\n');

    if (end < 0 && have.len < PIECE && refill(m)) {
        have = (struct str){m->data + m->used, m->len - m->used};
        end = str_find(have, '\n');
        while (end < 0 && have.len < PIECE && refill(m)) {
            have = (struct str){m->data + m->used, m->len - m->used};
            end = str_find(have, '\n');
        }
    }
    *piece = end < 0 ? have : str_sub(have, 0, (size_t)end + 1);
    return piece->len > 0;
}

static void
take(struct mbox *m, struct str piece)
{
    m->at += (off_t)piece.len;
    m->used += piece.len;
    m->whole = str_ends(piece, S("\n"));
}

/* ---- From_ lines */

/* asctime(3) is in local time where it has no zone. */
static int64_t
local_time(int64_t seconds)
{
    time_t t = (time_t)seconds;
    struct tm tm;

    gmtime_r(&t, &tm);
    tm.tm_isdst = -1;
    t = mktime(&tm);
    return t == (time_t)-1 ? seconds : t;
}

static bool
has_zone(struct str text)
{
    struct str word;

    while (str_word(&text, " \t\r\n", &word))
        if (word.len == 5 && (word.p[0] == '+' || word.p[0] == '-'))
            return true;
    return false;
}

/* "From sender Thu Jan  1 00:00:00 1970"; senders may have blanks. */
static bool
is_from(struct str line, int64_t *date)
{
    struct str rest = line, word;

    if (!str_skip(&rest, S("From ")) || str_find(rest, ':') < 0)
        return false;
    rest = str_trim(rest);
    for (int i = 0; i < 5; i++) {
        if (!str_word(&rest, " \t", &word) || rest.len == 0)
            return false;
        if (date_parse(rest, date, NULL)) {
            if (!has_zone(rest))
                *date = local_time(*date);
            return true;
        }
    }
    return false;
}

/* ---- a message */

/* What only programs that work in the file need. */
static bool
is_dropped(struct str line)
{
    static const struct str fields[] = {
        S("Status:"), S("X-Status:"),   S("X-Keywords:"),     S("X-UID:"),
        S("X-IMAP:"), S("X-IMAPbase:"), S("Content-Length:"),
    };

    for (size_t i = 0; i < COUNT(fields); i++)
        if (str_istarts(line, fields[i]))
            return true;
    return false;
}

/* Flags are gathered as IMAP writes them. */
static void
add_value(struct mbox *m, struct str text)
{
    if (m->values_len + text.len + 1 >= VALUES)
        return;
    memcpy(m->values + m->values_len, text.p, text.len);
    m->values_len += text.len;
    m->values[m->values_len++] = ' ';
}

static void
add_letters(struct mbox *m, struct str letters)
{
    static const struct {
        char letter;
        struct str flag;
    } flags[] = {
        {'R', S("\\Seen")    },
        {'A', S("\\Answered")},
        {'F', S("\\Flagged") },
        {'D', S("\\Deleted") },
        {'T', S("\\Draft")   },
    };

    for (size_t i = 0; i < letters.len; i++)
        for (size_t k = 0; k < COUNT(flags); k++)
            if (letters.p[i] == flags[k].letter)
                add_value(m, flags[k].flag);
}

static void
take_field(struct mbox *m, struct str line)
{
    struct str word;

    if (str_iskip(&line, S("Status:")) || str_iskip(&line, S("X-Status:")))
        add_letters(m, str_trim(line));
    else if (str_iskip(&line, S("X-Keywords:")))
        while (str_word(&line, " \t\r\n", &word))
            add_value(m, word);
    else if (str_istarts(line, S("X-IMAP:")))
        m->internal = true;
}

/* Is the piece to be left out? At the beginning of a line of the header. */
static bool
leaves_out(struct mbox *m, struct str piece, bool starts)
{
    if (!m->header)
        return false;
    if (starts && !(piece.p[0] == ' ' || piece.p[0] == '\t')) {
        m->dropped = is_dropped(piece);
        if (m->dropped)
            take_field(m, piece);
    }
    return m->dropped;
}

static bool
is_empty(struct str line)
{
    return str_eq(line, S("\n")) || str_eq(line, S("\r\n"));
}

static enum rc
put_blanks(struct mbox *m, mbox_put *put, unsigned count, struct why *why)
{
    enum rc rc = OK;

    while (rc == OK && count-- > 0)
        rc = put(m, S("\n"), why);
    m->blanks = 0;
    return rc;
}

static enum rc
put_piece(struct mbox *m, struct str piece, bool starts, mbox_put *put,
          struct why *why)
{
    enum rc rc;

    if (starts && is_empty(piece)) {
        m->header = false;
        m->dropped = false;
        m->blanks++;
        return OK;
    }
    if (leaves_out(m, piece, starts))
        return OK;
    rc = put_blanks(m, put, m->blanks, why);
    if (starts && !m->header && str_starts(piece, S(">From ")))
        piece = str_sub(piece, 1, piece.len);
    return rc == OK ? put(m, piece, why) : rc;
}

/*
 * All of a message that begins there, behind its From_ line, up to the next one
 * or the end. The empty line before that is no part of it; that behind a
 * header without a body is.
 */
static enum rc
walk(struct mbox *m, off_t from, mbox_put *put, struct why *why)
{
    struct str piece;
    int64_t date;
    bool starts = true, blank = false;
    enum rc rc = OK;

    seek(m, from);
    m->header = true;
    m->dropped = m->internal = false;
    m->blanks = 0;
    m->values_len = 0;
    while (rc == OK && look(m, &piece)) {
        if (starts && blank && is_from(piece, &date))
            break;
        blank = starts && is_empty(piece);
        rc = put_piece(m, piece, starts, put, why);
        take(m, piece);
        starts = m->whole;
    }
    if (rc == OK && m->blanks > 0)
        rc = put_blanks(m, put, m->blanks > 1 ? m->blanks - 1 : 0, why);
    return rc;
}

static enum rc
put_hash(struct mbox *m, struct str bytes, struct why *why)
{
    (void)why;
    m->im->hash = import_hash(m->im->hash, bytes);
    return OK;
}

static enum rc
put_store(struct mbox *m, struct str bytes, struct why *why)
{
    return import_bytes(m->im, bytes, why);
}

/* First its flags and content, then, if it is new, once more to store it. */
static enum rc
copy_message(struct mbox *m, int64_t date, struct why *why)
{
    struct import *im = m->im;
    off_t from = m->at;
    unsigned bits;
    uint64_t keywords;
    enum rc rc;

    im->hash = IMPORT_HASH;
    rc = walk(m, from, put_hash, why);
    if (rc != OK || m->internal)
        return rc;
    im->expected++;
    if (import_state_takes(im->state, im->hash)) {
        im->known++;
        return OK;
    }
    if (im->options->dry) {
        im->copied++;
        return OK;
    }
    rc = import_flags(im, (struct str){m->values, m->values_len}, &bits,
                      &keywords, why);
    if (rc == OK)
        rc = import_begin(im, bits, keywords, date, why);
    if (rc == OK)
        rc = walk(m, from, put_store, why);
    return rc == OK ? import_end(im, S(IMPORT_NO_ID), why) : rc;
}

static enum rc
copy_all(struct mbox *m, struct why *why)
{
    struct str line;
    int64_t date;
    enum rc rc = OK;

    while (rc == OK && look(m, &line)) {
        if (is_empty(line)) { /* at the beginning, or too many of them */
            take(m, line);
            continue;
        }
        if (!is_from(line, &date))
            return fail(why, "5.6.0",
                        "this is no mailbox file: at byte %lld there is no "
                        "line \"From sender date\"",
                        (long long)m->at);
        take(m, line);
        rc = copy_message(m, date, why);
    }
    return rc;
}

int
import_mbox(struct import *im, const char *path)
{
    const struct import_options *o = im->options;
    struct mbox *m = arena_make(im->life, struct mbox);
    struct str name = o->folder_count ? o->folders[0] : S("INBOX");
    auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    struct why why;
    enum rc rc;

    if (fd < 0 || fstat(fd, &st) < 0) {
        import_say("cannot read %s as user %u: %m", path, geteuid());
        return errno == EACCES ? IMPORT_REFUSED : IMPORT_NO_INPUT;
    }
    if (!S_ISREG(st.st_mode)) {
        import_say("%s is no file", path);
        return IMPORT_NO_INPUT;
    }
    m->im = im;
    m->fd = fd;
    rc = import_enter(im, S("mbox"), 0,
                      import_name(im, im->life, name, '/', false), S(""), &why);
    if (rc == OK)
        rc = copy_all(m, &why);
    if (rc == OK)
        rc = import_leave(im, &why);
    if (rc == OK)
        return IMPORT_DONE;
    import_abort(im);
    import_say("%s: %s", path, why.text);
    return strcmp(why.dsn, "5.6.0") == 0 ? IMPORT_NO_INPUT : IMPORT_STORE;
}
