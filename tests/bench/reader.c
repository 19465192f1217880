/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client of the read benchmarks: does one kind of work on a tree or a file, and prints how much
 *it was and how long it took, as "COUNT BYTES SECONDS".
 *
 *	reader walk DIR			lstat of everything
 *	reader files DIR THREADS	open, read and close of every regular file
 *	reader seq FILE THREADS		sequential, each thread a part of its own
 *	reader rand FILE THREADS COUNT	4 KiB at random offsets, COUNT for each thread
 */
#include <err.h>
#include <fcntl.h>
#include <fts.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 128 * 1024, RANDOM_READ = 4096, THREADS_MAX = 16 };

static char **paths;
static size_t path_count;
static const char *file;
static uint64_t file_size;
static unsigned threads = 1;
static unsigned long random_count;

struct worker {
	unsigned number;
	uint64_t count, bytes;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Names of regular files, or with `stat_only` just their number. */
static uint64_t list(char *dir, int stat_only)
{
	char *argv[] = {dir, NULL};
	FTS *fts = fts_open(argv, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	size_t cap = 0;
	uint64_t count = 0;
	FTSENT *f;

	if (!fts)
		err(1, "%s", dir);
	while ((f = fts_read(fts))) {
		if (f->fts_info == FTS_ERR || f->fts_info == FTS_NS || f->fts_info == FTS_DNR)
			errx(1, "%s: %s", f->fts_path, strerror(f->fts_errno));
		if (f->fts_info == FTS_DP)
			continue;
		count++;
		if (stat_only || f->fts_info != FTS_F)
			continue;
		if (path_count == cap) {
			cap = cap ? cap * 2 : 1024;
			paths = realloc(paths, cap * sizeof(*paths));
			if (!paths)
				err(1, NULL);
		}
		paths[path_count++] = strdup(f->fts_path);
	}
	fts_close(fts);
	return count;
}

static void *read_files(void *arg)
{
	struct worker *w = arg;
	char *buf = malloc(BUFFER);

	for (size_t i = w->number; i < path_count; i += threads) {
		const int fd = open(paths[i], O_RDONLY);
		ssize_t n;
		if (fd < 0)
			err(1, "%s", paths[i]);
		while ((n = read(fd, buf, BUFFER)) > 0)
			w->bytes += (uint64_t)n;
		if (n < 0)
			err(1, "%s", paths[i]);
		close(fd);
		w->count++;
	}
	free(buf);
	return NULL;
}

static void *read_part(void *arg)
{
	struct worker *w = arg;
	char *buf = malloc(BUFFER);
	const int fd = open(file, O_RDONLY);
	const uint64_t part = file_size / threads;
	uint64_t at = part * w->number;
	const uint64_t end = w->number + 1 == threads ? file_size : at + part;

	if (fd < 0)
		err(1, "%s", file);
	while (at < end) {
		const ssize_t n = pread(fd, buf, BUFFER, (off_t)at);
		if (n <= 0)
			err(1, "%s", file);
		at += (uint64_t)n;
		w->bytes += (uint64_t)n;
		w->count++;
	}
	close(fd);
	free(buf);
	return NULL;
}

static void *read_random(void *arg)
{
	struct worker *w = arg;
	char buf[RANDOM_READ];
	const int fd = open(file, O_RDONLY);
	uint64_t state = w->number + 1;

	if (fd < 0)
		err(1, "%s", file);
	for (unsigned long i = 0; i < random_count; i++) {
		/* The constants of Knuth's MMIX: the same offsets in every run. */
		state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		const uint64_t block = (state >> 20) % (file_size / RANDOM_READ);
		if (pread(fd, buf, sizeof(buf), (off_t)(block * RANDOM_READ)) != sizeof(buf))
			err(1, "%s", file);
		w->bytes += sizeof(buf);
		w->count++;
	}
	close(fd);
	return NULL;
}

static void run(void *(*body)(void *), uint64_t *count, uint64_t *bytes)
{
	pthread_t ids[THREADS_MAX];
	struct worker workers[THREADS_MAX] = {{0, 0, 0}};

	for (unsigned i = 0; i < threads; i++) {
		workers[i].number = i;
		if (pthread_create(&ids[i], NULL, body, &workers[i]))
			errx(1, "pthread_create");
	}
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(ids[i], NULL);
		*count += workers[i].count;
		*bytes += workers[i].bytes;
	}
}

int main(int argc, char **argv)
{
	uint64_t count = 0, bytes = 0;
	struct stat st;

	if (argc < 3)
		errx(2, "usage: reader walk|files|seq|rand PATH [THREADS [COUNT]]");
	if (argc > 3)
		threads = (unsigned)strtoul(argv[3], NULL, 10);
	if (threads < 1 || threads > THREADS_MAX)
		errx(2, "1 to %d threads", THREADS_MAX);
	const double start = now();
	if (strcmp(argv[1], "walk") == 0) {
		count = list(argv[2], 1);
	} else if (strcmp(argv[1], "files") == 0) {
		list(argv[2], 0);
		run(read_files, &count, &bytes);
	} else {
		file = argv[2];
		if (stat(file, &st) < 0)
			err(1, "%s", file);
		file_size = (uint64_t)st.st_size;
		random_count = argc > 4 ? strtoul(argv[4], NULL, 10) : 1000;
		run(strcmp(argv[1], "seq") == 0 ? read_part : read_random, &count, &bytes);
	}
	printf("%llu %llu %.6f\n", (unsigned long long)count, (unsigned long long)bytes,
	       now() - start);
	return 0;
}
