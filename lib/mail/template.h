/*
 * template.h - the words of delivery reports, and the file in which a site
 * writes its own (bounce_template_file, quota_warning_template_file).
 *
 *     failure_template = <<EOF
 *     Charset: us-ascii
 *     From: Mail Delivery System <MAILER-DAEMON>
 *     Subject: Undelivered Mail Returned to Sender
 *     Postmaster-Subject: Postmaster Copy: Undelivered Mail
 *
 *     This is the mail system at host $myhostname.
 *     EOF
 *
 * A word other than EOF does too. Between templates stand empty lines and
 * lines that begin with "#". In the body $name, ${name} and $(name) are
 * settings, $$ is a dollar sign.
 */
#ifndef MAIL_TEMPLATE_H
#define MAIL_TEMPLATE_H

#include "base/arena.h"
#include "base/why.h"

enum template_kind {
    TEMPLATE_FAILURE, /* failure_template */
    TEMPLATE_DELAY,   /* delay_template */
    TEMPLATE_SUCCESS, /* success_template */
    TEMPLATE_VERIFY,  /* verify_template: sendmail -bv and -v */
    TEMPLATE_KINDS
};

#define TEMPLATE_FROM S("Mail Delivery System <MAILER-DAEMON>")

struct template
{
    const char *name;
    struct str charset, from;
    struct str subject;
    struct str copy_subject; /* to postmasters; may be empty */
    struct str body;
};

/* What is said where a site says nothing else. */
void template_defaults(struct template set[TEMPLATE_KINDS]);

/*
 * Read a file into a set of so many; templates that it does not have stay as
 * they are. PERM, and the set untouched, where it is no such file: why names
 * the line.
 */
enum rc template_read(struct arena *a, struct str text, struct template *set,
                      size_t count, struct why *why) MUST_USE;

/* The value of a name, or a NULL pointer: the name then stays as it is. */
typedef struct str template_value(void *self, struct str name);

/* The body with the settings put in. */
struct str template_fill(struct arena *a, struct str body,
                         template_value *value, void *self);

/*
 * A length of time as bodies may ask for it: of "delay_warning_time_hours"
 * with the name "delay_warning_time" and its milliseconds, "4". Suffixes:
 * seconds, minutes, hours, days, weeks; rounded. NULL pointer if name is
 * something else.
 */
struct str template_time(struct arena *a, struct str name, const char *setting,
                         int64_t ms);

#endif
