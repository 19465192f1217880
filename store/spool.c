/* SPDX-License-Identifier: Apache-2.0 */
#include "store/spool.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/array.h"
#include "store/folder.h"

enum { PLACES = FOLDER_IN_TMPDIR + 1 };

struct spool {
	const struct store *store;
	enum folder_place first, place; /* the first one, and that of the last piece */
	int fds[PLACES];                /* -1: no piece went there */
	uint64_t began;                 /* where the last piece begins */
};

struct spool *spool_new(const struct store *s, struct err *e)
{
	struct spool *sp = array_new(1, sizeof(*sp), e);

	if (!sp)
		return NULL;
	sp->store = s;
	sp->first = sp->place = folder_first_place(s);
	for (size_t i = 0; i < ARRAY_LEN(sp->fds); i++)
		sp->fds[i] = -1;
	return sp;
}

void spool_free(struct spool *sp)
{
	if (!sp)
		return;
	for (size_t i = 0; i < ARRAY_LEN(sp->fds); i++)
		scope_close(&sp->fds[i]);
	free(sp);
}

static int open_place(const struct spool *sp, struct err *e)
{
	const int fd = folder_spill(sp->store, STORE_DIR_BLOBS_SHA256, sp->place, e);

	/* Else nobody would know why another place was tried. */
	if (fd < 0 && sp->place != sp->first && !folder_is_full(e))
		return err_wrap(e, "no room in the store");
	return fd;
}

int spool_begin(struct spool *sp, int *out_fd, uint64_t *out_offset, struct err *e)
{
	int *fd = &sp->fds[sp->place];

	if (*fd < 0)
		*fd = open_place(sp, e);
	if (*fd < 0)
		return -1;
	const off_t at = lseek(*fd, 0, SEEK_CUR);
	if (at < 0)
		return err_sys(e, errno, "cannot seek in a temporary file");
	sp->began = *out_offset = (uint64_t)at;
	*out_fd = *fd;
	return 0;
}

int spool_try_next(struct spool *sp, struct err *e)
{
	const int fd = sp->fds[sp->place];

	if (!folder_is_full(e))
		return -1;
	if (!folder_try_next(&sp->place, FOLDER_IN_TMPDIR, e))
		return err_wrap(e, "no room until it is exported, in the store or in TMPDIR");
	/* Others may need what the piece has taken. */
	if (fd >= 0 && ftruncate(fd, (off_t)sp->began) < 0)
		return err_sys(e, errno, "cannot cut a temporary file");
	return 0;
}
