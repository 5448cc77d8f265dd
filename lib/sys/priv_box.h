/*
 * priv_box.h - the part of priv_enter that needs no rights: the view of the
 * file system (landlock) and the system calls (seccomp). For priv.c only.
 */
#ifndef SYS_PRIV_BOX_H
#define SYS_PRIV_BOX_H

#include "sys/priv.h"

enum rc priv_box(const struct priv *p, struct why *why) MUST_USE;

#endif
