/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that answers the requests of a mount, for as long as it lives; fs/supervisor.h forks
 * it and replaces it.
 *
 * It tells its supervisor, by fs/message.h: the service is open (a first worker, which then gets
 * the device); it serves; it has answered something; or why it cannot.
 */
#ifndef FS_WORKER_H
#define FS_WORKER_H

#include <signal.h>
#include <sys/types.h>

#include "fs/channel.h"
#include "fs/device.h"
#include "fs/mount.h"

/* Tells a worker to end.  Also what it gets when its supervisor dies: it then takes the mount away
 * itself. */
#define WORKER_END_SIGNAL SIGUSR1

/* Of a mount that exists. */
struct worker_mount {
	char number[DEVICE_NUMBER_MAX];
	struct channel_init init;
};

struct worker {
	const struct mount_service *service;
	const char *mountpoint;
	bool is_foreground;
	pid_t supervisor;
	int socket;           /* to the supervisor */
	int device;           /* -1: of a first worker, which receives it and `mount` */
	unsigned deaths;      /* of its predecessors */
	const sigset_t *mask; /* of signals, as it was before the supervisor blocked some */
	struct worker_mount mount;
};

/* Serves until it is told to end (0), the mount is gone (0), or something fails, which is told
 * (1): an exit status. */
int worker_run(struct worker *w);

#endif
