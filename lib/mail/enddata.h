/*
 * enddata.h - where the text after DATA ends (RFC 5321 4.1.1.4, 4.5.2).
 *
 * A scanner over pieces of any size: takes leading dots off, turns CRLF into
 * LF, and knows the end. The end is CRLF "." CRLF and nothing else: what
 * merely looks like it (bare LF or bare CR on either side) stays content, so
 * no client can hide a second message in the first (SMTP smuggling). What
 * leaves here has no CR but those the policy keeps.
 */
#ifndef MAIL_ENDDATA_H
#define MAIL_ENDDATA_H

#include "base/str.h"

enum {
    ENDDATA_COUNTED = 1, /* BDAT: no dots, no end in the text */
    ENDDATA_LAX_END = 2, /* LF ends lines also around the final dot
                            (smtpd_forbid_bare_newline = no): unsafe */
    ENDDATA_KEEP_CR = 4, /* bare CR stays; else it becomes a blank
                            (cleanup_replace_stray_cr_lf) */
};

struct enddata {
    unsigned flags;
    bool ended;

    /* What was seen so far, for the caller's policy. */
    uint64_t bare_lf, bare_cr, nul;
    bool eight_bit;
    size_t longest; /* bytes of the longest line, without its end */

    /* private */
    unsigned char at;
    bool after_crlf;
    size_t column;
};

void enddata_begin(struct enddata *d, unsigned flags);

/*
 * Scan `in`; the content goes to `out`, which has room for in.len + 4 bytes.
 * *out_len is what was written there. Returns how many bytes of in were
 * taken: all of them, or up to and with the end (then d->ended).
 */
size_t enddata_scan(struct enddata *d, struct str in, char *out,
                    size_t *out_len);

/* After the last chunk of BDAT: writes what is held back and the missing end
 * of the last line, at most 3 bytes, and returns how many. */
size_t enddata_finish(struct enddata *d, char *out);

#endif
