/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a command and writes what it took, children included, to a file, as
 * "WALL USER SYSTEM RSS STATUS FIRST": seconds, the peak of the largest process in KiB, the exit
 * status, and with -r the seconds from the start to the first byte of FILE after the command ended.
 *
 *	stopwatch [-c CPU] [-r FILE] RESULT COMMAND [ARGUMENT]...
 *
 * Small on purpose: a process starts with the peak memory of the one that started it, and its start
 * is part of what is measured.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* For this process and all that it starts. */
static void pin(const char *number)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(strtoul(number, NULL, 10), &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		err(125, "cannot run on processor %s alone", number);
}

static void read_byte(const char *path)
{
	char byte;
	const int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, &byte, 1) != 1)
		err(125, "%s", path);
	close(fd);
}

int main(int argc, char **argv)
{
	const char *first = NULL;
	struct rusage usage;
	int option, status;
	pid_t pid;

	while ((option = getopt(argc, argv, "+c:r:")) != -1) {
		if (option == 'c')
			pin(optarg);
		else if (option == 'r')
			first = optarg;
		else
			return 125;
	}
	if (argc - optind < 2)
		errx(125, "usage: stopwatch [-c CPU] [-r FILE] RESULT COMMAND [ARGUMENT]...");
	char **command = argv + optind + 1;
	const double start = now();
	const int failed = posix_spawnp(&pid, command[0], NULL, NULL, command, environ);
	if (failed)
		errx(125, "cannot run '%s': %s", command[0], strerror(failed));
	while (wait4(pid, &status, 0, &usage) < 0) {
		if (errno != EINTR)
			err(125, "wait4");
	}
	const double wall = now() - start;
	const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	if (first && code == 0)
		read_byte(first);
	const double reached = now() - start;
	FILE *out = fopen(argv[optind], "we");
	if (!out)
		err(125, "%s", argv[optind]);
	fprintf(out, "%.6f %.6f %.6f %ld %d %.6f\n", wall, seconds(usage.ru_utime),
		seconds(usage.ru_stime), usage.ru_maxrss, code, reached);
	if (fclose(out) != 0)
		err(125, "%s", argv[optind]);
	return code;
}
