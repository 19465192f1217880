/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SIGBUS handler may run on any thread at any moment, so the table that it searches is static
 * and made of atomics.  A slot's range is guarded by a generation that is odd while the range
 * changes: a reader that meets a change skips the slot, which is right, because the mapping that it
 * looks for is in use and therefore does not change.
 *
 * What this cannot see: a file that was cut short and made longer again.  Whoever needs to know
 * that checks digests.
 */
#include "base/mapping.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct slot {
	atomic_uintptr_t start; /* 0: nothing is mapped */
	atomic_size_t size;
	atomic_uint generation;
	atomic_bool used;
	atomic_bool damaged;
};

static struct slot slots[MAPPING_COUNT_MAX];
static pthread_once_t installed = PTHREAD_ONCE_INIT;
static uintptr_t page_size;

static void set_range(struct slot *slot, uintptr_t start, size_t size)
{
	atomic_fetch_add(&slot->generation, 1);
	atomic_store(&slot->start, start);
	atomic_store(&slot->size, size);
	atomic_fetch_add(&slot->generation, 1);
}

/* Async-signal-safe. */
static struct slot *find_slot(uintptr_t address)
{
	for (int i = 0; i < MAPPING_COUNT_MAX; i++) {
		struct slot *slot = &slots[i];
		const unsigned before = atomic_load(&slot->generation);
		const uintptr_t start = atomic_load(&slot->start);
		const size_t size = atomic_load(&slot->size);
		if (before % 2 != 0 || atomic_load(&slot->generation) != before)
			continue;
		if (start && address >= start && address - start < size)
			return slot;
	}
	return NULL;
}

static bool put_zeros(uintptr_t start, size_t size)
{
	/* The kernel is told an address, as MAP_FIXED wants it. */
	void *at = (void *)start; /* NOLINT(performance-no-int-to-ptr) */

	return mmap(at, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
	       MAP_FAILED;
}

/* Puts zeros under `address`; the flag goes first, so that no thread sees zeros without it. */
static bool answer_with_zeros(uintptr_t address)
{
	struct slot *slot = find_slot(address);

	if (!slot)
		return false;
	atomic_store(&slot->damaged, true);
	/* A page at a time may use up the process's maps; the whole mapping needs one. */
	return put_zeros(address - address % page_size, page_size) ||
	       put_zeros(atomic_load(&slot->start), atomic_load(&slot->size));
}

static void on_sigbus(int signal_number, siginfo_t *info, void *context)
{
	const int sys = errno;

	(void)context;
	/* A positive code is from the kernel, about an access; others were sent by a process. */
	if (info->si_code > 0 && answer_with_zeros((uintptr_t)info->si_addr)) {
		errno = sys;
		return;
	}
	/* Blocked while the handler runs: it kills on return, where the access was. */
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

static void install(void)
{
	struct sigaction action = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
	sigemptyset(&action.sa_mask);
	sigaction(SIGBUS, &action, NULL);
}

/* The number of a slot that is now ours, or -1. */
static int claim_slot(void)
{
	for (int i = 0; i < MAPPING_COUNT_MAX; i++) {
		bool was_used = false;
		if (atomic_compare_exchange_strong(&slots[i].used, &was_used, true))
			return i;
	}
	return -1;
}

int mapping_init(struct mapping *m, int fd, size_t size, struct err *e)
{
	pthread_once(&installed, install);
	*m = (struct mapping)MAPPING_INIT;
	/* mmap(2) has no empty mapping. */
	if (size == 0)
		return 0;

	const int number = claim_slot();
	if (number < 0)
		return err_set(e, ERR_LIMIT, "cannot map a file: more than %d are mapped",
			       MAPPING_COUNT_MAX);
	const int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	void *data = own < 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ, MAP_SHARED, own, 0);
	if (data == MAP_FAILED) {
		const int sys = errno;
		atomic_store(&slots[number].used, false);
		if (own >= 0)
			close(own);
		return err_sys(e, sys, "cannot map a file of %zu bytes", size);
	}
	/* Left to itself, the kernel reads up to a device's read_ahead_kb around each touch:
	 * megabytes where it is set for streaming, for a lookup that needs a few pages. */
	madvise(data, size, MADV_RANDOM);
	atomic_store(&slots[number].damaged, false);
	set_range(&slots[number], (uintptr_t)data, size);
	*m = (struct mapping){data, size, number, own};
	return 0;
}

void mapping_fini(struct mapping *m)
{
	if (m->slot >= 0) {
		/* First out of the table: the addresses may be somebody else's right after. */
		set_range(&slots[m->slot], 0, 0);
		/* munmap takes what mmap gave: not const. */
		munmap((void *)(uintptr_t)m->data, m->size); /* NOLINT(performance-no-int-to-ptr) */
		atomic_store(&slots[m->slot].used, false);
		close(m->fd);
	}
	*m = (struct mapping)MAPPING_INIT;
}

void mapping_prefetch(const struct mapping *m, uint64_t offset, size_t size)
{
	if (m->slot < 0 || offset >= m->size)
		return;
	const size_t start = (size_t)offset - (size_t)offset % page_size;
	const size_t rest = m->size - start;
	const size_t skipped = (size_t)offset - start;
	const size_t len = size > rest - skipped ? rest : skipped + size;
	/* madvise(2) changes nothing in what it is told the address of. */
	void *at = (void *)(uintptr_t)(m->data + start); /* NOLINT(performance-no-int-to-ptr) */

	madvise(at, len, MADV_WILLNEED);
}

bool mapping_has_faulted(const struct mapping *m)
{
	if (m->slot < 0)
		return false;
	/* The bytes that were copied before this call are read before the flag is. */
	atomic_thread_fence(memory_order_seq_cst);
	return atomic_load(&slots[m->slot].damaged);
}

bool mapping_is_damaged(const struct mapping *m)
{
	struct stat st;

	return m->slot >= 0 &&
	       (mapping_has_faulted(m) || fstat(m->fd, &st) < 0 || (uint64_t)st.st_size < m->size);
}
