/*
 * atext.h - what may stand in an atom (RFC 5322 3.2.3, RFC 6532 3.2).
 */
#ifndef MAIL_ATEXT_H
#define MAIL_ATEXT_H

#include "base/str.h"

/* Letters, digits, !#$%&'*+-/=?^_`{|}~ and all bytes over 127. */
static inline bool
is_atext(char c)
{
    static const bool other[128] = {
        ['!'] = 1,  ['#'] = 1, ['$'] = 1, ['%'] = 1, ['&'] = 1,
        ['\''] = 1, ['*'] = 1, ['+'] = 1, ['-'] = 1, ['/'] = 1,
        ['='] = 1,  ['?'] = 1, ['^'] = 1, ['_'] = 1, ['`'] = 1,
        ['{'] = 1,  ['|'] = 1, ['}'] = 1, ['~'] = 1,
    };
    unsigned char u = (unsigned char)c;

    return u > 127 || is_alnum(c) || other[u];
}

/* A byte that is never part of mail's words: 0 to 31 and 127. */
static inline bool
is_control(char c)
{
    return (unsigned char)c < 32 || c == 127;
}

#endif
