/*
 * program.h - a program with a login stage and processes of users: the main
 * function of imapd and pop3d.
 */
#ifndef ACCESS_PROGRAM_H
#define ACCESS_PROGRAM_H

#include "access/login.h"
#include "access/user.h"

/*
 * `name` is the program, and the role of its login stage; its other role is
 * that of the broker.
 */
int access_main(int argc, char **argv, const char *name,
                const struct login_protocol *login,
                const struct user_program *user);

#endif
