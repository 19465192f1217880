/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the processes of a mount say to each other, over a pair of sockets: how far one has come, or
 * why it failed, and the descriptor of /dev/fuse.
 *
 * A message arrives whole or not at all, and what was sent before its sender died is still heard.
 * Nobody waits for a receiver that is gone.
 */
#ifndef FS_MESSAGE_H
#define FS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Two ends, closed on exec: 0, or -1 with ERR_SYS. */
int message_pair(int ends[2], struct err *e);

/* Tells `what`, a failure, or (clean) that the next step is done.  0, or -1 with errno. */
int message_send(int socket, const struct err *what);

/*
 * 1: `what` (clean on entry) is as it was told; 0: the other side is gone; -1 with errno, which is
 * EAGAIN when there is nothing and `is_waiting` is false.
 */
int message_receive(int socket, bool is_waiting, struct err *what);

/* A descriptor with `len` bytes, at least one, beside it.  0, or -1 with errno. */
int message_send_fd(int socket, int fd, const void *data, size_t len);

/* The same, received: the descriptor, closed on exec, or -1 with errno (EPROTO for another message,
 * or none). */
int message_receive_fd(int socket, void *data, size_t len);

#endif
