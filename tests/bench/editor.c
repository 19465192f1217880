/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client of the edit benchmarks, for work that no usual program does alone.
 *
 *	editor create DIR COUNT FOLDERS	COUNT files of a few bytes, spread over FOLDERS new folders
 *					of DIR; 0: all in DIR itself, which is made
 *	editor append FILE		one byte
 *	editor seq FILE MIB SYNC	a new file, 128 KiB at a time; SYNC 1: fsync(2) at the end
 *	editor rand FILE COUNT EVERY	4 KiB at random places of a file, the same places in each
 *					run; fsync(2) after EVERY writes, 0: never
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER = 128 * 1024, RANDOM_WRITE = 4096, MIB = 1024 * 1024 };

static unsigned char buffer[BUFFER];

/* xorshift64*: the same numbers everywhere. */
static uint64_t next_random(void)
{
	static uint64_t state = 88172645463325252u;

	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 2685821657736338717u;
}

static unsigned long number(const char *text)
{
	char *end;

	errno = 0;
	const unsigned long value = strtoul(text, &end, 10);
	if (errno || end == text || *end)
		errx(1, "'%s' is not a number", text);
	return value;
}

static int open_or_die(const char *path, int flags)
{
	const int fd = open(path, flags | O_CLOEXEC, 0644);

	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

static void close_or_die(int fd, const char *path)
{
	if (close(fd) < 0)
		err(1, "%s", path);
}

static void sync_or_die(int fd, const char *path)
{
	if (fsync(fd) < 0)
		err(1, "%s", path);
}

static void make_folder(const char *path)
{
	if (mkdir(path, 0755) < 0)
		err(1, "%s", path);
}

static void create(const char *dir, unsigned long count, unsigned long folders)
{
	char path[PATH_MAX], text[32];

	make_folder(dir);
	for (unsigned long i = 0; i < folders; i++) {
		snprintf(path, sizeof(path), "%s/folder-%04lu", dir, i);
		make_folder(path);
	}
	for (unsigned long i = 0; i < count; i++) {
		if (folders)
			snprintf(path, sizeof(path), "%s/folder-%04lu/file-%06lu", dir, i % folders,
				 i);
		else
			snprintf(path, sizeof(path), "%s/file-%06lu", dir, i);
		const int size = snprintf(text, sizeof(text), "file %lu\n", i);
		const int fd = open_or_die(path, O_WRONLY | O_CREAT | O_EXCL);
		if (write(fd, text, (size_t)size) != size)
			err(1, "%s", path);
		close_or_die(fd, path);
	}
}

static void append(const char *path)
{
	const int fd = open_or_die(path, O_WRONLY | O_APPEND);

	if (write(fd, "x", 1) != 1)
		err(1, "%s", path);
	close_or_die(fd, path);
}

static void write_sequential(const char *path, unsigned long size_mib, unsigned long is_synced)
{
	const int fd = open_or_die(path, O_WRONLY | O_CREAT | O_TRUNC);

	for (unsigned long i = 0; i < size_mib * (MIB / BUFFER); i++) {
		memcpy(buffer, &i, sizeof(i));
		if (write(fd, buffer, BUFFER) != BUFFER)
			err(1, "%s", path);
	}
	if (is_synced)
		sync_or_die(fd, path);
	close_or_die(fd, path);
}

static void write_random(const char *path, unsigned long count, unsigned long every)
{
	const int fd = open_or_die(path, O_WRONLY);
	struct stat st;

	if (fstat(fd, &st) < 0)
		err(1, "%s", path);
	const uint64_t blocks = (uint64_t)st.st_size / RANDOM_WRITE;
	if (!blocks)
		errx(1, "%s: smaller than one write", path);
	for (unsigned long i = 1; i <= count; i++) {
		const off_t offset = (off_t)(next_random() % blocks * RANDOM_WRITE);
		memcpy(buffer, &i, sizeof(i));
		if (pwrite(fd, buffer, RANDOM_WRITE, offset) != RANDOM_WRITE)
			err(1, "%s", path);
		if (every && i % every == 0)
			sync_or_die(fd, path);
	}
	close_or_die(fd, path);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";

	for (size_t i = 0; i < BUFFER; i++)
		buffer[i] = (unsigned char)next_random();
	if (argc == 5 && strcmp(what, "create") == 0)
		create(argv[2], number(argv[3]), number(argv[4]));
	else if (argc == 3 && strcmp(what, "append") == 0)
		append(argv[2]);
	else if (argc == 5 && strcmp(what, "seq") == 0)
		write_sequential(argv[2], number(argv[3]), number(argv[4]));
	else if (argc == 5 && strcmp(what, "rand") == 0)
		write_random(argv[2], number(argv[3]), number(argv[4]));
	else
		errx(1, "usage: editor create|append|seq|rand FILE [NUMBER]...");
	return 0;
}
