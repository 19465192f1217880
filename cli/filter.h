/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters of the list of images: --filter KEY=VALUE, as docker and podman have them.
 *
 * Calls: filters_parse -> filters_resolve -> filters_match*; filters_fini also after a failure.
 */
#ifndef CLI_FILTER_H
#define CLI_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/strmap.h"
#include "cli/command.h"
#include "store/store.h"

struct filter;
struct filters {
	struct filter *items;
	size_t count;
	size_t cap;
};

/* What is known of an image. */
struct filter_subject {
	const char *name;            /* NULL: none */
	const char *created;         /* RFC 3339; NULL: not known */
	const struct strmap *labels; /* NULL: not known */
};

/* The option "filter".  ERR_USAGE for an unknown key, naming the known ones, and for a value that
 * the key cannot have.  Values are borrowed from `in`. */
int filters_parse(const struct invocation *in, struct filters *out, struct err *e);

/* Looks up the images that filters name.  `s` NULL: there is no store yet.  ERR_NOT_FOUND;
 * ERR_FORMAT for an image without a time. */
int filters_resolve(struct filters *f, const struct store *s, struct err *e);

/* Whether an image is to be listed. */
bool filters_match(const struct filters *f, const struct filter_subject *subject);

void filters_fini(struct filters *f);

#endif
