/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The time that new images carry: never the clock, so that the same inputs give the same bytes.
 *
 * Source: reproducible-builds.org, "SOURCE_DATE_EPOCH".
 */
#ifndef PACKER_EPOCH_H
#define PACKER_EPOCH_H

#include <stdint.h>

#include "base/err.h"

#define EPOCH_DEFAULT INT64_C(315532800)    /* 1980-01-01: the oldest that FAT and zip can say */
#define EPOCH_MAX     INT64_C(253402300799) /* the last second that RFC 3339 can say */

/* Seconds: $SOURCE_DATE_EPOCH, else EPOCH_DEFAULT.  ERR_USAGE when it is no number up to
 * EPOCH_MAX. */
int epoch_get(int64_t *out, struct err *e);

/* The same without a default: 1 when the variable is set, 0 when it is not. */
int epoch_find(int64_t *out, struct err *e);

#endif
