/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a catalog: whatever they are, every question gets an answer or an error, in bounded
 * time; and a catalog that passes its check answers every question.
 *
 * The first byte says how the rest is taken: as a file; as a file whose digests are made right
 * first; or as the total of contents (eight bytes), the sizes of the sections (two bytes each) and
 * their content, with a header made for them.  Without the latter two, the digests would end every
 * run.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/hasher.h"
#include "base/io.h"
#include "image/catalog_format.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/catalog_text.h"

enum {
	FILE_MAX = 1 << 20,
	SECTIONS_HEAD = 8 + 2 * CATALOG_SECTION_COUNT,
	AS_FILE = 0,
	WITH_DIGESTS = 1,
	AS_SECTIONS = 2,
	MODES = 3,
};

static uint8_t file[FILE_MAX];

/* All digests of a file whose header has the right layout. */
static void make_digests(struct catalog_header *h)
{
	uint8_t *table = file + h->table.offset;

	for (uint64_t block = 0; block < catalog_block_count(h); block++) {
		const uint64_t start = CATALOG_HEADER_SIZE + block * CATALOG_BLOCK;
		const uint64_t rest = h->table.offset - start;
		const struct digest d = hasher_sha256(
			file + start, (size_t)(rest < CATALOG_BLOCK ? rest : CATALOG_BLOCK));
		memcpy(table + block * DIGEST_SHA256_LEN, d.raw, DIGEST_SHA256_LEN);
	}
	const struct digest d = hasher_sha256(table, (size_t)h->table.size);
	memcpy(h->table_sha256, d.raw, DIGEST_SHA256_LEN);
	catalog_pack_header(h, file);
}

/* The header's own digest first: without it, its layout is not looked at. */
static void correct_digests(size_t size)
{
	struct err e = ERR_INIT;
	struct catalog_header h;
	const size_t digest_at = CATALOG_HEADER_SIZE - DIGEST_SHA256_LEN;

	if (size < CATALOG_HEADER_SIZE)
		return;
	const struct digest d = hasher_sha256(file, digest_at);
	memcpy(file + digest_at, d.raw, DIGEST_SHA256_LEN);
	if (catalog_unpack_header(file, &h, &e) == 0 && h.file_size == size)
		make_digests(&h);
	err_clear(&e);
}

static uint64_t take(const uint8_t **data, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value |= (uint64_t) * (*data)++ << (8 * i);
	return value;
}

/* The file's size; 0 when it would be too large. */
static size_t lay_out(const uint8_t *data, size_t size)
{
	const uint8_t *const end = data + size;
	struct catalog_header h = {0};

	if (size < SECTIONS_HEAD)
		return 0;
	h.content_size = take(&data, 8);
	for (int i = 0; i < CATALOG_SECTION_COUNT; i++)
		h.sections[i].size = take(&data, 2);
	h.layer_count = (uint32_t)(h.sections[CATALOG_LAYERS].size / CATALOG_LAYER_SIZE);
	h.inode_count = (uint32_t)(h.sections[CATALOG_INODES].size / CATALOG_INODE_SIZE);
	h.dirent_count = (uint32_t)(h.sections[CATALOG_DIRENTS].size / CATALOG_DIRENT_SIZE);
	h.flags = h.sections[CATALOG_XATTRS].size > 0 ? CATALOG_HAS_XATTRS : 0;
	if (!catalog_layout(&h) || h.file_size > FILE_MAX)
		return 0;
	memset(file, 0, (size_t)h.file_size);
	for (int i = 0; i < CATALOG_SECTION_COUNT; i++) {
		const size_t want = (size_t)h.sections[i].size;
		const size_t have = (size_t)(end - data);
		const size_t n = want < have ? want : have;
		memcpy(file + h.sections[i].offset, data, n);
		data += n;
	}
	make_digests(&h);
	return (size_t)h.file_size;
}

static void walk(const struct catalog *c, struct err *e)
{
	static const char *const paths[] = {"/", "/a", "/a/f/../../b/.", "/d/x/", "l/l/l"};
	SCOPE(str) struct str text = STR_INIT;
	uint32_t inode;

	for (inode = 0; inode < catalog_inode_count(c); inode++) {
		str_truncate(&text, 0);
		if (catalog_text_inode(c, inode, &text, e) < 0)
			FUZZ_CHECK(e->code == ERR_FORMAT || e->code == ERR_DIGEST);
		err_clear(e);
	}
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		uint32_t found = 0;
		if (catalog_resolve(c, paths[i], true, &found, e) == 1)
			FUZZ_CHECK(found < catalog_inode_count(c));
		err_clear(e);
	}
}

static void check(const struct catalog *c, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;

	if (catalog_check(c, e) == 0)
		FUZZ_CHECK(catalog_text(c, &text, e) == 0);
	else
		FUZZ_CHECK(e->code == ERR_FORMAT || e->code == ERR_DIGEST);
	err_clear(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	struct catalog *c = NULL;

	if (size < 1 || size - 1 > FILE_MAX)
		return 0;
	const int mode = data[0] % MODES;
	size_t file_size = size - 1;
	if (mode == AS_SECTIONS) {
		file_size = lay_out(data + 1, size - 1);
	} else {
		memcpy(file, data + 1, file_size);
		if (mode == WITH_DIGESTS)
			correct_digests(file_size);
	}

	const int fd = memfd_create("catalog", MFD_CLOEXEC);
	FUZZ_CHECK(fd >= 0 && io_write_all(fd, file, file_size) == 0);
	if (catalog_open(fd, &c, &e) == 0) {
		walk(c, &e);
		check(c, &e);
	}
	FUZZ_CHECK(e.code == ERR_NONE || e.code == ERR_FORMAT || e.code == ERR_DIGEST);
	err_clear(&e);
	catalog_free(c);
	close(fd);
	return 0;
}
