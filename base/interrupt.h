/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals that end a program (SIGINT, SIGTERM, SIGHUP), held back while there is something that it
 * must take away first.
 *
 * Files without a name need none of this: they go with the process.
 *
 * Calls: interrupt_hold -> interrupt_check* -> interrupt_release; they nest.
 * Threads: of the main thread alone, but for interrupt_check, which any may call.  The signal that
 * came is, besides the log's level, the one global state there is: a handler has nothing else to
 * write to.
 */
#ifndef BASE_INTERRUPT_H
#define BASE_INTERRUPT_H

#include "base/err.h"

/* From now on the first such signal is only noted; the second ends the process as ever.  A signal
 * that is ignored stays ignored (nohup). */
void interrupt_hold(void);

/* ERR_SYS (EINTR) once a signal was noted: stop, and take away what is half done. */
int interrupt_check(struct err *e);

/* As before; a signal that was noted ends the process now. */
void interrupt_release(void);

#endif
