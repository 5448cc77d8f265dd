/*
 * A mailbox file as the source: "mboxo" and its kin.
 *
 * A message begins with a line "From sender date" at the beginning, behind an
 * empty line, or before a line of a header. Content-Length is not believed, as
 * few who write it are right. Status, X-Status, X-Keywords and X-Mozilla-* have
 * the flags, and go, with what else only programs that work in such a file
 * need; ">From" loses its ">". Thunderbird writes an empty "From " behind an
 * empty line, and of it alone we know that the file is "mboxrd": there ">>From"
 * loses one, too. Messages have no numbers: which of them have been copied is
 * known by their content.
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
#define STAMP  ((size_t)1000) /* bytes of a date, with what stands before it */

#define NO_DATE INT64_MIN

struct mbox;
typedef void mbox_value(struct mbox *m, struct str text);

struct mbox {
    struct import *im;
    int fd;
    off_t at;         /* of the next piece */
    int64_t modified; /* when the file was */
    char data[PIECE];
    size_t len, used;

    /* The message at hand. */
    bool whole;        /* the last piece ended a line */
    bool rd;           /* it is "mboxrd" */
    bool header;       /* we are in it */
    bool dropped;      /* in a field that goes */
    mbox_value *value; /* what reads the field, or NULL */
    unsigned blanks;   /* empty lines that are held back */
    char values[VALUES];
    size_t values_len;
    char stamp[STAMP]; /* the newest Received, else Date */
    size_t stamp_len;
    bool received;
    bool none; /* "FOLDER INTERNAL DATA", or removed: no message */
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

/* "From sender Thu Jan  1 00:00:00 1970"; senders may have blanks. Or nothing
 * but "From ". */
static bool
is_from(struct str line, int64_t *date)
{
    struct str rest = line, word;

    if (!str_skip(&rest, S("From ")))
        return false;
    rest = str_trim(rest);
    *date = NO_DATE;
    if (rest.len == 0)
        return true;
    if (str_find(rest, ':') < 0)
        return false;
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

/* Does a header begin behind the line that is looked at? It is moved. */
static bool
before_field(struct mbox *m, struct str *line)
{
    size_t len = line->len, n = 0;
    struct str next = {m->data + m->used + len, m->len - m->used - len};

    if (str_find(next, '\n') < 0 && refill(m)) {
        *line = (struct str){m->data, len};
        next = (struct str){m->data + len, m->len - len};
    }
    while (n < next.len && next.p[n] > ' ' && next.p[n] < 127 &&
           next.p[n] != ':')
        n++;
    return n > 0 && n < next.len && next.p[n] == ':';
}

/* Does another message begin with that line? */
static bool
is_next(struct mbox *m, struct str *line, bool blank)
{
    int64_t date;

    if (!is_from(*line, &date))
        return false;
    return blank || (date != NO_DATE && before_field(m, line));
}

/* ---- a message */

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
take_letters(struct mbox *m, struct str letters)
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
take_words(struct mbox *m, struct str text)
{
    struct str word;

    while (str_word(&text, " \t\r\n", &word))
        add_value(m, word);
}

/* Bits as nsMsgMessageFlags has them. What is expunged goes with the next
 * compaction. */
static void
take_mozilla(struct mbox *m, struct str text)
{
    static const struct {
        unsigned bit;
        struct str flag;
    } flags[] = {
        {0x0001, S("\\Seen")    },
        {0x0002, S("\\Answered")},
        {0x0004, S("\\Flagged") },
        {0x1000, S("$Forwarded")},
    };
    uint64_t bits;

    if (!str_hex(str_trim(text), &bits))
        return;
    for (size_t k = 0; k < COUNT(flags); k++)
        if (bits & flags[k].bit)
            add_value(m, flags[k].flag);
    m->none |= (bits & 0x0008) != 0;
}

static void
take_internal(struct mbox *m, struct str text)
{
    (void)text;
    m->none = true;
}

/* What only programs that work in the file need. */
static const struct {
    struct str name;
    mbox_value *take; /* also of its further lines */
} fields[] = {
    {S("Status:"),            take_letters },
    {S("X-Status:"),          take_letters },
    {S("X-Keywords:"),        take_words   },
    {S("X-UID:"),             NULL         },
    {S("X-IMAP:"),            take_internal},
    {S("X-IMAPbase:"),        NULL         },
    {S("Content-Length:"),    NULL         },
    {S("X-Mozilla-Status:"),  take_mozilla },
    {S("X-Mozilla-Status2:"), NULL         },
    {S("X-Mozilla-Keys:"),    take_words   },
};

static void
take_stamp(struct mbox *m, struct str text)
{
    text = str_sub(text, 0, STAMP - m->stamp_len);
    memcpy(m->stamp + m->stamp_len, text.p, text.len);
    m->stamp_len += text.len;
}

static void
begin_field(struct mbox *m, struct str line)
{
    m->dropped = false;
    m->value = NULL;
    for (size_t i = 0; i < COUNT(fields) && !m->dropped; i++)
        if (str_iskip(&line, fields[i].name)) {
            m->dropped = true;
            m->value = fields[i].take;
        }
    bool received = str_iskip(&line, S("Received:"));

    if (!m->received && (received || str_iskip(&line, S("Date:")))) {
        m->value = take_stamp;
        m->received = received;
        m->stamp_len = 0;
    }
    if (m->value)
        m->value(m, line);
}

/* When it came, where the From_ line does not say it. */
static int64_t
date_of(const struct mbox *m)
{
    struct str text = {m->stamp, m->stamp_len};
    int64_t date;

    if (m->received)
        text = str_sub(text, (size_t)(str_rfind(text, ';') + 1), text.len);
    return date_parse(str_trim(text), &date, NULL) ? date : m->modified;
}

/* Is the piece to be left out? */
static bool
leaves_out(struct mbox *m, struct str piece, bool starts)
{
    if (!m->header)
        return false;
    if (starts && !(piece.p[0] == ' ' || piece.p[0] == '\t'))
        begin_field(m, piece);
    else if (m->value)
        m->value(m, piece);
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

static bool
is_quoted(const struct mbox *m, struct str line)
{
    if (!str_skip(&line, S(">")))
        return false;
    while (m->rd && str_skip(&line, S(">")))
        ;
    return str_starts(line, S("From "));
}

static enum rc
put_piece(struct mbox *m, struct str piece, bool starts, mbox_put *put,
          struct why *why)
{
    enum rc rc;

    if (starts && is_empty(piece)) {
        m->header = false;
        m->blanks++;
        return OK;
    }
    if (leaves_out(m, piece, starts))
        return OK;
    rc = put_blanks(m, put, m->blanks, why);
    if (starts && !m->header && is_quoted(m, piece))
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
    bool starts = true, blank = false;
    enum rc rc = OK;

    seek(m, from);
    m->header = true;
    m->dropped = m->received = m->none = false;
    m->value = NULL;
    m->blanks = 0;
    m->values_len = m->stamp_len = 0;
    while (rc == OK && look(m, &piece)) {
        if (starts && is_next(m, &piece, blank))
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
    m->rd = date == NO_DATE;
    rc = walk(m, from, put_hash, why);
    if (rc != OK || m->none)
        return rc;
    if (date == NO_DATE)
        date = date_of(m);
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
    m->modified = st.st_mtim.tv_sec;
    name = import_name(im, im->life, name, im->names.separator, false);
    rc = import_enter(im, S("mbox"), 0, name, S(""), &why);
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
