#include "cmd.h"

#include <unistd.h>

#include "base/log.h"
#include "conf/config.h"

const struct conf *
cmd_conf(struct arena *life, const char *option, const char *command)
{
    const char *dir = cmd_config_dir(option);
    struct config *config = arena_make(life, struct config);
    struct why why;

    if (config_read(life, dir, config, &why) != OK)
        log_fatal("%s: %s", command, why.text);

    auto_close int fd = config_snapshot(config, NULL, &why);
    const struct conf *conf =
        fd < 0 ? NULL : conf_from_snapshot(life, fd, &why);

    if (conf == NULL)
        log_fatal("%s: %s", command, why.text);
    config_free(config);
    return conf;
}
