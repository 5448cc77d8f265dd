/* One line of a passwd-file, and its extra fields. */
#include <arpa/inet.h>
#include <stdio.h>

#include "auth/passwd_file.h"

/* Is it a byte that would break a line? */
static bool
is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

static bool
holds_control(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (is_control(s.p[i]))
            return true;
    return false;
}

bool
passwd_line_parse(struct str line, struct passwd_user *u)
{
    struct str *const fields[] = {&u->name,  &u->password, &u->uid,  &u->gid,
                                  &u->gecos, &u->home,     &u->shell};

    if (line.len > 0 && line.p[line.len - 1] == '\r')
        line.len--;
    if (line.len == 0 || line.len > PASSWD_LINE_MAX || line.p[0] == '#' ||
        line.p[0] == ':' || str_find(line, '\0') >= 0)
        return false;
    for (size_t i = 0; i < COUNT(fields); i++)
        str_cut(&line, ':', fields[i]);
    u->extra = line;
    return true;
}

bool
passwd_line_print(struct buf *b, const struct passwd_user *u)
{
    const struct str fields[] = {u->name,  u->password, u->uid,  u->gid,
                                 u->gecos, u->home,     u->shell};

    if (u->name.len == 0 || u->name.p[0] == '#' || holds_control(u->extra))
        return false;
    for (size_t i = 0; i < COUNT(fields); i++) {
        if (holds_control(fields[i]) || str_find(fields[i], ':') >= 0)
            return false;
        buf_add(b, fields[i]);
        buf_addc(b, ':');
    }
    buf_add(b, u->extra);
    return true;
}

bool
passwd_field_next(struct str *extra, struct passwd_field *f)
{
    struct str word;

    if (!str_word(extra, " \t", &word))
        return false;
    f->value = (struct str){NULL, 0};
    if (str_cut(&word, '=', &f->name))
        f->value = word.len > 0 ? word : S("");
    return true;
}

bool
passwd_field_find(struct str extra, struct str name, struct str *value)
{
    struct passwd_field f;

    while (passwd_field_next(&extra, &f))
        if (str_eq(f.name, name)) {
            *value = f.value;
            return true;
        }
    return false;
}

static const struct {
    const char *word;
    unsigned bit;
    bool printed; /* else another name of it */
} scopes[] = {
    {"smtp",       PASSWD_SMTP,  true },
    {"imap",       PASSWD_IMAP,  true },
    {"pop3",       PASSWD_POP3,  true },
    {"sieve",      PASSWD_SIEVE, true },
    {"submission", PASSWD_SMTP,  false},
    {"lmtp",       PASSWD_SMTP,  false},
    {"pop",        PASSWD_POP3,  false},
};

unsigned
passwd_scope_of(struct str service)
{
    for (size_t i = 0; i < COUNT(scopes); i++)
        if (str_ieq(service, str_from(scopes[i].word)))
            return scopes[i].bit;
    return 0;
}

bool
passwd_scope_parse(struct str words, unsigned *scope)
{
    struct str word;

    *scope = 0;
    while (str_word(&words, ", ", &word)) {
        unsigned bit = passwd_scope_of(word);

        if (bit == 0)
            return false;
        *scope |= bit;
    }
    return *scope != 0;
}

void
passwd_scope_print(struct buf *b, unsigned scope)
{
    const char *comma = "";

    for (size_t i = 0; i < COUNT(scopes); i++)
        if (scopes[i].printed && (scope & scopes[i].bit)) {
            buf_fmt(b, "%s%s", comma, scopes[i].word);
            comma = ",";
        }
}

/* "+" and two digits stand for bytes that would mean something here, or to
 * Dovecot, which looks for "%". */
static void
encode_label(struct buf *b, struct str label)
{
    for (size_t i = 0; i < label.len; i++)
        if (is_alnum(label.p[i]) || str_find(S("._@-"), label.p[i]) >= 0)
            buf_addc(b, label.p[i]);
        else
            buf_fmt(b, "+%02x", (unsigned char)label.p[i]);
}

static bool
decode_label(struct arena *a, struct str in, struct str *label)
{
    struct buf b = buf_in(a);
    uint64_t byte;

    while (in.len > 0) {
        if (in.p[0] != '+') {
            buf_addc(&b, in.p[0]);
            in = str_sub(in, 1, in.len);
        } else if (in.len >= 3 && str_hex(str_sub(in, 1, 2), &byte)) {
            buf_addc(&b, (char)byte);
            in = str_sub(in, 3, in.len);
        } else {
            return false;
        }
    }
    *label = buf_str(&b);
    return true;
}

bool
passwd_app_parse(struct arena *a, const struct passwd_field *f,
                 struct passwd_app *app)
{
    struct str name = f->name, rest = f->value, scope, created, label;
    uint64_t number, when;

    if (!str_skip(&name, S("posta_app_")) || !str_num(name, &number) ||
        number == 0 || number > UINT32_MAX || rest.p == NULL ||
        !str_cut(&rest, '|', &scope) || !str_cut(&rest, '|', &created) ||
        !str_cut(&rest, '|', &label) || !str_num(created, &when) ||
        when > INT64_MAX)
        return false;
    app->number = (unsigned)number;
    app->created = (int64_t)when;
    app->stored = rest;
    return rest.len > 0 && passwd_scope_parse(scope, &app->scope) &&
           decode_label(a, label, &app->label);
}

void
passwd_app_print(struct buf *b, const struct passwd_app *app)
{
    buf_fmt(b, "posta_app_%u=", app->number);
    passwd_scope_print(b, app->scope);
    buf_fmt(b, "|%lld|", (long long)app->created);
    encode_label(b, app->label);
    buf_addc(b, '|');
    buf_add(b, app->stored);
}

/* What Dovecot's variables stand for: by letter, and by name. */
static const struct {
    char letter;
    const char *name;
    enum { WHOLE, LOCAL, DOMAIN } part;
} variables[] = {
    {'u', "user",     WHOLE },
    {'n', "username", LOCAL },
    {'d', "domain",   DOMAIN},
};

static void
add_part(struct buf *b, struct str user, unsigned part)
{
    struct str domain = user, local;

    str_cut(&domain, '@', &local);
    buf_add(b, part == WHOLE ? user : part == LOCAL ? local : domain);
}

/* Step over one variable behind its "%"; false: there is none. */
static bool
expand_one(struct buf *b, struct str *rest, struct str user)
{
    for (size_t i = 0; i < COUNT(variables); i++) {
        char name[20], letter[] = {variables[i].letter, '\0'};

        snprintf(name, sizeof name, "{%s}", variables[i].name);
        if (str_skip(rest, str_from(letter)) ||
            str_skip(rest, str_from(name))) {
            add_part(b, user, variables[i].part);
            return true;
        }
    }
    return false;
}

struct str
passwd_expand(struct arena *a, struct str value, struct str user)
{
    struct buf b = buf_in(a);
    struct str before;

    if (str_find(value, '%') < 0)
        return value;
    while (str_cut(&value, '%', &before)) {
        buf_add(&b, before);
        if (!str_skip(&value, S("%")) && expand_one(&b, &value, user))
            continue;
        buf_addc(&b, '%');
    }
    buf_add(&b, before);
    return buf_str(&b);
}

struct address {
    uint8_t bytes[16];
    unsigned bits; /* 32 or 128 */
};

static bool
address_parse(struct str text, struct address *out)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    char host[INET6_ADDRSTRLEN];

    if (text.len >= sizeof host)
        return false;
    snprintf(host, sizeof host, "%.*s", STR(text));
    out->bits = 32;
    if (inet_pton(AF_INET, host, out->bytes) == 1)
        return true;
    out->bits = 128;
    if (inet_pton(AF_INET6, host, out->bytes) != 1)
        return false;
    if (memcmp(out->bytes, mapped, sizeof mapped) == 0) {
        memmove(out->bytes, out->bytes + 12, 4);
        out->bits = 32;
    }
    return true;
}

static bool
net_holds(struct str net, const struct address *who)
{
    struct str host;
    struct address at;
    uint64_t bits;
    bool has_bits = str_cut(&net, '/', &host);

    if (!address_parse(host, &at) || at.bits != who->bits)
        return false;
    bits = at.bits;
    if (has_bits && (!str_num(net, &bits) || bits > at.bits))
        return false;
    for (unsigned i = 0; i < bits; i++)
        if ((at.bytes[i / 8] ^ who->bytes[i / 8]) & (0x80 >> i % 8))
            return false;
    return true;
}

bool
passwd_nets_allow(struct str nets, struct str address)
{
    struct address who;
    struct str net;

    while (str_word(&nets, ", ", &net)) {
        if (address.len == 0) {
            if (str_eq(net, S("local")))
                return true;
        } else if (address_parse(address, &who) && net_holds(net, &who)) {
            return true;
        }
    }
    return false;
}
