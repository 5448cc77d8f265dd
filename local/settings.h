/*
 * settings.h - tables and settings, opened once in the template process.
 */
#ifndef LOCAL_SETTINGS_H
#define LOCAL_SETTINGS_H

#include "local.h"

/* What cannot be right ends the process: one line says what and where. */
const struct settings *settings_open(struct daemon *d);

#endif
