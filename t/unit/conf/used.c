#include "conf/used.h"

#include "unit/test.h"

static const char main_cf[] = "mua = x\n"
                              "unused = y\n"
                              "smtpd_banner = ${mua?$other}\n"
                              "smtpd_restriction_classes = strict, lax\n"
                              "strict = reject\n"
                              "virtual_alias_maps = proxy:ldap:people\n"
                              "people_server_host = z\n"
                              "persons_server_host = z\n"
                              "for_service = 1\n"
                              "mydestination = ${x\n";

static const char master_cf[] = "smtp inet n - n - - smtpd\n"
                                " -o lax=permit -o own=1 -o lost=1\n"
                                " -o myhostname=$own$for_service\n";

static void
hear(void *own, const char *file, struct str what)
{
    char *list = own;

    strcat(list, file);
    strcat(list, ": ");
    strncat(list, what.p, what.len);
    strcat(list, "\n");
}

static void
names_in_use_are_found(void **state)
{
    static const char *const used_names[] = {"mua", "strict", "for_service",
                                             "people_server_host"};
    static const char *const unused[] = {"unused", "persons_server_host", "lax",
                                         "own", "lost"};
    struct arena *a = arena_new("test", 4 << 20);
    struct settings *s = settings_new(a);
    struct services services;
    struct names *n;
    char heard[1000] = "";
    struct why why;

    (void)state;
    assert_int_equal(settings_parse(s, str_from(main_cf), "main.cf", &why), OK);
    assert_int_equal(
        services_parse(a, str_from(master_cf), "master.cf", &services, &why),
        OK);
    n = names_new(a, &services);
    struct used *u = used_find(a, n, s, &services, hear, heard);

    for (size_t i = 0; i < COUNT(used_names); i++)
        if (names_get(n, str_from(used_names[i])) == NULL)
            fail_msg("%s is used", used_names[i]);
    for (size_t i = 0; i < COUNT(unused); i++)
        if (names_get(n, str_from(unused[i])))
            fail_msg("%s is not used", unused[i]);
    assert_true(used_in_service(u, &services.at[0], S("lax")));
    assert_true(used_in_service(u, &services.at[0], S("own")));
    assert_false(used_in_service(u, &services.at[0], S("lost")));
    assert_string_equal(heard, "main.cf: undefined parameter: other\n"
                               "main.cf: no closing bracket at \"{x\"\n");
    used_free(u);
    names_free(n);
    settings_free(s);
    arena_free(a);
}

TESTS(TEST(names_in_use_are_found))
