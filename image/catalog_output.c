/* SPDX-License-Identifier: Apache-2.0 */
#include "image/catalog_output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hasher.h"
#include "base/io.h"
#include "image/catalog_format.h"

enum { BUFFER_SIZE = 16 * CATALOG_BLOCK };

int catalog_output_init(struct catalog_output *o, int fd, struct err *e)
{
	*o = (struct catalog_output){.fd = fd, .written = CATALOG_HEADER_SIZE};
	o->buffer = array_new(BUFFER_SIZE, 1, e);
	return o->buffer ? 0 : -1;
}

void catalog_output_fini(struct catalog_output *o)
{
	free(o->buffer);
	str_fini(&o->digests);
	*o = (struct catalog_output){.fd = -1};
}

uint64_t catalog_output_offset(const struct catalog_output *o)
{
	return o->written + o->filled;
}

static int write_at(const struct catalog_output *o, const void *bytes, size_t len, uint64_t offset,
		    struct err *e)
{
	if (io_pwrite_all(o->fd, bytes, len, offset) < 0)
		return err_sys(e, errno, "cannot write the catalog");
	return 0;
}

static int flush(struct catalog_output *o, struct err *e)
{
	for (size_t at = 0; at < o->filled; at += CATALOG_BLOCK) {
		const size_t rest = o->filled - at;
		const size_t len = rest < CATALOG_BLOCK ? rest : CATALOG_BLOCK;
		const struct digest d = hasher_sha256(o->buffer + at, len);
		if (str_append(&o->digests, d.raw, DIGEST_SHA256_LEN, e) < 0)
			return -1;
	}
	if (write_at(o, o->buffer, o->filled, o->written, e) < 0)
		return -1;
	o->written += o->filled;
	o->filled = 0;
	return 0;
}

int catalog_output_put(struct catalog_output *o, const void *bytes, size_t len, struct err *e)
{
	const uint8_t *p = bytes;

	while (len > 0) {
		const size_t room = BUFFER_SIZE - o->filled;
		const size_t n = len < room ? len : room;
		memcpy(o->buffer + o->filled, p, n);
		o->filled += n;
		p += n;
		len -= n;
		if (o->filled == BUFFER_SIZE && flush(o, e) < 0)
			return -1;
	}
	return 0;
}

int catalog_output_align(struct catalog_output *o, uint64_t to, struct err *e)
{
	static const uint8_t zeros[CATALOG_TABLE_ALIGN];
	const uint64_t past = catalog_output_offset(o) % to;

	return past ? catalog_output_put(o, zeros, (size_t)(to - past), e) : 0;
}

int catalog_output_finish(struct catalog_output *o, struct err *e)
{
	if (catalog_output_align(o, CATALOG_TABLE_ALIGN, e) < 0 || flush(o, e) < 0)
		return -1;
	return write_at(o, o->digests.data, o->digests.len, o->written, e);
}
