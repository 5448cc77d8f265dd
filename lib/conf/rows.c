#include "conf/rows.h"

#include "conf/conf.h"

#define ROW(field, text, type, raw)                                            \
    {text, raw, CONF_##type, (unsigned)offsetof(struct conf, field)},

const struct conf_row conf_rows[] = {
#define PARAM(name, type, default, readers, meaning)                           \
    ROW(name, #name, type, default)
#define PARAM_AS(field, name, type, default, readers, meaning)                 \
    ROW(field, name, type, default)
#include "conf/parameters.def"
#undef PARAM_AS
};

const size_t conf_row_count = COUNT(conf_rows);

const struct conf_row *
conf_row_find(struct str name)
{
    for (size_t i = 0; i < conf_row_count; i++)
        if (str_eq(str_from(conf_rows[i].name), name))
            return &conf_rows[i];
    return NULL;
}
