/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times as image documents write them: "2024-01-02T03:04:05.678+01:00".
 *
 * Source: RFC 3339, section 5.6.  Upper case T and Z only, and no leap seconds, as Go's time.Parse
 * has it, by which everybody else reads these documents.
 */
#ifndef BASE_RFC3339_H
#define BASE_RFC3339_H

#include <stdint.h>

struct rfc3339_time {
	int64_t seconds; /* since 1970, UTC */
	uint32_t nsec;   /* of a longer fraction the first nine digits */
};

/* 0, or -1 for anything else; `out` is then untouched. */
int rfc3339_parse(const char *text, struct rfc3339_time *out);

/* As strcmp. */
int rfc3339_compare(const struct rfc3339_time *a, const struct rfc3339_time *b);

#endif
