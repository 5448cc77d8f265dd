/*
 * tool.h - administrators' commands over public/qmgr.
 *
 * A tool says what it wants (ask_queue) and gets the answer in pieces. Long
 * ones are made in slices, no faster than the tool reads: a list of a million
 * messages costs the mail that flows next to nothing.
 *
 * verb          args                       answer
 *   list          -                          packed messages (listing.h)
 *   counts        -                          JSON: messages in each state
 *   flush         -
 *   flush_id      id
 *   flush_site    domain or next hop
 *   file          id                         its path; descriptor; for root
 *   delete hold release requeue expire
 *                 folders, ids or ALL        each id that was found, one a line
 *
 * status is 0; or 77 for who may not, 1 otherwise, with a text that says why.
 */
#ifndef QMGR_TOOL_H
#define QMGR_TOOL_H

#include "base/base.h"

/* The listening sockets of public/qmgr. */
void tool_listen(const int *fds, size_t count);

#endif
