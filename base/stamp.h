/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which file it is, and that nobody changed it: what stat(2) tells, as git's index has it.
 *
 * Two stamps that are equal say that a file was neither replaced nor written to between them, but
 * for changes within one tick of the kernel's clock and through mappings that were there before.
 */
#ifndef BASE_STAMP_H
#define BASE_STAMP_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

struct stamp {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec modified, changed; /* mtime, and ctime, which nobody can set */
};

struct stamp stamp_of(const struct stat *st);
bool stamp_equal(const struct stamp *a, const struct stamp *b);

#endif
