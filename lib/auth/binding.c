#include "auth/binding.h"

#include "auth/mech.h"
#include "tls/facts.h"

void
sasl_bindings_of(struct arena *a, const struct tls_session *tls,
                 struct str mech, struct sasl_binding at[SASL_BINDINGS])
{
    static const struct {
        struct str name;
        enum tls_binding type;
    } types[] = {
        {S("tls-exporter"),         TLS_EXPORTER        },
        {S("tls-server-end-point"), TLS_SERVER_END_POINT},
    };
    const struct sasl_mech *m = sasl_mech_find(mech);

    _Static_assert(COUNT(types) <= SASL_BINDINGS, "too many bindings");
    if (m == NULL || !(m->properties & SASL_MUTUAL))
        return;
    for (size_t i = 0; i < COUNT(types); i++) {
        unsigned char data[TLS_BINDING_MAX];
        size_t len = tls_binding(tls, types[i].type, data);

        at[i] = (struct sasl_binding){
            .type = types[i].name,
            .data = arena_str(a, (struct str){(const char *)data, len}),
        };
    }
}
