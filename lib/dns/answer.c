#include "dns/answer.h"

#include "base/buf.h"
enum {
    HEADER = 12,
    CLASS_IN = 1,
    TYPE_OPT = 41,
    EDNS_SIZE = 1232, /* fits one Ethernet and IPv6 packet: no fragments */
    TTL_MAX = 86400,
    TTL_NEGATIVE_MAX = 3600,
    TTL_UNKNOWN = 5, /* a denial without SOA; a failure (RFC 9520: at least 1,
                        at most 300) */
};

static void
put16(unsigned char *to, unsigned value)
{
    to[0] = (unsigned char)(value >> 8);
    to[1] = (unsigned char)value;
}

/* Append the name as labels; 0 where it cannot be a name. */
static size_t
put_name(unsigned char *to, struct str name)
{
    size_t len = 0;
    struct str label;

    if (str_ends(name, S(".")))
        name.len--;
    while (name.len > 0) {
        bool dot = str_cut(&name, '.', &label);

        if (label.len == 0 || label.len > 63 || (dot && name.len == 0) ||
            len + label.len + 2 > 255)
            return 0;
        to[len++] = (unsigned char)label.len;
        memcpy(to + len, label.p, label.len);
        len += label.len;
    }
    to[len++] = 0;
    return len;
}

size_t
answer_ask(unsigned char packet[DNS_QUERY_MAX], struct str name,
           enum dns_type type, unsigned id)
{
    memset(packet, 0, DNS_QUERY_MAX);
    put16(packet, id);
    put16(packet + 2, 0x0120); /* recursion wanted; AD: tell of validation */
    put16(packet + 4, 1);
    put16(packet + 10, 1);

    size_t len = put_name(packet + HEADER, name);

    if (len == 0)
        return 0;
    unsigned char *p = packet + HEADER + len;

    put16(p, (unsigned)type);
    put16(p + 2, CLASS_IN);
    p += 4;
    put16(p + 1, TYPE_OPT);
    put16(p + 3, EDNS_SIZE);
    return (size_t)(p + 11 - packet);
}

struct reader {
    const unsigned char *p;
    size_t len, at;
    bool bad; /* something was cut short */
};

static unsigned
get8(struct reader *r)
{
    if (r->at >= r->len) {
        r->bad = true;
        return 0;
    }
    return r->p[r->at++];
}

static unsigned
get16(struct reader *r)
{
    unsigned high = get8(r);

    return high << 8 | get8(r);
}

static uint32_t
get32(struct reader *r)
{
    uint32_t high = get16(r);

    return high << 16 | get16(r);
}

struct name {
    char text[DNS_NAME_MAX];
    size_t len;
    bool odd; /* holds bytes that no name of ours has */
};

static void
add_byte(struct name *n, unsigned c)
{
    if (n->len >= sizeof n->text - 1) {
        n->odd = true;
        return;
    }
    if (c <= ' ' || c >= 127 || c == '.' || c == '\\')
        n->odd = true;
    n->text[n->len++] = to_lower((char)c);
}

/*
 * A name, compressed or not. Pointers must lead backwards each time, so the
 * walk ends; the length limit of the text ends it early.
 */
static void
get_name(struct reader *r, struct name *n)
{
    struct reader at = *r;
    size_t limit = r->at;
    bool jumped = false;
    unsigned len;

    n->len = 0;
    n->odd = false;
    while ((len = get8(&at)) != 0 && !at.bad) {
        if (!jumped)
            r->at = at.at;
        if ((len & 0xc0) == 0xc0) {
            size_t target = (size_t)(len & 0x3f) << 8 | get8(&at);

            if (!jumped)
                r->at = at.at;
            jumped = true;
            at.bad |= target >= limit;
            at.at = limit = target;
            continue;
        }
        if (len > 63 || n->len + len + 1 > 255)
            at.bad = true;
        if (n->len > 0 && !at.bad)
            n->text[n->len++] = '.';
        while (len-- > 0 && !at.bad)
            add_byte(n, get8(&at));
    }
    if (!jumped)
        r->at = at.at;
    r->bad |= at.bad;
}

static struct str
view(const struct name *n)
{
    return (struct str){n->text, n->len};
}

struct record {
    struct name owner;
    unsigned type, class;
    uint32_t ttl;
    struct reader data; /* of the whole packet, but ends with the record */
    size_t len;
};

static bool
get_record(struct reader *r, struct record *rec)
{
    get_name(r, &rec->owner);
    rec->type = get16(r);
    rec->class = get16(r);
    rec->ttl = get32(r);
    rec->len = get16(r);
    if (r->bad || rec->len > r->len - r->at)
        return false;
    if (rec->ttl > INT32_MAX) /* RFC 2181 part 8 */
        rec->ttl = 0;
    if (rec->ttl > TTL_MAX)
        rec->ttl = TTL_MAX;
    rec->data = (struct reader){r->p, r->at + rec->len, r->at, false};
    r->at += rec->len;
    return true;
}

static bool
take_host(struct record *rec, struct arena *a, bool root_too, struct str *host)
{
    struct name n;

    get_name(&rec->data, &n);
    if (rec->data.bad || n.odd)
        return false;
    *host = arena_str(a, view(&n));
    return (root_too && n.len == 0) || dns_valid_host(*host);
}

static struct str
rest(const struct record *rec)
{
    return (struct str){(const char *)rec->data.p + rec->data.at, rec->len};
}

/* The strings of a TXT record, joined. */
static bool
take_text(struct record *rec, struct arena *a, struct str *text)
{
    struct buf b = buf_in(a);

    while (rec->data.at < rec->data.len && !rec->data.bad) {
        size_t len = get8(&rec->data);

        if (len > rec->data.len - rec->data.at)
            return false;
        buf_add(&b,
                (struct str){(const char *)rec->data.p + rec->data.at, len});
        rec->data.at += len;
    }
    *text = buf_str(&b);
    return true;
}

/* One record of the wanted type; false where it is not usable. */
static bool
take_record(struct record *rec, struct arena *a, struct dns_record *out)
{
    *out =
        (struct dns_record){.type = (enum dns_type)rec->type, .ttl = rec->ttl};
    switch ((enum dns_type)rec->type) {
    case DNS_A:
        out->data = arena_str(a, rest(rec));
        return rec->len == 4;
    case DNS_AAAA:
        out->data = arena_str(a, rest(rec));
        return rec->len == 16;
    case DNS_MX:
        out->pref = get16(&rec->data);
        return take_host(rec, a, true, &out->host);
    case DNS_SRV:
        out->pref = get16(&rec->data);
        out->weight = get16(&rec->data);
        out->port = get16(&rec->data);
        return take_host(rec, a, true, &out->host);
    case DNS_NS:
    case DNS_PTR:
    case DNS_CNAME:
        return take_host(rec, a, false, &out->host);
    case DNS_TXT:
        return take_text(rec, a, &out->data);
    default:
        out->data = arena_str(a, rest(rec));
        return true;
    }
}

struct parse {
    struct reader start; /* at the answer section */
    unsigned answers, authorities;
    enum dns_type type;
    struct arena *arena;
    struct dns_answer *out;
    struct name at;     /* the name that is looked for */
    struct name target; /* where its alias leads */
    bool alias, invalid;
};

static void
lower_ttl(struct dns_answer *out, uint32_t ttl)
{
    if (ttl < out->ttl)
        out->ttl = ttl;
}

static void
consider(struct parse *p, struct record *rec)
{
    struct dns_answer *out = p->out;

    if (rec->class != CLASS_IN || rec->owner.odd ||
        !str_eq(view(&rec->owner), view(&p->at)))
        return;
    if (rec->type == (unsigned)p->type) {
        if (out->count == DNS_RECORDS_MAX)
            return;
        if (take_record(rec, p->arena, &out->records[out->count]))
            out->count++;
        else
            p->invalid = true;
        lower_ttl(out, rec->ttl);
    } else if (rec->type == DNS_CNAME && !p->alias) {
        get_name(&rec->data, &p->target);
        p->alias = !rec->data.bad && !p->target.odd && p->target.len > 0;
        p->invalid |= !p->alias;
        lower_ttl(out, rec->ttl);
    }
}

/* Walk the answers once for the name we look for; false if they are cut. */
static bool
scan(struct parse *p)
{
    struct reader r = p->start;
    struct record rec;

    p->alias = false;
    for (unsigned i = 0; i < p->answers; i++) {
        if (!get_record(&r, &rec))
            return false;
        consider(p, &rec);
    }
    return true;
}

/* How long a denial holds: the SOA among the authorities says (RFC 2308). */
static uint32_t
denial_ttl(const struct parse *p)
{
    struct reader r = p->start;
    struct record rec;
    struct name skipped;

    for (unsigned i = 0; i < p->answers + p->authorities; i++) {
        if (!get_record(&r, &rec))
            return TTL_UNKNOWN;
        if (i < p->answers || rec.type != DNS_SOA)
            continue;
        get_name(&rec.data, &skipped);
        get_name(&rec.data, &skipped);
        for (int field = 0; field < 4; field++)
            get32(&rec.data);
        uint32_t minimum = get32(&rec.data);
        uint32_t ttl = minimum < rec.ttl ? minimum : rec.ttl;

        if (rec.data.bad)
            return TTL_UNKNOWN;
        return ttl < TTL_NEGATIVE_MAX ? ttl : TTL_NEGATIVE_MAX;
    }
    return TTL_UNKNOWN;
}

/* Header and question; false where this answers something else. */
static bool
get_question(struct reader *r, struct parse *p, unsigned *flags)
{
    struct name asked;

    get16(r);
    *flags = get16(r);
    unsigned questions = get16(r);

    p->answers = get16(r);
    p->authorities = get16(r);
    get16(r);
    get_name(r, &asked);
    return questions == 1 && !asked.odd && str_eq(view(&asked), view(&p->at)) &&
           get16(r) == (unsigned)p->type && get16(r) == CLASS_IN && !r->bad &&
           (*flags & 0x8000);
}

/* Follow aliases through the packet until records of the type are found. */
static bool
follow(struct parse *p, bool *more)
{
    struct dns_answer *out = p->out;
    int hops = 0;

    for (;; hops++) {
        if (!scan(p))
            return false;
        if (out->count > 0 || !p->alias || hops == DNS_CHAIN_MAX)
            break;
        p->at = p->target;
    }
    if (out->count > 0)
        out->state = DNS_FOUND;
    else if (p->alias)
        out->state = DNS_LOOP;
    else if (p->invalid)
        out->state = DNS_INVALID;
    else
        *more = hops > 0 && out->state == DNS_NODATA;
    return true;
}

bool
answer_parse(struct str packet, struct str name, enum dns_type type,
             struct arena *a, struct dns_answer *out, bool *more)
{
    struct reader r = {(const unsigned char *)packet.p, packet.len, 0, false};
    struct parse p = {.type = type, .arena = a, .out = out};
    unsigned flags;

    *more = false;
    *out = (struct dns_answer){.state = DNS_FAILED, .ttl = TTL_UNKNOWN};
    if (str_ends(name, S(".")))
        name.len--;
    for (size_t i = 0; i < name.len && i < sizeof p.at.text; i++)
        p.at.text[p.at.len++] = to_lower(name.p[i]);
    if (!get_question(&r, &p, &flags) || (flags & 0x0200))
        return false;
    p.start = r;
    if ((flags & 15) != 0 && (flags & 15) != 3)
        return true;
    out->state = (flags & 15) == 3 ? DNS_NXDOMAIN : DNS_NODATA;
    out->secure = flags & 0x0020;
    out->ttl = TTL_MAX;
    out->records = arena_alloc(a, sizeof *out->records * DNS_RECORDS_MAX);
    if (!follow(&p, more)) {
        *out = (struct dns_answer){.state = DNS_FAILED, .ttl = TTL_UNKNOWN};
        return false;
    }
    if (out->count == 0 && !*more)
        lower_ttl(out, denial_ttl(&p));
    out->name = arena_str(a, view(&p.at));
    return true;
}
