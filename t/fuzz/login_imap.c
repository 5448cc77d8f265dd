/* IMAP before login, from the greeting to the hand-over. */
#include "fuzz/login.h"
#include "imapd/imapd.h"

LOGIN_FUZZ(imap_login)
