/*
 * version.h - which Posta this is.
 */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define POSTA_VERSION "0.1"

#endif
