/* SPDX-License-Identifier: Apache-2.0 */
/* Catalogs that are broken or forged: how they are opened, checked, and answer. */
#include <fcntl.h>

#include "image/catalog.h"
#include "image/catalog_format.h"
#include "image/tree_size.h"
#include "tests/unit/image/rich_catalog.h"

static int open_error(const uint8_t *bytes, size_t size, struct err *e)
{
	SCOPE_FD int fd = file_with(bytes, size);
	struct catalog *c = NULL;
	const int result = catalog_open(fd, &c, e);

	ck_assert_ptr_null(c);
	return result;
}

START_TEST(refuses_what_is_no_catalog)
{
	struct err e = ERR_INIT;
	SCOPE_FD int fd = write_rich();
	size_t size = 0;
	SCOPE_FREE uint8_t *bytes = read_file(fd, &size);
	struct catalog *c = NULL;

	ck_assert_int_eq(open_error(bytes, 0, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "no header");
	ck_assert_int_eq(open_error(bytes, CATALOG_HEADER_SIZE - 1, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "no header");
	ck_assert_int_eq(open_error(bytes, CATALOG_HEADER_SIZE, &e), -1);
	ck_assert_err(&e, ERR_DIGEST, "4096 bytes instead of");
	ck_assert_int_eq(open_error(bytes, size - 1, &e), -1);
	ck_assert_err(&e, ERR_DIGEST, "bytes instead of");
	bytes[size - 1]++;
	ck_assert_int_eq(open_error(bytes, size, &e), -1);
	ck_assert_err(&e, ERR_DIGEST, "table of digests");
	bytes[8]++;
	ck_assert_int_eq(open_error(bytes, size, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "version 2, not 1");
	bytes[0]++;
	ck_assert_int_eq(open_error(bytes, size, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "does not start as one");

	ck_assert_int_eq(ftruncate(fd, (off_t)CATALOG_FILE_MAX + 1), 0);
	ck_assert_int_eq(catalog_open(fd, &c, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "larger");

	SCOPE_FD int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(catalog_open(null, &c, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "no header");
}
END_TEST

/* Whatever single byte is wrong: the same answers, or an error. */
START_TEST(never_answers_from_a_changed_byte)
{
	SCOPE_FD int fd = write_rich();
	size_t size = 0;
	SCOPE_FREE uint8_t *bytes = read_file(fd, &size);
	SCOPE(catalog) struct catalog *good = open_catalog(fd);
	SCOPE_FREE char *expected = text_of(good);

	for (size_t at = 0; at < size; at++) {
		struct err e = ERR_INIT;
		SCOPE(str) struct str got = STR_INIT;
		SCOPE(catalog) struct catalog *c = NULL;
		const uint8_t change = (uint8_t)(1 << at % 8);

		ck_assert_int_eq(io_pwrite_all(fd, &(uint8_t){bytes[at] ^ change}, 1, at), 0);
		const int opened = catalog_open(fd, &c, &e);
		if (opened == 0 && catalog_text(c, &got, &e) == 0)
			ck_assert_str_eq(got.data, expected);
		ck_assert_msg(e.code == ERR_NONE || e.code == ERR_DIGEST || e.code == ERR_FORMAT,
			      "%s", e.msg);
		err_clear(&e);
		if (opened == 0) {
			ck_assert_int_eq(catalog_check(c, &e), -1);
			err_clear(&e);
		}
		ck_assert_int_eq(io_pwrite_all(fd, bytes + at, 1, at), 0);
	}
}
END_TEST

/* The file is cut short after all its blocks were checked. */
START_TEST(notices_a_file_cut_short_under_it)
{
	SCOPE_FD int fd = write_rich();
	size_t size = 0;
	SCOPE_FREE uint8_t *bytes = read_file(fd, &size);
	SCOPE_FREE char *expected = NULL;

	for (size_t cut = 0; cut < size; cut += 97) {
		struct err e = ERR_INIT;
		SCOPE(str) struct str got = STR_INIT;

		ck_assert_int_eq(io_pwrite_all(fd, bytes, size, 0), 0);
		SCOPE(catalog) struct catalog *c = open_catalog(fd);
		free(expected);
		expected = text_of(c);
		ck_assert_int_eq(ftruncate(fd, (off_t)cut), 0);
		/* Only digests that are not needed any more may be missing. */
		if (cut >= size - size % CATALOG_TABLE_ALIGN) {
			ck_assert_int_eq(catalog_text(c, &got, &e), 0);
			ck_assert_str_eq(got.data, expected);
			continue;
		}
		ck_assert_int_eq(catalog_text(c, &got, &e), -1);
		ck_assert_err(&e, ERR_DIGEST, "cut short");
	}
}
END_TEST

/* Makes all digests of a changed catalog right again. */
static void forge(uint8_t *bytes)
{
	struct err e = ERR_INIT;
	struct catalog_header h;

	/* The header itself is only ever changed by the test through `h`. */
	ck_assert_int_eq(catalog_unpack_header(bytes, &h, &e), 0);
	uint8_t *table = bytes + h.table.offset;
	for (uint64_t block = 0; block < catalog_block_count(&h); block++) {
		const uint64_t start = CATALOG_HEADER_SIZE + block * CATALOG_BLOCK;
		const uint64_t rest = h.table.offset - start;
		const struct digest d =
			hasher_sha256(bytes + start, rest < CATALOG_BLOCK ? rest : CATALOG_BLOCK);
		memcpy(table + block * DIGEST_SHA256_LEN, d.raw, DIGEST_SHA256_LEN);
	}
	const struct digest d = hasher_sha256(table, h.table.size);
	memcpy(h.table_sha256, d.raw, DIGEST_SHA256_LEN);
	catalog_pack_header(&h, bytes);
}

enum {
	MODE = 0,
	NLINK = 12,
	SIZE = 16,
	NSEC = 32,
	XATTR = 36,
	NAME = 40,
	LAYER = 44,
	FLAGS = 46,
	WHERE = 48,
	COUNT = 52,
	DATA = 56
};

/*
 * Catalogs whose digests are right, and whose numbers lie: inodes are those of the tree in
 * forged_layers, in the order of their numbers.
 */
static const char *const forged_layers[] = {
	"d a\nd b\nf c\nl d target\nf a/f\nd a/g\nh b/h a/f\nf b/i\n", NULL};
enum { I_ROOT, I_A, I_B, I_C, I_D, I_F, I_G, I_I };
/* Dirents: a b c d, f g, h i. */
enum { D_A, D_B, D_C, D_D, D_F, D_G, D_H, D_I };

struct forgery {
	enum catalog_section section;
	unsigned record;
	unsigned at; /* in the record */
	unsigned size;
	uint64_t value;
	const char *word; /* of what catalog_check says */
};

static const struct forgery forgeries[] = {
	{CATALOG_INODES, I_C, MODE, 4, 0, "impossible metadata"},
	{CATALOG_INODES, I_C, MODE, 4, S_IFSOCK | 0644, "impossible metadata"},
	{CATALOG_INODES, I_C, MODE, 4, S_IFREG | 0x10000, "impossible metadata"},
	{CATALOG_INODES, I_C, MODE, 4, S_IFDIR | 0644, "kind"},
	{CATALOG_INODES, I_C, NSEC, 4, 1000000000, "impossible metadata"},
	{CATALOG_INODES, I_C, NLINK, 4, 0, "impossible metadata"},
	{CATALOG_INODES, I_C, NLINK, 4, 2, "hardlinks"},
	{CATALOG_INODES, I_F, NLINK, 4, 1, "name"},
	{CATALOG_INODES, I_F, NLINK, 4, 3, "outside of its section"},
	{CATALOG_INODES, I_F, NLINK, 4, UINT32_MAX, "outside of its section"},
	{CATALOG_INODES, I_A, NLINK, 4, 2, "link count"},
	{CATALOG_INODES, I_C, SIZE, 8, UINT64_MAX, "impossible metadata"},
	{CATALOG_INODES, I_C, SIZE, 8, 11, "bytes of data"},
	{CATALOG_INODES, I_C, DATA, 8, 11, "impossible metadata"},
	{CATALOG_INODES, I_C, DATA, 8, 9, "bytes of data"},
	{CATALOG_INODES, I_C, WHERE, 8, UINT64_MAX - 5, "content outside of its layer"},
	{CATALOG_INODES, I_C, WHERE, 8, 1 << 20, "content outside of its layer"},
	{CATALOG_INODES, I_C, LAYER, 2, 1, "content outside of its layer"},
	{CATALOG_INODES, I_C, FLAGS, 2, 2, "impossible metadata"},
	{CATALOG_INODES, I_C, FLAGS, 2, 1, "extents"},
	{CATALOG_INODES, I_C, XATTR, 4, 0, "outside of its section"},
	{CATALOG_INODES, I_C, XATTR, 4, UINT32_MAX - 1, "order of xattrs"},
	{CATALOG_INODES, I_C, NAME, 4, D_D, "name of another inode"},
	{CATALOG_INODES, I_C, NAME, 4, UINT32_MAX, "outside of its section"},
	{CATALOG_INODES, I_ROOT, NAME, 4, 0, "its root"},
	{CATALOG_INODES, I_D, SIZE, 8, LIMIT_SYMLINK + 1, "impossible metadata"},
	{CATALOG_INODES, I_D, SIZE, 8, 7, "outside of its section"},
	{CATALOG_INODES, I_D, SIZE, 8, 5, "no inode"},
	{CATALOG_INODES, I_D, WHERE, 8, 1, "symlink targets"},
	{CATALOG_INODES, I_A, WHERE, 4, UINT32_MAX, "names of a directory"},
	{CATALOG_INODES, I_A, COUNT, 4, UINT32_MAX, "names of a directory"},
	{CATALOG_INODES, I_A, COUNT, 4, 5, "names of a directory"},
	{CATALOG_INODES, I_A, COUNT, 4, 1, "link count"},
	{CATALOG_INODES, I_A, WHERE, 4, 0, "names of a directory"},
	{CATALOG_INODES, I_G, COUNT, 4, 2, "names"},
	{CATALOG_DIRENTS, D_G, 0, 4, I_A, "inside itself"},
	{CATALOG_DIRENTS, D_A, 0, 4, I_ROOT, "directory entry"},
	{CATALOG_DIRENTS, D_C, 0, 4, UINT32_MAX, "directory entry"},
	{CATALOG_DIRENTS, D_C, 0, 4, I_I, "order of inodes"},
	{CATALOG_DIRENTS, D_B, 0, 4, I_A, "two names"},
	{CATALOG_DIRENTS, D_I, 0, 4, I_F, "without a name"},
	{CATALOG_DIRENTS, D_F, 4, 4, I_ROOT, "order of a directory's names"},
	{CATALOG_DIRENTS, D_F, 4, 4, 99, "directory entry"},
	{CATALOG_DIRENTS, D_C, 8, 4, UINT32_MAX, "outside of its section"},
	{CATALOG_DIRENTS, D_C, 8, 4, 0, "order of a directory's names"},
	{CATALOG_DIRENTS, D_C, 12, 1, 0, "directory entry"},
	{CATALOG_DIRENTS, D_I, 12, 1, 255, "outside of its section"},
	{CATALOG_DIRENTS, D_C, 13, 1, S_IFDIR >> 12, "kind"},
	{CATALOG_DIRENTS, D_A, 13, 1, S_IFREG >> 12, "kind"},
	{CATALOG_DIRENTS, D_C, 13, 1, 255, "kind"},
	{CATALOG_NAMES, 0, D_C, 1, '/', "name that is none"},
	{CATALOG_NAMES, 0, D_C, 1, 0, "name that is none"},
	{CATALOG_NAMES, 0, D_C, 1, '.', "name that is none"},
	{CATALOG_NAMES, 0, D_C, 1, 'b', "order of a directory's names"},
	{CATALOG_NAMES, 0, D_C, 1, 'z', "order of a directory's names"},
	{CATALOG_TARGETS, 0, 2, 1, 0, "target"},
	{CATALOG_LINKS, 0, 0, 4, D_I, "name of another inode"},
	{CATALOG_LINKS, 0, 0, 4, UINT32_MAX, "outside of its section"},
	{CATALOG_LINKS, 1, 0, 4, D_F, "hardlinked"},
	{CATALOG_FRAMES, 0, 0, 8, 1, "content outside of its layer"},
	{CATALOG_FRAMES, 0, 8, 8, UINT64_MAX, "size of a frame"},
	{CATALOG_FRAMES, 0, 16, 4, 0, "size of a frame"},
	{CATALOG_FRAMES, 0, 20, 4, 0, "size of a frame"},
	{CATALOG_FRAMES, 0, 20, 4, UINT32_MAX, "size of a frame"},
	{CATALOG_FRAMES, 0, 20, 4, 1, "frames do not make up"},
};

static unsigned record_size(enum catalog_section section)
{
	static const unsigned sizes[CATALOG_SECTION_COUNT] = {
		CATALOG_LAYER_SIZE,  CATALOG_INODE_SIZE, CATALOG_DIRENT_SIZE, 0, 0, 0,
		CATALOG_EXTENT_SIZE, CATALOG_LINK_SIZE,  CATALOG_FRAME_SIZE};

	return sizes[section];
}

static void put_number(uint8_t *to, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		to[i] = (uint8_t)(value >> (8 * i));
}

/* A copy of the catalog in `fd` with one number changed and all digests right. */
static int forged_file(int fd, const struct forgery *f)
{
	struct err e = ERR_INIT;
	size_t size = 0;
	SCOPE_FREE uint8_t *bytes = read_file(fd, &size);
	struct catalog_header h;

	ck_assert_int_eq(catalog_unpack_header(bytes, &h, &e), 0);
	put_number(bytes + h.sections[f->section].offset +
			   (size_t)f->record * record_size(f->section) + f->at,
		   f->value, f->size);
	forge(bytes);
	return file_with(bytes, size);
}

static struct catalog *forged_catalog(int fd, const struct forgery *f)
{
	SCOPE_FD int forged = forged_file(fd, f);

	return open_catalog(forged);
}

static void expect_found(int fd, const struct forgery *f)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str text = STR_INIT;
	SCOPE(catalog) struct catalog *c = forged_catalog(fd, f);

	ck_assert_int_eq(catalog_check(c, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, f->word);
	/* No promise but to come back. */
	if (catalog_text(c, &text, &e) < 0)
		ck_assert_int_eq(e.code, ERR_FORMAT);
	err_clear(&e);
}

START_TEST(checks_numbers_under_right_digests)
{
	SCOPE_FD int fd = write_tree(forged_layers);

	expect_found(fd, &forgeries[_i]);
}
END_TEST

/* The same of write_rich: its first extents, xattrs, and the frames of its second layer. */
enum { SET_COUNT = 0, SET_SIZE = 4, NAME_LEN = 8, VALUE_LEN = 12, XATTR_NAME = 16 };

static const struct forgery rich_forgeries[] = {
	{CATALOG_EXTENTS, 0, 16, 8, 0, "extent outside of its file"},
	{CATALOG_EXTENTS, 0, 0, 8, UINT64_MAX, "extent outside of its file"},
	{CATALOG_EXTENTS, 2, 16, 8, 10001, "extent outside of its file"},
	{CATALOG_EXTENTS, 0, 8, 8, 8000, "content outside of its layer"},
	{CATALOG_EXTENTS, 0, 8, 8, UINT64_MAX - 1, "content outside of its layer"},
	{CATALOG_EXTENTS, 1, 0, 8, 8191, "order of extents"},
	{CATALOG_EXTENTS, 2, 0, 8, 4096, "order of extents"},
	{CATALOG_EXTENTS, 2, 16, 8, 2, "bytes of data"},
	{CATALOG_XATTRS, 0, SET_COUNT, 4, 2, "bytes after xattrs"},
	{CATALOG_XATTRS, 0, SET_COUNT, 4, 4, "xattr"},
	{CATALOG_XATTRS, 0, SET_COUNT, 4, UINT32_MAX, "size of an inode's xattrs"},
	{CATALOG_XATTRS, 0, SET_SIZE, 4, UINT32_MAX, "size of an inode's xattrs"},
	{CATALOG_XATTRS, 0, SET_SIZE, 4, 0, "size of an inode's xattrs"},
	{CATALOG_XATTRS, 0, SET_SIZE, 4, 60, "size of an xattr"},
	{CATALOG_XATTRS, 0, NAME_LEN, 4, 0, "size of an xattr"},
	{CATALOG_XATTRS, 0, NAME_LEN, 4, LIMIT_XATTR_NAME + 1, "size of an xattr"},
	{CATALOG_XATTRS, 0, NAME_LEN, 4, UINT32_MAX, "size of an xattr"},
	{CATALOG_XATTRS, 0, VALUE_LEN, 4, LIMIT_XATTR_VALUE + 1, "size of an xattr"},
	{CATALOG_XATTRS, 0, VALUE_LEN, 4, UINT32_MAX, "size of an xattr"},
	{CATALOG_XATTRS, 0, XATTR_NAME, 1, 0, "name of an xattr"},
	{CATALOG_XATTRS, 0, XATTR_NAME, 1, 'v', "order of an inode's xattrs"},
	{CATALOG_FRAMES, 2, 0, 8, 999, "order of frames"},
	{CATALOG_FRAMES, 9, 20, 4, 191, "frames do not make up"},
};

START_TEST(checks_what_hangs_on_inodes)
{
	SCOPE_FD int fd = write_rich();

	expect_found(fd, &rich_forgeries[_i]);
}
END_TEST

/* What those see who never run the check. */
START_TEST(answers_nothing_from_lying_numbers)
{
	struct err e = ERR_INIT;
	static const struct forgery parent = {CATALOG_DIRENTS, D_F, 4, 4, I_B, NULL};
	static const struct forgery gap = {CATALOG_FRAMES, 2, 20, 4, 1, NULL};
	static const struct forgery cycle = {CATALOG_DIRENTS, D_G, 0, 4, I_A, NULL};
	static const struct forgery target = {CATALOG_INODES, I_D, SIZE, 8, 7, NULL};
	SCOPE_FD int plain = write_tree(forged_layers);
	SCOPE_FD int rich = write_rich();
	SCOPE(catalog) struct catalog *c = forged_catalog(plain, &parent);
	struct catalog_dirent d;
	struct frame f;
	uint32_t number = 0;

	ck_assert_int_eq(catalog_readdir(c, I_A, 0, &d, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "another directory");
	ck_assert_int_eq(catalog_lookup(c, I_A, "f", 1, &number, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "another directory");

	SCOPE(catalog) struct catalog *gappy = forged_catalog(rich, &gap);
	ck_assert_int_eq(catalog_frame(gappy, 1, 1500, &number, &f, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "gap between frames");

	SCOPE(catalog) struct catalog *round = forged_catalog(plain, &cycle);
	ck_assert_int_eq(catalog_readdir(round, I_A, 1, &d, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "inside itself");
	ck_assert_int_eq(catalog_resolve(round, "/a/g/g/g/f", true, &number, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "inside itself");

	SCOPE(catalog) struct catalog *linked = forged_catalog(plain, &target);
	ck_assert_int_eq(catalog_resolve(linked, "/d", true, &number, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "outside of its section");
}
END_TEST

/* Neither device nor FIFO holds anything. */
START_TEST(checks_the_size_of_a_special_file)
{
	static const char *const layers[] = {"p fifo\n", NULL};
	static const struct forgery size = {CATALOG_INODES,          1, SIZE, 8, 1,
					    "size of a special file"};
	SCOPE_FD int fd = write_tree(layers);

	expect_found(fd, &size);
}
END_TEST

static const struct {
	struct forgery f;
	uint64_t at;
	const char *name;
	const char *word;
} lies[] = {
	{{CATALOG_DIRENTS, D_B, 0, 4, I_A, NULL}, D_B, "b", "two names"},
	{{CATALOG_DIRENTS, D_B, 0, 4, I_C, NULL}, D_B, "b", "kind"},
	{{CATALOG_DIRENTS, D_C, 0, 4, I_A, NULL}, D_C, "c", "kind"},
	{{CATALOG_INODES, I_C, MODE, 4, S_IFDIR | 0755, NULL}, D_C, "c", "kind"},
	{{CATALOG_INODES, I_B, MODE, 4, S_IFREG | 0755, NULL}, D_B, "b", "kind"},
};

/* A name says what its inode is, and a directory is reached by one name: b is a again, or c. */
START_TEST(answers_no_name_that_its_inode_denies)
{
	struct err e = ERR_INIT;
	SCOPE_FD int fd = write_tree(forged_layers);
	SCOPE(catalog) struct catalog *c = forged_catalog(fd, &lies[_i].f);
	struct catalog_dirent d;
	uint32_t inode = UINT32_MAX;

	ck_assert_int_eq(catalog_readdir(c, I_ROOT, lies[_i].at, &d, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, lies[_i].word);
	ck_assert_int_eq(catalog_lookup(c, I_ROOT, lies[_i].name, 1, &inode, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, lies[_i].word);
	/* Others are answered. */
	ck_assert_int_eq(catalog_lookup(c, I_ROOT, "d", 1, &inode, &e), 1);
	ck_assert_uint_eq(inode, I_D);
}
END_TEST

/* One more name than links are said, in numbers that agree but for that. */
START_TEST(counts_the_names_of_an_inode)
{
	static const struct forgery nlink = {CATALOG_INODES, I_F, NLINK, 4, 1, NULL};
	static const struct forgery name = {CATALOG_INODES, I_F, NAME, 4, D_F, "a link count"};
	SCOPE_FD int plain = write_tree(forged_layers);
	SCOPE_FD int fd = forged_file(plain, &nlink);

	expect_found(fd, &name);
}
END_TEST

START_TEST(measures_no_file_of_a_layer_that_is_none)
{
	static const struct forgery layer = {CATALOG_INODES, I_C, LAYER, 2, 9, NULL};
	struct err e = ERR_INIT;
	SCOPE(tree_size) struct tree_size t = TREE_SIZE_INIT;
	SCOPE_FD int fd = write_tree(forged_layers);
	SCOPE(catalog) struct catalog *c = forged_catalog(fd, &layer);

	ck_assert_int_eq(tree_size_measure(c, 1, 1, &t, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "layer that is none");
}
END_TEST

START_TEST(names_no_inode_by_what_is_no_name)
{
	static const struct forgery slash = {CATALOG_NAMES, 0, D_C, 1, '/', NULL};
	struct err e = ERR_INIT;
	SCOPE_FD int fd = write_tree(forged_layers);
	SCOPE(catalog) struct catalog *c = forged_catalog(fd, &slash);
	struct catalog_dirent d;
	uint32_t dir = UINT32_MAX;

	ck_assert_int_eq(catalog_name(c, I_C, 0, &dir, &d, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "name that is none");
	ck_assert_uint_eq(dir, UINT32_MAX);
}
END_TEST

/* Sizes whose sum would begin again at zero. */
START_TEST(lays_out_no_sections_beyond_the_largest_file)
{
	for (unsigned i = 0; i < CATALOG_SECTION_COUNT; i++) {
		struct catalog_header h = {0};

		h.sections[i].size = UINT64_MAX - CATALOG_HEADER_SIZE + 1;
		ck_assert(!catalog_layout(&h));
		h.sections[i].size = CATALOG_FILE_MAX;
		ck_assert(!catalog_layout(&h));
		h.sections[i].size = 1;
		ck_assert(catalog_layout(&h));
	}
}
END_TEST

/* What a mount could not live with. */
START_TEST(checks_root_and_flags_when_opened)
{
	static const struct forgery root = {CATALOG_INODES, I_ROOT, MODE, 4, S_IFREG, NULL};
	struct err e = ERR_INIT;
	struct catalog *c = NULL;
	SCOPE_FD int plain = write_tree(forged_layers);
	SCOPE_FD int rootless = forged_file(plain, &root);

	ck_assert_int_eq(catalog_open(rootless, &c, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "its root");
	for (int is_rich = 0; is_rich < 2; is_rich++) {
		SCOPE_FD int fd = is_rich ? write_rich() : write_tree(forged_layers);
		size_t size = 0;
		SCOPE_FREE uint8_t *bytes = read_file(fd, &size);
		struct catalog_header h;

		ck_assert_int_eq(catalog_unpack_header(bytes, &h, &e), 0);
		h.flags ^= CATALOG_HAS_XATTRS;
		catalog_pack_header(&h, bytes);
		ck_assert_int_eq(open_error(bytes, size, &e), -1);
		ck_assert_err(&e, ERR_FORMAT, "whether it has xattrs");
	}
	ck_assert_ptr_null(c);
}
END_TEST

static const struct {
	unsigned at; /* in the layer's record */
	unsigned size;
	uint64_t value;
	const char *word;
} layer_forgeries[] = {
	{0, 4, 0, "layer record"},
	{4, 4, 3, "layer record"},
	{8, 4, 3, "layer record"},
	{12, 4, 2, "layer record"},
	{16, 8, UINT64_MAX, "frames or size"},
	{24, 8, 1, "frames or size"},
	{32, 8, 0, "no layer"},
	{32, 8, 2, "frames or size"},
	{32, 8, UINT64_MAX, "frames or size"},
	{64 + 32, 1, 1, "layer record"},
};

START_TEST(checks_layers_when_opened)
{
	struct err e = ERR_INIT;
	SCOPE_FD int fd = write_tree(forged_layers);
	size_t size = 0;
	SCOPE_FREE uint8_t *bytes = read_file(fd, &size);

	put_number(bytes + CATALOG_HEADER_SIZE + layer_forgeries[_i].at, layer_forgeries[_i].value,
		   layer_forgeries[_i].size);
	forge(bytes);
	ck_assert_int_eq(open_error(bytes, size, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, layer_forgeries[_i].word);
}
END_TEST

/* As open_error, but of a catalog that may open, and then does not pass its check. */
static void expect_refusal(const uint8_t *bytes, size_t size, size_t at)
{
	struct err e = ERR_INIT;
	SCOPE_FD int fd = file_with(bytes, size);
	SCOPE(catalog) struct catalog *c = NULL;

	if (catalog_open(fd, &c, &e) == 0)
		ck_assert_msg(catalog_check(c, &e) == -1, "changed at %zu", at);
	ck_assert_msg(e.code == ERR_FORMAT || e.code == ERR_DIGEST, "at %zu: %s", at, e.msg);
	err_clear(&e);
}

/* Every number of the header, with the header's digest right. */
START_TEST(checks_the_header)
{
	SCOPE_FD int fd = write_tree(forged_layers);
	size_t size = 0;
	SCOPE_FREE uint8_t *bytes = read_file(fd, &size);
	static const uint64_t values[] = {0, 1, 0x7fffffff, UINT64_MAX, UINT64_C(1) << 63};
	enum { NUMBERS_END = 8 + 4 * 4 + 8 * 2 + 4 * 4 + 16 * (CATALOG_SECTION_COUNT + 1) };

	for (size_t at = 8; at < NUMBERS_END; at += 4) {
		for (size_t i = 0; i < ARRAY_LEN(values); i++) {
			SCOPE_FREE uint8_t *changed = malloc(size);
			memcpy(changed, bytes, size);
			put_number(changed + at, values[i], 4);
			if (memcmp(changed, bytes, size) == 0)
				continue;
			const size_t digest_at = CATALOG_HEADER_SIZE - DIGEST_SHA256_LEN;
			const struct digest d = hasher_sha256(changed, digest_at);
			memcpy(changed + digest_at, d.raw, DIGEST_SHA256_LEN);
			expect_refusal(changed, size, at);
		}
	}
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/catalog_check");
	TCase *tc = tcase_create("damage");

	tcase_set_timeout(tc, 100);
	tcase_add_test(tc, refuses_what_is_no_catalog);
	tcase_add_test(tc, never_answers_from_a_changed_byte);
	tcase_add_test(tc, notices_a_file_cut_short_under_it);
	tcase_add_loop_test(tc, checks_numbers_under_right_digests, 0, ARRAY_LEN(forgeries));
	tcase_add_loop_test(tc, checks_what_hangs_on_inodes, 0, ARRAY_LEN(rich_forgeries));
	tcase_add_test(tc, answers_nothing_from_lying_numbers);
	tcase_add_loop_test(tc, answers_no_name_that_its_inode_denies, 0, ARRAY_LEN(lies));
	tcase_add_test(tc, checks_the_size_of_a_special_file);
	tcase_add_test(tc, counts_the_names_of_an_inode);
	tcase_add_test(tc, measures_no_file_of_a_layer_that_is_none);
	tcase_add_test(tc, names_no_inode_by_what_is_no_name);
	tcase_add_test(tc, lays_out_no_sections_beyond_the_largest_file);
	tcase_add_test(tc, checks_root_and_flags_when_opened);
	tcase_add_loop_test(tc, checks_layers_when_opened, 0, ARRAY_LEN(layer_forgeries));
	tcase_add_test(tc, checks_the_header);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
