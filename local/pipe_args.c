#include "pipe_args.h"

#include "base/buf.h"
#include "conf/expand.h"
#include "mail/address.h"
#include "who.h"

struct lookup {
    struct arena *arena;
    const struct pipe_args *args;
    const struct rec_rcpt *rcpt;
    bool each;          /* a macro about the recipient was seen */
    struct str unknown; /* one that is none */
};

/* An address as the flags want it. */
static struct str
folded(struct lookup *l, struct str addr, unsigned quote)
{
    unsigned flags = l->args->flags;
    struct str local, domain;

    address_split(addr, &local, &domain);
    if (flags & PIPE_FOLD_USER)
        local = arena_lower(l->arena, local);
    if (flags & PIPE_FOLD_DOMAIN)
        domain = arena_lower(l->arena, domain);
    if (domain.p)
        addr =
            str_from(arena_fmt(l->arena, "%.*s@%.*s", STR(local), STR(domain)));
    else
        addr = local;
    return flags & quote ? address_quote(l->arena, addr) : addr;
}

static struct str
sender(struct lookup *l)
{
    struct str s = l->args->msg->sender;

    if (s.len == 0)
        s = l->args->null_sender;
    return s.len && l->args->flags & PIPE_QUOTE ? address_quote(l->arena, s)
                                                : s;
}

static struct str
lower_if(struct lookup *l, struct str s, unsigned flag)
{
    return l->args->flags & flag ? arena_lower(l->arena, s) : s;
}

/* Parts of the recipient as it is: who_parse would fold them. */
static struct str
part(struct lookup *l, bool extension)
{
    struct str local = address_local(l->rcpt->addr), user = local, ext = {0};

    if (*l->args->delimiters)
        address_extension(local, l->args->delimiters, &user, &ext);
    return lower_if(l, extension ? ext : user, PIPE_FOLD_USER);
}

static bool
recipient_macro(struct lookup *l, struct str name, struct str *value)
{
    const struct rec_rcpt *r = l->rcpt;

    if (str_eq(name, S("recipient")))
        *value = folded(l, r->addr, PIPE_QUOTE);
    else if (str_eq(name, S("original_recipient")))
        *value = folded(l, r->orig.len ? r->orig : r->addr, PIPE_QUOTE);
    else if (str_eq(name, S("user")))
        *value = part(l, false);
    else if (str_eq(name, S("extension")))
        *value = part(l, true);
    else if (str_eq(name, S("mailbox")))
        *value = lower_if(l, address_local(r->addr), PIPE_FOLD_USER);
    else if (str_eq(name, S("domain")))
        *value = lower_if(l, address_domain(r->addr), PIPE_FOLD_DOMAIN);
    else
        return false;
    l->each = true;
    return true;
}

static bool
message_macro(struct lookup *l, struct str name, struct str *value)
{
    const struct msg_deliver *m = l->args->msg;
    const struct origin *o = l->args->origin;
    const struct {
        struct str name, value;
    } values[] = {
        {S("queue_id"),        m->id   },
        {S("envid"),           m->envid},
        {S("client_address"),  o->addr },
        {S("client_hostname"), o->name },
        {S("client_helo"),     o->helo },
        {S("client_protocol"), o->proto},
        {S("sasl_username"),   o->login},
        {S("sasl_method"),     S("")   },
        {S("sasl_sender"),     S("")   },
    };

    for (size_t i = 0; i < COUNT(values); i++)
        if (str_eq(values[i].name, name)) {
            *value = values[i].value;
            return true;
        }
    if (str_eq(name, S("sender")))
        *value = sender(l);
    else if (str_eq(name, S("nexthop")))
        *value = lower_if(l, m->nexthop, PIPE_FOLD_DOMAIN);
    else if (str_eq(name, S("size")))
        *value = str_from(
            arena_fmt(l->arena, "%lld", (long long)(m->end - m->skip)));
    else if (str_eq(name, S("client_port")))
        *value = o->port
                     ? str_from(arena_fmt(l->arena, "%lld", (long long)o->port))
                     : S("");
    else
        return false;
    return true;
}

/* A value is text: its dollars are not macros. */
static struct str
literal(struct arena *a, struct str value)
{
    struct buf b = buf_in(a);

    if (str_find(value, '$') < 0)
        return value;
    for (size_t i = 0; i < value.len; i++) {
        if (value.p[i] == '$')
            buf_addc(&b, '$');
        buf_addc(&b, value.p[i]);
    }
    return buf_str(&b);
}

static bool
get(void *self, struct str name, struct str *raw)
{
    struct lookup *l = self;

    if (!recipient_macro(l, name, raw) && !message_macro(l, name, raw)) {
        l->unknown = name;
        return false;
    }
    *raw = literal(l->arena, *raw);
    return true;
}

static enum rc
expand_one(struct lookup *l, const char *text, char **arg, struct why *why)
{
    struct expand_names names = {get, l};
    struct str out;
    enum rc rc = expand(l->arena, str_from(text), &names, &out, why);

    if (rc == OK && l->unknown.p)
        rc =
            fail(why, "5.3.5", "unknown macro name: \"%.*s\"", STR(l->unknown));
    if (rc == OK)
        *arg = arena_cstr(l->arena, out);
    return rc;
}

enum rc
pipe_expand(struct arena *a, const struct pipe_args *args,
            char *const *templates, char ***argv, struct why *why)
{
    size_t n = 0, count = 0;

    while (templates[count])
        count++;
    *argv = arena_alloc(a, (count * args->nrcpts + 1) * sizeof **argv);
    for (size_t i = 0; i < count; i++) {
        struct lookup l = {.arena = a, .args = args};

        for (size_t k = 0; k < args->nrcpts && (k == 0 || l.each); k++) {
            l.rcpt = &args->rcpts[k];
            enum rc rc = expand_one(&l, templates[i], &(*argv)[n++], why);

            if (rc != OK)
                return rc;
        }
    }
    return OK;
}

static bool
octal(struct str *rest, char *c)
{
    unsigned value = 0, digits = 0;

    while (digits < 3 && rest->len > 0 && *rest->p >= '0' && *rest->p <= '7') {
        value = value * 8 + (unsigned)(*rest->p - '0');
        *rest = str_sub(*rest, 1, rest->len);
        digits++;
    }
    *c = (char)value;
    return digits > 0 && value < 256;
}

bool
pipe_unescape(struct arena *a, struct str text, struct str *out)
{
    static const char letters[] = "abfnrtv\\", bytes[] = "\a\b\f\n\r\t\v\\";
    struct buf b = buf_in(a);

    while (text.len > 0) {
        char c = *text.p;

        text = str_sub(text, 1, text.len);
        if (c == '\\') {
            const char *at =
                text.len && *text.p ? strchr(letters, *text.p) : NULL;

            if (at) {
                c = bytes[at - letters];
                text = str_sub(text, 1, text.len);
            } else if (!octal(&text, &c)) {
                return false;
            }
        }
        buf_addc(&b, c);
    }
    *out = buf_str(&b);
    return true;
}
