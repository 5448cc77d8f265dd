/*
 * kv_env.h - a table that changes all the time: LMDB with transactions.
 *
 * One folder is one environment: data.mdb and lock.mdb are LMDB's, `state` is
 * ours. Several processes of one user may have it open. It is a cache: commits
 * are not synced (kv_env_sync does that now and then), and what might be
 * damaged is thrown away when it is opened: after a power cut in between, when
 * somebody else has touched the files, or when a process died in it and its
 * pages do not look sound.
 *
 * Within a transaction, reads and writes remember the first trouble and then
 * do nothing; kv_env_end and kv_env_commit report it. Values are views that
 * are valid until the transaction ends or writes. A process opens a folder
 * once, and has one transaction at a time.
 */
#ifndef SYS_KV_ENV_H
#define SYS_KV_ENV_H

#include "base/str.h"
#include "base/why.h"

struct kv_env;

/* Open the folder, made if need be, mode 0700. *fresh tells that the table is
 * empty: it was not there, or was thrown away. Other processes that still use
 * what was thrown away find that out (kv_env_gone). */
enum rc kv_env_open(const char *path, struct kv_env **env, bool *fresh,
                    struct why *why) MUST_USE;

/* Close; the last one of all processes leaves it synced. */
void kv_env_close(struct kv_env *env);

/* The files have been removed or replaced, or are damaged (or e is NULL): close
 * it and open it anew. Checked by system call once a transaction that writes.
 */
bool kv_env_gone(const struct kv_env *env);

/* Gone because its files have been removed or replaced, and this process is to
 * save what only it knew (env may be NULL): what is open here is whole, and
 * others wait until kv_env_salvaged. With `all` they find it gone then, and
 * saved; else they try, too. */
bool kv_env_salvage(struct kv_env *env) MUST_USE;
void kv_env_salvaged(struct kv_env *env, bool all);

/* What is in it is of no use: whoever has it open finds it gone, and the next
 * kv_env_open throws it away. */
void kv_env_spoil(struct kv_env *env);

/* What was committed is on the medium. */
enum rc kv_env_sync(struct kv_env *env, struct why *why) MUST_USE;
/* Commits that are not synced yet. */
bool kv_env_dirty(const struct kv_env *env);

/* It may be long until somebody reads: pages that were read are mapped no
 * longer, and the system may use their memory. */
void kv_env_rest(const struct kv_env *env);

/* A snapshot to read; no system call. */
void kv_env_read(struct kv_env *env);
enum rc kv_env_end(struct kv_env *env, struct why *why) MUST_USE;

/* Wait for the right to write, which one process has at a time. */
enum rc kv_env_write(struct kv_env *env, struct why *why) MUST_USE;
enum rc kv_env_commit(struct kv_env *env, struct why *why) MUST_USE;
void kv_env_abort(struct kv_env *env);

bool kv_env_get(struct kv_env *env, struct str key, struct str *value);
void kv_env_put(struct kv_env *env, struct str key, struct str value);
/* Tells whether it was there. */
bool kv_env_del(struct kv_env *env, struct str key);

/* All pairs whose key begins with `prefix`, from the first that is not under
 * `from`, in key order. */
struct kv_walk {
    struct kv_env *env;
    void *cursor;
    struct str prefix, from; /* the caller's; live until kv_walk_end */
    struct str key, value;   /* the current pair */
    bool started;
};

void kv_walk_begin(struct kv_walk *w, struct kv_env *env, struct str prefix,
                   struct str from);
bool kv_walk_next(struct kv_walk *w);
/* The pair with that key, whatever prefix it has; false where there is none.
 * Quick where one is asked for after the other, in order. */
bool kv_walk_find(struct kv_walk *w, struct str key);
/* The last pair of the prefix. */
bool kv_walk_last(struct kv_walk *w);
/* Put a pair with a key that is not there yet, whatever prefix it has; false,
 * and nothing is done, where it is. Quick where keys come in order. */
bool kv_walk_add(struct kv_walk *w, struct str key, struct str value);
/* Give the current pair another value, or remove it. */
void kv_walk_set(struct kv_walk *w, struct str value);
void kv_walk_del(struct kv_walk *w);
/* Before the transaction ends. */
void kv_walk_end(struct kv_walk *w);

#endif
