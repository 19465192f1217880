/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <unistd.h>

#include "base/io.h"
#include "image/tar_make.h"
#include "main.h"
#include "packer/copy_key.h"
#include "packer/copy_layer.h"
#include "packer/layer_text.h"
#include "packer/stages.h"
#include "packer/tar_tree.h"
#include "tests/support/failalloc.h"

enum { EPOCH = 1000 };

/* "context/<name>": these members, and the end of an archive. */
static void write_tar(const char *name, const struct make *members)
{
	SCOPE(str) struct str tar = STR_INIT;
	SCOPE_FREE char *path = NULL;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < MAKE_MEMBERS && members[i].name; i++)
		make_member(&tar, &members[i]);
	make_zeros(&tar, 2 * MAKE_BLOCK);
	path = str_dupf(&e, "context/%s", name);
	SCOPE_FD int fd =
		openat(scratch_fd(), path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(io_write_all(fd, tar.data, tar.len), 0);
}

struct recipe {
	const char *dest;
	char *chown;
	bool is_link;
};

static struct copy_list *list(const struct stage *st, const struct context *c,
			      const struct recipe *r, struct err *e)
{
	SCOPE_FREE char *dest = str_dup(r->dest, e);
	struct plan_copy copy = {
		.dest = dest, .chown = r->chown, .is_link = r->is_link, .is_unpacked = true};
	struct copy_list *l = NULL;

	if (dest && strlist_add(&copy.sources, "*.tar", e) == 0)
		l = copy_list_new(c, st, NULL, &copy, e);
	strlist_fini(&copy.sources);
	return l;
}

/* Writes the layer of ADD *.tar. */
static struct layer_index *add(const struct stage *st, const struct recipe *r, int fd,
			       struct err *e)
{
	const struct layer_options opt = {COMPRESSION_DEFAULT, 0};
	SCOPE(context) struct context *c = stages_context();
	struct layer_result result;
	SCOPE(copy_list) struct copy_list *l = list(st, c, r, e);
	SCOPE(layer_writer) struct layer_writer *w = layer_writer_new(fd, &opt, e);

	if (!l || copy_list_write(l, c, EPOCH, w, NULL, e) < 0 ||
	    layer_writer_finish(w, &result, e) < 0)
		return NULL;
	return layer_file_index(fd, &result);
}

static void check(const struct stage *st, const struct recipe *r, const char *want)
{
	SCOPE(str) struct str text = STR_INIT;
	SCOPE_FD int fd = layer_file();
	struct err e = ERR_INIT;
	SCOPE(layer_index) struct layer_index *ix = add(st, r, fd, &e);

	ck_assert_no_err(&e);
	layer_text(ix, &text);
	ck_assert_str_eq(str_text(&text), want);
}

#define TEXT(t) .data = (t), .data_len = sizeof(t) - 1

static const struct stages_file base[] = {
	{ENTRY_SYMLINK, "bin", "usr/bin"}, {ENTRY_DIR, "etc", NULL}, {ENTRY_REG, "file", "old"},
	{ENTRY_SYMLINK, "out", "/../etc"}, {ENTRY_DIR, "usr", NULL}, {ENTRY_DIR, "usr/bin", NULL},
	{ENTRY_REG, NULL, NULL},
};

static char app[] = "7:8";

static const struct {
	struct recipe recipe;
	struct make members[MAKE_MEMBERS];
	const char *layer;
	const struct stages_file *base;
} good[] = {
	/* All that an entry says stays. */
	{{.dest = "/d"},
	 {{.type = 'x', .name = "pax", .pax = "SCHILY.xattr.user.a=b\n"},
	  {.name = "./a", .mode = "0006755", .uid = "0000011", .gid = "0000012", TEXT("aa")},
	  {.type = '2', .name = "l", .link = "/etc/passwd", .mode = "0000777"},
	  {.type = '3', .name = "c", .mode = "0000666", .major = "0000001", .minor = "0000003"},
	  {.type = '6', .name = "p", .mode = "0000600"}},
	 "d /d 755 0:0 0\nf /d/a 6755 9:10 2 user.a=b\nc /d/c 666 0:0 0 1,3\n"
	 "l /d/l 777 0:0 0 -> /etc/passwd\np /d/p 600 0:0 0\n",
	 NULL},
	/* The archive's own root is not the destination's. */
	{{.dest = "/"},
	 {{.type = '5', .name = "./", .mode = "0000700"}, {.name = "./a", TEXT("a")}},
	 "f /a 644 0:0 1\n",
	 NULL},
	/* An order of its own: the file first, whatever the archive says. */
	{{.dest = "/"},
	 {{.name = "z", TEXT("zz")}, {.type = '1', .name = "b", .link = "z"}},
	 "f /b 644 0:0 2\nh /z 644 0:0 0 -> b\n",
	 NULL},
	/* The last of a name. */
	{{.dest = "/"},
	 {{.name = "a", TEXT("1")}, {.name = "a", .mode = "0000600", TEXT("22")}},
	 "f /a 600 0:0 2\n",
	 NULL},
	{{.dest = "/d/", .chown = app},
	 {{.name = "x/a", .uid = "0000001", TEXT("a")}},
	 "d /d 755 7:8 0\nd /d/x 755 7:8 0\nf /d/x/a 644 7:8 1\n",
	 NULL},
	{{.dest = "/bin", .is_link = true},
	 {{.name = "a", TEXT("a")}},
	 "d /bin 755 0:0 0\nf /bin/a 644 0:0 1\n",
	 base},
	/* Over a base: links on the way are followed unless the archive has a directory there. */
	{{.dest = "/"}, {{.name = "bin/a", TEXT("a")}}, "f /usr/bin/a 644 0:0 1\n", base},
	{{.dest = "/bin"}, {{.name = "a", TEXT("a")}}, "f /usr/bin/a 644 0:0 1\n", base},
	{{.dest = "/"}, {{.name = "out/a", TEXT("a")}}, "f /etc/a 644 0:0 1\n", base},
	{{.dest = "/"},
	 {{.type = '5', .name = "bin/", .mode = "0000700"}, {.name = "bin/a", TEXT("a")}},
	 "d /bin 700 0:0 0\nf /bin/a 644 0:0 1\n",
	 base},
	{{.dest = "/"}, {{.name = "etc", TEXT("a")}}, "f /etc 644 0:0 1\n", base},
	{{.dest = "/"},
	 {{.type = '5', .name = "file"}, {.name = "file/a", TEXT("a")}},
	 "d /file 644 0:0 0\nf /file/a 644 0:0 1\n",
	 base},
	{{.dest = "/"},
	 {{.type = '5', .name = "etc", .mode = "0000711"}},
	 "d /etc 711 0:0 0\n",
	 base},
};

START_TEST(unpacks)
{
	write_tar("x.tar", good[_i].members);
	check(stages_new(good[_i].base), &good[_i].recipe, good[_i].layer);
}
END_TEST

START_TEST(content_and_times_are_the_archives)
{
	static const struct make members[MAKE_MEMBERS] = {
		{.name = "old", .mtime = "00000000100", TEXT("old")},
		{.name = "new", .mtime = "00000777777", TEXT("newer")},
	};
	static const struct recipe r = {.dest = "/"};
	SCOPE(entry_scratch) struct entry_scratch scratch = ENTRY_SCRATCH_INIT;
	SCOPE(str) struct str text = STR_INIT;
	SCOPE_FD int fd = layer_file();
	struct err e = ERR_INIT;
	struct entry en;

	write_tar("x.tar", members);
	SCOPE(layer_index) struct layer_index *ix = add(stages_new(NULL), &r, fd, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(layer_index_entry(ix, 0, &scratch, &en, &e), 0);
	ck_assert_int_eq(en.mtime, EPOCH);
	ck_assert_int_eq(layer_index_entry(ix, 1, &scratch, &en, &e), 0);
	ck_assert_int_eq(en.mtime, 0100);
	layer_content(fd, ix, "new", &text);
	ck_assert_str_eq(str_text(&text), "newer");
}
END_TEST

START_TEST(later_archives_win)
{
	static const struct make one[MAKE_MEMBERS] = {{.name = "a", TEXT("1")},
						      {.name = "b", TEXT("1")},
						      {.type = '1', .name = "c", .link = "b"}};
	static const struct make two[MAKE_MEMBERS] = {{.name = "b", TEXT("22")}};
	static const struct recipe r = {.dest = "/"};

	write_tar("1.tar", one);
	write_tar("2.tar", two);
	/* The link has lost its file's other name, and is the file now. */
	check(stages_new(NULL), &r, "f /a 644 0:0 1\nf /b 644 0:0 2\nf /c 644 0:0 1\n");
}
END_TEST

static const struct {
	struct make members[MAKE_MEMBERS];
	enum err_code code;
	const char *word;
	const char *dest;
} refused[] = {
	{{{.name = "a"}, {.name = "../x"}}, ERR_FORMAT, "'x.tar': ", "/"},
	{{{.name = "d/.wh.x"}}, ERR_FORMAT, "'d/.wh.x': no image can hold", "/"},
	{{{.name = ".wh..wh..opq"}}, ERR_FORMAT, "no image can hold", "/"},
	{{{.name = "a"}, {.type = '1', .name = "b", .link = "../../a"}},
	 ERR_FORMAT,
	 "'x.tar'",
	 "/"},
	{{{.name = "a"}, {.type = '1', .name = "b", .link = "none"}}, ERR_FORMAT, "'x.tar'", "/"},
	/* Nothing else of it would be refused later. */
	{{{.type = '1', .name = "b", .link = "none"}}, ERR_FORMAT, "'x.tar'", "/"},
	{{{.name = "a"}, {.type = '5', .name = "a/b"}, {.name = "c", .checksum = "000000"}},
	 ERR_FORMAT,
	 "'x.tar'",
	 "/"},
	{{{.name = "file/a"}}, ERR_EXISTS, "'/file' of the base is no directory", "/"},
	{{{.name = "a"}}, ERR_EXISTS, "'/file'", "/file"},
};

START_TEST(refuses)
{
	const struct recipe r = {.dest = refused[_i].dest};
	SCOPE_FD int fd = layer_file();
	struct err e = ERR_INIT;

	write_tar("x.tar", refused[_i].members);
	ck_assert_ptr_null(add(stages_new(base), &r, fd, &e));
	ck_assert_err(&e, refused[_i].code, refused[_i].word);
}
END_TEST

/* As docker: what does not begin as a tar is a file like others. */
static const struct {
	const char *bytes;
	size_t len;
} plain[] = {
	{"", 0},
	{"text", 4},
	{"\x1f\x8b no gzip", 10},
	{"BZh91AY&SY", 10},
	{"\x28\xb5\x2f\xfd", 4},
	{"\xfd"
	 "7zXZ\0",
	 6},
};

START_TEST(copies_what_is_no_tar)
{
	SCOPE(str) struct str want = STR_INIT;
	static const struct recipe r = {.dest = "/"};
	struct err e = ERR_INIT;

	SCOPE_FD int fd = openat(scratch_fd(), "context/x.tar", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	ck_assert_int_eq(io_write_all(fd, plain[_i].bytes, plain[_i].len), 0);
	ck_assert_int_eq(tar_tree_probe(fd, &e), 0);
	str_appendf(&want, &e, "f /x.tar 644 0:0 %zu\n", plain[_i].len);
	check(stages_new(NULL), &r, want.data);
}
END_TEST

/* What is read is checked: an archive that changes does not become another one's bytes. */
START_TEST(refuses_what_changes)
{
	static const struct make members[MAKE_MEMBERS] = {{.name = "a", TEXT("aaaa")}};
	static const struct recipe r = {.dest = "/"};
	const struct layer_options opt = {COMPRESSION_DEFAULT, 0};
	SCOPE(context) struct context *c = stages_context();
	SCOPE_FD int fd = layer_file();
	struct err e = ERR_INIT;

	write_tar("x.tar", members);
	SCOPE(copy_list) struct copy_list *l = list(stages_new(NULL), c, &r, &e);
	ck_assert_no_err(&e);
	SCOPE_FD int tar = openat(scratch_fd(), "context/x.tar", O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(pwrite(tar, "b", 1, MAKE_BLOCK), 1);
	SCOPE(layer_writer) struct layer_writer *w = layer_writer_new(fd, &opt, &e);
	ck_assert_int_eq(copy_list_write(l, c, EPOCH, w, NULL, &e), -1);
	ck_assert_int_eq(e.code, ERR_DIGEST);
	err_clear(&e);
}
END_TEST

static int list_once(void *arg, struct err *e)
{
	static const struct recipe r = {.dest = "/bin/new"};
	struct context *c = context_open(scratch_file("context"), e);
	struct copy_list *l = c ? list(arg, c, &r, e) : NULL;

	copy_list_free(l);
	context_close(c);
	return l ? 0 : -1;
}

START_TEST(copes_without_memory)
{
	static const struct make members[MAKE_MEMBERS] = {
		{.name = "d/a", TEXT("a")}, {.type = '1', .name = "b", .link = "d/a"}};

	write_tar("x.tar", members);
	failalloc_each(list_once, stages_new(base));
}
END_TEST

static struct digest key_now(const struct stage *st, bool *lasts)
{
	static const struct recipe r = {.dest = "/d"};
	static const struct compression compression = COMPRESSION_DEFAULT;
	SCOPE(context) struct context *c = stages_context();
	struct err e = ERR_INIT;
	SCOPE(copy_list) struct copy_list *l = list(st, c, &r, &e);

	ck_assert_no_err(&e);
	*lasts = copy_key_lasts(l, c);
	return copy_key(l, EPOCH, &compression);
}

/* Whatever the file system: what an archive holds is not looked at again to be compared. */
START_TEST(its_key_is_for_one_build)
{
	static const struct make one[] = {{.name = "a", TEXT("one")}, {.name = NULL}};
	static const struct make two[] = {{.name = "a", TEXT("two")}, {.name = NULL}};
	const struct stage *st = stages_new(NULL);
	bool lasts = true;

	write_tar("x.tar", one);
	const struct digest first = key_now(st, &lasts), again = key_now(st, &lasts);
	ck_assert(digest_equal(&first, &again));
	ck_assert(!lasts);
	/* Later than the kernel's tick. */
	usleep(50000);
	write_tar("x.tar", two);
	const struct digest other = key_now(st, &lasts);
	ck_assert(!digest_equal(&first, &other));
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("packer/copy_archive");
	TCase *tc = tcase_create("archives");

	tcase_add_checked_fixture(tc, stages_setup, stages_teardown);
	tcase_add_loop_test(tc, unpacks, 0, ARRAY_LEN(good));
	tcase_add_test(tc, content_and_times_are_the_archives);
	tcase_add_test(tc, later_archives_win);
	tcase_add_loop_test(tc, refuses, 0, ARRAY_LEN(refused));
	tcase_add_loop_test(tc, copies_what_is_no_tar, 0, ARRAY_LEN(plain));
	tcase_add_test(tc, refuses_what_changes);
	tcase_add_test(tc, copes_without_memory);
	tcase_add_test(tc, its_key_is_for_one_build);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
