/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts with FUSE: what they serve, and from where to where they live.
 *
 * Two processes: a supervisor that mounts and holds /dev/fuse, and a worker, forked from it, that
 * answers.  A worker that dies is replaced by another, which answers what the first one left, so
 * that clients notice nothing; when the supervisor dies the worker ends the mount.
 */
#ifndef FS_MOUNT_H
#define FS_MOUNT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct fuse_lowlevel_ops;

struct mount_options {
	const char *mountpoint;
	const char *source; /* what mount(8) shows: "localhost/app:1" */
	bool is_foreground;
	bool allow_other;  /* others may look, by the image's owners and modes (default_permissions)
			    */
	bool allow_dev;    /* root only: device nodes work */
	bool allow_suid;   /* root only: setuid bits work */
	bool is_noexec;    /* nothing of it can be run */
	bool is_writeback; /* of an edit mount: the kernel keeps what is written for a while */
	bool allow_nonempty; /* the mountpoint may hold files; they are hidden */
	/* In the background: set to the supervisor, a child of the caller's, which SIGTERM ends and
	 * with it the mount.  NULL: of no interest. */
	pid_t *supervisor;
};

/* What a worker knows when it begins. */
struct mount_start {
	/* It follows one that died: the kernel remembers what that one answered, and sends again
	 * what it did not (fs/channel.h). */
	bool is_takeover;
	unsigned deaths; /* of workers of this mount before */
	/* The mount's "major:minor".  Borrowed until close; "" while a first worker opens, which is
	 * before the mount exists. */
	const char *device_number;
};

/* What a mount serves. */
struct mount_service {
	const struct fuse_lowlevel_ops *ops;
	/*
	 * In the worker, while it has one thread: the userdata of the session, or NULL.  A first
	 * worker opens before the mount exists; a successor must not touch the mount, which answers
	 * nobody meanwhile.
	 */
	void *(*open)(void *ctx, const struct mount_start *start, struct err *e);
	void (*close)(void *data);
	/*
	 * In the supervisor, as long as it lives: what a successor will need and must not be taken
	 * away between two workers (a lease); small.  Non-NULL, or NULL with the error.  Both may
	 * be NULL.
	 */
	void *(*hold)(void *ctx, struct err *e);
	void (*release)(void *held);
	void *ctx;
	/* Asked for in the answer to INIT where the kernel offers them (CHANNEL_*), besides what
	 * libfuse knows. */
	uint64_t init_flags;
	bool is_writable;
};

/*
 * Mounts and serves until the mount goes away or SIGTERM, SIGINT, SIGHUP.  In the background (not
 * is_foreground): returns in the calling process only after the mount answers, with 0, or with the
 * reason it failed; the supervisor is a session of its own.  ERR_SYS: no /dev/fuse, no such
 * mountpoint, not allowed, or the worker died too often; ERR_EXISTS for a mountpoint that is not an
 * empty directory; what `open` and `hold` say.
 */
int mount_run(const struct mount_options *opt, const struct mount_service *service, struct err *e);

/* What mount(8) shows of the shale mount that `mountpoint` is, or leads to as a link: 1, 0 there is
 * none, -1.  The caller frees it. */
int mount_source(const char *mountpoint, char **out, struct err *e);

/* Ends a shale mount (also one whose server died).  `is_lazy`: detaches now, ends when the last
 * user leaves. ERR_BUSY, ERR_NOT_FOUND for what is no shale mount. */
int mount_end(const char *mountpoint, bool is_lazy, struct err *e);

#endif
