/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions that are easy to misuse and have a safe counterpart here; included in front of every
 * file by the compiler's command line.  The headers that declare them come first.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Macros in a fortified build, where clang warns of poisoning a macro. */
#undef sprintf
#undef vsprintf

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok gets
#pragma GCC poison atoi atol atoll atof
#pragma GCC poison asctime ctime gmtime localtime
#pragma GCC poison system mktemp tmpnam

#endif
