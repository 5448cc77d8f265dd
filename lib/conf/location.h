/*
 * location.h - where mail is, in Dovecot's form, and namespaces of it.
 *
 *     maildir:PATH[:INDEX=PATH][:LAYOUT=fs]
 *
 * In paths %u is a user, %n his name before "@", %d his domain, %% a "%"; %h
 * and a "~" in front are his home.
 */
#ifndef CONF_LOCATION_H
#define CONF_LOCATION_H

#include "base/str.h"
#include "base/why.h"

struct location {
    struct str root, index; /* not filled in; index is empty where none is
                               said */
    bool fs;
};

/* PERM with what is wrong. */
enum rc location_parse(struct str text, struct location *l,
                       struct why *why) MUST_USE;

/* Can that divide the parts of names? PERM with what is wrong. */
enum rc separator_check(struct str text, struct why *why) MUST_USE;

/* The same of the prefix of the private namespace; it may be empty. */
enum rc private_prefix_check(struct str prefix, char separator,
                             struct why *why) MUST_USE;

struct space_location {
    struct str prefix; /* "Public/" */
    struct location at;
};

/* Take the next one off a list of "PREFIX LOCATION". PERM with what is wrong;
 * OK with an empty prefix at the end. */
enum rc space_next(struct str *list, char separator, struct space_location *s,
                   struct why *why) MUST_USE;

#endif
