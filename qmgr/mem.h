/*
 * mem.h - memory of things that come and go one by one: messages, sites, jobs.
 */
#ifndef QMGR_MEM_H
#define QMGR_MEM_H

#include "base/base.h"

/* Zeroed; never fails (the process ends). */
void *mem_new(size_t size);
void mem_free(void *p);

#define mem_make(type) ((type *)mem_new(sizeof(type)))

#endif
