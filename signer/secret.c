/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The count of live secrets is kept for the process, because what it switches (the core limit, the
 * dumpable flag) belongs to the process.  The flag must come back: without it /proc/self belongs
 * to root, and a later user namespace could not write its own uid_map.
 */
#include "signer/secret.h"

#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static struct {
	pthread_mutex_t lock;
	size_t live; /* secrets */
	bool has_core;
	struct rlimit core; /* as it was */
	int dumpable;       /* as it was */
} guard = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void guard_enter(void)
{
	pthread_mutex_lock(&guard.lock);
	if (guard.live++ == 0) {
		guard.has_core = getrlimit(RLIMIT_CORE, &guard.core) == 0;
		if (guard.has_core) {
			const struct rlimit none = {0, guard.core.rlim_max};
			setrlimit(RLIMIT_CORE, &none);
		}
		guard.dumpable = prctl(PR_GET_DUMPABLE);
		prctl(PR_SET_DUMPABLE, 0);
	}
	pthread_mutex_unlock(&guard.lock);
}

static void guard_leave(void)
{
	pthread_mutex_lock(&guard.lock);
	if (--guard.live == 0) {
		if (guard.has_core)
			setrlimit(RLIMIT_CORE, &guard.core);
		/* Another value than 1 is the kernel's own choice, which prctl(2) cannot set. */
		if (guard.dumpable == 1)
			prctl(PR_SET_DUMPABLE, 1);
	}
	pthread_mutex_unlock(&guard.lock);
}

int secret_setup(struct err *e)
{
	if (sodium_init() < 0)
		return err_sys(e, ENODEV, "cannot set up libsodium: no source of random numbers");
	return 0;
}

int secret_init(struct secret *s, size_t len, struct err *e)
{
	if (secret_setup(e) < 0)
		return -1;

	guard_enter();
	uint8_t *data = sodium_malloc(len ? len : 1);
	if (!data) {
		guard_leave();
		return err_nomem(e);
	}
	sodium_memzero(data, len ? len : 1);
	*s = (struct secret){data, len};
	return 0;
}

void secret_fini(struct secret *s)
{
	if (!s || !s->data)
		return;
	sodium_free(s->data);
	*s = (struct secret)SECRET_INIT;
	guard_leave();
}

int secret_text_init(struct str *s, size_t max, struct err *e)
{
	*s = (struct str)STR_INIT;
	return str_reserve(s, max, e);
}

void secret_text_fini(struct str *s)
{
	if (s && s->data)
		sodium_memzero(s->data, s->cap);
	str_fini(s);
}

struct secret secret_take(struct secret *from)
{
	const struct secret was = *from;

	*from = (struct secret)SECRET_INIT;
	return was;
}
