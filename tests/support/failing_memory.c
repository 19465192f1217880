/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that runs out in a whole program: a library to preload, which fails one allocation of
 *those that the program and all its libraries ask for after main() has begun.
 *
 *	NOMEM_AT	which one fails, from 1; 0: none
 *	NOMEM_LOG	a file that gets the number of allocations, when the program ends
 *
 * Built by tests/cases/fault/nomem.sh.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int main_fn(int argc, char **argv, char **envp);

static atomic_long count;
static long fails_at;
static atomic_bool is_counting;
static main_fn *real_main;

/* What dlsym itself asks for before anything is known. */
static char early[8192];
static size_t early_used;

static void *early_take(size_t size)
{
	void *taken = early + early_used;

	early_used += (size + 15) & ~(size_t)15;
	if (early_used > sizeof(early))
		abort();
	return taken;
}

static int is_early(const void *p)
{
	return (const char *)p >= early && (const char *)p < early + sizeof(early);
}

static int is_spared(const void *caller)
{
	static const char *const spared[] = {"libarchive.so", "ld-linux"};
	Dl_info object;

	if (!dladdr(caller, &object) || !object.dli_fname)
		return 0;
	for (size_t i = 0; i < sizeof(spared) / sizeof(spared[0]); i++) {
		if (strstr(object.dli_fname, spared[i]))
			return 1;
	}
	return 0;
}

static int fails_now(const void *caller)
{
	if (!atomic_load(&is_counting) || is_spared(caller) ||
	    atomic_fetch_add(&count, 1) + 1 != fails_at)
		return 0;
	errno = ENOMEM;
	return 1;
}

/* The function of that name that the program would have without this library. */
#define REAL(type, name)                              \
	static __typeof__(type) *real;                \
	if (!real) {                                  \
		void *found = dlsym(RTLD_NEXT, name); \
		memcpy(&real, &found, sizeof(real));  \
	}

void *malloc(size_t size)
{
	static int is_looking;

	if (is_looking)
		return early_take(size);
	is_looking = 1;
	REAL(void *(size_t), "malloc")
	is_looking = 0;
	return fails_now(__builtin_return_address(0)) ? NULL : real(size);
}

void *calloc(size_t n, size_t size)
{
	static int is_looking;

	if (is_looking)
		return early_take(n * size);
	is_looking = 1;
	REAL(void *(size_t, size_t), "calloc")
	is_looking = 0;
	return fails_now(__builtin_return_address(0)) ? NULL : real(n, size);
}

void *realloc(void *old, size_t size)
{
	REAL(void *(void *, size_t), "realloc")
	return fails_now(__builtin_return_address(0)) ? NULL : real(old, size);
}

void *reallocarray(void *old, size_t n, size_t size)
{
	REAL(void *(void *, size_t, size_t), "reallocarray")
	return fails_now(__builtin_return_address(0)) ? NULL : real(old, n, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
	REAL(int(void **, size_t, size_t), "posix_memalign")
	return fails_now(__builtin_return_address(0)) ? ENOMEM : real(out, alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	REAL(void *(size_t, size_t), "aligned_alloc")
	return fails_now(__builtin_return_address(0)) ? NULL : real(alignment, size);
}

void free(void *p)
{
	if (is_early(p))
		return;
	REAL(void(void *), "free")
	real(p);
}

static void tell(void)
{
	char text[32];
	const char *path = getenv("NOMEM_LOG");
	const long total = atomic_load(&count);

	atomic_store(&is_counting, 0);
	if (!path)
		return;
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	const int len = snprintf(text, sizeof(text), "%ld\n", total);
	if (fd < 0 || write(fd, text, (size_t)len) != len)
		abort();
	close(fd);
}

static int counted_main(int argc, char **argv, char **envp)
{
	const char *at = getenv("NOMEM_AT");

	fails_at = at ? atol(at) : 0;
	atexit(tell);
	atomic_store(&is_counting, 1);
	return real_main(argc, argv, envp);
}

int __libc_start_main(main_fn *main, int argc, char **argv, main_fn *init, void (*fini)(void),
		      void (*rtld_fini)(void), void *stack_end);
int __libc_start_main(main_fn *main, int argc, char **argv, main_fn *init, void (*fini)(void),
		      void (*rtld_fini)(void), void *stack_end)
{
	REAL(int(main_fn *, int, char **, main_fn *, void (*)(void), void (*)(void), void *),
	     "__libc_start_main")
	real_main = main;
	return real(counted_main, argc, argv, init, fini, rtld_fini, stack_end);
}
