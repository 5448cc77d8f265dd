/*
 * print.h - settings and services as postconf writes them.
 */
#ifndef CONF_PRINT_H
#define CONF_PRINT_H

#include "base/buf.h"
#include "conf/services.h"

/* How a value is written; NULL stands for "as it is". */
struct print_values {
    struct str (*value)(void *self, const struct service *s, struct str raw);
    void *self;
};

/* The text with one blank between words and a line end; folded: no line over
 * 80 columns where there is a blank to break at. */
void print_line(struct buf *out, struct str text, bool fold);

/* A row of master.cf, its columns aligned. Folded, each -o has its line. */
void print_service(struct buf *out, const struct service *s, bool fold,
                   const struct print_values *values);

/* "smtp/inet/command = smtpd -o a=b", or what stands behind the = alone. */
void print_field(struct buf *out, const struct service *s,
                 enum service_column column, bool named, bool fold,
                 const struct print_values *values);

/* How many of a service's words are options (each -o counts for two). */
size_t print_options(const struct service *s);

#endif
