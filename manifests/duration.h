/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Durations as Go writes them: "1h30m", "1.5s", "300ms".
 *
 * Source: package time of Go, ParseDuration and Duration.String.
 */
#ifndef MANIFESTS_DURATION_H
#define MANIFESTS_DURATION_H

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* Nanoseconds.  ERR_SYNTAX; `out` is then untouched. */
int duration_parse(const char *text, int64_t *out, struct err *e);

/* "1m30s"; appends to `out`.  `ns` is not negative. */
int duration_format(int64_t ns, struct str *out, struct err *e);

#endif
