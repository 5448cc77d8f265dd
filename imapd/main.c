/*
 * imapd: IMAP. Two roles: the login stage (imapd), and who starts the
 * processes of users (imap-users).
 */
#include "access/program.h"
#include "imapd.h"

int
main(int argc, char **argv)
{
    return access_main(argc, argv, "imapd", &imap_login, &imap_user);
}
