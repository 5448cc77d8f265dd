/* What both stages say. */
#include "pop3d.h"

const char pop3_capabilities[] = "TOP\r\n"
                                 "UTF8 USER\r\n"
                                 "LANG\r\n"
                                 "UIDL\r\n"
                                 "RESP-CODES\r\n"
                                 "AUTH-RESP-CODE\r\n"
                                 "PIPELINING\r\n"
                                 "EXPIRE NEVER\r\n"
                                 "IMPLEMENTATION Posta\r\n";

/* There is one language: whoever asks is told so. */
void
pop3_lang(struct conn *c, struct str args)
{
    if (args.len == 0)
        conn_put(c, S("+OK Languages\r\nen English\r\n.\r\n"));
    else if (str_eq(args, S("*")) || str_ieq(args, S("en")))
        conn_put(c, S("+OK en English it is\r\n"));
    else
        conn_put(c, S("-ERR English is all I speak\r\n"));
}
