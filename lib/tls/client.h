/*
 * client.h - the client's side of TLS: what is demanded of a server, and
 * whether it was met.
 *
 * The handshake goes on whatever the certificate is; tls_client_judge then
 * says what came of the demand, so that the caller can still say goodbye, and
 * log who it was.
 */
#ifndef TLS_CLIENT_H
#define TLS_CLIENT_H

#include "tls/facts.h"
#include "tls/options.h"

/* Postfix's, in the order of what they demand. */
enum tls_level {
    TLS_NONE,
    TLS_MAY,
    TLS_ENCRYPT,     /* encrypted, whoever it is */
    TLS_FINGERPRINT, /* a certificate or key that we know */
    TLS_HALF_DANE,   /* as DANE, but how we came to the server's name is not
                        certain: never logged as verified */
    TLS_DANE,        /* as the zone's TLSA records say (RFC 7672) */
    TLS_DANE_ONLY,
    TLS_VERIFY, /* by an authority of ours, for a name we know */
    TLS_SECURE,
};

/* "half-dane" is no level anybody may ask for. */
bool tls_level_parse(struct str name, enum tls_level *level);
const char *tls_level_name(enum tls_level level);

/* A TLSA record (RFC 6698), or a trust anchor in its form. */
struct tls_record {
    uint8_t usage, selector, matching;
    struct str data;
};

enum {
    TLSA_CA = 2,     /* DANE-TA */
    TLSA_SERVER = 3, /* DANE-EE */
};

/* What is demanded. */
struct tls_demand {
    enum tls_level level;
    struct tls_protocols protocols;
    const char *ciphers; /* the library's list */
    const char *sni;     /* "": none is sent */
    struct str *names;   /* the certificate must be for one of these; ".x.y" is
                            any host below x.y */
    size_t name_count;
    struct str *prints; /* TLS_FINGERPRINT: as tls_print_parse makes them */
    size_t print_count;
    struct tls_record *records; /* that we can use: they alone are trusted, if
                                   there are any */
    size_t record_count;
};

/*
 * A fingerprint as it is compared: "AB:CD..", from "ab:cd.." or "abcd..".
 * False where it is none.
 */
bool tls_print_parse(struct arena *a, struct str text, struct str *print);

/* Trust anchors of a PEM file, certificates and public keys, as records. TEMP
 * 4.3.0 where the file cannot be read or has none. */
enum rc tls_anchors_read(struct arena *a, const char *path,
                         struct tls_record **records, size_t *count,
                         struct why *why) MUST_USE;

struct tls_client_options {
    const char *ca_file, *ca_path; /* "": none */
    bool system_cas;               /* the system's too */
    int depth;                     /* of chains */
    const char *print_digest;      /* "sha256" */
    const char *dane_digests;      /* of TLSA records, the best first: "sha512
                                      sha256", a new one with its number */
    bool deep_wildcards;           /* "*.x.y" is for a.b.x.y too */
    int64_t remember;              /* sessions, for so many ms; 0: none */
    void (*certify)(void *own, SSL *ssl); /* the server asks for our
                                             certificate; NULL: none */
    void *own;
};

struct tls_client;

/* One a process; made before rights are dropped, as it reads files. NULL with
 * why where main.cf names what cannot be used. */
struct tls_client *tls_client_new(struct arena *life,
                                  const struct tls_client_options *options,
                                  struct why *why);

/* Whether that record means something to us (RFC 7671, RFC 7672 3.1.3). */
bool tls_client_can_use(const struct tls_client *c, const struct tls_record *r);

/*
 * For tls_start: a session that asks for what is demanded. `server` is where
 * it leads to: an earlier session is gone on with only where that and the
 * whole demand are the same. The arena and the demand live as long as the
 * session. NULL with why where the library cannot do it.
 */
SSL *tls_client_session(struct tls_client *c, const struct tls_demand *d,
                        struct str server, struct arena *a, struct why *why);

/* After the handshake: the facts, and whether the demand was met. TEMP 4.7.5
 * "Server certificate not verified". */
enum rc tls_client_judge(struct tls_session *t, struct arena *a,
                         struct tls_facts *f, struct why *why) MUST_USE;

/* Why it was not, or would not have been, for the log; in Postfix's words:
 * "certificate verification failed for NAME: self-signed certificate". */
const char *tls_client_complaint(struct tls_session *t, struct arena *a,
                                 const char *name);

/* Equal for equal demands. */
struct str tls_demand_key(struct arena *a, const struct tls_demand *d);

#endif
