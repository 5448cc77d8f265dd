#include <string.h>

#include "authd.h"

static const struct role_work *const roles[] = {&keys_role, &auth_role,
                                                &worker_role, &pam_role};

const struct role_work *
role_work_find(const char *name)
{
    for (size_t i = 0; i < COUNT(roles); i++)
        if (strcmp(roles[i]->name, name) == 0)
            return roles[i];
    return NULL;
}
