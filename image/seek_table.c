/* SPDX-License-Identifier: Apache-2.0 */
#include "image/seek_table.h"

#include <endian.h>
#include <string.h>

#include "base/limits.h"

enum {
	ENTRY_SIZE = 8,  /* without a checksum: SHA-256 of the index covers the frames */
	FOOTER_SIZE = 9, /* number of frames, descriptor, magic */
	DESCRIPTOR = 0,  /* no checksums */
};

static const uint32_t seekable_magic = 0x8F92EAB1;

static int append_u32(struct str *out, uint32_t value, struct err *e)
{
	const uint32_t le = htole32(value);

	return str_append(out, &le, sizeof(le), e);
}

int skippable_header_append(struct str *out, uint32_t magic, uint32_t size, struct err *e)
{
	const uint32_t header[2] = {htole32(magic), htole32(size)};

	return str_append(out, header, sizeof(header), e);
}

int seek_table_add(struct seek_table *t, uint32_t compressed, uint32_t content, struct err *e)
{
	const uint32_t entry[2] = {htole32(compressed), htole32(content)};

	/* One more than the layer's frames: the layer index has an entry too. */
	if (t->count > LIMIT_FRAMES)
		return err_set(e, ERR_LIMIT, "a layer has more than %d frames", (int)LIMIT_FRAMES);
	if (str_append(&t->entries, entry, sizeof(entry), e) < 0)
		return -1;
	t->count++;
	return 0;
}

int seek_table_append(const struct seek_table *t, struct str *out, struct err *e)
{
	const uint32_t size = t->count * ENTRY_SIZE + FOOTER_SIZE;

	if (skippable_header_append(out, SKIPPABLE_MAGIC_SEEK_TABLE, size, e) < 0 ||
	    str_append(out, str_text(&t->entries), t->entries.len, e) < 0 ||
	    append_u32(out, t->count, e) < 0 || str_append_c(out, DESCRIPTOR, e) < 0)
		return -1;
	return append_u32(out, seekable_magic, e);
}

void seek_table_fini(struct seek_table *t)
{
	str_fini(&t->entries);
	t->count = 0;
}
