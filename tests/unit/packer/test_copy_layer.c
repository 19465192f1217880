/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/copy_layer.h"

#include <unistd.h>

#include "base/array.h"
#include "base/limits.h"
#include "main.h"
#include "packer/layer_text.h"
#include "packer/stages.h"
#include "tests/support/failalloc.h"

enum { EPOCH = 1000000000 };

/* A COPY as a plan would have it. */
struct recipe {
	const char *sources[3];
	const char *dest;
	const char *chown;
	const char *chmod;
	const char *exclude;
	bool is_link;
	struct plan_text texts[2];
	const char *pattern; /* --parents: of the only source */
	bool keeps_modes;
};

static void copy_init(struct plan_copy *out, const struct recipe *r)
{
	struct err e = ERR_INIT;

	*out = (struct plan_copy){.is_link = r->is_link, .keeps_modes = r->keeps_modes};
	out->texts = array_new(ARRAY_LEN(r->texts), sizeof(*out->texts), &e);
	while (out->text_count < ARRAY_LEN(r->texts) && r->texts[out->text_count].name) {
		out->texts[out->text_count] = r->texts[out->text_count];
		out->text_count++;
	}
	for (size_t i = 0; i < ARRAY_LEN(r->sources) && r->sources[i]; i++)
		ck_assert_int_eq(strlist_add(&out->sources, r->sources[i], &e), 0);
	out->dest = str_dup(r->dest, &e);
	out->is_dest_dir = str_has_suffix(r->dest, "/");
	if (r->chown)
		out->chown = str_dup(r->chown, &e);
	if (r->chmod) {
		out->has_chmod = true;
		ck_assert_int_eq(chmod_parse(&out->chmod, r->chmod, &e), 0);
	}
	if (r->exclude)
		ck_assert_int_eq(strlist_add(&out->exclude, r->exclude, &e), 0);
	out->keeps_parents = r->pattern != NULL;
	if (r->pattern)
		ck_assert_int_eq(strlist_add(&out->patterns, r->pattern, &e), 0);
	ck_assert_no_err(&e);
}

static void copy_fini(struct plan_copy *c)
{
	strlist_fini(&c->sources);
	strlist_fini(&c->patterns);
	strlist_fini(&c->exclude);
	free(c->texts); /* what it points to is the recipe's */
	free(c->dest);
	free(c->chown);
}

static void check_times(const struct layer_index *ix)
{
	SCOPE(entry_scratch) struct entry_scratch scratch = ENTRY_SCRATCH_INIT;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < layer_index_entry_count(ix); i++) {
		struct entry en;
		ck_assert_int_eq(layer_index_entry(ix, i, &scratch, &en, &e), 0);
		ck_assert_int_eq(en.mtime, EPOCH);
		ck_assert_uint_eq(en.mtime_nsec, 0);
	}
}

/* Writes the list; its layer as text. */
static int write_list(struct copy_list *l, const struct context *c, struct str *out, struct err *e)
{
	const struct layer_options opt = {COMPRESSION_DEFAULT, 0};
	struct layer_result r;
	SCOPE_FD int fd = layer_file();
	SCOPE(layer_writer) struct layer_writer *w = layer_writer_new(fd, &opt, e);

	if (!w || copy_list_write(l, c, EPOCH, w, NULL, e) < 0 || layer_writer_finish(w, &r, e) < 0)
		return -1;
	if (!out)
		return 0;
	SCOPE(layer_index) struct layer_index *ix = layer_file_index(fd, &r);
	layer_text(ix, out);
	check_times(ix);
	return 0;
}

static int run(const struct stage *st, const struct recipe *r, struct str *out, struct err *e)
{
	SCOPE(context) struct context *c = stages_context();
	struct plan_copy copy;

	copy_init(&copy, r);
	SCOPE(copy_list) struct copy_list *l = copy_list_new(c, st, NULL, &copy, e);
	copy_fini(&copy);
	if (!l)
		return -1;
	return write_list(l, c, out, e);
}

static void check(const struct stage *st, const struct recipe *r, const char *want)
{
	SCOPE(str) struct str text = STR_INIT;
	struct err e = ERR_INIT;

	run(st, r, &text, &e);
	ck_assert_no_err(&e);
	ck_assert_str_eq(str_text(&text), want);
}

static void make_files(void)
{
	stages_dir("src");
	stages_dir("src/sub");
	stages_dir("src/empty");
	stages_dir("more");
	stages_dir("more/sub");
	stages_write("a", "a");
	stages_write("b", "bb");
	stages_write("src/a", "src/a");
	stages_write("src/sub/x", "x");
	stages_write("more/a", "more/a.");
	stages_write("more/sub/x", "more");
	stages_symlink("../a", "src/link");
	stages_symlink("src/sub/x", "tox");
	ck_assert_int_eq(fchmodat(scratch_fd(), "context/b", 0500, 0), 0);
	ck_assert_int_eq(fchmodat(scratch_fd(), "context/a", 04606, 0), 0);
	ck_assert_int_eq(fchmodat(scratch_fd(), "context/src/sub", 0700, 0), 0);
}

/* Texts of a manifest; a plan owns its own. */
static char one[] = "one", two[] = "two", some[] = "some text\n", empty[] = "", hidden[] = ".wh.a";

static const struct {
	struct recipe recipe;
	const char *layer;
} over_nothing[] = {
	/* Modes as git sees them. */
	{{{"a"}, .dest = "/a"}, "f /a 644 0:0 1\n"},
	{{{"b"}, .dest = "/x/y"}, "d /x 755 0:0 0\nf /x/y 755 0:0 2\n"},
	{{{"a"}, .dest = "/x/"}, "d /x 755 0:0 0\nf /x/a 644 0:0 1\n"},
	{{{"a", "b"}, .dest = "/"}, "f /a 644 0:0 1\nf /b 755 0:0 2\n"},
	{{{"[ab]"}, .dest = "/x"}, "d /x 755 0:0 0\nf /x/a 644 0:0 1\nf /x/b 755 0:0 2\n"},
	{{{"tox"}, .dest = "/"}, "f /tox 644 0:0 1\n"},
	{{{"*.none"}, .dest = "/x/"}, ""},
	{{{"src"}, .dest = "/x"},
	 "d /x 755 0:0 0\nf /x/a 644 0:0 5\nd /x/empty 755 0:0 0\nl /x/link 777 0:0 0 -> ../a\n"
	 "d /x/sub 755 0:0 0\nf /x/sub/x 644 0:0 1\n"},
	{{{"src/empty"}, .dest = "/x/y"}, "d /x 755 0:0 0\nd /x/y 755 0:0 0\n"},
	{{{"src/empty"}, .dest = "/"}, ""},
	/* Of two for one path the later wins. */
	{{{"src/a", "more/a"}, .dest = "/"}, "f /a 644 0:0 7\n"},
	{{{"more/a", "src/a"}, .dest = "/"}, "f /a 644 0:0 5\n"},
	{{{"src", "more"}, .dest = "/x/", .exclude = "link"},
	 "d /x 755 0:0 0\nf /x/a 644 0:0 7\nd /x/empty 755 0:0 0\nd /x/sub 755 0:0 0\n"
	 "f /x/sub/x 644 0:0 4\n"},
	{{{"src"}, .dest = "/", .exclude = "sub"},
	 "f /a 644 0:0 5\nd /empty 755 0:0 0\nl /link 777 0:0 0 -> ../a\n"},
	{{{"a", "b"}, .dest = "/", .exclude = "b"}, "f /a 644 0:0 1\n"},
	{{{"a"}, .dest = "/x/y", .chown = "3:4"}, "d /x 755 3:4 0\nf /x/y 644 3:4 1\n"},
	{{{"src"}, .dest = "/x", .chmod = "0750", .exclude = "[ae]*"},
	 "d /x 755 0:0 0\nl /x/link 777 0:0 0 -> ../a\nd /x/sub 750 0:0 0\nf /x/sub/x 750 0:0 1\n"},
	{{{"src/sub"}, .dest = "/x", .chmod = "go=X"}, "d /x 755 0:0 0\nf /x/x 600 0:0 1\n"},
	{{{"a"}, .dest = "/x/y", .is_link = true}, "d /x 755 0:0 0\nf /x/y 644 0:0 1\n"},
	/* Modes as they are. */
	{{{"a", "b"}, .dest = "/", .keeps_modes = true}, "f /a 4606 0:0 1\nf /b 500 0:0 2\n"},
	{{{"src"}, .dest = "/", .exclude = "[ae]*", .keeps_modes = true},
	 "l /link 777 0:0 0 -> ../a\nd /sub 700 0:0 0\nf /sub/x 644 0:0 1\n"},
	{{{"a"}, .dest = "/x/y", .chmod = "go=", .keeps_modes = true},
	 "d /x 755 0:0 0\nf /x/y 4600 0:0 1\n"},
	/* Texts. */
	{{.dest = "/x", .texts = {{.name = one, .text = some}}}, "f /x 644 0:0 10\n"},
	{{.dest = "/x/", .texts = {{.name = one, .text = empty}}},
	 "d /x 755 0:0 0\nf /x/one 644 0:0 0\n"},
	{{.dest = "/", .texts = {{.name = one, .text = some}, {.name = two, .text = empty}}},
	 "f /one 644 0:0 10\nf /two 644 0:0 0\n"},
	{{{"a"}, .dest = "/x", .texts = {{.name = one, .text = some}}},
	 "d /x 755 0:0 0\nf /x/a 644 0:0 1\nf /x/one 644 0:0 10\n"},
	{{.dest = "/x",
	  .chown = "3",
	  .chmod = "a+x",
	  .exclude = "*",
	  .texts = {{.name = one, .text = some}}},
	 "f /x 755 3:3 10\n"},
};

static const struct {
	struct recipe recipe;
	const char *layer;
} with_parents[] = {
	{{{"."}, .pattern = "src/sub/x", .dest = "/d"},
	 "d /d 755 0:0 0\nd /d/src 755 0:0 0\nd /d/src/sub 755 0:0 0\nf /d/src/sub/x 644 0:0 1\n"},
	{{{"src"}, .pattern = "sub/x", .dest = "/"}, "d /sub 755 0:0 0\nf /sub/x 644 0:0 1\n"},
	{{{"."}, .pattern = "*/sub/x", .dest = "/"},
	 "d /more 755 0:0 0\nd /more/sub 755 0:0 0\nf /more/sub/x 644 0:0 4\n"
	 "d /src 755 0:0 0\nd /src/sub 755 0:0 0\nf /src/sub/x 644 0:0 1\n"},
	/* A directory that is selected comes with all below it, and links are links. */
	{{{"."}, .pattern = "src", .dest = "/", .exclude = "src/[ae]*"},
	 "d /src 755 0:0 0\nl /src/link 777 0:0 0 -> ../a\nd /src/sub 755 0:0 0\n"
	 "f /src/sub/x 644 0:0 1\n"},
	{{{"."}, .pattern = "**/x", .dest = "/", .exclude = "more"},
	 "d /src 755 0:0 0\nd /src/sub 755 0:0 0\nf /src/sub/x 644 0:0 1\n"},
	/* Two directories of one name, from two sources: the last file counts. */
	{{{"[ms]*"}, .pattern = "sub", .dest = "/", .chmod = "0700", .chown = "3"},
	 "d /sub 700 3:3 0\nf /sub/x 700 3:3 1\n"},
	{{{"src"}, .pattern = ".", .dest = "/", .exclude = "*"}, ""},
	{{{"."}, .pattern = "*.none", .dest = "/x/"}, ""},
	/* Nothing is below a file. */
	{{{"a"}, .pattern = "*", .dest = "/x/"}, ""},
	{{{"."}, .pattern = "tox", .dest = "/"}, "l /tox 777 0:0 0 -> src/sub/x\n"},
};

START_TEST(keeps_parents)
{
	make_files();
	check(stages_new(NULL), &with_parents[_i].recipe, with_parents[_i].layer);
}
END_TEST

START_TEST(copies_over_nothing)
{
	make_files();
	check(stages_new(NULL), &over_nothing[_i].recipe, over_nothing[_i].layer);
}
END_TEST

static const struct stages_file base[] = {
	{ENTRY_SYMLINK, "bin", "usr/bin"}, {ENTRY_SYMLINK, "dangling", "no/where"},
	{ENTRY_DIR, "etc", NULL},          {ENTRY_REG, "etc/passwd", "app:x:7:9::/:\n"},
	{ENTRY_DIR, "srv", NULL},          {ENTRY_DIR, "srv/sub", NULL},
	{ENTRY_DIR, "usr", NULL},          {ENTRY_DIR, "usr/bin", NULL},
	{ENTRY_REG, "usr/bin/a", "old"},   {ENTRY_SYMLINK, "usr/bin/up", "../../srv"},
	{ENTRY_REG, NULL, NULL},
};

static const struct {
	struct recipe recipe;
	const char *layer;
} over_base[] = {
	{{{"a"}, .dest = "/usr/bin/x"}, "f /usr/bin/x 644 0:0 1\n"},
	{{{"a"}, .dest = "/bin/x"}, "f /usr/bin/x 644 0:0 1\n"},
	{{{"a"}, .dest = "/bin"}, "f /usr/bin/a 644 0:0 1\n"},
	{{{"a"}, .dest = "/bin/up/x"}, "f /srv/x 644 0:0 1\n"},
	{{{"a"}, .dest = "/bin/up/new/x"}, "d /srv/new 755 0:0 0\nf /srv/new/x 644 0:0 1\n"},
	{{{"a"}, .dest = "/usr/bin/a"}, "f /usr/bin/a 644 0:0 1\n"},
	{{{"a"}, .dest = "/dangling/x"},
	 "d /no 755 0:0 0\nd /no/where 755 0:0 0\nf /no/where/x 644 0:0 1\n"},
	{{{"a"}, .dest = "/x", .chown = "app"}, "f /x 644 7:9 1\n"},
	/* Directories of the base stay as they are; those of the source take their place. */
	{{{"src/empty"}, .dest = "/srv"}, ""},
	{{{"src/sub"}, .dest = "/bin/up"}, "f /srv/x 644 0:0 1\n"},
	{{{"more"}, .dest = "/srv"},
	 "f /srv/a 644 0:0 7\nd /srv/sub 755 0:0 0\nf /srv/sub/x 644 0:0 4\n"},
	{{{"a"}, .dest = "/bin/x", .is_link = true}, "d /bin 755 0:0 0\nf /bin/x 644 0:0 1\n"},
	{{{"a"}, .dest = "/srv", .is_link = true}, "f /srv 644 0:0 1\n"},
	{{.dest = "/bin", .texts = {{.name = one, .text = some}}}, "f /usr/bin/one 644 0:0 10\n"},
};

START_TEST(copies_over_a_base)
{
	make_files();
	check(stages_new(base), &over_base[_i].recipe, over_base[_i].layer);
}
END_TEST

static const struct {
	struct recipe recipe;
	enum err_code code;
	const char *word;
} refused[] = {
	{{{"none"}, .dest = "/x"}, ERR_NOT_FOUND, "no 'none' in the context"},
	{{{"a", "none"}, .dest = "/x/"}, ERR_NOT_FOUND, "no 'none' in the context"},
	{{{"a"}, .dest = "/x", .chown = "nobody"}, ERR_NOT_FOUND, "no user 'nobody'"},
	{{{"a"}, .dest = "/etc/passwd/"}, ERR_EXISTS, "'/etc/passwd' of the base is no directory"},
	{{{"a"}, .dest = "/etc/passwd/x/y"},
	 ERR_EXISTS,
	 "'/etc/passwd' of the base is no directory"},
	{{{"src"}, .dest = "/etc/passwd"}, ERR_EXISTS, "'/etc/passwd'"},
	{{{"both"}, .dest = "/"},
	 ERR_EXISTS,
	 "'/bin' is no directory of the base, and cannot become"},
	{{{"asfile"}, .dest = "/"},
	 ERR_EXISTS,
	 "'/srv' is a directory of the base, and cannot become"},
	{{{"both", "asfile"}, .dest = "/x/"}, ERR_EXISTS, "'/x/srv' would be both"},
	{{{"special"}, .dest = "/x"}, ERR_UNSUPPORTED, "'special/fifo' of the context is a FIFO"},
	{{{"special/fifo"}, .dest = "/x"}, ERR_UNSUPPORTED, "is a FIFO, socket or device"},
	{{{"hide"}, .dest = "/x"}, ERR_UNSUPPORTED, "'/x/.wh.a': no image can hold"},
	{{{"hide/.wh.a"}, .dest = "/srv"}, ERR_UNSUPPORTED, "'/srv/.wh.a': no image"},
	{{{"out"}, .dest = "/x"}, ERR_UNSUPPORTED, "'out' leads out of the context"},
	{{.dest = "/srv", .texts = {{.name = hidden, .text = some}}},
	 ERR_UNSUPPORTED,
	 "'/srv/.wh.a': no image"},
	{{.dest = "/etc/passwd/", .texts = {{.name = one, .text = some}}},
	 ERR_EXISTS,
	 "'/etc/passwd'"},
};

START_TEST(refuses)
{
	struct err e = ERR_INIT;

	make_files();
	stages_dir("both");
	stages_dir("both/bin");
	stages_dir("both/srv");
	stages_dir("asfile");
	stages_write("asfile/srv", "");
	stages_dir("special");
	stages_dir("hide");
	stages_write("hide/.wh.a", "");
	stages_symlink("/etc", "out");
	ck_assert_int_eq(mkfifoat(scratch_fd(), "context/special/fifo", 0600), 0);
	ck_assert_int_eq(run(stages_new(base), &refused[_i].recipe, NULL, &e), -1);
	ck_assert_err(&e, refused[_i].code, refused[_i].word);
}
END_TEST

START_TEST(a_link_is_no_parent)
{
	/* The directory is hidden, what it holds is not: only the other source names "x". */
	const struct recipe r = {{"one", "two"}, .dest = "/d/"};
	SCOPE(context) struct context *c = stages_context();
	struct plan_copy copy;
	struct err e = ERR_INIT;

	stages_dir("one");
	stages_dir("one/x");
	stages_write("one/x/file", "");
	stages_dir("two");
	stages_symlink("somewhere", "two/x");
	context_set_ignore(c, ignore_parse("i", "one/x\n!one/x/file", 17, &e));
	ck_assert_no_err(&e);
	copy_init(&copy, &r);
	ck_assert_ptr_null(copy_list_new(c, stages_new(NULL), NULL, &copy, &e));
	ck_assert_err(&e, ERR_EXISTS, "'/d/x' would be both a directory and a file");
	copy_fini(&copy);
}
END_TEST

START_TEST(paths_have_a_limit)
{
	struct err e = ERR_INIT;
	char dest[LIMIT_PATH + 2];
	struct recipe r = {{"a"}, .dest = dest};

	make_files();
	for (size_t i = 0; i < sizeof(dest); i++)
		dest[i] = i % 100 ? 'n' : '/';
	dest[LIMIT_PATH + 1] = '\0';
	ck_assert_int_eq(run(stages_new(NULL), &r, NULL, &e), 0);
	dest[LIMIT_PATH - 1] = '/';
	dest[LIMIT_PATH] = '\0';
	ck_assert_int_eq(run(stages_new(NULL), &r, NULL, &e), 0);
	dest[LIMIT_PATH - 1] = 'n';
	dest[LIMIT_PATH] = '/';
	ck_assert_int_eq(run(stages_new(NULL), &r, NULL, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "longer than 4095 bytes");
}
END_TEST

START_TEST(a_source_must_not_change)
{
	SCOPE(context) struct context *c = stages_context();
	const struct recipe r = {{"src"}, .dest = "/"};
	struct plan_copy copy;
	struct err e = ERR_INIT;

	make_files();
	stages_write("src/none", "");
	copy_init(&copy, &r);
	SCOPE(copy_list) struct copy_list *l = copy_list_new(c, stages_new(NULL), NULL, &copy, &e);
	copy_fini(&copy);
	ck_assert_ptr_nonnull(l);
	ck_assert_int_eq(write_list(l, c, NULL, &e), 0);
	stages_write("src/none", "no more");
	ck_assert_int_eq(write_list(l, c, NULL, &e), -1);
	ck_assert_err(&e, ERR_SYS, "'src/none' changed while it was read");
	stages_write("src/none", "");
	stages_write("src/sub/x", "more than before");
	ck_assert_int_eq(write_list(l, c, NULL, &e), -1);
	ck_assert_err(&e, ERR_SYS, "'src/sub/x' changed while it was read");
	ck_assert_int_eq(unlinkat(scratch_fd(), "context/src/sub/x", 0), 0);
	ck_assert_int_eq(write_list(l, c, NULL, &e), -1);
	ck_assert_err(&e, ERR_SYS, "'src/sub/x'");
}
END_TEST

static const struct {
	const char *path, *owner, *layer;
} workdirs[] = {
	{"/", NULL, ""},
	{"/srv", "5", ""},
	{"/bin/up/sub", "5", ""},
	{"/srv/new/er", "app", "d /srv/new 755 7:9 0\nd /srv/new/er 755 7:9 0\n"},
	{"/bin/work", NULL, "d /usr/bin/work 755 0:0 0\n"},
};

START_TEST(texts_are_written_whole)
{
	const struct recipe r = {.dest = "/x", .texts = {{.name = one, .text = some}}};
	const struct layer_options opt = {COMPRESSION_DEFAULT, 0};
	SCOPE(context) struct context *c = stages_context();
	SCOPE_FD int fd = layer_file();
	struct plan_copy copy;
	struct layer_result result;
	struct err e = ERR_INIT;
	SCOPE(str) struct str got = STR_INIT;

	copy_init(&copy, &r);
	SCOPE(copy_list) struct copy_list *l = copy_list_new(c, stages_new(NULL), NULL, &copy, &e);
	copy_fini(&copy);
	SCOPE(layer_writer) struct layer_writer *w = layer_writer_new(fd, &opt, &e);
	ck_assert_int_eq(copy_list_write(l, c, EPOCH, w, NULL, &e), 0);
	ck_assert_int_eq(layer_writer_finish(w, &result, &e), 0);
	SCOPE(layer_index) struct layer_index *ix = layer_file_index(fd, &result);
	layer_content(fd, ix, "x", &got);
	ck_assert_str_eq(str_text(&got), some);
}
END_TEST

START_TEST(workdir_makes_what_is_missing)
{
	SCOPE(context) struct context *c = stages_context();
	SCOPE(str) struct str text = STR_INIT;
	const struct stage *st = stages_new(base);
	struct err e = ERR_INIT;

	SCOPE(copy_list)
	struct copy_list *l = copy_list_workdir(st, workdirs[_i].path, workdirs[_i].owner, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(copy_list_is_empty(l), workdirs[_i].layer[0] == '\0');
	ck_assert_int_eq(write_list(l, c, &text, &e), 0);
	ck_assert_str_eq(str_text(&text), workdirs[_i].layer);
}
END_TEST

START_TEST(workdir_is_a_directory)
{
	const struct stage *st = stages_new(base);
	struct err e = ERR_INIT;

	ck_assert_ptr_null(copy_list_workdir(st, "/etc/passwd", NULL, &e));
	ck_assert_err(&e, ERR_EXISTS, "'/etc/passwd'");
	ck_assert_ptr_null(copy_list_workdir(st, "/etc/passwd/x", NULL, &e));
	ck_assert_err(&e, ERR_EXISTS, "'/etc/passwd'");
	ck_assert_ptr_null(copy_list_workdir(st, "/x", "nobody", &e));
	ck_assert_err(&e, ERR_NOT_FOUND, "no user 'nobody'");
}
END_TEST

/* A list alone: what it takes to write a layer is tested with the writer. */
static int list_once(void *arg, struct err *e)
{
	static const char *const sources[] = {"src", "[ab]"};
	const struct stage *st = arg;
	struct plan_text text = {.name = one, .text = some};
	struct plan_copy copy = {.is_dest_dir = true, .texts = &text, .text_count = 1};
	char dest[] = "/bin/new/", owner[] = "app";
	struct copy_list *l = NULL;
	struct context *c = context_open(scratch_file("context"), e);

	copy.dest = dest;
	copy.chown = owner;
	if (c && strlist_add(&copy.sources, sources[0], e) == 0 &&
	    strlist_add(&copy.sources, sources[1], e) == 0 &&
	    strlist_add(&copy.exclude, "**/x", e) == 0)
		l = copy_list_new(c, st, NULL, &copy, e);
	strlist_fini(&copy.sources);
	strlist_fini(&copy.exclude);
	context_close(c);
	if (!l)
		return -1;
	copy_list_free(l);
	return 0;
}

START_TEST(copes_without_memory)
{
	make_files();
	failalloc_each(list_once, stages_new(base));
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("packer/copy_layer");
	TCase *tc = tcase_create("copy");

	tcase_add_checked_fixture(tc, stages_setup, stages_teardown);
	tcase_add_loop_test(tc, keeps_parents, 0, ARRAY_LEN(with_parents));
	tcase_add_loop_test(tc, copies_over_nothing, 0, ARRAY_LEN(over_nothing));
	tcase_add_loop_test(tc, copies_over_a_base, 0, ARRAY_LEN(over_base));
	tcase_add_loop_test(tc, refuses, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, a_link_is_no_parent);
	tcase_add_test(tc, paths_have_a_limit);
	tcase_add_test(tc, a_source_must_not_change);
	tcase_add_test(tc, copes_without_memory);
	suite_add_tcase(s, tc);
	tc = tcase_create("workdir");
	tcase_add_checked_fixture(tc, stages_setup, stages_teardown);
	tcase_add_test(tc, texts_are_written_whole);
	tcase_add_loop_test(tc, workdir_makes_what_is_missing, 0, ARRAY_LEN(workdirs));
	tcase_add_test(tc, workdir_is_a_directory);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
