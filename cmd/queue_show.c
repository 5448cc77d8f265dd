#include "queue.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "json.h"
#include "mail/address.h"
#include "queue/listing.h"

/*
 * The columns of mailq. Sites and monitors parse this text, so it is Postfix's
 * to the byte.
 */
struct columns {
    int id, size, date;
    const char *heading[4];
};

static const struct columns narrow = {
    11,
    7,
    20,
    {"-Queue ID-", "--Size--", "----Arrival Time----",
      "-Sender/Recipient-------"}
};
static const struct columns wide = {
    17,
    8,
    19,
    {"----Queue ID-----", "--Size--", "---Arrival Time----",
      "--Sender/Recipient------"}
};

static struct arena *
line_memory(void)
{
    static struct arena *a;

    if (a == NULL)
        a = arena_new("line", (size_t)16 << 20);
    arena_reset(a);
    return a;
}

static struct str
sender_of(struct arena *a, const struct rec_listed *m)
{
    return m->sender.len ? address_quote(a, m->sender) : S("MAILER-DAEMON");
}

/* What stands for a reason where the sender wants it sent later. */
static void
set_waiting(struct queue_show *s, const struct rec_listed *m)
{
    time_t release = (time_t)(m->release / 1000000);
    struct tm tm;

    s->waiting[0] = '\0';
    if (release > time(NULL))
        strftime(s->waiting, sizeof s->waiting,
                 "to be sent after %a %b %e %H:%M:%S %Y",
                 localtime_r(&release, &tm));
}

static void
text_message(struct queue_show *s, const struct rec_listed *m)
{
    const struct columns *c = s->wide ? &wide : &narrow;
    struct arena *a = line_memory();
    time_t arrived = (time_t)(m->arrived / 1000000);
    char date[64];
    struct tm tm;
    const char *mark = str_eq(m->queue, S("active")) ? "*"
                       : str_eq(m->queue, S("hold")) ? "!"
                                                     : "";
    char *id = arena_fmt(a, "%.*s%s%s", STR(m->id), mark, m->forced ? "#" : "");

    if (s->messages == 0)
        printf("%-*s %*s %-*s %s\n", c->id, c->heading[0], c->size,
               c->heading[1], c->date, c->heading[2], c->heading[3]);
    else
        printf("\n");
    strftime(date, sizeof date, "%a %b %e %H:%M:%S %Y",
             localtime_r(&arrived, &tm));
    printf("%-*s %*ld %*.*s %.*s\n", c->id, id, c->size, (long)m->size, c->date,
           c->date, date, STR(sender_of(a, m)));
    s->reason[0] = '\0';
    set_waiting(s, m);
}

/* A reason stands once above all recipients that have it. */
static void
text_rcpt(struct queue_show *s, const struct rec_listed_rcpt *r)
{
    const struct columns *c = s->wide ? &wide : &narrow;
    char reason[sizeof s->reason];

    snprintf(reason, sizeof reason, "%.*s", STR(r->reason));
    if (reason[0] == '\0')
        memcpy(reason, s->waiting, sizeof s->waiting);
    if (strcmp(reason, s->reason) != 0) {
        memcpy(s->reason, reason, sizeof reason);
        if (reason[0] == '\0')
            snprintf(reason, sizeof reason, "reason unavailable");

        int pad = 76 - (int)strlen(reason);

        printf("%*s(%s)\n", pad > 0 ? pad : 0, "", reason);
    }
    printf("%-*s %*s %-*s %.*s\n", c->id, "", c->size, "", c->date, "",
           STR(address_quote(line_memory(), r->addr)));
}

static void
json_message(struct queue_show *s, const struct rec_listed *m)
{
    if (s->messages > 0)
        printf("]}\n");
    printf("{\"queue_name\": ");
    json_text(m->queue);
    printf(", \"queue_id\": ");
    json_text(m->id);
    printf(", \"arrival_time\": %ld, \"message_size\": %ld, "
           "\"forced_expire\": %s, ",
           (long)(m->arrived / 1000000), (long)m->size,
           m->forced ? "true" : "false");
    if (m->release)
        printf("\"release_time\": %ld, ", (long)(m->release / 1000000));
    printf("\"sender\": ");
    json_text(sender_of(line_memory(), m));
    printf(", \"recipients\": [");
}

static void
json_rcpt(struct queue_show *s, const struct rec_listed_rcpt *r)
{
    printf("%s{\"address\": ", s->rcpts ? ", " : "");
    json_text(address_quote(line_memory(), r->addr));
    if (r->reason.len) {
        printf(", \"delay_reason\": ");
        json_text(r->reason);
    }
    printf("}");
}

void
queue_show_records(void *show, struct str records)
{
    struct queue_show *s = show;
    struct listing_record r;

    while (listing_next(&records, &r)) {
        if (r.kind == LISTING_RCPT) {
            (s->json ? json_rcpt : text_rcpt)(s, &r.rcpt);
            s->rcpts++;
            continue;
        }
        (s->json ? json_message : text_message)(s, &r.message);
        s->messages++;
        s->rcpts = 0;
        s->bytes += (unsigned long)r.message.size;
    }
}

void
queue_show_end(struct queue_show *s)
{
    if (s->json) {
        if (s->messages)
            printf("]}\n");
    } else if (s->messages == 0) {
        printf("Mail queue is empty\n");
    } else {
        printf("\n-- %lu Kbytes in %lu Request%s.\n", s->bytes / 1024,
               s->messages, s->messages == 1 ? "" : "s");
    }
}
