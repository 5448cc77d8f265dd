/*
 * pipe_args.h - ${recipient} and the other macros in a pipe's command.
 */
#ifndef LOCAL_PIPE_ARGS_H
#define LOCAL_PIPE_ARGS_H

#include "base/arena.h"
#include "base/why.h"
#include "ipc/message.h"
#include "mail/envelope.h"

/* flags= of a pipe: each letter is a bit. */
enum {
    PIPE_BLANK = 1,         /* B: an empty line at the end */
    PIPE_DELIVERED = 2,     /* D: Delivered-To, and loops are stopped */
    PIPE_FROM = 4,          /* F: a From_ line */
    PIPE_ORIGINAL = 8,      /* O: X-Original-To */
    PIPE_RETURN_PATH = 16,  /* R: Return-Path */
    PIPE_FINAL = 32,        /* X: this is the delivery */
    PIPE_FOLD_DOMAIN = 64,  /* h */
    PIPE_QUOTE = 128,       /* q */
    PIPE_FOLD_USER = 256,   /* u */
    PIPE_DOTS = 512,        /* . */
    PIPE_QUOTE_FROM = 1024, /* > */
};

/* What the macros are made of. */
struct pipe_args {
    unsigned flags; /* PIPE_ bits */
    const char *delimiters;
    struct str null_sender;
    const struct msg_deliver *msg;
    const struct origin *origin;
    const struct rec_rcpt *rcpts;
    size_t nrcpts;
};

/*
 * The command's arguments. One that has a macro about the recipient
 * (recipient, original_recipient, user, extension, mailbox, domain) becomes as
 * many as there are recipients. No byte of a value means anything to anybody.
 * PERM where a macro is malformed or unknown.
 */
enum rc pipe_expand(struct arena *a, const struct pipe_args *args,
                    char *const *templates, char ***argv,
                    struct why *why) MUST_USE;

/* C's backslash sequences: "\r\n", "\033". False where one is none. */
bool pipe_unescape(struct arena *a, struct str text, struct str *out) MUST_USE;

#endif
