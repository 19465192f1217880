/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flips single bits of the files of a store, one at a time, and looks what shale makes of each:
 * what tests/support/flips.py does through the command line, a hundred times a second and more.
 *
 * Usage: bitflips IMAGE KEY.pub COUNT SEED STORE...
 *
 * The STOREs are equal, each is used by a process of its own, and holds IMAGE, signed, with its
 * catalog.  After each flip:
 *
 * - all that a view says of IMAGE (names, metadata, links, content) is what it said, or an error;
 * - of a blob: fsck finds an error, and the verification fails, for which the config of a signature
 *   alone is of no use;
 * - of what is derived: fsck finds it, the view is right, and the verification succeeds.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/array.h"
#include "base/hasher.h"
#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "fs/view.h"
#include "signer/key.h"
#include "signer/verify.h"
#include "store/fsck.h"
#include "store/image.h"

enum { FILES_MAX = 64, READ_SIZE = 128 * 1024, BITS = 8, FILE_MODE = 0644 };

#define FOLDER_BLOBS "blobs/sha256"

static const char *const folders[] = {FOLDER_BLOBS, "shale/layers", "shale/catalogs"};

struct file {
	char *path;
	struct str bytes;
	bool is_blob;
	bool is_unverified; /* the config of a signature: the manifest and the payload say all */
};

struct job {
	const char *image;
	const char *store;
	struct public_key key;
	struct file files[FILES_MAX];
	size_t file_count;
	uint64_t total; /* bytes */
	struct str right;
	char place[512];
};

#define STOP(j, ...)                                       \
	do {                                               \
		fprintf(stderr, "FAIL: %s: ", (j)->place); \
		fprintf(stderr, __VA_ARGS__);              \
		fputc('\n', stderr);                       \
		exit(EXIT_FAILURE);                        \
	} while (0)

static void must(const struct job *j, int result, const struct err *e)
{
	if (result < 0)
		STOP(j, "%s", e->msg ? e->msg : strerror(errno));
}

/* splitmix64, by Sebastiano Vigna: the same numbers on any machine. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static int show_content(struct view *v, uint32_t inode, struct str *out, struct err *e)
{
	static char buf[READ_SIZE];
	uint64_t offset = 0;

	for (;;) {
		const ssize_t n = view_read(v, inode, offset, buf, sizeof(buf), e);
		if (n <= 0)
			return (int)n;
		if (str_append(out, buf, (size_t)n, e) < 0)
			return -1;
		offset += (uint64_t)n;
	}
}

static int show_names(struct view *v, uint32_t dir, struct str *out, struct err *e)
{
	struct catalog_dirent de;

	for (uint64_t at = 0;; at++) {
		const int n = VIEW_RETRY(v, e, catalog_readdir(view_catalog(v), dir, at, &de, e));
		if (n <= 0)
			return n;
		if (str_appendf(out, e, "%s %" PRIu32 " %o\n", de.name, de.inode, de.type) < 0)
			return -1;
	}
}

static int show_inode(struct view *v, uint32_t inode, struct str *out, struct err *e)
{
	struct catalog_stat st;
	char target[LIMIT_SYMLINK];
	size_t len;

	if (VIEW_RETRY(v, e, catalog_stat(view_catalog(v), inode, &st, e)) < 0 ||
	    str_appendf(out, e, "%" PRIu32 ": %o %u %u %u %u %u %" PRIu64 " %" PRId64 " %u\n",
			inode, st.mode, st.uid, st.gid, st.nlink, st.rdev_major, st.rdev_minor,
			st.size, st.mtime, st.mtime_nsec) < 0)
		return -1;
	if (S_ISDIR(st.mode))
		return show_names(v, inode, out, e);
	if (S_ISREG(st.mode))
		return show_content(v, inode, out, e);
	if (!S_ISLNK(st.mode))
		return 0;
	if (VIEW_RETRY(v, e, catalog_readlink(view_catalog(v), inode, target, &len, e)) < 0)
		return -1;
	return str_append(out, target, len, e);
}

/* All that there is to see, as far as it can be read. */
static int show(const struct job *j, const struct store *s, struct str *out, struct err *e)
{
	const struct layers_options opt = {.workers = 0};
	SCOPE(image) struct image im = IMAGE_INIT;

	if (image_load(s, j->image, NULL, &im, e) < 0)
		return -1;
	SCOPE(view) struct view *v = view_open(s, &im, 0, VIEW_CACHE_MIN, "bitflips", &opt, e);
	if (!v)
		return -1;
	const uint32_t count = catalog_inode_count(view_catalog(v));
	for (uint32_t inode = 0; inode < count; inode++) {
		if (show_inode(v, inode, out, e) < 0)
			return -1;
	}
	return 0;
}

static bool is_refusal(const struct err *e)
{
	return e->code == ERR_DIGEST || e->code == ERR_FORMAT || e->code == ERR_LIMIT ||
	       e->code == ERR_UNSUPPORTED || e->code == ERR_UNTRUSTED || e->code == ERR_NOT_FOUND;
}

static void check_fsck(const struct job *j, const struct store *s, const struct file *f)
{
	const struct fsck_options opt = {.read_data = true};
	struct fsck_report r;
	struct err e = ERR_INIT;

	must(j, fsck_run(s, &opt, &r, &e), &e);
	if (!f && r.errors + r.derived + r.notes > 0)
		STOP(j, "the store is not whole");
	if (f && (f->is_blob ? r.errors == 0 : r.errors > 0 || r.derived == 0))
		STOP(j, "fsck found %" PRIu64 " errors and %" PRIu64 " derived files", r.errors,
		     r.derived);
}

static void check_show(const struct job *j, const struct store *s, const struct file *f)
{
	SCOPE(str) struct str got = STR_INIT;
	struct err e = ERR_INIT;

	const int r = show(j, s, &got, &e);
	if (r < 0 && (!f->is_blob || !is_refusal(&e)))
		STOP(j, "reading: %s", e.msg);
	if (got.len > j->right.len || (r == 0 && got.len < j->right.len) ||
	    (got.len && memcmp(got.data, j->right.data, got.len) != 0))
		STOP(j, "other bytes were read");
	err_clear(&e);
}

static void check_verify(const struct job *j, const struct store *s, const struct file *f)
{
	const struct verify_options opt = {.key = &j->key, .read_layers = true};
	SCOPE(verify_report) struct verify_report report = VERIFY_REPORT_INIT;
	struct err e = ERR_INIT;
	const int r = verify_image(s, j->image, &opt, &report, NULL, &e);

	if (f && f->is_blob && !f->is_unverified) {
		if (r == 0 || (e.code != ERR_DIGEST && e.code != ERR_UNTRUSTED))
			STOP(j, "verified: %s", r < 0 ? e.msg : "yes");
	} else if (r < 0) {
		STOP(j, "not verified: %s", e.msg);
	}
	err_clear(&e);
}

/* `f` NULL: nothing is damaged. */
static void check(struct job *j, const struct file *f)
{
	SCOPE(store) struct store *s = NULL;
	struct err e = ERR_INIT;

	must(j, store_open(j->store, 0, &s, &e), &e);
	/* First: the others put right what is derived. */
	check_fsck(j, s, f);
	if (f)
		check_show(j, s, f);
	else
		must(j, show(j, s, &j->right, &e), &e);
	check_verify(j, s, f);
}

/* A new file: what is mapped or open stays what it was. */
static void put(const struct job *j, const struct file *f, const struct str *bytes)
{
	if (unlink(f->path) < 0 && errno != ENOENT)
		STOP(j, "cannot remove '%s'", f->path);
	SCOPE_FD int fd = open(f->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
	if (fd < 0 || io_write_all(fd, bytes->data, bytes->len) < 0)
		STOP(j, "cannot write '%s'", f->path);
}

static void get(const struct job *j, const char *path, struct str *out)
{
	struct err e = ERR_INIT;

	must(j, io_slurp_path(path, LIMIT_GIB, out, &e), &e);
}

static void list_files(struct job *j)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		SCOPE_FREE char *folder = str_dupf(&e, "%s/%s", j->store, folders[i]);
		DIR *dir = opendir(folder);
		struct dirent *de;
		while (dir && (de = readdir(dir))) {
			struct file *f = &j->files[j->file_count];
			if (de->d_name[0] == '.')
				continue;
			if (j->file_count++ == FILES_MAX)
				STOP(j, "too many files");
			f->path = str_dupf(&e, "%s/%s", folder, de->d_name);
			f->is_blob = i == 0;
			get(j, f->path, &f->bytes);
			j->total += f->bytes.len;
		}
		if (!dir)
			STOP(j, "no folder '%s'", folder);
		closedir(dir);
	}
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->path, ((const struct file *)b)->path);
}

/* The config that the manifest of a signature names. */
static void find_unverified(struct job *j)
{
	for (size_t i = 0; i < j->file_count; i++) {
		const char *text = str_text(&j->files[i].bytes);
		const char *config = strstr(text, "\"config\":{");
		if (!j->files[i].is_blob || *text != '{' || !strstr(text, "simplesigning") ||
		    !config)
			continue;
		for (size_t other = 0; other < j->file_count; other++) {
			const char *name = strrchr(j->files[other].path, '/') + 1;
			const char *named = strstr(config, name);
			j->files[other].is_unverified |= named && named < strchr(config, '}');
		}
	}
}

/* Half of the flips by bytes, half by files: the small ones count, too. */
static struct file *choose(struct job *j, uint64_t number, uint64_t *random)
{
	if (number % 2)
		return &j->files[number / 2 % j->file_count];
	uint64_t at = next_random(random) % j->total;
	struct file *f = j->files;
	while (at >= f->bytes.len)
		at -= f++->bytes.len;
	return f;
}

static void flip(struct job *j, uint64_t number, uint64_t seed)
{
	uint64_t random = seed ^ number * UINT64_C(0xd1342543de82ef95);
	struct file *f = choose(j, number, &random);
	const uint64_t bit = next_random(&random) % (f->bytes.len * BITS);

	snprintf(j->place, sizeof(j->place),
		 "flip %" PRIu64 ", bit %" PRIu64 " of byte %" PRIu64 " of %s", number, bit % BITS,
		 bit / BITS, f->path);
	f->bytes.data[bit / BITS] ^= (char)(1 << bit % BITS);
	put(j, f, &f->bytes);
	f->bytes.data[bit / BITS] ^= (char)(1 << bit % BITS);
	check(j, f);
	put(j, f, &f->bytes);
	/* Others that are derived may have been made again, but not in another way. */
	for (size_t i = 0; i < j->file_count; i++) {
		SCOPE(str) struct str now = STR_INIT;
		if (j->files[i].is_blob || &j->files[i] == f)
			continue;
		get(j, j->files[i].path, &now);
		if (now.len != j->files[i].bytes.len ||
		    memcmp(now.data, j->files[i].bytes.data, now.len) != 0)
			STOP(j, "'%s' was made again with other bytes", j->files[i].path);
	}
}

static void work(const char *const args[], const char *store, unsigned worker, unsigned workers)
{
	static struct job j;
	struct err e = ERR_INIT;
	uint64_t count, seed;

	j = (struct job){.image = args[0], .store = store, .place = "before the first flip"};
	log_set_level(LOG_LEVEL_ERROR);
	must(&j, public_key_read(&j.key, args[1], &e), &e);
	if (str_to_u64(args[2], strlen(args[2]), 10, UINT64_MAX, &count) < 0 ||
	    str_to_u64(args[3], strlen(args[3]), 10, UINT64_MAX, &seed) < 0)
		STOP(&j, "COUNT and SEED are numbers");
	list_files(&j);
	qsort(j.files, j.file_count, sizeof(j.files[0]), by_path);
	find_unverified(&j);
	check(&j, NULL);
	for (uint64_t number = worker; number < count; number += workers)
		flip(&j, number, seed);
	for (size_t i = 0; i < j.file_count; i++) {
		free(j.files[i].path);
		str_fini(&j.files[i].bytes);
	}
	str_fini(&j.right);
}

int main(int argc, char **argv)
{
	enum { FIRST_STORE = 5 };
	const unsigned workers = argc > FIRST_STORE ? (unsigned)(argc - FIRST_STORE) : 0;
	const char *const args[] = {argv[1], argv[2], argv[3], argv[4]};
	int failed = 0;

	if (!workers) {
		fputs("usage: bitflips IMAGE KEY.pub COUNT SEED STORE...\n", stderr);
		return EXIT_FAILURE;
	}
	for (unsigned i = 0; i < workers; i++) {
		const pid_t pid = fork();
		if (pid < 0)
			return EXIT_FAILURE;
		if (pid == 0) {
			work(args, argv[FIRST_STORE + i], i, workers);
			return EXIT_SUCCESS;
		}
	}
	for (int status; wait(&status) > 0;)
		failed |= status;
	if (failed)
		return EXIT_FAILURE;
	printf("%s flips (seed %s): 0 with other bytes, all found by fsck and verify\n", args[2],
	       args[3]);
	return EXIT_SUCCESS;
}
