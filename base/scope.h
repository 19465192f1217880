/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cleanup at the end of a scope, for locals that hold a single resource.
 *
 *	SCOPE_FD int fd = -1;
 *	SCOPE_FREE char *name = NULL;
 *	...
 *	return steal_fd(&fd);
 *
 * Always initialise on the declaration.  Other modules add theirs with SCOPE_DEFINE.
 */
#ifndef BASE_SCOPE_H
#define BASE_SCOPE_H

#include <stdlib.h>
#include <unistd.h>

static inline void scope_free(void *p)
{
	void **slot = p;
	free(*slot);
}

static inline void scope_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline int steal_fd(int *fd)
{
	const int was = *fd;
	*fd = -1;
	return was;
}

static inline void *steal_ptr_at(void *slot)
{
	void **p = slot;
	void *was = *p;
	*p = NULL;
	return was;
}

#define steal_ptr(p) ((__typeof__(*(p)))steal_ptr_at(p))

#define SCOPE_FREE __attribute__((cleanup(scope_free)))
#define SCOPE_FD   __attribute__((cleanup(scope_close)))

/*
 * SCOPE_DEFINE(digest_list, struct digest_list *, digest_list_free) makes scope_digest_list, to be
 * used as SCOPE(digest_list) struct digest_list *l = NULL;
 */
#define SCOPE_DEFINE(name, type, free_fn)                                                    \
	static inline void scope_##name(type *slot) /* NOLINT(bugprone-macro-parentheses) */ \
	{                                                                                    \
		free_fn(*slot);                                                              \
	}
#define SCOPE(name) __attribute__((cleanup(scope_##name)))

/* The same for values with init/fini: SCOPE_DEFINE_VALUE(str, struct str, str_fini). */
#define SCOPE_DEFINE_VALUE(name, type, fini_fn)                                               \
	static inline void scope_##name(type *value) /* NOLINT(bugprone-macro-parentheses) */ \
	{                                                                                     \
		fini_fn(value);                                                               \
	}

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
