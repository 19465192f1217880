/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A user namespace and a mount namespace for this process, in which a user is root over his own id
 * and his subordinate ids, and may mount file systems that nobody else sees.
 *
 * Source: user_namespaces(7), mount_namespaces(7), newuidmap(1).  A user can write no map of more
 * than his own id; newuidmap and newgidmap, which are setuid root, write what subuid(5) and
 * subgid(5) grant.  They are run by a child that stays outside, so that this process itself enters:
 * what it executes next has its number, its terminal and its place among the jobs of the shell.
 *
 * The namespaces live as long as a process, or a file that was bound to them, is in them.
 *
 * What Linux does with a FUSE file system that is mounted there, and what it refuses, is in
 * shale-unshare(1), LIMITATIONS; tests/cases/unshare/fuse.sh holds it against the kernel.
 *
 * Threads: for a process of one thread, as Linux asks (EINVAL).  A mount namespace is one of the
 * whole process.
 */
#ifndef BASE_USERNS_H
#define BASE_USERNS_H

#include "base/str.h"

/*
 * Enters new namespaces, whose mounts and those of outside do not propagate to each other.
 *
 * As a user: uid and gid are 0 there.  Without ranges or without the helpers his own ids are the
 * only ones (and setgroups(2) is denied, as Linux asks); `lack`, else empty, then says so for
 * people, with the reason, and how to mend it.
 *
 * As root, also that of a user namespace: a mount namespace alone, since no id is lacking.
 *
 * Returns 0; -1 with ERR_SYS when namespaces are not to be had, or ERR_NOMEM; the process may then
 * be in a namespace without ids, and is to end.
 */
int userns_enter(struct str *lack, struct err *e);

#endif
