/*
 * What the rows of parameters.def say about themselves: postconf --explain,
 * and the table of main.cf(5).
 */
#include "conf/conf.h"
#include "postconf.h"

static const struct doc {
    const char *name, *type, *fallback, *readers, *meaning;
} docs[] = {
#define PARAM(name, type, default, readers, meaning)                           \
    {#name, #type, default, #readers, meaning},
#define PARAM_AS(field, name, type, default, readers, meaning)                 \
    {name, #type, default, #readers, meaning},
#include "conf/parameters.def"
#undef PARAM_AS
};

/* What one writes behind the =. */
static const struct {
    const char *type, *text;
} types[] = {
    {"TEXT", "text"                                        },
    {"RAW",  "text, with $names filled in where it is used"},
    {"MAPS", "tables"                                      },
    {"LIST", "list"                                        },
    {"INT",  "number"                                      },
    {"SIZE", "bytes"                                       },
    {"TIME", "time: 30s, 5m, 1h, 3d or 2w"                 },
    {"BOOL", "yes or no"                                   },
};

static const char *
type_text(const char *type)
{
    for (size_t i = 0; i < COUNT(types); i++)
        if (strcmp(types[i].type, type) == 0)
            return types[i].text;
    return type;
}

static void
explain(struct postconf *p, const struct doc *d)
{
    buf_fmt(&p->out, "%s = %s\n    %s\n    (%s; read by %s)\n", d->name,
            d->fallback, d->meaning, type_text(d->type), d->readers);
}

static bool
explain_name(struct postconf *p, const char *name)
{
    for (size_t i = 0; i < COUNT(docs); i++)
        if (strcmp(docs[i].name, name) == 0) {
            explain(p, &docs[i]);
            return true;
        }
    return false;
}

void
pc_explain(struct postconf *p, char **names)
{
    for (size_t i = 0; names[0] == NULL && i < COUNT(docs); i++)
        explain(p, &docs[i]);
    for (; names[0]; names++)
        if (!explain_name(p, names[0]))
            pc_warn(p, "%s: no parameter of Posta's", names[0]);
}

/* A text as an argument or a line of mdoc(7). */
static void
put_mdoc(struct buf *out, const char *text)
{
    for (const char *c = text; *c; c++)
        if (*c == '\\')
            buf_add(out, S("\\e"));
        else if (*c == '"')
            buf_add(out, S("\\(dq"));
        else
            buf_addc(out, *c);
}

void
pc_man_rows(struct postconf *p)
{
    for (size_t i = 0; i < COUNT(docs); i++) {
        buf_fmt(&p->out, ".It Cm %s Pq ", docs[i].name);
        buf_addc(&p->out, '"');
        put_mdoc(&p->out, docs[i].fallback[0] ? docs[i].fallback : "empty");
        buf_add(&p->out, S("\"\n\\&"));
        put_mdoc(&p->out, docs[i].meaning);
        buf_fmt(&p->out, "\n.Pq %s; %s\n", type_text(docs[i].type),
                docs[i].readers);
    }
}
