#include "mail/date.h"

#include <stdlib.h>
#include <time.h>

#include "unit/test.h"

/* seconds -1: refused */
static const struct {
    const char *text;
    int64_t seconds;
    int zone;
} cases[] = {
    {"Thu, 1 Jan 1970 00:00:00 +0000",                 0,                     0   },
    {"Fri, 06 Feb 2026 10:00:00 +0100",                1770368400,            60  },
    {"Fri, 6 Feb 2026 10:00:00 +0100 (CET)",           1770368400,            60  },
    {" Fri,  6 Feb 2026\r\n 10:00:00 +0100\r\n",       1770368400,            60  },
    {"6 Feb 2026 10:00 +0100",                         1770368400,            60  },
 /* what people send */
    {"12 Oct 2023, 14:30:00 +0000 (UTC)",              1697121000,            0   },
    {"Thu, 06 Feb 2026",                               1770336000,            0   }, /* a Friday */
    {"Mon, 06 Feb 2026 10:00:00 +0100",                1770368400,            60  },
    {"Friday, 06 February 2026 10:00:00 +0100",        1770368400,            60  },
    {"Fri, 06 Feb 26 10:00:00 +0100",                  1770368400,            60  },
    {"Fri, 06 Feb 126 10:00:00 +0100",                 1770368400,            60  },
    {"06 Feb 70 00:00:00 GMT",                         3110400,               0   },
    {"Fri, 06 Feb 2026 01:00:00 PST",                  1770368400,            -480},
    {"Fri, 06 Feb 2026 04:00:00 EST",                  1770368400,            -300},
    {"Fri, 06 Feb 2026 09:00:00 Z",                    1770368400,            0   },
    {"Fri, 06 Feb 2026 09:00:00 A",                    1770368400,            0   },
    {"Fri, 06 Feb 2026 09:00:00 XYZZY",                1770368400,            0   },
    {"Fri, 06 Feb 2026 09:00:00",                      1770368400,            0   },
    {"Fri, 06 Feb 2026 09:00:00 -0000",                1770368400,            0   },
    {"Fri, 06 Feb 2026 10:00:00 +01:00",               1770368400,            60  },
    {"Fri, 06 Feb 2026 10:00:00 GMT+0100",             1770368400,            60  },
    {"Fri, 06 Feb 2026 10:00:00+0100",                 1770368400,            60  },
    {"Fri, 06 Feb 2026 09:00:00 +9999",                1770368400,            0   },
    {"Fri (which (day)) , 06 Feb 2026 10:00:00 +0100", 1770368400,            60  },
    {"Fri, 06 Feb 2026 09:00:00 (+0300",               1770368400,            0   },
    {"Fri Feb  6 09:00:00 2026",                       1770368400,            0   },
    {"Fri Feb  6 09:00:00 GMT 2026",                   1770368400,            0   },
    {"Feb 6, 2026 9:00:00 AM",                         1770368400,            0   },
    {"Feb 6, 2026 9:00 PM",                            1770411600,            0   },
    {"6 Feb 2026 12:00 AM",                            1770336000,            0   },
    {"6-Feb-2026 10:00:00 +0100",                      1770368400,            60  },
    {"2026-02-06T09:00:00Z",                           1770368400,            0   },
    {"2026-02-06 10:00:00.123 +0100",                  1770368400,            60  },
    {"29 Feb 2024 00:00:00 +0000",                     1709164800,            0   },
    {"31 Dec 2016 23:59:60 +0000",                     1483228800,            0   },
    {"1 Jan 1900 00:00:00 +0000",                      INT64_C(-2208988800),  0   },
    {"31 Dec 9999 23:59:59 +0000",                     INT64_C(253402300799), 0   },
    {"",                                               -1,                    0   },
    {"yesterday",                                      -1,                    0   },
    {"Fri, 06 2026 10:00:00",                          -1,                    0   },
    {"Feb 2026",                                       -1,                    0   },
    {"06 Feb",                                         -1,                    0   },
    {"32 Jan 2026",                                    -1,                    0   },
    {"0 Jan 2026",                                     -1,                    0   },
    {"29 Feb 2026",                                    -1,                    0   },
    {"06 Feb 2026 24:00:00",                           -1,                    0   },
    {"06 Feb 2026 10:60:00",                           -1,                    0   },
    {"06 Feb 2026 10:00:61",                           -1,                    0   },
    {"06 Feb 12345",                                   -1,                    0   },
    {"06 Feb 2026 10:00:00 11:00:00",                  -1,                    0   },
    {"2026-13-06",                                     -1,                    0   },
    {"1 2 3",                                          -1,                    0   },
};

static void
parses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t seconds = -1;
        int zone = 0;
        bool ok = date_parse(str_from(cases[i].text), &seconds, &zone);

        if (ok != (cases[i].seconds != -1) ||
            (ok && (seconds != cases[i].seconds || zone != cases[i].zone)))
            fail_msg("%s: %d, %lld, zone %d", cases[i].text, ok,
                     (long long)seconds, zone);
    }
}

/* RFC 5256 2.2; "-": not even that. */
static void
parses_sent(void **state)
{
    static const struct {
        const char *text, *same;
    } rows[] = {
        {"Fri, 06 Feb 2026 10:00:00 +0100",       "6 Feb 2026 10:00:00 +0100"},
        {"Fri, 06 Feb 2026 25:00:00 +0100",       "6 Feb 2026 00:00:00 +0000"},
        {"Fri, 06 Feb 2026 24:00:00",             "6 Feb 2026 00:00:00 +0000"},
        {"Fri, 06 Feb 2026 10:60:00 +0000",       "6 Feb 2026 00:00:00 +0000"},
        {"Fri, 06 Feb 2026 10:00:61 +0000",       "6 Feb 2026 00:00:00 +0000"},
        {"Fri, 06 Feb 2026 10:000000",            "6 Feb 2026 00:00:00 +0000"},
        {"2026-02-06 24:00:00",                   "6 Feb 2026 00:00:00 +0000"},
        {"Fri, 06 Feb 2026 10:00:00 +12345",      "6 Feb 2026 10:00:00 +0000"},
        {"Fri, 06 Feb 2026 10:00:00 -000000 (x)", "6 Feb 2026 10:00:00 +0000"},
        {"Fri, 06 Feb 2026 10:00:00 0100",        "6 Feb 2026 10:00:00 +0000"},
        {"Fri, 06 Feb 2026 10:00:00 +0100 0000",  "6 Feb 2026 10:00:00 +0100"},
        {"6 Feb 2026 10:00:00 11:00:00",          "6 Feb 2026 10:00:00 +0000"},
        {"Fri Feb  6 25:00:00 2026",              "-"                        },
        {"Fri Feb  6 10:00:00 0100 2026",         "-"                        },
        {"Fri, 06 Feb 2026 10.00.00 +0000",       "-"                        },
        {"30 Feb 2026 25:00:00",                  "-"                        },
        {"Feb 2026 25:00:00",                     "-"                        },
        {"25:00:00",                              "-"                        },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t got = -1, want = -1;
        int zone = 0, same = 0;
        bool good = date_parse_sent(str_from(rows[i].text), &got, &zone);

        if (good != date_parse(str_from(rows[i].same), &want, &same) ||
            (good && (got != want || zone != same)))
            fail_msg("%s: %d, %lld, zone %d", rows[i].text, good,
                     (long long)got, zone);
    }
}

static void
formats(void **state)
{
    struct arena *a = arena_new("test", 1 << 16);

    (void)state;
    setenv("TZ", "XYZ-5:30", 1);
    tzset();
    assert_str(date_format(a, 1770368400),
               S("Fri, 6 Feb 2026 14:30:00 +0530 (XYZ)"));
    setenv("TZ", "XYZ3", 1);
    tzset();
    assert_str(date_format(a, 0), S("Wed, 31 Dec 1969 21:00:00 -0300 (XYZ)"));
    arena_free(a);
}

static void
round_trip(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    for (int64_t t = -5000000000; t < 20000000000; t += 123456789) {
        int64_t back;

        assert_true(date_parse(date_format(a, t), &back, NULL));
        assert_int_equal(back, t);
    }
    arena_free(a);
}

static void
internet_dates(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds; /* -1: refused */
    } rows[] = {
        {"2026-02-06T10:00:00Z",         1770372000},
        {"2026-02-06t10:00:00z",         1770372000},
        {"2026-02-06T10:00:00.25+01:00", 1770368400},
        {"2026-02-06T04:30:00-05:30",    1770372000},
        {"2026-02-06 10:00:00Z",         -1        },
        {"2026-02-06T10:00:00",          -1        },
        {"2026-02-06T10:00Z",            -1        },
        {"2026-02-06T10:00:00.Z",        -1        },
        {"2026-02-06T10:00:00+0100",     -1        },
        {"2026-02-06T10:00:00+24:00",    -1        },
        {"2026-02-06T10:00:00Z ",        -1        },
        {"2026-02-30T10:00:00Z",         -1        },
        {"2026-13-06T10:00:00Z",         -1        },
        {"2026-02-06T25:00:00Z",         -1        },
        {"",                             -1        },
    };
    struct arena *a = arena_new("test", 1 << 16);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t seconds = -1;

        if (!date_parse_internet(str_from(rows[i].text), &seconds))
            seconds = -1;
        if (seconds != rows[i].seconds)
            fail_msg("%s: got %lld", rows[i].text, (long long)seconds);
    }
    assert_str(date_format_internet(a, 1770372000), S("2026-02-06T10:00:00Z"));
    arena_free(a);
}

TESTS(TEST(parses), TEST(parses_sent), TEST(formats), TEST(round_trip),
      TEST(internet_dates))
