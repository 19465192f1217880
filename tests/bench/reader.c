/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client of the read benchmarks: does one kind of work on a tree or a file, and prints how much
 * it was and how long it took, as "COUNT BYTES SECONDS".
 *
 *	reader walk DIR			stat of everything and the target of every symbolic link,
 *					as `find -ls` does
 *	reader files DIR THREADS	the same, then open, read and close of every regular file
 *	reader seq FILE THREADS		sequential, each thread a part of its own
 *	reader rand FILE THREADS COUNT	4 KiB at random offsets, COUNT for each thread
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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

static void *reallocate(void *p, size_t size)
{
	p = realloc(p, size);
	if (!p)
		err(1, NULL);
	return p;
}

static void remember(const char *dir, const char *name)
{
	static size_t room;

	if (path_count == room) {
		room = room ? room * 2 : 1024;
		paths = reallocate(paths, room * sizeof(*paths));
	}
	if (asprintf(&paths[path_count++], "%s/%s", dir, name) < 0)
		err(1, NULL);
}

static uint64_t walk(int parent, const char *name, const char *path, int keep_files);

/* One entry: by its directory's descriptor, as find(1) does, so that paths are not walked again. */
static uint64_t visit(int dir, const char *name, const char *path, int keep_files)
{
	char target[PATH_MAX];
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		err(1, "%s/%s", path, name);
	if (S_ISLNK(st.st_mode) && readlinkat(dir, name, target, sizeof(target)) < 0)
		err(1, "%s/%s", path, name);
	if (S_ISREG(st.st_mode) && keep_files)
		remember(path, name);
	if (!S_ISDIR(st.st_mode))
		return 1;
	char *below;
	if (asprintf(&below, "%s/%s", path, name) < 0)
		err(1, NULL);
	const uint64_t count = 1 + walk(dir, name, below, keep_files);
	free(below);
	return count;
}

/* The number of entries below; with `keep_files` also the paths of the regular ones. */
static uint64_t walk(int parent, const char *name, const char *path, int keep_files)
{
	const int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;
	uint64_t count = 0;

	if (!dir)
		err(1, "%s", path);
	errno = 0;
	while ((de = readdir(dir))) {
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			count += visit(dirfd(dir), de->d_name, path, keep_files);
		errno = 0;
	}
	if (errno != 0)
		err(1, "%s", path);
	closedir(dir);
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
		count = walk(AT_FDCWD, argv[2], argv[2], 0);
	} else if (strcmp(argv[1], "files") == 0) {
		walk(AT_FDCWD, argv[2], argv[2], 1);
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
