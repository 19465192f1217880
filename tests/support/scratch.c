/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/scratch.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPEN_MAX_WALK = 16 };

static char folder[PATH_MAX / 2];
static int folder_fd = -1;

void scratch_make(void)
{
	const char *base = getenv("TMPDIR");

	snprintf(folder, sizeof(folder), "%s/shale-unit-XXXXXX", base && *base ? base : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(folder_fd, 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

void scratch_remove(void)
{
	close(folder_fd);
	folder_fd = -1;
	nftw(folder, remove_one, OPEN_MAX_WALK, FTW_DEPTH | FTW_PHYS);
}

const char *scratch_path(void)
{
	return folder;
}

int scratch_fd(void)
{
	return folder_fd;
}

const char *scratch_file(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

void scratch_write(const char *name, const char *text)
{
	FILE *f = fopen(scratch_file(name), "we");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

int scratch_count(void)
{
	DIR *dir = opendir(folder);
	int count = 0;

	ck_assert_ptr_nonnull(dir);
	for (const struct dirent *d = readdir(dir); d; d = readdir(dir))
		count += strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
	closedir(dir);
	return count;
}
