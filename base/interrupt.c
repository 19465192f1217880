/* SPDX-License-Identifier: Apache-2.0 */
#include "base/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/scope.h"

static const int held[] = {SIGINT, SIGTERM, SIGHUP};

static struct sigaction before[ARRAY_LEN(held)];
static unsigned holders;
/* The signal, or 0.  Of any thread a signal may come to, and of any that asks. */
static atomic_int noted;
_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "a handler cannot wait for a lock");

static void note(int number)
{
	noted = number;
}

void interrupt_hold(void)
{
	/* No SA_RESTART: who waits for a lock must not wait on. */
	struct sigaction action = {.sa_handler = note, .sa_flags = (int)SA_RESETHAND};

	if (holders++ > 0)
		return;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_LEN(held); i++) {
		sigaction(held[i], NULL, &before[i]);
		if (before[i].sa_handler != SIG_IGN)
			sigaction(held[i], &action, NULL);
	}
}

int interrupt_check(struct err *e)
{
	return noted ? err_sys(e, EINTR, "stopped") : 0;
}

void interrupt_release(void)
{
	const int number = noted;

	if (--holders > 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(held); i++)
		sigaction(held[i], &before[i], NULL);
	noted = 0;
	if (number)
		raise(number);
}
