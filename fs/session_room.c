/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/session_room.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "fs/session_private.h"
#include "fs/session_sync.h"

#define RESERVE_NAME "reserve"

enum {
	RESERVE_MODE = 0600,
	/* A batch of requests (fs/session_batch.c), the mark, a removal, and what their checkpoint
	 * adds to the database. */
	RESERVE_SIZE = 4 * 1024 * 1024,
	RESERVE_MIN = 64 * 1024, /* for a removal and its mark */
	RESERVE_STEP = 4,
};

void session_reserve_find(struct session *s, int dirfd)
{
	struct stat st;

	s->has_reserve = fstatat(dirfd, RESERVE_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			 S_ISREG(st.st_mode) && st.st_blocks > 0;
	s->is_tight = s->has_reserve && st.st_size < RESERVE_SIZE;
}

/* As much of it as there is room for; whether that is all. */
static bool allocate(int fd, bool *is_some)
{
	int error = 0;

	/* Not posix_fallocate(3), which would write where the file system cannot allocate. */
	for (off_t size = RESERVE_SIZE; size >= RESERVE_MIN && !*is_some; size /= RESERVE_STEP) {
		*is_some = fallocate(fd, 0, 0, size) == 0;
		error = error ? error : *is_some ? 0 : errno;
	}
	errno = error;
	return error == 0;
}

void session_reserve_fill(struct session *s, int dirfd)
{
	if (s->has_reserve && !s->is_tight)
		return;
	s->has_reserve = false;
	SCOPE_FD int fd = openat(dirfd, RESERVE_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
				 RESERVE_MODE);
	const bool is_whole = fd >= 0 && allocate(fd, &s->has_reserve);
	s->is_tight = !is_whole && (errno == ENOSPC || errno == EDQUOT);
	if (fd >= 0 && !s->has_reserve)
		(void)unlinkat(dirfd, RESERVE_NAME, 0);
}

bool session_reserve_release(struct session *s)
{
	if (!s->has_reserve)
		return false;
	s->has_reserve = false;
	s->is_tight = true;
	return unlinkat(s->dirfd, RESERVE_NAME, 0) == 0;
}

bool session_is_full(const struct err *e)
{
	return e->code == ERR_SYS && (e->sys == ENOSPC || e->sys == EDQUOT);
}

bool session_gain_room(struct session *s, bool makes_room, unsigned tries, struct err *e)
{
	struct err ignored = ERR_INIT;
	bool is_gained = false;

	if (!session_is_full(e))
		return false;
	session_lock(s);
	if (tries == 0)
		is_gained = session_fold(s, &ignored) == 0;
	if (!is_gained && tries <= 1)
		is_gained = makes_room && session_reserve_release(s);
	session_unlock(s);
	err_clear(&ignored);
	if (is_gained)
		err_clear(e);
	return is_gained;
}

bool session_has_room(struct session *s, struct err *e)
{
	session_lock(s);
	if (s->is_tight)
		session_reserve_fill(s, s->dirfd);
	const bool has_room = !s->is_tight;
	session_unlock(s);
	if (!has_room)
		err_sys(e, ENOSPC, "the session keeps what room there is for removals");
	return has_room;
}
