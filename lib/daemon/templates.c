#include "daemon/templates.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"

#define FILE_MAX ((size_t)1 << 20)

void
templates_read(struct arena *life, const char *parameter, const char *path,
               struct template *set, size_t count)
{
    struct buf text = buf_in(life);
    struct why why;
    ssize_t n = 0;

    if (*path == '\0')
        return;
    auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);

    while (fd >= 0 && text.len < FILE_MAX &&
           (n = read(fd, buf_space(&text, 4096), 4096)) > 0)
        text.len += (size_t)n;
    if (fd < 0 || n < 0)
        log_warn("%s: cannot read %s: %m", parameter, path);
    else if (template_read(life, buf_str(&text), set, count, &why) != OK)
        log_warn("%s: %s: %s; using the built-in words", parameter, path,
                 why.text);
}
