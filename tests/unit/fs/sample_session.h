/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An edit session over a sample image, in the folder "session" of the test's scratch folder.
 *
 * Everything is ck_assert-ed, so that a test says only what it is about.
 */
#ifndef TESTS_UNIT_FS_SAMPLE_SESSION_H
#define TESTS_UNIT_FS_SAMPLE_SESSION_H

#include "fs/sample_image.h"
#include "fs/session_data.h"

extern struct session *sample_session;
extern struct view *sample_base;
extern struct session_caller sample_caller; /* no root; unique 0 */

/* The image of `files`, a view of it, and a new session. */
void sample_session_make(const struct sample_file *files, size_t count);
void sample_session_remove(void);

/* Without a session: the image, the view and an empty folder. */
void sample_session_prepare(const struct sample_file *files, size_t count);

/* Descriptors of a folder of the scratch folder and its data, for session_open; they are closed by
 * sample_session_close. */
void sample_session_folder(const char *folder, int *dirfd, int *datafd);
/* Opens the session of this folder. */
int sample_session_try(const char *folder, unsigned flags, struct session **out, struct err *e);
void sample_session_open(unsigned flags);
void sample_session_close(void);
void sample_session_reopen(unsigned flags);

/* A copy of the folder as it is now, found after another boot of the machine. */
void sample_session_copy(const char *to);
void sample_session_copy_of(const char *folder, const char *to);

/* A file of the session's folder. */
const char *sample_session_file(const char *name);
int sample_session_data_count(void);

uint64_t sample_ino(const char *path); /* from the root; it must be there */
bool sample_is_there(const char *path);
uint64_t sample_add(const char *path, uint32_t mode); /* a new file, directory, ... */
void sample_put(const char *path, const char *text);  /* a new file with this content */
void sample_write(uint64_t ino, uint64_t offset, const void *bytes, size_t len);
void sample_truncate(uint64_t ino, uint64_t size);
void sample_unlink(const char *path);
void sample_sync(void);
void sample_rmdir(const char *path);
void sample_rename(const char *from, const char *to, unsigned flags);
struct stat sample_stat(uint64_t ino);
/* The file holds exactly this. */
void sample_check(uint64_t ino, const void *bytes, size_t len);
void sample_check_text(const char *path, const char *text);

/* The errno of a call that failed with ERR_SYS, 0 for one that did not; clears. */
int sample_errno(int r, struct err *e);

/* Pseudo random numbers, the same on every machine. */
uint32_t sample_random(uint64_t *state, uint32_t below);

#endif
