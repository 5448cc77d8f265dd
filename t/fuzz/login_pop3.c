/* POP3 before login, from the greeting to the hand-over. */
#include "fuzz/login.h"
#include "pop3d/pop3d.h"

LOGIN_FUZZ(pop3_login)
