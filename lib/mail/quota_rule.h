/*
 * quota_rule.h - how much mail somebody may have, as Dovecot writes it:
 *
 *     *:storage=1G:messages=100000
 *
 * storage counts KiB where no unit (B, K, M, G, T) is said, bytes counts bytes;
 * 0 is no limit. Rules for single folders and in per cent are not known.
 */
#ifndef MAIL_QUOTA_RULE_H
#define MAIL_QUOTA_RULE_H

#include "base/str.h"

struct quota_limits {
    int64_t bytes, messages; /* 0: none */
};

/* Add what a rule says. False where it says what we do not know. */
bool quota_rule_read(struct str rule, struct quota_limits *limits) MUST_USE;

/* Is that the name of a user's field that has one: quota_rule, quota_rule2 to
 * quota_rule20? */
bool quota_rule_names(struct str name);

/*
 * A line in what somebody has, as Dovecot's quota_warning says it:
 *
 *     storage=95%    messages=100000    -storage=100%
 *
 * It is crossed when there is as much, with "-" when there is less again.
 */
struct quota_line {
    bool below, messages; /* "-"; else storage */
    bool percent;         /* value is a part of the limit */
    int64_t value;        /* else bytes or messages */
};

bool quota_line_read(struct str text, struct quota_line *line) MUST_USE;

/* Where it is under those limits; 0: nowhere. */
int64_t quota_line_at(const struct quota_line *line,
                      const struct quota_limits *limits);

#endif
