/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder for one test, below $TMPDIR or /tmp.
 *
 * Calls: scratch_make -> scratch_path, scratch_fd -> scratch_remove; as a checked fixture:
 * tcase_add_checked_fixture(tc, scratch_make, scratch_remove).
 */
#ifndef TESTS_SUPPORT_SCRATCH_H
#define TESTS_SUPPORT_SCRATCH_H

void scratch_make(void);
void scratch_remove(void);

const char *scratch_path(void);
int scratch_fd(void);

/* "<scratch>/<name>"; good until the next call. */
const char *scratch_file(const char *name);

/* Makes a file of the folder with this content. */
void scratch_write(const char *name, const char *text);

/* How many names the folder holds, without "." and "..". */
int scratch_count(void);

#endif
