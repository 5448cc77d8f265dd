/*
 * templates.h - files in which a site writes its own words (mail/template.h).
 */
#ifndef DAEMON_TEMPLATES_H
#define DAEMON_TEMPLATES_H

#include "mail/template.h"

/* Read the file of a parameter into the set. One that cannot be used leaves the
 * built-in words, and a warning: what is to be said must not wait for it. An
 * empty path is no file. */
void templates_read(struct arena *life, const char *parameter, const char *path,
                    struct template *set, size_t count);

#endif
