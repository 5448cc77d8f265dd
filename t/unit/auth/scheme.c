#include "auth/scheme.h"

#include "auth/scram.h"
#include "unit/test.h"

/* "correct horse", as Dovecot 2.3.19 (doveadm pw) and libxcrypt 4.4.33 hash
 * it. */
static const char *const right[] = {
    "{PLAIN}correct horse",
    "{CLEAR}correct horse",
    "{CLEARTEXT}correct horse",
    "{PLAIN.HEX}636f727265637420686f727365",
    "{PLAIN.B64}Y29ycmVjdCBob3JzZQ==",
    "{CRYPT}$2y$05$4sowvAh3HQjXH7bEoJOEseSdGajb2aSaEEnF4.qZ7pKWN0aLF."
    "RHu",
    "{BLF-CRYPT}$2y$05$ueOSFiOrubpvD3D8acMX7O66dFfrNYoQ6Yp9LwNCSR8d8X"
    "EhRT9s6",
    "{DES-CRYPT}o.7zTF/DuGyao",
    "{MD5-CRYPT}$1$LqSf9y37$p0j1L4U1Se4muVg/2P0cw0",
    "{MD5}$1$5shjGN7R$UgKuHSmCVoEqvfU.Wb1lP0",
    "{SHA256-CRYPT}$5$8K5NNdn8uXUuGyWf$Z.iDeZjyfyws0KV0/eBkbHNRQ1.Fat"
    "aQkRDwjBAN.D9",
    "{SHA512-CRYPT}$6$wtRBk9vPu/RevQC4$tiDDqFZ0TCcI6TjVbKMvzNiOLLv8Hm"
    "YU/XYnqesya9o5K3e2cwOm.mwEHbcvtAq/C1gCVIa0wX6BqIM7a8yAV1",
    "{SHA512-CRYPT.B64}JDYkMmxxV0czTnJpdEVSOTNYayRpNDJLLzN6SVZET1g1T0"
    "hPS0ZXQWhlM2cxazlKdVBqWC9PUGRuQkRLdFVjcVJYTWJPRnNWRFJkRTdFam9tMz"
    "R3bTBuY2lvcEZYTXVBZlMveWFRNmlJLw==",
    "{SHA}L55TUjtiq8FBorTWAZ0jy6g129A=",
    "{SHA1}L55TUjtiq8FBorTWAZ0jy6g129A=",
    "{SHA1.HEX}2f9e53523b62abc141a2b4d6019d23cba835dbd0",
    "{SHA256}QQTTb42iwlQ0n4WDZ5Pr4CngyVcGOjTJHC6SAxh7VjE=",
    "{SHA256.HEX}4104d36f8da2c254349f85836793ebe029e0c957063a34c91c2e"
    "9203187b5631",
    "{SHA512}VraY3v7bWkNbY0r+MyC7rz/c2SC2xQOkRvx7endrKY1HnRumqLYXgI6w"
    "v1ec6aldZoNHvKtxSQhayTyyeZUZew==",
    "{SHA512.HEX}56b698defedb5a435b634afe3320bbaf3fdcd920b6c503a446fc"
    "7b7a776b298d479d1ba6a8b617808eb0bf579ce9a95d668347bcab7149085ac9"
    "3cb27995197b",
    "{SSHA}QXm6gf4v57gj+9lmZALXSRqJ5p5wtx8v",
    "{SSHA.HEX}ccbf648a2f096a055b1cda4b5757da5cd32bdb1c0cca14b7",
    "{SSHA256}9cRfq5EWiBVrleX/x/L46Mm5LTlTQvJqgm6CQjBlvs+JDYeZ",
    "{SSHA256.HEX}5ab03257d55ec7acd5471d2329f0065d3d68103a6cad47ff06e"
    "4b623e95f90a81650f4f0",
    "{SSHA512}o32kJcdEW6NrAdZka3wdSMggyHi4sVjCKUwsXSApYHa99Ojs4G0jkFh"
    "iScobEAilRXYSItCitfrcwbS3Gnsw4q9l/H0=",
    "{SMD5}vpS/Fk98oKIIYrbceuhDwbijxVQ=",
    "{SMD5.HEX}30f3d229b2010c641c61e13f0a16302c527b238a",
    "{PLAIN-MD5}3cb4e732631f47e6eb961f34554b7cde",
    "{PLAIN-MD5.B64}PLTnMmMfR+brlh80VUt83g==",
    "{LDAP-MD5}PLTnMmMfR+brlh80VUt83g==",
    "{LDAP-MD5.HEX}3cb4e732631f47e6eb961f34554b7cde",
    "{CRAM-MD5}38b57fd1a0c4b46c814aa05f20318edd71c455380655f2c0ac35c5"
    "b359528d29",
    "{CRAM-MD5.B64}OLV/0aDEtGyBSqBfIDGO3XHEVTgGVfLArDXFs1lSjSk=",
    "{HMAC-MD5}38b57fd1a0c4b46c814aa05f20318edd71c455380655f2c0ac35c5"
    "b359528d29",
    "{PBKDF2}$1$cDhRQIpki63XWlWF$5000$dbe73569404cb3e454142443f87f397"
    "4dc742aac",
    "{PBKDF2.B64}JDEkdTBCMUJ6VUdUSXBvNzNLOCQ1MDAwJGJlZTdkYmMxZTQ3NTFm"
    "ZDE1MjQ3NzhlZGM2ZDRlNGVjZWRiZTFhMzg=",
    "{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$e8JFzbuaYldwLBMa4Xii/g$Et"
    "Gz7ywhOJXt03S93mh0hvSIwQISg6c5rptwX1EHbgU",
    "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$UN+qXAqgIE50AghMT/ix0g$"
    "Kgi5JF0RCSEiE5cIm8y0VSDV4suuhiKvZqFPHu5hHyc",
    "{ARGON2ID.HEX}246172676f6e32696424763d3139246d3d36353533362c743d"
    "332c703d312476426d58624e327743592f493458697475765447764124536a41"
    "54614b495a44326c50556650736e4677676b504b75456c615069506c73733632"
    "4b6e4145744d6177",
    "{SCRAM-SHA-1}4096,Uv9sgTBC6LeyP+IQrFF8tA==,MpKQuSqpN0XmnJE147aYE"
    "HsDo6c=,BjS8qKe1lrvCp7h1HjskhDrASOs=",
    "{SCRAM-SHA-256}4096,5FdZrtXZxJeXMQ2ajFxlow==,ZTitqsQlS7VWxvlX5jD"
    "kG/QZ/O013blVyz8SfoosKFI=,Bc1uDbZ8dF/vJ91M8yl+lvqc8DG+1BAIfhPf5w"
    "tJVWc=",
    "{SCRAM-SHA-256.B64}NDA5Nixnbis5aGhmT0xrckJmcVV6NnZrWk1nPT0sWThPY"
    "1pvbDNKVWk0cEJObjNqVmc0TWovREE2N05MSmt4OFZ2V2VuWVV5ST0sK2pDNERNe"
    "Cs1NVd1aXpwR0M2UU8zZ01HNkF1Z0EvRU4xeXFpcjZNbGhIST0=",
    "{CRYPT}$y$j9T$cwS.Vikv3NCfLhgGDxY7m.$4XsXfu1MUxhYtKXQhuhEKupPno8"
    "NzkZ5SZrdyhHNabB",
    "$gy$j9T$uE008EOeeKtE.miF35SUQ1$.y7ar9czkxyyt8TABI9luIwaeYG1Pux9j"
    "9IG0sWIUFB",
    "{CRYPT}$7$CU..../....G3fzhaDKvBi98crvFD7Jw.$V2j7DII9bnHp8n1YQl6U"
    "Yr1YlTb53aYRXICc55Gmn47",
    "{CRYPT}$sha1$198920$WX7bNlQY3mFJC0EtHuXY$cCDUAmu3szjyVBfhCy7zd5x"
    "x.8qL",
    "{CRYPT}$md5,rounds=43696$TGtzkGwg$$vC9vGmKCsOsoW/FOU1Jx1/",
    "{CRYPT}_J9..LQkFxGT9gW/oaLM",
    "{crypt}$3$$cfc43211ba8dc470832267827cac1407",
    "{MD5}PLTnMmMfR+brlh80VUt83g==",
};

static void
known_hashes(void **state)
{
    struct arena *a = arena_new("test", 16 << 20);
    struct why why;

    (void)state;
    for (size_t i = 0; i < COUNT(right); i++) {
        struct str stored = str_from(right[i]);

        arena_reset(a);
        if (scheme_verify(a, stored, "CRYPT", S("correct horse"), &why) != OK)
            fail_msg("%s: %s", right[i], why.text);
        if (scheme_verify(a, stored, "CRYPT", S("wrong horse"), &why) != PERM)
            fail_msg("%s: a wrong password is not refused", right[i]);
        if (scheme_verify(a, stored, "CRYPT", S(""), &why) != PERM)
            fail_msg("%s: no password is not refused", right[i]);
    }
    arena_free(a);
}

/* Damaged, unknown, or too dear to be computed: nobody gets in, and it is not
 * the password's fault. */
static void
hostile(void **state)
{
    static const struct {
        const char *stored;
        enum rc rc;
    } cases[] = {
        {"",                                                                   PERM},
        {"!",                                                                  PERM},
        {"*",                                                                  PERM},
        {"{CRYPT}!$6$x$y",                                                     PERM},
        {"{PLAIN}",                                                            PERM},
        {"{",                                                                  TEMP},
        {"{PLAIN",                                                             TEMP},
        {"{NONSENSE}x",                                                        TEMP},
        {"{PLAIN-TRUNC}x",                                                     TEMP},
        {"{PLAIN.HEX}6",                                                       TEMP},
        {"{PLAIN.HEX}zz",                                                      TEMP},
        {"{SHA256}####",                                                       TEMP},
        {"{SHA256}",                                                           TEMP},
        {"{SSHA256}YQ==",                                                      TEMP},
        {"{SHA1}YWJj",                                                         TEMP},
        {"{CRAM-MD5}00",                                                       TEMP},
        {"{SCRAM-SHA-256}",                                                    TEMP},
        {"{SCRAM-SHA-256}4096,YWJj,YWJj,YWJj",                                 TEMP},
        {"{SCRAM-SHA-1}99999999,PTwGWnWiq/omQ5H4VbFd/Q==,HZooZfNadaiCQwEp7Q2S"
         "kYio72s=,VORh3HF3j8CoLdX/P4U62ZANH7I=",                     TEMP},
        {"{SCRAM-SHA-1}0,PTwGWnWiq/omQ5H4VbFd/Q==,HZooZfNadaiCQwEp7Q2SkYio72s"
         "=,VORh3HF3j8CoLdX/P4U62ZANH7I=",                            TEMP},
        {"{PBKDF2}$1$salt$0$dbe73569404cb3e454142443f87f3974dc742aac",         TEMP},
        {"{PBKDF2}$1$salt$99999999$dbe73569404cb3e454142443f87f3974dc742aac",
         TEMP                                                                      },
        {"{PBKDF2}$2$salt$1000$dbe73569404cb3e454142443f87f3974dc742aac",      TEMP},
        {"{PBKDF2}$1$salt$1000$dbe7",                                          TEMP},
        {"$6$rounds=999999999$salt$hash",                                      TEMP},
        {"$6$rounds=9999999999999999999999$salt$hash",                         TEMP},
        {"$2y$31$ueOSFiOrubpvD3D8acMX7O66dFfrNYoQ6Yp9LwNCSR8d8XEhRT9s6",       TEMP},
        {"$2y$xx$ueOSFiOrubpvD3D8acMX7O66dFfrNYoQ6Yp9LwNCSR8d8XEhRT9s6",       TEMP},
        {"$2y$05$",                                                            TEMP},
        {"$y$jFT$n6ICmB3UhuUavVrrQjPOd.$4XsXfu1MUxhYtKXQhuhEKupPno8NzkZ5SZrd",
         TEMP                                                                      },
        {"$y$jzzzzzz$n6ICmB3UhuUavVrrQjPOd.$4XsXfu1MUxhYtKXQhuhEKupPno8NzkZ",
         TEMP                                                                      },
        {"$y$j",                                                               TEMP},
        {"$7$zzzzzzzzzzzzzz$V2j7",                                             TEMP},
        {"$7$",                                                                TEMP},
        {"_zzzzLQkFxGT9gW/oaLM",                                               TEMP},
        {"$9$unknown",                                                         TEMP},
        {"short",                                                              TEMP},
        {"{ARGON2ID}",                                                         TEMP},
        {"{ARGON2ID}$argon2d$v=19$m=1024,t=1,p=1$UN+qXAqgIE50AghMT/ix0g$Kgi5JF"
         "0RCSEiE5cIm8y0VSDV4suuhiKvZqFP",                            TEMP},
        {"{ARGON2ID}$argon2id$v=19$m=4194304,t=3,p=1$UN+qXAqgIE50AghMT/ix0g$Kg"
         "i5JF0RCSEiE5cIm8y0VSDV4suuhiKvZqFP",                        TEMP},
        {"{ARGON2ID}$argon2id$v=19$m=65536,t=4000000000,p=1$UN+qXAqgIE50AghMT/"
         "ix0g$Kgi5JF0RCSEiE5cIm8y0VSDV4suuhiKvZqFP",                 TEMP},
        {"{ARGON2ID}$argon2id$v=19$m=65536,t=1,p=4000$UN+qXAqgIE50AghMT/ix0g$K"
         "gi5JF0RCSEiE5cIm8y0VSDV4suuhiKvZqFP",                       TEMP},
        {"{ARGON2ID}$argon2id$v=7$m=1024,t=1,p=1$UN+qXAqgIE50AghMT/ix0g$Kgi5JF"
         "0RCSEiE5cIm8y0VSDV4suuhiKvZqFP",                            TEMP},
        {"{ARGON2ID}$argon2id$v=19$m=1024,t=1,p=1$$",                          TEMP},
    };
    struct arena *a = arena_new("test", 16 << 20);
    struct why why;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum rc rc = scheme_verify(a, str_from(cases[i].stored), "CRYPT",
                                   S("correct horse"), &why);

        if (rc != cases[i].rc)
            fail_msg("%s: %d, %s", cases[i].stored, (int)rc,
                     rc ? why.text : "");
    }
    arena_free(a);
}

/* Several lanes, computed without threads; from the argon2 tool. */
static void
argon2_lanes(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    struct why why;

    (void)state;
    assert_int_equal(
        scheme_verify(
            a,
            S("{ARGON2ID}$argon2id$v=19$m=4096,t=2,p=4$c29tZXNhbHRzYWx0$"
              "cDx9uFofkPt49+9VQ/sKby0mY28fRgm2EajluTsVNok"),
            "CRYPT", S("correct horse"), &why),
        OK);
    arena_free(a);
}

/* What can be made is recognised, twice made is never the same where there is
 * a salt. */
static void
made(void **state)
{
    struct arena *a = arena_new("test", 64 << 20);
    struct why why;
    size_t n = 0;

    (void)state;
    for (const char *name; (name = scheme_name(n)) != NULL; n++) {
        struct str stored;

        if (scheme_make(a, str_from(name), S("correct horse"), 0, &stored,
                        &why) != OK)
            fail_msg("%s: %s", name, why.text);
        assert_true(str_starts(stored, str_from(arena_fmt(a, "{%s}", name))));
        if (scheme_verify(a, stored, "PLAIN", S("correct horse"), &why) != OK)
            fail_msg("%.*s: %s", STR(stored), why.text);
        assert_int_equal(
            scheme_verify(a, stored, "PLAIN", S("correct hors"), &why), PERM);
    }
    assert_true(n > 20);
    arena_free(a);
}

static void
made_with_rounds_and_encodings(void **state)
{
    static const struct {
        const char *scheme;
        unsigned rounds;
        const char *starts;
    } cases[] = {
        {"ARGON2ID",      3,      "{ARGON2ID}$argon2id$v=19$m=19456,t=3,p=1$"},
        {"BLF-CRYPT",     6,      "{BLF-CRYPT}$2y$06$"                       },
        {"SHA512-CRYPT",  20000,  "{SHA512-CRYPT}$6$rounds=20000$"           },
        {"SCRAM-SHA-256", 5000,   "{SCRAM-SHA-256}5000,"                     },
        {"PBKDF2",        2000,   "{PBKDF2}$1$"                              },
        {"PLAIN.b64",     0,      "{PLAIN.b64}cGE6c3M="                      },
        {"SHA256.hex",    0,      "{SHA256.hex}"                             },
        {"ARGON2ID",      999999, NULL                                       },
        {"SCRAM-SHA-1",   1,      NULL                                       },
        {"PLAIN-TRUNC",   0,      NULL                                       },
        {"",              0,      NULL                                       },
    };
    struct arena *a = arena_new("test", 64 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct str stored;
        struct why why;
        enum rc rc;

        rc = scheme_make(a, str_from(cases[i].scheme), S("pa:ss"),
                         cases[i].rounds, &stored, &why);
        if ((rc == OK) != (cases[i].starts != NULL))
            fail_msg("case %zu", i);
        if (cases[i].starts && !str_starts(stored, str_from(cases[i].starts)))
            fail_msg("%.*s", STR(stored));
    }
    arena_free(a);
}

static void
credentials(void **state)
{
    struct arena *a = arena_new("test", 64 << 20);
    struct str data, again, kept;
    struct why why;

    (void)state;
    /* As they stand in the file. */
    kept = S("4096,Uv9sgTBC6LeyP+IQrFF8tA==,MpKQuSqpN0XmnJE147aYEHsDo6c=,"
             "BjS8qKe1lrvCp7h1HjskhDrASOs=");
    assert_int_equal(
        scheme_credentials(
            a, str_from(arena_fmt(a, "{SCRAM-SHA-1}%.*s", STR(kept))), "CRYPT",
            "SCRAM-SHA-1", S("u"), S("secret"), &data, &why),
        OK);
    assert_str(data, kept);
    /* From a password in the clear, always with the same salt. */
    assert_int_equal(scheme_credentials(a, S("{PLAIN}pencil"), "CRYPT",
                                        "SCRAM-SHA-256", S("u"), S("secret"),
                                        &data, &why),
                     OK);
    assert_int_equal(scheme_credentials(a, S("pencil"), "PLAIN",
                                        "SCRAM-SHA-256", S("u"), S("secret"),
                                        &again, &why),
                     OK);
    assert_str(data, again);
    assert_int_equal(
        scheme_verify(a,
                      str_from(arena_fmt(a, "{SCRAM-SHA-256}%.*s", STR(data))),
                      "CRYPT", S("pencil"), &why),
        OK);
    assert_int_equal(scheme_credentials(a, S("{PLAIN}correct horse"), "CRYPT",
                                        "CRAM-MD5", S("u"), S("secret"), &data,
                                        &why),
                     OK);
    assert_str(data, S("38b57fd1a0c4b46c814aa05f20318edd"
                       "71c455380655f2c0ac35c5b359528d29"));
    assert_int_equal(scheme_credentials(
                         a, str_from(arena_fmt(a, "{HMAC-MD5}%.*s", STR(data))),
                         "CRYPT", "CRAM-MD5", S("u"), S("secret"), &again,
                         &why),
                     OK);
    assert_str(again, data);
    /* Not from another hash. */
    assert_int_equal(scheme_credentials(a, S("{SCRAM-SHA-1}x"), "CRYPT",
                                        "SCRAM-SHA-256", S("u"), S("secret"),
                                        &data, &why),
                     PERM);
    assert_int_equal(scheme_credentials(a, S("$6$salt$hash"), "CRYPT",
                                        "CRAM-MD5", S("u"), S("secret"), &data,
                                        &why),
                     PERM);
    arena_free(a);
}

static void
default_scheme(void **state)
{
    (void)state;
    assert_true(scheme_known(S(SCHEME_DEFAULT)));
    assert_true(scheme_known(S("ssha256.b64")));
    assert_false(scheme_known(S("x")));
    assert_false(scheme_known(S("")));
}

TESTS(TEST(known_hashes), TEST(hostile), TEST(argon2_lanes), TEST(made),
      TEST(made_with_rounds_and_encodings), TEST(credentials),
      TEST(default_scheme))
