#include "dns/hosts.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/vec.h"

#define HOSTS_MAX (1 << 20)

struct line {
    enum dns_type type;
    char ip[16];
    struct str name; /* canonical or alias, one entry each */
};

struct hosts {
    VEC(struct line) lines;
};

static bool
parse_ip(struct str text, struct line *l)
{
    char word[INET6_ADDRSTRLEN];

    if (text.len >= sizeof word)
        return false;
    memcpy(word, text.p, text.len);
    word[text.len] = '\0';
    l->type = DNS_A;
    if (inet_pton(AF_INET, word, l->ip) == 1)
        return true;
    l->type = DNS_AAAA;
    return inet_pton(AF_INET6, word, l->ip) == 1;
}

static void
add_line(struct hosts *h, struct arena *life, struct str text)
{
    struct str line = text, word;
    struct line l = {0};

    str_cut(&line, '#', &text);
    if (!str_word(&text, " \t\r", &word) || !parse_ip(word, &l))
        return;
    while (str_word(&text, " \t\r", &word)) {
        if (!dns_valid_host(word))
            continue;
        l.name = arena_lower(life, word);
        *vec_add(&h->lines) = l;
    }
}

struct hosts *
hosts_read(struct arena *life, const char *path)
{
    struct hosts *h = arena_make(life, struct hosts);
    auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct buf b = buf_in(life);
    struct str line;
    ssize_t n;

    while (fd >= 0 && b.len < HOSTS_MAX &&
           (n = read(fd, buf_space(&b, 4096), 4096)) > 0)
        b.len += (size_t)n;
    for (struct str text = buf_str(&b); text.len > 0;) {
        str_cut(&text, '\n', &line);
        add_line(h, life, line);
    }
    return h;
}

void
hosts_free(struct hosts *h)
{
    vec_free(&h->lines);
}

static struct str
ip_of(const struct line *l)
{
    return (struct str){l->ip, l->type == DNS_A ? 4 : 16};
}

void
hosts_addresses(const struct hosts *h, struct str name, enum dns_type type,
                struct dns_answer *answer)
{
    for (size_t i = 0; i < h->lines.len; i++) {
        const struct line *l = &h->lines.at[i];

        if (l->type != type || !str_ieq(l->name, name) ||
            answer->count == DNS_RECORDS_MAX)
            continue;
        answer->records[answer->count++] =
            (struct dns_record){.type = type, .data = ip_of(l)};
    }
}

struct str
hosts_name(const struct hosts *h, const struct dns_record *addr)
{
    for (size_t i = 0; i < h->lines.len; i++)
        if (h->lines.at[i].type == addr->type &&
            str_eq(ip_of(&h->lines.at[i]), addr->data))
            return h->lines.at[i].name;
    return (struct str){0};
}
