#include "oauth.h"

#include <curl/curl.h>
#include <netdb.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "json.h"
#include "source_file.h"
#include "sys/sock.h"

#define TIMEOUT_MS 5000
#define ANSWER_MAX 65536

struct server {
    const char *url, *client_id, *client_secret, *bearer, *ca_file;
    const char *user_attribute, *scopes;
    CURL *curl;
};

/* ---- what the answer says */

static bool
has_word(struct str list, struct str wanted)
{
    struct str word;

    while (str_word(&list, " ", &word))
        if (str_eq(word, wanted))
            return true;
    return false;
}

static bool
has_scopes(struct arena *a, const char *wanted, struct str json)
{
    struct str rest = str_from(wanted), word, scope;

    if (json_member(a, json, "scope", &scope) != JSON_STRING)
        scope = S("");
    while (str_word(&rest, ", \t", &word))
        if (!has_word(scope, word))
            return false;
    return true;
}

/* "exp" is seconds since 1970; some servers call old tokens active. */
static bool
is_over(struct arena *a, struct str json, int64_t now)
{
    struct str text;
    uint64_t exp;

    return json_member(a, json, "exp", &text) == JSON_NUMBER &&
           str_num(text, &exp) && exp <= (uint64_t)now;
}

void
oauth_judge(struct arena *a, const struct oauth_rules *rules, struct str json,
            struct answer *answer)
{
    struct str active, user;

    answer->verdict = CHECK_TEMP;
    if (json_member(a, json, "active", &active) != JSON_WORD) {
        answer->text = S("the token server's answer has no \"active\"");
        return;
    }
    answer->verdict = CHECK_NO;
    if (!str_eq(active, S("true")) || is_over(a, json, rules->now) ||
        !has_scopes(a, rules->scopes, json))
        return;
    if (json_member(a, json, rules->user_attribute, &user) != JSON_STRING ||
        user.len == 0) {
        answer->verdict = CHECK_TEMP;
        answer->text = S("the token server's answer names no user");
        return;
    }
    answer->verdict = CHECK_YES;
    answer->user = user;
}

/* ---- the question */

struct taking {
    char text[ANSWER_MAX];
    size_t len;
};

static size_t
take(char *data, size_t size, size_t count, void *own)
{
    struct taking *t = own;
    size_t len = size * count;

    if (len > sizeof t->text - t->len)
        return 0; /* curl ends with an error */
    memcpy(t->text + t->len, data, len);
    t->len += len;
    return len;
}

/*
 * curl would look up names in a thread, which the sandbox does not let us
 * have: it gets the addresses. NULL: there are none.
 */
static struct curl_slist *
look_up(struct arena *a, const char *url)
{
    CURLU *u = curl_url();
    char *host = NULL, *port = NULL;
    struct addrinfo *found = NULL, hints = {.ai_socktype = SOCK_STREAM};
    struct curl_slist *list = NULL;
    struct buf b = buf_in(a);

    if (curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) ==
            CURLUE_OK &&
        getaddrinfo(host, port, &hints, &found) == 0) {
        buf_fmt(&b, "%s:%s", host, port);
        for (struct addrinfo *ai = found; ai; ai = ai->ai_next) {
            char text[SOCK_TEXT_MAX];
            unsigned n;

            sock_text(ai->ai_addr, text, &n);
            buf_fmt(&b, "%c%s", ai == found ? ':' : ',', text);
        }
        list = curl_slist_append(NULL, buf_str(&b).p);
        freeaddrinfo(found);
    }
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(u);
    return list;
}

static struct curl_slist *
headers(struct arena *a, const struct server *s)
{
    struct curl_slist *list =
        curl_slist_append(NULL, "Accept: application/json");

    if (s->bearer[0])
        list = curl_slist_append(
            list, arena_fmt(a, "Authorization: Bearer %s", s->bearer));
    return list;
}

static void
set_up(CURL *c, const struct server *s, struct taking *t)
{
    curl_easy_reset(c);
    curl_easy_setopt(c, CURLOPT_URL, s->url);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https,http");
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(c, CURLOPT_PROXY, "");
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
    if (s->ca_file[0])
        curl_easy_setopt(c, CURLOPT_CAINFO, s->ca_file);
    if (s->client_id[0]) {
        curl_easy_setopt(c, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        curl_easy_setopt(c, CURLOPT_USERNAME, s->client_id);
        curl_easy_setopt(c, CURLOPT_PASSWORD, s->client_secret);
    }
}

static const char *
body(struct arena *a, struct str token)
{
    struct buf b = buf_in(a);

    buf_add(&b, S("token_type_hint=access_token&token="));
    for (size_t i = 0; i < token.len; i++)
        if (is_alnum(token.p[i]))
            buf_addc(&b, token.p[i]);
        else
            buf_fmt(&b, "%%%02X", (unsigned char)token.p[i]);
    return buf_str(&b).p;
}

/* NULL, or what went wrong. */
static const char *
post(struct server *s, struct arena *a, const char *text, struct taking *t)
{
    struct curl_slist *addresses = look_up(a, s->url);
    struct curl_slist *lines = headers(a, s);
    CURLcode rc;
    long status = 0;

    set_up(s->curl, s, t);
    curl_easy_setopt(s->curl, CURLOPT_RESOLVE, addresses);
    curl_easy_setopt(s->curl, CURLOPT_HTTPHEADER, lines);
    curl_easy_setopt(s->curl, CURLOPT_POSTFIELDS, text);
    rc = addresses ? curl_easy_perform(s->curl) : CURLE_COULDNT_RESOLVE_HOST;
    curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(addresses);
    curl_slist_free_all(lines);
    if (rc != CURLE_OK)
        return curl_easy_strerror(rc);
    return status == 200 ? NULL
                         : arena_fmt(a, "the token server answers %ld", status);
}

void
oauth_check(struct source *source, struct arena *a, const struct question *q,
            struct answer *answer)
{
    static struct taking t;
    struct server *s = source->own;
    const struct oauth_rules rules = {
        .user_attribute = s ? s->user_attribute : "",
        .scopes = s ? s->scopes : "",
        .now = time(NULL),
    };
    const char *trouble;

    if (s == NULL || q->secret.len == 0)
        return;
    if (s->curl == NULL)
        s->curl = curl_easy_init();
    t.len = 0;
    trouble = post(s, a, body(a, q->secret), &t);
    if (trouble)
        answer->text = str_from(arena_fmt(a, "%s", trouble));
    else
        oauth_judge(a, &rules, (struct str){t.text, t.len}, answer);
    explicit_bzero(t.text, t.len);
}

/* ---- set-up */

static bool
is_local(struct str url)
{
    return str_starts(url, S("http://127.0.0.1:")) ||
           str_starts(url, S("http://[::1]:")) ||
           str_starts(url, S("http://localhost:"));
}

enum rc
oauth_prepare(struct arena *life, struct source *s, struct why *why)
{
    struct server *v = arena_make(life, struct server);
    const struct source_setting rows[] = {
        {"introspection_url",  &v->url,            ""        },
        {"client_id",          &v->client_id,      ""        },
        {"client_secret",      &v->client_secret,  ""        },
        {"bearer_token",       &v->bearer,         ""        },
        {"tls_ca_file",        &v->ca_file,        ""        },
        {"username_attribute", &v->user_attribute, "username"},
        {"scope",              &v->scopes,         ""        },
    };
    enum rc rc = source_file_read(life, s->argument, rows, COUNT(rows), why);

    if (rc != OK)
        return rc;
    if (!str_starts(str_from(v->url), S("https://")) &&
        !is_local(str_from(v->url)))
        return fail(why, "5.3.5",
                    "%s: introspection_url = %s: must begin with https://, or "
                    "be on this machine",
                    s->argument, v->url);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        return fail(why, "4.3.0", "libcurl cannot be started");
    s->own = v;
    return OK;
}
