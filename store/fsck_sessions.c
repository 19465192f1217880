/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the store knows of a session: session.json, which was read with the refs, and its folders.
 * Whether its image is there is told with all other blobs.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "store/folder.h"
#include "store/fsck_private.h"
#include "store/locks.h"
#include "store/sessions_private.h"

/* What is in an open folder beside session.json; `why` is set when it is not whole. */
static void check_parts(int folder, struct err *why)
{
	struct stat st;
	SCOPE_FD int data = sessions_open_data(folder, why);

	if (data < 0 || fstatat(folder, SESSIONS_LOCK_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return;
	if (errno == ENOENT)
		err_set(why, ERR_FORMAT, "it has no '" SESSIONS_LOCK_FILE "'");
	else
		err_sys(why, errno, "cannot stat '" SESSIONS_LOCK_FILE "'");
}

/* The folder of a session that can be read; one that was removed meanwhile is whole. */
static int check_folder(struct fsck *f, int all, const struct session_info *info, struct err *e)
{
	struct err why = ERR_INIT, ignored = ERR_INIT;
	SCOPE_FD int folder = sessions_open_folder(f->store, all, info->id, &why);

	if (folder >= 0)
		check_parts(folder, &why);
	if (why.code == ERR_NONE)
		return 0;
	const bool is_gone = folder < 0 ? why.code == ERR_NOT_FOUND
					: sessions_is_named(all, info->id, folder, &ignored) == 0;
	err_clear(&ignored);
	if (is_gone) {
		err_clear(&why);
		return 0;
	}
	return fsck_tell(f, FSCK_ERROR, info->label, &why, NULL, e);
}

/* One that cannot be read may need anything. */
static int tell_unreadable(struct fsck *f, struct session_info *info, struct err *e)
{
	f->is_partial = true;
	return fsck_tell(f, FSCK_ERROR, info->label, &info->why, NULL, e);
}

int fsck_check_sessions(struct fsck *f, struct err *e)
{
	SCOPE_FD int all = -1;

	if (sessions_open_visible(f->store, &all, e) < 0)
		return -1;
	for (size_t i = 0; i < f->sessions.count; i++) {
		struct session_info *info = &f->sessions.items[i];
		const int r =
			info->name ? check_folder(f, all, info, e) : tell_unreadable(f, info, e);
		if (r < 0)
			return -1;
	}
	return 0;
}

/* sessions_visit_dead */
static int clear_part(void *ctx, int all, const char *name, struct err *e)
{
	char subject[sizeof("folder ") + SESSIONS_PART_MAX];
	struct err why = ERR_INIT;

	if (sessions_remove_tree(all, name, &why) == 0)
		err_set(&why, ERR_EXISTS, "left by a process that died: removed");
	(void)snprintf(subject, sizeof(subject), "folder %s", name);
	return fsck_tell(ctx, why.code == ERR_EXISTS ? FSCK_NOTE : FSCK_ERROR, subject, &why, NULL,
			 e);
}

int fsck_clear_sessions(struct fsck *f, struct err *e)
{
	SCOPE_FD int all = -1;
	bool found;

	if (sessions_open_all(f->store, &all, e) < 0 || sessions_has_dead(all, &found, e) < 0)
		return -1;
	if (!found)
		return 0;
	SCOPE_FD int lock = locks_take(f->store, SESSIONS_LOCK_ALL, LOCKS_EXCLUSIVE, e);
	return lock < 0 ? -1 : sessions_visit_dead(all, clear_part, f, e);
}
