/*
 * header.h - the fields of a message header (RFC 5322 2.2, 3.6).
 *
 * Line ends are LF or CRLF. A field is a name of printable bytes, perhaps
 * blanks, a colon, and a body that goes on over lines that begin with a blank.
 * Anything else ends the header, with or without an empty line before it.
 */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include "base/buf.h"

/* The fields that the suite knows, and what they mean to it. */
enum {
    HEADER_SENDER = 1,  /* holds sender addresses */
    HEADER_RCPT = 2,    /* holds recipient addresses */
    HEADER_EXTRACT = 4, /* sendmail -t takes recipients from it */
    HEADER_HIDDEN = 8,  /* never leaves here: Bcc, Return-Path */
    HEADER_RESENT = 16, /* RFC 5322 3.6.6 */
    HEADER_MIME = 32,   /* describes the content (RFC 2045) */
};

#define HEADER_FIELDS(X)                                                       \
    X(APPARENTLY_TO, "Apparently-To", HEADER_RCPT)                             \
    X(AUTO_SUBMITTED, "Auto-Submitted", 0)                                     \
    X(BCC, "Bcc", HEADER_RCPT | HEADER_EXTRACT | HEADER_HIDDEN)                \
    X(CC, "Cc", HEADER_RCPT | HEADER_EXTRACT)                                  \
    X(CONTENT_DESCRIPTION, "Content-Description", HEADER_MIME)                 \
    X(CONTENT_DISPOSITION, "Content-Disposition", HEADER_MIME)                 \
    X(CONTENT_ID, "Content-Id", HEADER_MIME)                                   \
    X(CONTENT_LANGUAGE, "Content-Language", 0)                                 \
    X(CONTENT_LENGTH, "Content-Length", HEADER_HIDDEN)                         \
    X(CONTENT_LOCATION, "Content-Location", 0)                                 \
    X(CONTENT_MD5, "Content-MD5", 0)                                           \
    X(CONTENT_ENCODING, "Content-Transfer-Encoding", HEADER_MIME)              \
    X(CONTENT_TYPE, "Content-Type", HEADER_MIME)                               \
    X(DATE, "Date", 0)                                                         \
    X(DELIVERED_TO, "Delivered-To", 0)                                         \
    X(NOTIFICATION_TO, "Disposition-Notification-To", HEADER_SENDER)           \
    X(ERRORS_TO, "Errors-To", HEADER_SENDER)                                   \
    X(FROM, "From", HEADER_SENDER)                                             \
    X(FOLLOWUP_TO, "Mail-Followup-To", HEADER_SENDER)                          \
    X(IN_REPLY_TO, "In-Reply-To", 0)                                           \
    X(MESSAGE_ID, "Message-Id", 0)                                             \
    X(MIME_VERSION, "MIME-Version", HEADER_MIME)                               \
    X(RECEIVED, "Received", 0)                                                 \
    X(REFERENCES, "References", 0)                                             \
    X(REPLY_TO, "Reply-To", HEADER_SENDER)                                     \
    X(RESENT_BCC, "Resent-Bcc",                                                \
      HEADER_RCPT | HEADER_EXTRACT | HEADER_HIDDEN | HEADER_RESENT)            \
    X(RESENT_CC, "Resent-Cc", HEADER_RCPT | HEADER_EXTRACT | HEADER_RESENT)    \
    X(RESENT_DATE, "Resent-Date", HEADER_RESENT)                               \
    X(RESENT_FROM, "Resent-From", HEADER_SENDER | HEADER_RESENT)               \
    X(RESENT_MESSAGE_ID, "Resent-Message-Id", HEADER_RESENT)                   \
    X(RESENT_REPLY_TO, "Resent-Reply-To", HEADER_RCPT | HEADER_RESENT)         \
    X(RESENT_SENDER, "Resent-Sender", HEADER_SENDER | HEADER_RESENT)           \
    X(RESENT_TO, "Resent-To", HEADER_RCPT | HEADER_EXTRACT | HEADER_RESENT)    \
    X(RETURN_PATH, "Return-Path", HEADER_SENDER | HEADER_HIDDEN)               \
    X(RECEIPT_TO, "Return-Receipt-To", HEADER_SENDER)                          \
    X(SENDER_FIELD, "Sender", HEADER_SENDER)                                   \
    X(SUBJECT, "Subject", 0)                                                   \
    X(TLS_REQUIRED, "TLS-Required", 0)                                         \
    X(TO, "To", HEADER_RCPT | HEADER_EXTRACT)

enum header_id {
    HEADER_ID_OTHER,
#define HEADER_ID(id, name, flags) HEADER_ID_##id,
    HEADER_FIELDS(HEADER_ID)
#undef HEADER_ID
        HEADER_ID_COUNT
};

enum header_id header_id(struct str name);
/* HEADER_ bits. */
unsigned header_flags(enum header_id id);

struct header_field {
    struct str whole; /* with its line ends */
    struct str name;
    struct str body; /* what follows the colon, folded, without the last line
                        end: " a,\n\tb" */
    enum header_id id;
    bool cut; /* only the first bytes of a field over the limit */
};

/* Take the next field off the front; false at the end of the header, where
 * *rest stands at the empty line, at other text, or at the end. */
bool header_next(struct str *rest, struct header_field *f);

/* The same where a header goes on up to its empty line, as in stored messages:
 * lines that are no field are passed over; false at the end. */
bool header_scan(struct str *rest, struct header_field *f);

/* The first field of that name; false if there is none. */
bool header_find(struct str header, struct str name, struct header_field *f);

/* How far a header goes: *body is what follows it and its empty line. */
struct str header_of(struct str message, struct str *body);

/* A body as one line without blanks around it; a view where it was so. */
struct str header_unfold(struct arena *a, struct str body);

/*
 * Append "Name: value" and LF. Lines over 78 bytes are folded before words
 * (RFC 5322 2.2.3); a word is never broken. Line ends and other control bytes
 * in the value become blanks, so a value cannot make a field.
 */
void header_put(struct buf *b, const char *name, struct str value);

#endif
