/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of shale-failing.  The functions here take the place of the C library's, for the program
 * and all its libraries.
 *
 * In a build with ASan the memory comes from there: its own functions give way to these, and are
 * known by another name too.  (What its strdup() and realpath() take is taken without being asked
 * for here.)
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>

#include "tests/support/failing.h"

enum {
	EARLY_SIZE = 8192, /* bytes; dlsym(3) has been seen to take some dozens */
	EARLY_ALIGNMENT = 16,
};

static bool is_spared(const void *caller)
{
	/* libarchive reads through a null pointer at one of its allocations and ends the process at
	 * others; so does the loader that brings it. */
	static const char *const spared[] = {"libarchive.so", "ld-linux"};
	Dl_info object;

	if (!dladdr(caller, &object) || !object.dli_fname)
		return false;
	for (size_t i = 0; i < sizeof(spared) / sizeof(spared[0]); i++) {
		if (strstr(object.dli_fname, spared[i]))
			return true;
	}
	return false;
}

static bool fails_now(const void *caller, const char *name)
{
	return failing_counts(FAILING_MEMORY) && !is_spared(caller) &&
	       failing_now(FAILING_MEMORY, name);
}

/* Of the function that it stands in. */
#define FAILS_NOW() fails_now(__builtin_return_address(0), __func__)

#ifdef HAS_ASAN

void *__interceptor_malloc(size_t size);
void *__interceptor_calloc(size_t n, size_t size);
void *__interceptor_realloc(void *old, size_t size);
void *__interceptor_reallocarray(void *old, size_t n, size_t size);
int __interceptor_posix_memalign(void **out, size_t alignment, size_t size);
void *__interceptor_aligned_alloc(size_t alignment, size_t size);

#define REAL(name)          __interceptor_##name
#define IS_EARLY()          false
#define EARLY_TAKE(n, size) NULL

#else

/* What dlsym itself asks for, before anything is known. */
static _Alignas(EARLY_ALIGNMENT) char early[EARLY_SIZE];
static size_t early_used;

static void *early_take(size_t n, size_t size)
{
	void *taken = early + early_used;

	early_used += (n * size + EARLY_ALIGNMENT - 1) & ~(size_t)(EARLY_ALIGNMENT - 1);
	if (early_used > sizeof(early))
		abort();
	return taken;
}

static bool is_early(const void *p)
{
	return (uintptr_t)p >= (uintptr_t)early &&
	       (uintptr_t)p < (uintptr_t)(early + sizeof(early));
}

static struct {
	void *(*malloc)(size_t size);
	void *(*calloc)(size_t n, size_t size);
	void *(*realloc)(void *old, size_t size);
	void *(*reallocarray)(void *old, size_t n, size_t size);
	int (*posix_memalign)(void **out, size_t alignment, size_t size);
	void *(*aligned_alloc)(size_t alignment, size_t size);
	void (*free)(void *p);
} libc;

static void find(void *function, const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);

	if (!found)
		abort();
	/* POSIX: dlsym gives functions as pointers to objects. */
	memcpy(function, &found, sizeof(found));
}

/* Whether the C library's functions are only being looked for.  The first call comes before there
 * is a second thread. */
static bool is_looking(void)
{
	static bool looks;

	if (looks)
		return true;
	if (libc.free)
		return false;
	looks = true;
	find(&libc.malloc, "malloc");
	find(&libc.calloc, "calloc");
	find(&libc.realloc, "realloc");
	find(&libc.reallocarray, "reallocarray");
	find(&libc.posix_memalign, "posix_memalign");
	find(&libc.aligned_alloc, "aligned_alloc");
	find(&libc.free, "free");
	looks = false;
	return false;
}

void free(void *p)
{
	if (!is_looking() && !is_early(p))
		libc.free(p);
}

#define REAL(name)          libc.name
#define IS_EARLY()          is_looking()
#define EARLY_TAKE(n, size) early_take(n, size)

#endif

void *malloc(size_t size)
{
	if (IS_EARLY())
		return EARLY_TAKE(1, size);
	return FAILS_NOW() ? NULL : REAL(malloc)(size);
}

void *calloc(size_t n, size_t size)
{
	if (IS_EARLY())
		return EARLY_TAKE(n, size);
	return FAILS_NOW() ? NULL : REAL(calloc)(n, size);
}

void *realloc(void *old, size_t size)
{
	if (IS_EARLY())
		return EARLY_TAKE(1, size);
	return FAILS_NOW() ? NULL : REAL(realloc)(old, size);
}

void *reallocarray(void *old, size_t n, size_t size)
{
	if (IS_EARLY())
		return EARLY_TAKE(n, size);
	return FAILS_NOW() ? NULL : REAL(reallocarray)(old, n, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
	if (IS_EARLY())
		return ENOMEM;
	return FAILS_NOW() ? ENOMEM : REAL(posix_memalign)(out, alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	if (IS_EARLY())
		return NULL;
	return FAILS_NOW() ? NULL : REAL(aligned_alloc)(alignment, size);
}
