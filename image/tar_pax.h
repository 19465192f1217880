/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PAX extended headers: "LENGTH KEY=VALUE\n" records that override the fields of a header.
 *
 * A key that is not known here is refused: it could change what a member is.  So is a key that is
 * there twice.  An empty value takes the header's own field back, as POSIX has it, but is a value
 * for extended attributes.  A global header may say only what can be the same for all members:
 * times, ids, and what is ignored.
 *
 * Source: POSIX.1-2017 pax, "pax Extended Header"; star(5); GNU tar manual, "Storing Sparse Files".
 *
 * Private to image/tar_*.c.
 */
#ifndef IMAGE_TAR_PAX_H
#define IMAGE_TAR_PAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "image/tar_sparse.h"
#include "image/tar_xattr.h"

enum pax_field {
	PAX_PATH,
	PAX_LINKPATH,
	PAX_SIZE,
	PAX_UID,
	PAX_GID,
	PAX_MTIME,
	PAX_DEVMAJOR,
	PAX_DEVMINOR,
	PAX_SPARSE_NAME,
	PAX_SPARSE_MAJOR,
	PAX_SPARSE_MINOR,
	PAX_SPARSE_SIZE,     /* of the file: 0.0 and 0.1 */
	PAX_SPARSE_REALSIZE, /* the same: 1.0 */
	PAX_SPARSE_BLOCKS,   /* ranges in the map */
	PAX_SPARSE_MAP,      /* there is one in the records */
	PAX_FIELD_COUNT,
};

struct pax_value {
	const char *text; /* borrowed from the records */
	size_t len;
	uint64_t number;
};

struct pax {
	uint32_t given;   /* bits of fields with a value */
	uint32_t cleared; /* bits of fields with an empty one */
	struct pax_value values[PAX_FIELD_COUNT];
	int64_t mtime;
	uint32_t mtime_nsec;
	bool has_acl; /* which is not taken */
	struct tar_xattrs xattrs;
	struct tar_sparse sparse; /* of PAX_SPARSE_MAP */
};

static inline bool pax_has(const struct pax *p, enum pax_field field)
{
	return (p->given >> field & 1) != 0;
}

static inline bool pax_is_cleared(const struct pax *p, enum pax_field field)
{
	return (p->cleared >> field & 1) != 0;
}

void pax_clear(struct pax *p);
void pax_fini(struct pax *p);

/* The records of a member's header, which must stay in place while `p` is used.  `p` must be clear.
 * ERR_FORMAT, ERR_LIMIT, ERR_NOMEM. */
int pax_parse(struct pax *p, const char *records, size_t len, struct err *e);

/* The records of a global header, over what `p` has from earlier ones. */
int pax_parse_global(struct pax *p, const char *records, size_t len, struct err *e);

/* "-1.5" to seconds and nanoseconds above them; what is outside of ENTRY_TIME_MAX is clamped.  0,
 * or -1 for anything that is no number. */
int pax_time(const char *text, size_t len, int64_t *seconds, uint32_t *nanoseconds);

#endif
