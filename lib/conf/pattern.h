/*
 * pattern.h - "smtp/inet/name" as postconf takes it: parts of master.cf.
 */
#ifndef CONF_PATTERN_H
#define CONF_PATTERN_H

#include "conf/services.h"

/* Each part is a text to match whole, or "*". */
struct pattern {
    struct str name, type, part;
};

/* Cut a text of min to max parts; parts that are left out are "*". False
 * where it has others, or a * beside other bytes. */
bool pattern_parse(struct str text, size_t min, size_t max,
                   struct pattern *out) MUST_USE;

bool pattern_matches(const struct pattern *p, struct str name, struct str type);
bool pattern_is_any(struct str part);

/* The column of that name; false if there is none. */
bool pattern_column(struct str name, enum service_column *column) MUST_USE;

#endif
