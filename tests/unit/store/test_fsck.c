/* SPDX-License-Identifier: Apache-2.0 */
#include "store/fsck.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hasher.h"
#include "base/io.h"
#include "image/mediatype.h"
#include "store/catalogs.h"
#include "store/gc.h"
#include "store/image.h"
#include "store/layers.h"
#include "store/lease.h"
#include "store/refs.h"
#include "tests/unit/store/fixture.h"

enum {
	FINDINGS_MAX = 16,
	TEXT_MAX = 400,
	FILES = 2000,
	FAR_AWAY = 100 * 1000, /* in a block of the catalog that opening does not touch */
	ROUNDS = 150,          /* of fsck beside a writer; without its care some fail in ten */
	LONG_S = 120,
};

static struct {
	enum fsck_severity severity;
	enum err_code code;
	char text[TEXT_MAX]; /* "subject: text" */
} findings[FINDINGS_MAX];
static int finding_count;

static struct fixture_layer layers[2];
static struct descriptor manifest, other;

static void note(void *ctx, const struct fsck_finding *f)
{
	(void)ctx;
	ck_assert_int_lt(finding_count, FINDINGS_MAX);
	findings[finding_count].severity = f->severity;
	findings[finding_count].code = f->code;
	snprintf(findings[finding_count++].text, TEXT_MAX, "%s: %s", f->subject, f->text);
}

static struct progress *watcher;

static struct fsck_report run(bool read_data)
{
	const struct fsck_options opt = {
		.read_data = read_data, .progress = watcher, .found = note};
	struct fsck_report r;
	struct err e = ERR_INIT;

	finding_count = 0;
	const int rc = fsck_run(fixture_store(), &opt, &r, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(rc, 0);
	ck_assert_uint_eq(r.errors + r.derived + r.notes, (unsigned)finding_count);
	return r;
}

/* There is exactly one finding, and it is this. */
static void check_one(bool read_data, enum fsck_severity severity, enum err_code code,
		      const char *subject, const char *text)
{
	(void)run(read_data);
	ck_assert_msg(finding_count == 1, "%d findings, with: %s; %s", finding_count,
		      findings[0].text, findings[1].text);
	ck_assert_msg(strncmp(findings[0].text, subject, strlen(subject)) == 0, "%s",
		      findings[0].text);
	ck_assert_msg(strstr(findings[0].text, text) != NULL, "no '%s' in: %s", text,
		      findings[0].text);
	ck_assert_int_eq(findings[0].severity, severity);
	ck_assert_int_eq(findings[0].code, code);
}

static void setup(void)
{
	struct err e = ERR_INIT;
	const struct layers_options opt = {.workers = 0};
	SCOPE(image) struct image im = IMAGE_INIT;
	SCOPE(catalog) struct catalog *c = NULL;

	fixture_make();
	watcher = NULL;
	memset(findings, 0, sizeof(findings));
	fixture_wide_layer(FILES, &layers[0]);
	fixture_foreign_layer("zstd", "three", LAYER_ZSTD, &layers[1]);
	fixture_image("localhost/app:1", layers, 2, &manifest);
	/* A second name, and a second image of a layer: what they have is told once. */
	fixture_set_ref("localhost/same:1", &manifest);
	fixture_image("localhost/other:1", &layers[1], 1, &other);
	ck_assert_int_eq(image_load(fixture_store(), "app:1", NULL, &im, &e), 0);
	ck_assert_int_eq(catalogs_open(fixture_store(), &im, 0, &opt, &c, &e), 0);
}

static void teardown(void)
{
	fixture_layer_fini(&layers[0]);
	fixture_layer_fini(&layers[1]);
	descriptor_fini(&manifest);
	descriptor_fini(&other);
	fixture_remove();
}

static const char *own_file(const char *folder, const struct digest *d, const char *suffix)
{
	char hex[DIGEST_HEX_MAX], path[200];

	snprintf(path, sizeof(path), "shale/%s/%s%s", folder, digest_hex(d, hex), suffix);
	return fixture_file(path);
}

static void write_file(const char *path, const struct str *bytes)
{
	(void)unlink(path);
	SCOPE_FD int fd = open(path, O_WRONLY | O_CREAT, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(io_write_all(fd, bytes->data, bytes->len), 0);
}

static const char *blob_subject(const struct digest *d)
{
	static char subject[200];
	char text[DIGEST_STR_MAX];

	snprintf(subject, sizeof(subject), "blob %s:", digest_format(d, text));
	return subject;
}

static struct digest config_of(const char *name)
{
	struct err e = ERR_INIT;
	SCOPE(image) struct image im = IMAGE_INIT;

	ck_assert_int_eq(image_load(fixture_store(), name, NULL, &im, &e), 0);
	return im.manifest.config.digest;
}

START_TEST(a_whole_store_has_no_findings)
{
	struct fsck_report r = run(false);

	ck_assert_int_eq(finding_count, 0);
	ck_assert_uint_eq(r.images, 2);
	ck_assert_uint_eq(r.blobs, 6);
	ck_assert_uint_eq(r.bytes_read, 0);
	r = run(true);
	ck_assert_int_eq(finding_count, 0);
	ck_assert_uint_gt(r.bytes_read, layers[0].descriptor.size);
	/* And its lease is gone. */
	ck_assert_int_eq(rmdir(fixture_file("shale/leases")), 0);
}
END_TEST

START_TEST(a_blob_that_is_gone_is_told_once)
{
	const struct digest blobs[] = {layers[0].descriptor.digest, layers[1].descriptor.digest,
				       manifest.digest, config_of("app:1")};

	ck_assert_int_eq(unlink(fixture_blob_file(&blobs[_i])), 0);
	for (int i = 0; i < 2; i++) {
		check_one(i, FSCK_ERROR, ERR_NOT_FOUND, blob_subject(&blobs[_i]),
			  "is not in the store");
		ck_assert_ptr_nonnull(strstr(findings[0].text, "used by 'localhost/app:1'"));
	}
}
END_TEST

START_TEST(a_blob_of_another_size_is_told_once)
{
	const struct digest blobs[] = {layers[0].descriptor.digest, layers[1].descriptor.digest,
				       manifest.digest, config_of("app:1")};

	fixture_cut(fixture_blob_file(&blobs[_i]), 7);
	for (int i = 0; i < 2; i++)
		check_one(i, FSCK_ERROR, ERR_DIGEST, blob_subject(&blobs[_i]), "has 7 bytes");
}
END_TEST

START_TEST(a_flipped_document_is_seen_at_once)
{
	const struct digest blobs[] = {manifest.digest, config_of("app:1")};

	fixture_flip(fixture_blob_file(&blobs[_i]), 7);
	for (int i = 0; i < 2; i++)
		check_one(i, FSCK_ERROR, ERR_DIGEST, blob_subject(&blobs[_i]), "another digest");
}
END_TEST

START_TEST(a_flipped_layer_is_seen_when_it_is_read)
{
	const struct digest d = layers[_i].descriptor.digest;

	fixture_flip(fixture_blob_file(&d), 12);
	(void)run(false);
	ck_assert_int_eq(finding_count, 0);
	const struct fsck_report r = run(true);
	ck_assert_uint_eq(r.errors, _i == 0 ? 2 : 1);
	ck_assert_ptr_nonnull(strstr(findings[finding_count - 1].text, "another digest"));
	/* Frames say which part of it. */
	if (_i == 0)
		ck_assert_ptr_nonnull(strstr(findings[0].text, "frame 0 has another digest"));
}
END_TEST

START_TEST(a_flipped_layer_index_is_seen_at_once)
{
	struct err e = ERR_INIT;
	uint64_t offset;
	const char *text = strmap_get(&layers[0].descriptor.annotations, LAYER_INDEX_OFFSET_KEY);

	(void)e;
	ck_assert_int_eq(str_to_u64(text, strlen(text), 10, UINT32_MAX, &offset), 0);
	fixture_flip(fixture_blob_file(&layers[0].descriptor.digest), (long)offset + 20);
	check_one(false, FSCK_ERROR, ERR_DIGEST, "layer sha256:", "not what the manifest says");
}
END_TEST

START_TEST(derived_data_is_told_apart)
{
	const struct digest d = layers[1].descriptor.digest;

	fixture_flip(own_file("layers", &d, ".frames"), 9);
	(void)run(false);
	ck_assert_int_eq(finding_count, 0);
	check_one(true, FSCK_DERIVED, ERR_DIGEST, "derived index of layer", "frame 0");
	fixture_flip(own_file("layers", &d, ".frames"), 9);

	fixture_cut(own_file("layers", &d, ".frames"), 9);
	check_one(false, FSCK_DERIVED, ERR_FORMAT, "derived index of layer", "frame");
	ck_assert_int_eq(unlink(own_file("layers", &d, ".frames")), 0);
	check_one(false, FSCK_DERIVED, ERR_DIGEST, "derived index of layer", "missing");
	fixture_flip(own_file("layers", &d, ".index"), 9);
	check_one(false, FSCK_DERIVED, ERR_DIGEST, "derived index of layer", "own digest");
}
END_TEST

START_TEST(a_catalog_is_checked)
{
	const char *path = own_file("catalogs", &manifest.digest, "");
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	fixture_flip(path, FAR_AWAY);
	(void)run(false);
	ck_assert_int_eq(finding_count, 0);
	check_one(true, FSCK_DERIVED, ERR_DIGEST, "catalog of manifest sha256:", "block");
	path = own_file("catalogs", &manifest.digest, "");
	fixture_cut(path, 100);
	(void)run(false);
	ck_assert_int_eq(finding_count, 1);
	ck_assert_int_eq(findings[0].severity, FSCK_DERIVED);
	ck_assert_ptr_nonnull(strstr(findings[0].text, "catalog of manifest sha256:"));
	ck_assert_int_eq(unlink(own_file("catalogs", &manifest.digest, "")), 0);
	(void)run(true);
	ck_assert_int_eq(finding_count, 0);
}
END_TEST

/* The catalog of `im` as somebody would forge it: of the tree of other layers, under the names of
 * its own. */
static void forge_catalog(const struct image *im, const struct fixture_layer *other_layers)
{
	const struct layers_options opt = {.workers = 0};
	struct layer_index *indexes[2];
	struct catalog_layer info[2], forged[2];
	struct err e = ERR_INIT;
	SCOPE(merge) struct merge *tree = merge_new(&e);

	for (size_t i = 0; i < 2; i++) {
		SCOPE(layer_index) struct layer_index *own = NULL;
		ck_assert_int_eq(layers_index(fixture_store(), &im->manifest.layers[i], NULL, &opt,
					      &own, &info[i], &e),
				 0);
		ck_assert_int_eq(layers_index(fixture_store(), &other_layers[i].descriptor, NULL,
					      &opt, &indexes[i], &forged[i], &e),
				 0);
		ck_assert_int_eq(merge_add_layer(tree, indexes[i], &e), 0);
	}
	const char *path = own_file("catalogs", &im->chosen.digest, "");
	ck_assert_int_eq(unlink(path), 0);
	SCOPE_FD int fd = open(path, O_RDWR | O_CREAT, 0644);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(catalog_write(tree, info, fd, &e), 0);
	for (size_t i = 0; i < 2; i++)
		layer_index_free(indexes[i]);
}

START_TEST(a_catalog_that_is_right_in_itself_is_compared)
{
	struct err e = ERR_INIT;
	struct fixture_layer lies[2];
	struct descriptor named = DESCRIPTOR_INIT;
	const struct layers_options opt = {.workers = 0};
	SCOPE(image) struct image im = IMAGE_INIT;
	SCOPE(catalog) struct catalog *c = NULL;
	uint32_t inode;

	fixture_wide_layer(FILES, &lies[0]);
	fixture_foreign_layer("evil", "three", LAYER_ZSTD, &lies[1]);
	ck_assert_int_eq(image_load(fixture_store(), "app:1", NULL, &im, &e), 0);
	/* So that they are no news. */
	fixture_image("localhost/lies:1", lies, 2, &named);
	descriptor_fini(&named);
	forge_catalog(&im, lies);
	(void)run(false);
	ck_assert_int_eq(finding_count, 0);
	check_one(true, FSCK_DERIVED, ERR_DIGEST,
		  "catalog of manifest sha256:", "not what its layers give");
	/* Whoever uses it is deceived. */
	ck_assert_int_eq(catalogs_open(fixture_store(), &im, 0, &opt, &c, &e), 0);
	ck_assert_int_eq(catalog_resolve(c, "/evil", false, &inode, &e), 1);
	/* What it cannot be compared with is told, and nothing of it. */
	ck_assert_int_eq(unlink(own_file("layers", &layers[1].descriptor.digest, ".index")), 0);
	(void)run(true);
	ck_assert_int_eq(finding_count, 0);
	fixture_layer_fini(&lies[0]);
	fixture_layer_fini(&lies[1]);
}
END_TEST

/* A derived index is followed by: 8 bytes of flags, its SHA-256, and one over both and the text of
 * the blob's digest; see shale-store(5). */
enum { FLAGS = 8, SHA = 32, FOOTER = FLAGS + 2 * SHA };

static void replace_bytes(struct str *in, const uint8_t *old, const uint8_t *new)
{
	char *at = memmem(in->data, in->len - FOOTER, old, SHA);

	ck_assert_ptr_nonnull(at);
	memcpy(at, new, SHA);
}

/* What is derived from a layer, as somebody would forge it from that of another, of the same form:
 * all its digests are right. */
static void forge_derived(const struct fixture_layer *l, const struct fixture_layer *lie)
{
	char text[DIGEST_STR_MAX];
	struct err e = ERR_INIT;
	SCOPE(str) struct str index = STR_INIT;
	SCOPE(str) struct str frames = STR_INIT;

	ck_assert_int_eq(io_slurp_path(own_file("layers", &lie->descriptor.digest, ".index"),
				       UINT32_MAX, &index, &e),
			 0);
	replace_bytes(&index, lie->diff_id.raw, l->diff_id.raw);
	uint8_t *footer = (uint8_t *)index.data + index.len - FOOTER;
	const struct digest of_index = hasher_sha256(index.data, index.len - FOOTER);
	memcpy(footer + FLAGS, of_index.raw, SHA);
	uint8_t sealed[FLAGS + SHA + DIGEST_STR_MAX];
	memcpy(sealed, footer, FLAGS + SHA);
	digest_format(&l->descriptor.digest, text);
	memcpy(sealed + FLAGS + SHA, text, strlen(text));
	const struct digest seal = hasher_sha256(sealed, FLAGS + SHA + strlen(text));
	memcpy(footer + FLAGS + SHA, seal.raw, SHA);
	write_file(own_file("layers", &l->descriptor.digest, ".index"), &index);
	if (footer[0] == 0)
		return;
	ck_assert_int_eq(io_slurp_path(own_file("layers", &lie->descriptor.digest, ".frames"),
				       UINT32_MAX, &frames, &e),
			 0);
	write_file(own_file("layers", &l->descriptor.digest, ".frames"), &frames);
}

START_TEST(derived_files_that_are_right_in_themselves_are_proven)
{
	struct err e = ERR_INIT;
	const struct layers_options opt = {.workers = 0};
	static const struct {
		enum err_code code;
		const char *word;
	} says[] = {
		/* Ranges of the blob are what they are; the tree that they hold is another. */
		[LAYER_TAR] = {ERR_FORMAT, "another path"},
		[LAYER_GZIP] = {ERR_DIGEST, "does not match its digest"},
		[LAYER_ZSTD] = {ERR_DIGEST, "does not match its diff_id"},
	};
	const enum layer_encoding encoding = (enum layer_encoding)_i;
	struct fixture_layer both[2];
	struct descriptor d;

	fixture_foreign_layer("good", "three", encoding, &both[0]);
	fixture_foreign_layer("evil", "three", encoding, &both[1]);
	fixture_image("localhost/both:1", both, 2, &d);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(layers_prove(fixture_store(), &both[i].descriptor,
					      &both[i].diff_id, &opt, &e),
				 0);
	(void)run(true);
	ck_assert_int_eq(finding_count, 0);
	/* The frames of the lie must be inside of the blob. */
	const int lie = both[0].descriptor.size < both[1].descriptor.size ? 0 : 1;
	const struct fixture_layer *l = &both[1 - lie];
	forge_derived(l, &both[lie]);
	(void)run(false);
	ck_assert_int_eq(finding_count, 0);
	check_one(true, FSCK_DERIVED, says[_i].code, "derived index of layer", says[_i].word);
	/* A blob that is damaged itself says nothing of it. */
	ck_assert_int_eq(layers_prove(fixture_store(), &l->descriptor, &l->diff_id, &opt, &e), 0);
	fixture_flip(fixture_blob_file(&l->descriptor.digest), 20);
	check_one(true, FSCK_ERROR, ERR_DIGEST, blob_subject(&l->descriptor.digest),
		  "another digest");
	descriptor_fini(&d);
	fixture_layer_fini(&both[0]);
	fixture_layer_fini(&both[1]);
}
END_TEST

START_TEST(what_is_derived_from_something_unnamed_is_told_so)
{
	struct err e = ERR_INIT;
	bool has_catalog = false, has_index = false;

	for (int i = 0; i < 3; i++) {
		static const char *const names[] = {"app:1", "same:1", "other:1"};
		char key[40];
		snprintf(key, sizeof(key), "localhost/%s", names[i]);
		ck_assert_int_eq(refs_remove(fixture_store(), key, &e), 1);
	}
	for (int is_gone = 0; is_gone < 2; is_gone++) {
		const char *text = is_gone ? "what it was made from is gone"
					   : "nothing uses what it was made from";
		(void)run(false);
		has_catalog = has_index = false;
		for (int i = 0; i < finding_count; i++) {
			const bool is_own = strncmp(findings[i].text, "derived file ", 13) == 0;
			ck_assert_int_eq(findings[i].severity, FSCK_NOTE);
			ck_assert(!is_own || strstr(findings[i].text, text));
			has_index |= is_own && strstr(findings[i].text, ".index");
			has_catalog |= is_own && !strchr(findings[i].text, '.');
		}
		ck_assert(has_catalog);
		ck_assert(has_index);
		if (is_gone)
			break;
		ck_assert_int_eq(unlink(fixture_blob_file(&manifest.digest)), 0);
		ck_assert_int_eq(unlink(fixture_blob_file(&layers[1].descriptor.digest)), 0);
	}
}
END_TEST

START_TEST(what_gc_will_remove_is_a_note)
{
	const struct digest stray = fixture_put("stray");
	const struct digest nothing = hasher_sha256("nothing", 7);
	char path[300], hex[DIGEST_HEX_MAX];

	check_one(true, FSCK_NOTE, ERR_EXISTS, "blob ", "nothing uses it");
	snprintf(path, sizeof(path), "store/shale/catalogs/%s", digest_hex(&nothing, hex));
	scratch_write(path, "");
	snprintf(path, sizeof(path), "store/shale/layers/%s.index", hex);
	scratch_write(path, "");
	scratch_write("store/shale/layers/.shale-0123456789abcdef.tmp", "");
	scratch_write("store/blobs/sha256/.shale-0123456789abcdef.tmp", "");
	scratch_write("store/blobs/sha256/readme", "");
	scratch_write("store/shale/leases/1-0123456789abcdef", "");
	const struct fsck_report r = run(false);
	ck_assert_uint_eq(r.notes, 6);
	ck_assert_int_eq(finding_count, 6);
	/* Damaged, it would be taken for good by the next who needs it. */
	fixture_flip(fixture_blob_file(&stray), 1);
	ck_assert_uint_eq(run(true).errors, 1);
}
END_TEST

START_TEST(leased_blobs_are_in_use)
{
	struct err e = ERR_INIT;
	struct lease *l = NULL;
	const struct digest stray = fixture_put("stray");

	ck_assert_int_eq(lease_open(fixture_store(), "test", &l, &e), 0);
	ck_assert_int_eq(lease_add(l, &stray, &e), 0);
	(void)run(true);
	ck_assert_int_eq(finding_count, 0);
	lease_close(l);
}
END_TEST

static struct lease *borrowed;

/* The command whose lease kept the image ends, while its layers are read. */
static void end_command(struct progress *p, bool at_once)
{
	struct gc_report r;
	struct err e = ERR_INIT;

	(void)at_once;
	if (p->phase.done == 0)
		return;
	lease_close(steal_ptr(&borrowed));
	ck_assert_int_eq(gc_run(fixture_store(), false, NULL, &r, &e), 0);
}

START_TEST(what_others_leased_stays_until_the_end)
{
	struct err e = ERR_INIT;
	struct progress p = {.show = end_command};

	ck_assert_int_eq(lease_open(fixture_store(), "test", &borrowed, &e), 0);
	ck_assert_int_eq(lease_add(borrowed, &manifest.digest, &e), 0);
	ck_assert_int_eq(refs_remove(fixture_store(), "localhost/app:1", &e), 1);
	ck_assert_int_eq(refs_remove(fixture_store(), "localhost/same:1", &e), 1);
	watcher = &p;
	const struct fsck_report r = run(true);
	ck_assert_ptr_null(borrowed);
	ck_assert_msg(r.errors + r.derived == 0, "%s", findings[0].text);
	ck_assert_uint_gt(r.notes, 0);
}
END_TEST

START_TEST(an_index_that_cannot_be_read_makes_nothing_unused)
{
	scratch_write("store/index.json", "{");
	const struct fsck_report r = run(true);
	ck_assert(r.names_lost);
	ck_assert_uint_eq(r.errors, 1);
	ck_assert_int_eq(findings[0].severity, FSCK_ERROR);
	ck_assert_int_eq(findings[0].code, ERR_FORMAT);
	ck_assert_ptr_nonnull(strstr(findings[0].text, "names of all images are lost"));
	/* Of app:1, which is same:1 as well, and of other:1; and no blob is unused. */
	ck_assert_uint_eq(r.notes, 2);
	for (int i = 1; i < finding_count; i++) {
		ck_assert_int_eq(strncmp(findings[i].text, "image sha256:", 13), 0);
		ck_assert_ptr_nonnull(strstr(findings[i].text, "has no name; 'shale tag sha256:"));
		ck_assert_ptr_null(strstr(findings[i].text, "gc removes it"));
	}
}
END_TEST

START_TEST(parts_of_an_index_are_checked)
{
	static const char *const platforms[] = {"linux/amd64", "linux/arm64"};
	struct descriptor images[2] = {DESCRIPTOR_INIT, DESCRIPTOR_INIT}, index;
	struct digest layer;

	ck_assert_int_eq(descriptor_copy(&images[0], &manifest, &(struct err)ERR_INIT), 0);
	fixture_fake_image("localhost/b:1", &images[1], &layer);
	fixture_index("localhost/all:1", images, platforms, 2, &index);
	(void)run(false);
	ck_assert_int_eq(finding_count, 0);
	ck_assert_int_eq(refs_remove(fixture_store(), "localhost/b:1", &(struct err)ERR_INIT), 1);
	ck_assert_int_eq(unlink(fixture_blob_file(&images[1].digest)), 0);
	check_one(false, FSCK_ERROR, ERR_NOT_FOUND, blob_subject(&images[1].digest),
		  "used by 'localhost/all:1'");
	descriptor_fini(&images[0]);
	descriptor_fini(&images[1]);
	descriptor_fini(&index);
}
END_TEST

START_TEST(layers_and_diff_ids_must_agree_in_number)
{
	struct err e = ERR_INIT;
	struct descriptor d;
	SCOPE(image) struct image im = IMAGE_INIT;
	SCOPE(str) struct str text = STR_INIT;

	ck_assert_int_eq(image_load(fixture_store(), "app:1", NULL, &im, &e), 0);
	ck_assert_int_eq(manifest_add_layer(&im.manifest, &layers[0].descriptor, &e), 0);
	ck_assert_int_eq(manifest_format(&im.manifest, &text, &e), 0);
	fixture_put_document(MEDIATYPE_MANIFEST, &text, &d);
	fixture_set_ref("localhost/wrong:1", &d);
	check_one(false, FSCK_ERROR, ERR_DIGEST, "manifest sha256:", "names 2 layers");
	descriptor_fini(&d);
}
END_TEST

START_TEST(signatures_are_checked_like_images)
{
	struct descriptor sig, orphan;
	const struct digest nothing = hasher_sha256("nothing", 7);
	char text[DIGEST_STR_MAX];

	fixture_signature("localhost/app", &manifest.digest, &sig);
	(void)run(true);
	ck_assert_int_eq(finding_count, 0);
	digest_format(&manifest.digest, text);
	const struct digest payload = hasher_sha256(text, strlen(text));
	fixture_flip(fixture_blob_file(&payload), 1);
	check_one(true, FSCK_ERROR, ERR_DIGEST, blob_subject(&payload), "another digest");
	fixture_flip(fixture_blob_file(&payload), 1);

	fixture_signature("localhost/gone", &nothing, &orphan);
	const struct fsck_report r = run(false);
	ck_assert_uint_eq(r.errors, 0);
	ck_assert_ptr_nonnull(strstr(findings[0].text, "ref localhost/gone:sha256-"));
	descriptor_fini(&sig);
	descriptor_fini(&orphan);
}
END_TEST

/* What imports, repairs and commands do to what is kept; each leaves it whole. */
static int make_anew(struct err *e)
{
	const struct layers_options opt = {.workers = 0};
	SCOPE(store) struct store *s = NULL;
	SCOPE(image) struct image im = IMAGE_INIT;
	SCOPE(catalog) struct catalog *c = NULL;
	SCOPE(lease) struct lease *l = NULL;
	const struct descriptor *layer = &layers[1].descriptor;

	if (store_open(store_path(fixture_store()), 0, &s, e) < 0 ||
	    lease_open(s, "test", &l, e) < 0 || image_load(s, "app:1", NULL, &im, e) < 0 ||
	    layers_prove(s, layer, &layers[1].diff_id, &opt, e) < 0 ||
	    layers_discard(s, &layer->digest, e) < 0 ||
	    layers_prove(s, layer, &layers[1].diff_id, &opt, e) < 0 ||
	    catalogs_discard(s, &im, e) < 0)
		return -1;
	return catalogs_open(s, &im, 0, &opt, &c, e);
}

START_TEST(what_is_made_anew_meanwhile_is_not_damaged)
{
	int status;
	const pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct err e = ERR_INIT;
		while (make_anew(&e) == 0)
			;
		fprintf(stderr, "%s\n", e.msg);
		_exit(1);
	}
	for (int i = 0; i < ROUNDS; i++) {
		(void)run(i % 8 == 0);
		ck_assert_msg(finding_count == 0, "round %d: %s", i, findings[0].text);
	}
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("store/fsck");
	TCase *tc = tcase_create("fsck");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_whole_store_has_no_findings);
	tcase_add_loop_test(tc, a_blob_that_is_gone_is_told_once, 0, 4);
	tcase_add_loop_test(tc, a_blob_of_another_size_is_told_once, 0, 4);
	tcase_add_loop_test(tc, a_flipped_document_is_seen_at_once, 0, 2);
	tcase_add_loop_test(tc, a_flipped_layer_is_seen_when_it_is_read, 0, 2);
	tcase_add_test(tc, a_flipped_layer_index_is_seen_at_once);
	tcase_add_test(tc, derived_data_is_told_apart);
	tcase_add_test(tc, a_catalog_is_checked);
	tcase_add_test(tc, a_catalog_that_is_right_in_itself_is_compared);
	tcase_add_loop_test(tc, derived_files_that_are_right_in_themselves_are_proven, 0,
			    LAYER_ZSTD + 1);
	tcase_add_test(tc, what_is_derived_from_something_unnamed_is_told_so);
	tcase_add_test(tc, what_gc_will_remove_is_a_note);
	tcase_add_test(tc, leased_blobs_are_in_use);
	tcase_add_test(tc, what_others_leased_stays_until_the_end);
	tcase_add_test(tc, an_index_that_cannot_be_read_makes_nothing_unused);
	tcase_add_test(tc, parts_of_an_index_are_checked);
	tcase_add_test(tc, layers_and_diff_ids_must_agree_in_number);
	tcase_add_test(tc, signatures_are_checked_like_images);
	suite_add_tcase(suite, tc);

	tc = tcase_create("beside a writer");
	tcase_set_timeout(tc, LONG_S);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_made_anew_meanwhile_is_not_damaged);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
