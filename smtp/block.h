/*
 * block.h - header fields that flags=ROD of master.cf put in front of a
 * message, where mail ends behind an LMTP server (lmtp(8)).
 */
#ifndef SMTP_BLOCK_H
#define SMTP_BLOCK_H

#include "content.h"
#include "job.h"

/* Return-Path, X-Original-To, Delivered-To, as the settings say; r is the one
 * recipient of the transaction where it needs one. */
struct str block_make(const struct job *j, const struct job_rcpt *r);

/* Has the message been delivered to him before? */
bool block_loops(const struct job *j, const struct job_rcpt *r,
                 const struct content *c);

#endif
