/* Passwords from the terminal without echo, or from standard input. They are
 * never arguments: those are seen by everybody. */
#include "user.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "auth/sasl.h"
#include "auth/saslprep.h"

/* A line with its end; what is longer is no password. */
#define LINE_ROOM (SASL_PASSWORD_MAX + 3)

/* One line, without its end. Bytes are read singly, so that whoever else reads
 * standard input gets the rest. False at the end of the input. */
static bool
read_line(int fd, char line[LINE_ROOM], size_t *len)
{
    char c;

    for (*len = 0; *len < LINE_ROOM - 1; line[(*len)++] = c) {
        ssize_t n = read(fd, &c, 1);

        if (n < 0 && errno == EINTR)
            return false;
        if (n <= 0)
            return *len > 0;
        if (c == '\n')
            break;
    }
    if (*len > 0 && line[*len - 1] == '\r')
        (*len)--;
    return true;
}

/* Without echo, and without signals: who presses ^C shall not be left with a
 * terminal that shows nothing. */
static bool
ask_terminal(const char *prompt, char line[LINE_ROOM], size_t *len)
{
    auto_close int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    struct termios was, quiet;
    bool done;

    if (tty < 0 || tcgetattr(tty, &was) < 0)
        return user_refuse("there is no terminal to ask for the password; "
                           "use --stdin");
    quiet = was;
    quiet.c_lflag &= (tcflag_t) ~(unsigned)(ECHO | ISIG);
    tcsetattr(tty, TCSAFLUSH, &quiet);
    dprintf(tty, "%s", prompt);
    done = read_line(tty, line, len);
    dprintf(tty, "\n");
    tcsetattr(tty, TCSAFLUSH, &was);
    /* ^C, ^\ and ^Z come as bytes. */
    for (size_t i = 0; done && i < *len; i++)
        if (strchr("\003\034\032", line[i]))
            done = false;
    if (!done)
        user_error("stopped; nothing is changed");
    return done;
}

static bool
ask_once(struct user_call *call, const char *prompt, struct str *password)
{
    char line[LINE_ROOM];
    size_t len = 0;

    if (call->from_stdin) {
        if (!read_line(STDIN_FILENO, line, &len))
            return user_refuse("there is no password on standard input");
    } else if (!ask_terminal(prompt, line, &len)) {
        return false;
    }
    *password = arena_str(call->arena, (struct str){line, len});
    explicit_bzero(line, sizeof line);
    return true;
}

bool
user_ask_password(struct user_call *call, struct str name, bool fresh,
                  struct str *password)
{
    struct str again, given;

    if (!ask_once(call,
                  arena_fmt(call->arena, "%s for %.*s: ",
                            fresh ? "New password" : "Password", STR(name)),
                  &given))
        return false;
    if (fresh && !call->from_stdin) {
        if (!ask_once(call, "The same again: ", &again))
            return false;
        if (!str_eq(given, again))
            return user_refuse("the two are not the same; nothing is "
                               "changed");
    }
    if (given.len == 0 || given.len > SASL_PASSWORD_MAX)
        return user_refuse("a password has 1 to %d bytes", SASL_PASSWORD_MAX);
    if (!saslprep(call->arena, given, fresh, password))
        return user_refuse("the password holds a control character, or is no "
                           "UTF-8");
    return true;
}
