#include <string.h>

#include "authd.h"

static const struct role_work *const roles[] = {NULL};

const struct role_work *
role_work_find(const char *name)
{
    for (size_t i = 0; i < COUNT(roles); i++)
        if (roles[i] && strcmp(roles[i]->name, name) == 0)
            return roles[i];
    return NULL;
}
