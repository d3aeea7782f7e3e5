/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers in files: a descriptor that wakes up when one was written, moved or removed, and reading. What inotify does
 * not see (the target of a symbolic link, a folder that is not there yet) is for the caller to look at now and then.
 */
#ifndef EVENKEEL_PLATFORM_FILE_WATCH_H
#define EVENKEEL_PLATFORM_FILE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#define FILE_NUMBER_MAX INT32_MAX
#define FILE_TEXT_MAX 128

enum file_state {
    FILE_NUMBER,  /* it holds one */
    FILE_MISSING, /* there is none */
    FILE_EMPTY,   /* perhaps it is just being written */
    FILE_BAD,     /* it cannot be read, or holds something else */
};

/* The descriptor, or a negative errno; the caller closes it. */
int file_watch_open(void);
/* Watches the folder of `path`; again and again is harmless. 0 or a negative errno. */
int file_watch_add(int fd, const char *path);
/* After it became readable: takes in what was said, which is only that some file should be read again. */
void file_watch_drain(int fd);

/*
 * A file's number: digits with or without a sign, blanks around them, nothing else. Reads some bytes of regular files
 * only, so nothing can make it wait. `text`: why there is none, else "".
 */
enum file_state file_read_number(const char *path, int64_t *number, char text[static FILE_TEXT_MAX]);

#endif
