/*
 * pop3d: POP3. Two roles: the login stage (pop3d), and who starts the
 * processes of users (pop3-users).
 */
#include "access/program.h"
#include "pop3d.h"

int
main(int argc, char **argv)
{
    return access_main(argc, argv, "pop3d", &pop3_login, &pop3_user);
}
