/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals as STOPSIGNAL names them: by number, or by name with or without "SIG", in any case;
 * real-time ones as RTMIN+3 or RTMAX-1.  Those of Linux, whatever this program runs on.
 */
#ifndef MANIFESTS_SIGNALS_H
#define MANIFESTS_SIGNALS_H

#include <stdbool.h>

bool signals_is_known(const char *text);

#endif
