/*
 * url.h - URLs of messages in the same store, as CATENATE has them (RFC 4469,
 * 5092): /Drafts;UIDVALIDITY=385759045/;UID=20/;SECTION=1.MIME
 */
#ifndef IMAPD_URL_H
#define IMAPD_URL_H

#include "command.h"

struct imap_url {
    struct str mailbox; /* UTF-8 */
    uint32_t validity;  /* 0: not said */
    uint32_t uid;
    struct section section;
    bool partial;
    uint32_t offset, length;
};

/* What names a server is none of ours. */
bool url_parse(struct arena *a, struct str text, struct imap_url *url) MUST_USE;

#endif
