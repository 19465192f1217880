/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/failing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"

enum { DECIMAL = 10, LOG_MODE = 0600 };

/* cli/main.c, compiled under this name. */
int shale_main(int argc, char **argv);

static const struct way {
	const char *name;
	int sys;
	unsigned needs;
} ways[] = {
	{"ENOMEM", ENOMEM, FAILING_MEMORY},      {"EIO", EIO, FAILING_DISK},
	{"ENOSPC", ENOSPC, FAILING_ROOM},        {"EDQUOT", EDQUOT, FAILING_ROOM},
	{"EMFILE", EMFILE, FAILING_DESCRIPTORS}, {"ENFILE", ENFILE, FAILING_DESCRIPTORS},
	{"EAGAIN", EAGAIN, FAILING_THREADS},
};

static const struct way *way; /* NULL: none */
static long fails_at;
static atomic_long count;
static _Atomic(const char *) failed = "-";
/* From main() to the end. */
static atomic_bool is_counting;

bool failing_counts(unsigned what)
{
	return atomic_load(&is_counting) && (what & way->needs);
}

bool failing_now(unsigned what, const char *name)
{
	if (!failing_counts(what) || atomic_fetch_add(&count, 1) + 1 != fails_at)
		return false;
	atomic_store(&failed, name);
	errno = way->sys;
	return true;
}

static void tell(void)
{
	const char *path = getenv("FAILING_LOG");

	atomic_store(&is_counting, false);
	if (!path)
		return;
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, LOG_MODE);
	if (fd < 0 || dprintf(fd, "%ld %s\n", atomic_load(&count), atomic_load(&failed)) < 0)
		abort();
	close(fd);
}

int main(int argc, char **argv)
{
	const char *at = getenv("FAILING_AT"), *what = getenv("FAILING_WHAT");

	for (size_t i = 0; what && i < ARRAY_LEN(ways); i++) {
		if (strcmp(ways[i].name, what) == 0)
			way = &ways[i];
	}
	fails_at = at ? strtol(at, NULL, DECIMAL) : 0;
	if (!way || atexit(tell) != 0) {
		fputs("shale-failing: FAILING_WHAT names no way to fail\n", stderr);
		return EXIT_FAILURE;
	}
	atomic_store(&is_counting, true);
	return shale_main(argc, argv);
}
