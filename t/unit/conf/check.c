#include "conf/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "conf/rows.h"
#include "unit/test.h"

struct heard {
    char text[8192];
    size_t lines, fatal;
};

static void
hear(void *own, bool fatal, const char *line)
{
    struct heard *h = own;
    size_t len = strlen(h->text);

    h->lines++;
    h->fatal += fatal;
    snprintf(h->text + len, sizeof h->text - len, "%s%s\n",
             fatal ? "fatal: " : "", line);
}

static void
put(const char *dir, const char *name, const char *text)
{
    char path[200];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void
drop(const char *dir)
{
    char path[200];

    snprintf(path, sizeof path, "%s/main.cf", dir);
    unlink(path);
    snprintf(path, sizeof path, "%s/master.cf", dir);
    unlink(path);
    rmdir(dir);
}

static struct heard
check(const char *main_cf, const char *master_cf)
{
    char dir[] = "/tmp/posta-check-XXXXXX";
    struct arena *a = arena_new("test", 16 << 20);
    struct heard heard = {0};
    struct config config;
    struct why why;

    assert_non_null(mkdtemp(dir));
    put(dir, "main.cf", main_cf);
    put(dir, "master.cf", master_cf);
    if (config_read(a, dir, &config, &why) != OK)
        fail_msg("%s", why.text);
    size_t fatal = config_check(&config, &(struct check){hear, &heard});

    assert_int_equal(fatal, heard.fatal);
    config_free(&config);
    arena_free(a);
    drop(dir);
    return heard;
}

#define HOST  "compatibility_level = 3.6\nmyhostname = mail.example.org\n"
#define SMTPD "smtp inet n - n - - smtpd\n"
#define IMAPD SMTPD "imap inet n - n - 4 imapd\n"
#define LOGIN                                                                  \
    HOST "smtpd_sasl_auth_enable = yes\nsmtpd_tls_auth_only = yes\n"           \
         "smtpd_sasl_type = dovecot\nsmtpd_sasl_path = private/auth\n"

static const struct {
    const char *main, *master, *want; /* "" nothing at all */
    size_t fatal;
} cases[] = {
    {HOST,                                                                       SMTPD,                                     "",                                                                  0},
    {HOST "biff = no\nreadme_directory = no\n",                                  SMTPD,                                     "",                                                                  0},
    {HOST "message_size_limit = 10k\n",                                          SMTPD,
     "main.cf, line 3: message_size_limit = 10k: write a number of bytes",                                                                                                                       1},
    {HOST "message_size_limit = ${x\n",                                          SMTPD,                                     "no closing bracket",                                                1},
    {HOST,                                                                       SMTPD "  -o message_size_limit=-5\n",
     "master.cf, line 1: message_size_limit = -5: write a number",                                                                                                                               1},
    {HOST "mesage_size_limit = 1\n",                                             SMTPD,
     "unknown parameter; did you mean message_size_limit?",                                                                                                                                      0},
    {HOST "wombat = 1\n",                                                        SMTPD,                                     "unknown parameter that nothing uses",                               0},
    {HOST "mua = x\nsmtpd_helo_required = ${mua?{no}:{yes}}\n",                  SMTPD,                                     "",                                                                  0},
    {HOST "mua = x\n",                                                           SMTPD " -o smtpd_banner=$mua$mail_name\n", "",                                                                  0},
    {HOST "smtpd_restriction_classes = mine\nmine = permit\n",                   SMTPD,                                     "",                                                                  0},
    {HOST "slow_destination_recipient_limit = 3\n",
     SMTPD "slow unix - - n - - smtp\n",                                                                                    "",                                                                  0},
    {HOST "qmqpd_timeout = 9s\n",                                                SMTPD,
     "main.cf, line 3: qmqpd_timeout = 9s: has no effect in Posta",                                                                                                                              0},
    {HOST "smtpd_sasl_auth_enable = yes\n",                                      SMTPD,
     "takes passwords without encryption; set smtpd_tls_auth_only",                                                                                                                              0},
    {HOST "smtpd_tls_security_level = may\n",                                    SMTPD,
     "has no certificate; set smtpd_tls_chain_files",                                                                                                                                            0},
    {HOST "smtpd_tls_security_level = none\n",                                   SMTPD,                                     "",                                                                  0},
    {HOST,                                                                       SMTPD " -o smtpd_tls_wrappermode=yes\n",
     "service smtp has no certificate; set smtpd_tls_chain_files",                                                                                                                               0},
    {HOST "smtp_tls_security_level = secured\n",                                 SMTPD,
     "write none, may, encrypt",                                                                                                                                                                 1},
    {HOST "smtp_tls_security_level = dane\n",                                    SMTPD,
     "without smtp_dns_support_level = dnssec",                                                                                                                                                  0},
    {HOST "lmtp_tls_security_level = secure\n",                                  SMTPD,
     "no authority is trusted; set lmtp_tls_CAfile",                                                                                                                                             0},
    {HOST "smtp_tls_security_level = may\nsmtp_tls_wrappermode = yes\n",         SMTPD,
     "smtp_tls_wrappermode needs level encrypt",                                                                                                                                                 0},
    {HOST "smtp_tls_security_level = may\n",                                     SMTPD,                                     "",                                                                  0},
    {HOST "smtp_tls_per_site = hash:/x\n",                                       SMTPD,
     "smtp_tls_per_site = hash:/x: has no effect in Posta",                                                                                                                                      0},
    {HOST "smtpd_sasl_local_domain = x.test\n",                                  SMTPD,
     "has no effect in Posta; auth_default_realm is what",                                                                                                                                       0},
    {HOST "smtpd_sasl_path = private/auth\n",                                    SMTPD,
     "smtpd_sasl_path = private/auth: has no effect without smtpd_sasl_type",                                                                                                                    0},
    {HOST "smtpd_sasl_path = private/auth\nsmtpd_sasl_type = dovecot\n",         SMTPD,
     "",                                                                                                                                                                                         0},
    {LOGIN,                                                                      SMTPD,                                     "",                                                                  0},
    {LOGIN,                                                                      IMAPD,                                     "logins are still asked of Dovecot's socket",                        0},
    {LOGIN,                                                                      IMAPD "auth unix - - n - - authd\n",       "",                                                                  0},
    {HOST "virtual_transport = lmtp:unix:private/dovecot-lmtp\n",                IMAPD,
     "mail still goes to Dovecot",                                                                                                                                                               0},
    {HOST "virtual_transport = lmtp:unix:private/dovecot-lmtp\n",                SMTPD,                                     "",                                                                  0},
    {HOST HOST,                                                                  SMTPD,                                     "replaces the setting of line 2",                                    0},
    {"compatibility_level = 2\nmyhostname = mail\n",                             SMTPD,                                     "no full name",                                                      0},
    {HOST "smtpd_relay_restrictions = permit_mynetworks\n",                      SMTPD,
     "would relay mail of strangers",                                                                                                                                                            1},
    {HOST "mailbox_size_limit = 5\n",                                            SMTPD,                                     "smaller than message_size",                                         1},
    {HOST "mynetworks = 127.0.0.0/8, 0.0.0.0/0\n",                               SMTPD,
     "every client may relay",                                                                                                                                                                   0},
    {HOST "virtual_mailbox_domains = mail.example.org\n",                        SMTPD,
     "mail.example.org stands in mydestination too",                                                                                                                                             0},
    {HOST "auth_password_sources = mysql:/x\n",                                  SMTPD,
     "mysql:/x: there is no source of that type",                                                                                                                                                1},
    {HOST "auth_password_sources = passwd-file:x\n",                             SMTPD,
     "write passwd-file:/full/path",                                                                                                                                                             1},
    {HOST "auth_password_sources = passwd-file:/nowhere/x\n",                    SMTPD,
     "/nowhere/x: No such file",                                                                                                                                                                 0},
    {HOST "auth_password_sources = passwd\n",                                    SMTPD,
     "passwd knows no passwords",                                                                                                                                                                1},
    {HOST "auth_password_sources = { pam\n",                                     SMTPD,                                     "a brace is not closed",                                             1},
    {HOST "auth_password_sources = { static:password={PLAIN}x uid=1 } pam\n",
     SMTPD,                                                                                                                 "",                                                                  0},
    {HOST "auth_password_sources = passwd-file:/etc/passwd\n",                   SMTPD,
     "everybody may read the passwords in /etc/passwd",                                                                                                                                          0},
    {HOST "auth_username_format = %Lx\n",                                        SMTPD,                                     "only %u, %n and %d",                                                1},
    {HOST "auth_mechanisms = PLAIN DIGEST-MD5\n",                                SMTPD,
     "DIGEST-MD5 is not known",                                                                                                                                                                  0},
    {HOST "imap_public_namespaces = Public maildir:/srv/mail\n",                 SMTPD,
     "\"Public\" is no prefix; write a name and \"/\"",                                                                                                                                          1},
    {HOST "imap_public_namespaces = Public/\n",                                  SMTPD,
     "Public/ has no location",                                                                                                                                                                  1},
    {HOST "imap_public_namespaces = Public/ mbox:/srv/mail\n",                   SMTPD,
     "must begin with maildir:",                                                                                                                                                                 1},
    {HOST "imap_public_namespaces = Public/ maildir:srv/mail\n",                 SMTPD,
     "srv/mail is no full path",                                                                                                                                                                 1},
    {HOST "imap_public_namespaces = Public/ maildir:/srv/%x\n",                  SMTPD,
     "only %u %n %d %h are known",                                                                                                                                                               1},
    {HOST "imap_public_namespaces = Public/ maildir:/srv:LAYOUT=x\n",            SMTPD,
     "\"LAYOUT=x\" is not known",                                                                                                                                                                1},
    {HOST "imap_public_namespaces = A/ maildir:/a, A/ maildir:/b\n",             SMTPD,
     "there are two namespaces A/",                                                                                                                                                              1},
    {HOST "imap_public_namespaces = A/ maildir:/a:LAYOUT=fs:INDEX=/x/%u, B/ "
          "maildir:/b\n",                                                   SMTPD,                                     "",                                                                  0},
    {HOST "imap_public_namespaces = A/ maildir:~, B/ maildir:%h/b\n",            SMTPD,                                     "",
     0                                                                                                                                                                                            },
    {HOST "imap_shared_namespace = s/ maildir:/mail/%u\n",                       SMTPD,
     "needs imap_shared_list",                                                                                                                                                                   1},
    {HOST "imap_shared_namespace = s/ maildir:/mail\nimap_shared_list = /tmp\n",
     SMTPD,                                                                                                                 "would be the same for all users",                                   1},
    {HOST "imap_shared_namespace = s/ maildir:~/%u\nimap_shared_list = /tmp\n",
     SMTPD,                                                                                                                 "the homes of others are not known",                                 1},
    {HOST "imap_shared_namespace = s/ maildir:/mail/%u\nimap_shared_list = "
          "/nowhere/x\n",                                                   SMTPD,                                     "No such file or directory; make it: install -d -m 1777 /nowhere/x",
     0                                                                                                                                                                                            },
    {HOST "imap_shared_namespace = s/ maildir:/mail/%u, t/ "
          "maildir:/t/%u\nimap_shared_list = /tmp\n",                       SMTPD,                                     "there can be one namespace of other users",                         1},
    {HOST "imap_shared_namespace = s/ maildir:/mail/%d/%n\nimap_shared_list = "
          "/tmp\nimap_public_namespaces = P/ maildir:/p\n",                 SMTPD,                                     "",                                                                  0},
    {HOST "imap_public_namespaces = Public/x/ maildir:/p\n",                     SMTPD,
     "\"Public/x/\" is no prefix",                                                                                                                                                               1},
    {HOST "imap_public_namespaces = INBOX/ maildir:/p\n",                        SMTPD,
     "\"INBOX/\" is no prefix",                                                                                                                                                                  1},
    {HOST "imap_private_prefix = INBOX.\nimap_hierarchy_separator = .\n"
          "imap_public_namespaces = P. maildir:/p\n",                       SMTPD,                                     "",                                                                  0},
    {HOST "imap_private_prefix = INBOX/\n",                                      SMTPD,                                     "",                                                                  0},
    {HOST "imap_private_prefix = Mail/Own/\n",                                   SMTPD,                                     "",                                                                  0},
    {HOST "imap_hierarchy_separator =\n",                                        SMTPD,
     "line 3: imap_hierarchy_separator = : cannot divide names; write / or .",                                                                                                                   1},
    {HOST "imap_hierarchy_separator = ./\n",                                     SMTPD,                                     "cannot divide names",                                               1},
    {HOST "imap_private_prefix = INBOX.\n",                                      SMTPD,
     "line 3: imap_private_prefix = INBOX.: does not end with",                                                                                                                                  1},
    {HOST "imap_private_prefix = INBOX\n",                                       SMTPD,
     "write INBOX/, or change the separator",                                                                                                                                                    1},
    {HOST "imap_private_prefix = inbox/\n",                                      SMTPD,
     "is in small letters; write INBOX/",                                                                                                                                                        1},
    {HOST "imap_private_prefix = /\n",                                           SMTPD,
     "write a name and \"/\", as INBOX/",                                                                                                                                                        1},
    {HOST "imap_private_prefix = a//\n",                                         SMTPD,                                     "is no prefix",                                                      1},
    {HOST "imap_private_prefix = a*/\n",                                         SMTPD,                                     "is no prefix",                                                      1},
    {HOST "imap_private_prefix = A/\nimap_public_namespaces = A/ "
          "maildir:/a\n",                                                   SMTPD,                                     "A/ is another namespace",                                           1},
    {HOST "imap_private_prefix = A/b/\nimap_public_namespaces = A/ "
          "maildir:/a\n",                                                   SMTPD,                                     "A/ is another namespace",                                           1},
    {HOST "imap_private_prefix = INBOX/\nimap_default_folders = "
          "Drafts, INBOX/Sent=\\Sent\n",                                    SMTPD,                                     "write Sent=\\Sent instead of INBOX/Sent=\\Sent",                    1},
    {HOST "imap_hierarchy_separator = .\nimap_public_namespaces = P/ "
          "maildir:/p\n",                                                   SMTPD,                                     "write a name and \".\", as Public.",                                1},
    {HOST "imap_message_limit = 999\n",                                          SMTPD,
     "999 is not from 1000 to 10000; write 0 for no limit",                                                                                                                                      1},
    {HOST "imap_message_limit = 10001\n",                                        SMTPD,                                     "from 1000 to 10000",                                                1},
    {HOST "imap_message_limit = 0\n",                                            SMTPD,                                     "",                                                                  0},
    {HOST "imap_message_limit = 10000\n",                                        SMTPD,                                     "",                                                                  0},
    {HOST "recipient_delimiter = $nobody\n",                                     SMTPD,
     "main.cf: undefined parameter: nobody",                                                                                                                                                     0},
};

/* Names that have no row yet are told to be without effect. */
static bool
only_without_effect(const struct heard *h)
{
    size_t without = 0;

    for (const char *p = h->text; (p = strstr(p, "has no effect")); p++)
        without++;
    return without == h->lines;
}

static void
problems_are_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct heard h = check(cases[i].main, cases[i].master);

        if (cases[i].want[0] ? strstr(h.text, cases[i].want) == NULL
                             : !only_without_effect(&h))
            fail_msg("%zu: %s%s", i, cases[i].main, h.text);
        if (h.fatal != cases[i].fatal)
            fail_msg("%zu: %zu fatal: %s", i, h.fatal, h.text);
    }
}

/* Risks of what Posta does not do yet are none. */
static void
risks_need_their_parameter(void **state)
{
    static const struct {
        struct str name;
        const char *main, *want;
    } risks[] = {
        {S("smtpd_sasl_auth_enable"), HOST "smtpd_sasl_auth_enable = yes\n",
         "without encryption"},
        {S("smtpd_tls_cert_file"),    HOST "smtpd_tls_security_level = may\n",
         "no certificate"    },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(risks); i++) {
        struct heard h = check(risks[i].main, SMTPD);
        bool said = strstr(h.text, risks[i].want) != NULL;

        if (said != (conf_row_find(risks[i].name) != NULL))
            fail_msg("%s%s", risks[i].main, h.text);
    }
}

TESTS(TEST(problems_are_named), TEST(risks_need_their_parameter))
