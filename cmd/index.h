/*
 * index.h - posta index.
 */
#ifndef CMD_INDEX_H
#define CMD_INDEX_H

/* dir as -c said, or NULL. */
int index_main(int argc, char **argv, const char *dir);

#endif
