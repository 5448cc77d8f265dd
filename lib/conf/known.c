#include "conf/known.h"

const struct known known_names[] = {
#define KNOWN(name, type, fallback, since) {name, fallback, CONF_##type, since},
#include "conf/known.def"
};

const size_t known_count = COUNT(known_names);
