/*
 * defaults.h - folders that every user has (imap_default_folders).
 */
#ifndef IMAPD_DEFAULTS_H
#define IMAPD_DEFAULTS_H

#include "session.h"

/*
 * Make and subscribe those that are missing, and give folders of these names
 * their special use (RFC 6154). A folder that has the use already stands for
 * it, whatever its name: then nothing is done. Trouble is logged.
 */
void defaults_make(struct imap *imap);

#endif
