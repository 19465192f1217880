/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/export.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"
#include "image/manifest.h"
#include "image/mediatype.h"
#include "image/reference.h"
#include "packer/export_recode.h"
#include "packer/exports.h"
#include "tests/support/failalloc.h"

static const struct compression zstd = COMPRESSION_DEFAULT;
static const struct compression gzip = {FRAME_GZIP, 6};

static const struct export_options plain = {.workers = 0};
static const struct export_options to_zstd = {.compression = &zstd};
static const struct export_options to_gzip = {.compression = &gzip};

static const char *const forms[] = {"oci", "oci-archive", "docker-archive"};
enum { FORMS = 3, OCI_FORMS = 2 };

/* "localhost/app:1" of two layers that shale wrote, and one of another tool. */
static void make_image(bool has_foreign, struct descriptor *out)
{
	struct fixture_layer layers[3];

	fixture_layer("a", "content of a", &layers[0]);
	fixture_layer("b", "content of b", &layers[1]);
	fixture_foreign_layer("c", "content of c", LAYER_GZIP, &layers[2]);
	fixture_image("localhost/app:1", layers, has_foreign ? 3 : 2, out);
	for (int i = 0; i < 3; i++)
		fixture_layer_fini(&layers[i]);
}

static void export_well(const char *form, const char *path, const struct export_options *opt,
			struct export_result *out)
{
	exports_well("app:1", form, path, opt, out);
}

static void set_type(struct fixture_layer *l, const char *media_type)
{
	struct err e = ERR_INIT;

	free(l->descriptor.media_type);
	l->descriptor.media_type = str_dup(media_type, &e);
	ck_assert_no_err(&e);
}

static void assert_same_files(const char *a, const char *b)
{
	SCOPE(str) struct str first = STR_INIT;
	SCOPE(str) struct str second = STR_INIT;

	exports_slurp(a, &first);
	exports_slurp(b, &second);
	ck_assert_uint_eq(first.len, second.len);
	ck_assert_mem_eq(first.data, second.data, first.len);
}

/* A blob of the layout "out". */
static const char *blob_name(const struct digest *d)
{
	static char name[sizeof("out/blobs/sha256/") + DIGEST_HEX_MAX];
	char hex[DIGEST_HEX_MAX];

	(void)snprintf(name, sizeof(name), "out/blobs/sha256/%s", digest_hex(d, hex));
	return name;
}

static void read_manifest(const struct descriptor *top, struct manifest *out)
{
	SCOPE(str) struct str text = STR_INIT;
	struct err e = ERR_INIT;

	exports_slurp(blob_name(&top->digest), &text);
	ck_assert_uint_eq(text.len, top->size);
	manifest_parse(out, str_text(&text), text.len, top->media_type, &e);
	ck_assert_no_err(&e);
	manifest_check_image(out, &e);
	ck_assert_no_err(&e);
}

/* What shale wrote at the same level is what it writes again: the image itself. */
START_TEST(the_encoding_that_it_has_changes_nothing)
{
	SCOPE(descriptor) struct descriptor image = DESCRIPTOR_INIT;
	SCOPE(export_result) struct export_result a = {.bytes = 0};
	SCOPE(export_result) struct export_result b = {.bytes = 0};

	make_image(false, &image);
	export_well("oci-archive", "plain", &plain, &a);
	export_well("oci-archive", "recoded", &to_zstd, &b);
	assert_same_files("plain", "recoded");
	ck_assert(digest_equal(&b.top.digest, &image.digest));
	ck_assert_uint_eq(a.changes.recoded, 0);
	ck_assert_uint_eq(b.changes.recoded, 2);
}
END_TEST

START_TEST(all_layers_get_the_encoding)
{
	const struct export_options *const options[] = {&to_zstd, &to_gzip};
	const char *const types[] = {MEDIATYPE_LAYER_ZSTD, MEDIATYPE_LAYER_GZIP};
	SCOPE(descriptor) struct descriptor image = DESCRIPTOR_INIT;
	SCOPE(export_result) struct export_result r = {.bytes = 0};
	SCOPE(manifest) struct manifest m = MANIFEST_INIT;

	make_image(true, &image);
	export_well("oci", "out", options[_i], &r);
	ck_assert(!digest_equal(&r.top.digest, &image.digest));
	ck_assert_uint_eq(r.layers, 3);
	ck_assert_uint_eq(r.changes.recoded, 3);
	ck_assert_uint_eq(r.changes.kept_layers, 0);
	ck_assert_uint_eq(r.changes.kept_manifests, 0);
	read_manifest(&r.top, &m);
	ck_assert_uint_eq(m.layer_count, 3);
	for (size_t i = 0; i < m.layer_count; i++) {
		struct stat st;
		ck_assert_str_eq(m.layers[i].media_type, types[_i]);
		ck_assert_int_eq(stat(scratch_file(blob_name(&m.layers[i].digest)), &st), 0);
		ck_assert_uint_eq((uint64_t)st.st_size, m.layers[i].size);
		ck_assert_int_eq(
			strmap_get(&m.layers[i].annotations, "io.shale.layer-index.digest") != NULL,
			options[_i] == &to_zstd);
	}
	ck_assert_int_eq(access(scratch_file(blob_name(&m.config.digest)), F_OK), 0);
}
END_TEST

START_TEST(an_archive_is_always_the_same)
{
	static const unsigned workers[] = {0, 3};
	SCOPE(descriptor) struct descriptor image = DESCRIPTOR_INIT;

	make_image(true, &image);
	for (size_t i = 0; i < ARRAY_LEN(workers); i++) {
		const struct export_options opt = {.compression = &gzip, .workers = workers[i]};
		SCOPE(export_result) struct export_result r = {.bytes = 0};
		export_well(forms[_i], i == 0 ? "one" : "two", &opt, &r);
	}
	assert_same_files("one", "two");
}
END_TEST

/* Nothing of an export that failed is there, nor in the store. */
static void refuse(const char *form, enum err_code code, const char *word)
{
	SCOPE(export_result) struct export_result r = {.bytes = 0};
	struct err e = ERR_INIT;
	const int before = scratch_count();

	ck_assert_int_eq(exports_run("app:1", form, "out", &to_gzip, &r, &e), -1);
	ck_assert_err(&e, code, word);
	ck_assert_int_eq(scratch_count(), before);
}

START_TEST(a_missing_layer_leaves_nothing)
{
	SCOPE(descriptor) struct descriptor image = DESCRIPTOR_INIT;
	struct digest layer;

	fixture_fake_image("localhost/app:1", &image, &layer);
	ck_assert_int_eq(unlink(fixture_blob_file(&layer)), 0);
	refuse(forms[_i], ERR_NOT_FOUND, "is not in the store");
}
END_TEST

/* It is no tar either, which a decoder would have told first. */
START_TEST(a_flipped_layer_leaves_nothing)
{
	SCOPE(descriptor) struct descriptor image = DESCRIPTOR_INIT;
	struct digest layer;

	fixture_fake_image("localhost/app:1", &image, &layer);
	fixture_flip(fixture_blob_file(&layer), 0);
	refuse(forms[_i], ERR_DIGEST, "the content has another digest");
}
END_TEST

/* The blob is right, and the config says that something else is in it. */
START_TEST(another_diff_id_leaves_nothing)
{
	SCOPE(descriptor) struct descriptor image = DESCRIPTOR_INIT;
	struct fixture_layer layer;

	fixture_layer("a", "content of a", &layer);
	layer.diff_id.raw[0] ^= 1;
	fixture_image("localhost/app:1", &layer, 1, &image);
	fixture_layer_fini(&layer);
	refuse(forms[_i], ERR_DIGEST, "another diff_id");
}
END_TEST

/* Of a signature that goes along the layout names the artifact. */
static bool has_signatures(const char *tag)
{
	SCOPE(str) struct str index = STR_INIT;

	exports_slurp("out/index.json", &index);
	return strstr(str_text(&index), tag) != NULL;
}

START_TEST(signatures_of_another_digest_stay_behind)
{
	SCOPE(descriptor) struct descriptor image = DESCRIPTOR_INIT;
	SCOPE(descriptor) struct descriptor signature = DESCRIPTOR_INIT;
	SCOPE(export_result) struct export_result same = {.bytes = 0};
	SCOPE(export_result) struct export_result other = {.bytes = 0};
	struct err e = ERR_INIT;

	make_image(false, &image);
	SCOPE_FREE char *tag = reference_signature_tag(&image.digest, &e);
	SCOPE_FREE char *key = str_dupf(&e, "localhost/app:%s", tag);
	fixture_signature(key, &image.digest, &signature);
	fixture_set_ref(key, &signature);
	export_well("oci", "out", &to_gzip, &other);
	ck_assert_uint_eq(other.signatures, 0);
	ck_assert_uint_eq(other.changes.signatures, 1);
	ck_assert(!has_signatures(tag));
	export_well("oci", "out", &to_zstd, &same);
	ck_assert_uint_eq(same.signatures, 1);
	ck_assert_uint_eq(same.changes.signatures, 0);
	ck_assert(has_signatures(tag));
}
END_TEST

/* A layer that may not be passed on is not another's to change. */
START_TEST(nondistributable_layers_stay)
{
	SCOPE(descriptor) struct descriptor image = DESCRIPTOR_INIT;
	SCOPE(export_result) struct export_result r = {.bytes = 0};
	SCOPE(manifest) struct manifest m = MANIFEST_INIT;
	struct fixture_layer layers[2];

	fixture_layer("a", "content of a", &layers[0]);
	fixture_foreign_layer("b", "content of b", LAYER_GZIP, &layers[1]);
	set_type(&layers[1], MEDIATYPE_FOREIGN_GZIP);
	fixture_image("localhost/app:1", layers, 2, &image);
	export_well("oci", "out", &to_gzip, &r);
	ck_assert_uint_eq(r.changes.recoded, 1);
	ck_assert_uint_eq(r.changes.kept_layers, 1);
	read_manifest(&r.top, &m);
	ck_assert_str_eq(m.layers[1].media_type, MEDIATYPE_FOREIGN_GZIP);
	ck_assert(digest_equal(&m.layers[1].digest, &layers[1].descriptor.digest));
	ck_assert_int_eq(access(scratch_file(blob_name(&m.layers[1].digest)), F_OK), 0);
	for (int i = 0; i < 2; i++)
		fixture_layer_fini(&layers[i]);
}
END_TEST

START_TEST(an_index_names_what_became_of_its_manifests)
{
	static const char *const platforms[] = {"linux/amd64", "linux/arm64"};
	SCOPE(descriptor) struct descriptor index = DESCRIPTOR_INIT;
	SCOPE(export_result) struct export_result r = {.bytes = 0};
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;
	SCOPE(str) struct str text = STR_INIT;
	struct descriptor images[2] = {DESCRIPTOR_INIT, DESCRIPTOR_INIT};
	struct fixture_layer layer;
	struct err e = ERR_INIT;

	/* One layer in both. */
	fixture_layer("a", "content of a", &layer);
	for (int i = 0; i < 2; i++)
		fixture_image_for(NULL, platforms[i], &layer, 1, &images[i]);
	fixture_index("localhost/app:1", images, platforms, 2, &index);
	export_well("oci", "out", &to_gzip, &r);
	ck_assert_uint_eq(r.changes.recoded, 2);
	exports_slurp(blob_name(&r.top.digest), &text);
	image_index_parse(&ix, str_text(&text), text.len, r.top.media_type, LIMIT_INDEX_ENTRIES,
			  &e);
	ck_assert_no_err(&e);
	ck_assert_uint_eq(ix.count, 2);
	for (int i = 0; i < 2; i++) {
		char platform[PLATFORM_STR_MAX];
		SCOPE(manifest) struct manifest m = MANIFEST_INIT;
		ck_assert_str_eq(platform_format(&ix.manifests[i].platform, platform),
				 platforms[i]);
		ck_assert(!digest_equal(&ix.manifests[i].digest, &images[i].digest));
		read_manifest(&ix.manifests[i], &m);
		ck_assert_str_eq(m.layers[0].media_type, MEDIATYPE_LAYER_GZIP);
		descriptor_fini(&images[i]);
	}
	fixture_layer_fini(&layer);
}
END_TEST

START_TEST(what_has_no_layers_of_files_is_refused)
{
	SCOPE(descriptor) struct descriptor artifact = DESCRIPTOR_INIT;
	const struct digest d = fixture_put("x");

	fixture_signature("localhost/app:1", &d, &artifact);
	fixture_set_ref("localhost/app:1", &artifact);
	refuse(forms[_i], ERR_UNSUPPORTED, "no layers of files");
}
END_TEST

/* Whoever reads the stream knows the image before its layers, as of one that stays as it is. */
START_TEST(documents_come_from_the_top_down)
{
	SCOPE(descriptor) struct descriptor image = DESCRIPTOR_INIT;
	SCOPE(export_set) struct export_set set = EXPORT_SET_INIT;
	const struct export_dest dest = EXPORT_DEST_INIT;
	struct err e = ERR_INIT;

	make_image(true, &image);
	SCOPE(spool) struct spool *spool = spool_new(fixture_store(), &e);
	const struct exporter x = {fixture_store(),   NULL,  &to_gzip, &dest,
				   "localhost/app:1", image, spool};
	export_collect_recoded(&x, 3, &set, &e);
	ck_assert_no_err(&e);
	ck_assert_uint_eq(set.blob_count, 5);
	ck_assert(!digest_equal(&set.top.digest, &image.digest));
	ck_assert(digest_equal(&set.blobs[0].digest, &set.top.digest));
	for (size_t i = 0; i < set.blob_count; i++) {
		ck_assert_int_eq(set.blobs[i].is_layer, i >= 2);
		/* The config alone is that of the store. */
		ck_assert_int_eq(set.blobs[i].fd < 0, i == 1);
	}
}
END_TEST

/* A layer is made once; one blob with two diff_ids is not taken for both. */
START_TEST(a_layer_is_made_once)
{
	SCOPE(descriptor) struct descriptor image = DESCRIPTOR_INIT;
	const struct export_dest dest = EXPORT_DEST_INIT;
	struct export_blob first, second;
	struct layer_result result;
	struct fixture_layer layer;
	struct err e = ERR_INIT;

	fixture_layer("a", "content of a", &layer);
	fixture_image("localhost/app:1", &layer, 1, &image);
	SCOPE(spool) struct spool *spool = spool_new(fixture_store(), &e);
	const struct exporter x = {fixture_store(),   NULL,  &to_gzip, &dest,
				   "localhost/app:1", image, spool};
	SCOPE(export_recoder) struct export_recoder *r = export_recoder_new(&x, 1, &e);
	ck_assert_int_eq(
		export_recoder_layer(r, &layer.descriptor, &layer.diff_id, &result, &first, &e), 0);
	ck_assert_int_eq(
		export_recoder_layer(r, &layer.descriptor, &layer.diff_id, &result, &second, &e),
		0);
	ck_assert_uint_eq(first.offset, second.offset);
	ck_assert_int_eq(lseek(first.fd, 0, SEEK_CUR), (off_t)first.size);
	layer.diff_id.raw[0] ^= 1;
	ck_assert_int_eq(
		export_recoder_layer(r, &layer.descriptor, &layer.diff_id, &result, &second, &e),
		-1);
	ck_assert_err(&e, ERR_DIGEST, "another diff_id");
	fixture_layer_fini(&layer);
}
END_TEST

/* What the phases came to. */
struct seen {
	struct progress progress; /* first */
	struct progress_phase phases[16];
	size_t count;
};

/* progress.show */
static void note_phase(struct progress *p, bool at_once)
{
	struct seen *seen = (struct seen *)p;
	const struct progress_phase *now = &p->phase;
	const struct progress_phase *last = seen->count ? &seen->phases[seen->count - 1] : NULL;

	(void)at_once;
	if (!last || last->what != now->what || last->part != now->part)
		seen->count++;
	ck_assert_uint_le(seen->count, ARRAY_LEN(seen->phases));
	seen->phases[seen->count - 1] = *now;
}

/* Each layer is checked and re-encoded, and each to 100%. */
static void assert_parts(const struct seen *seen, size_t parts)
{
	size_t layers = 0;

	for (size_t i = 0; i < seen->count; i++) {
		const struct progress_phase *p = &seen->phases[i];
		if (strcmp(p->what, "re-encoding") == 0) {
			layers++;
			ck_assert_uint_gt(i, 0);
			ck_assert_str_eq(seen->phases[i - 1].what, "checking");
			ck_assert_uint_eq(seen->phases[i - 1].part, layers);
		} else if (strcmp(p->what, "checking") != 0) {
			ck_assert_uint_eq(p->parts, 0);
			continue;
		}
		ck_assert_uint_gt(p->total, 0);
		ck_assert_uint_eq(p->done, p->total);
		ck_assert_uint_eq(p->parts, parts);
		ck_assert(str_has_prefix(p->name, "sha256:"));
	}
	ck_assert_uint_eq(layers, parts);
}

/* Of three layers one may not be passed on, which docker's archives do not ask. */
START_TEST(progress_is_of_what_is_re_encoded)
{
	struct seen seen = {.progress = {.show = note_phase}};
	const struct export_options opt = {.compression = &gzip, .progress = &seen.progress};
	SCOPE(descriptor) struct descriptor image = DESCRIPTOR_INIT;
	SCOPE(export_result) struct export_result r = {.bytes = 0};
	struct fixture_layer layers[4];

	fixture_layer("a", "content of a", &layers[0]);
	fixture_foreign_layer("b", "content of b", LAYER_GZIP, &layers[1]);
	fixture_foreign_layer("c", "content of c", LAYER_GZIP, &layers[2]);
	fixture_layer("a", "content of a", &layers[3]);
	set_type(&layers[1], MEDIATYPE_FOREIGN_GZIP);
	fixture_image("localhost/app:1", layers, 4, &image);
	for (int i = 0; i < 4; i++)
		fixture_layer_fini(&layers[i]);
	export_well(forms[_i], "out", &opt, &r);
	assert_parts(&seen, _i < OCI_FORMS ? 2 : 3);
	ck_assert_str_eq(seen.phases[0].what, "checking");
}
END_TEST

/* A layer that two images share is a part of one. */
START_TEST(progress_counts_a_shared_layer_once)
{
	static const char *const platforms[] = {"linux/amd64", "linux/arm64"};
	struct seen seen = {.progress = {.show = note_phase}};
	const struct export_options opt = {.compression = &gzip, .progress = &seen.progress};
	SCOPE(descriptor) struct descriptor index = DESCRIPTOR_INIT;
	SCOPE(export_result) struct export_result r = {.bytes = 0};
	struct descriptor images[2] = {DESCRIPTOR_INIT, DESCRIPTOR_INIT};
	struct fixture_layer layers[2];

	fixture_layer("a", "content of a", &layers[0]);
	fixture_layer("b", "content of b", &layers[1]);
	for (size_t i = 0; i < 2; i++)
		fixture_image_for(NULL, platforms[i], layers, i + 1, &images[i]);
	fixture_index("localhost/app:1", images, platforms, 2, &index);
	export_well(forms[_i], "out", &opt, &r);
	assert_parts(&seen, 2);
	for (size_t i = 0; i < 2; i++) {
		descriptor_fini(&images[i]);
		fixture_layer_fini(&layers[i]);
	}
}
END_TEST

#define ENCRYPTED MEDIATYPE_LAYER_GZIP "+encrypted"

/* An image that cannot be read is none of those that are no images. */
START_TEST(an_image_with_unknown_layers_stays)
{
	static const char *const platforms[] = {"linux/amd64", "linux/arm64", "linux/s390x"};
	struct seen seen = {.progress = {.show = note_phase}};
	const struct export_options opt = {.compression = &gzip, .progress = &seen.progress};
	SCOPE(descriptor) struct descriptor index = DESCRIPTOR_INIT;
	SCOPE(export_result) struct export_result r = {.bytes = 0};
	struct descriptor images[3] = {DESCRIPTOR_INIT, DESCRIPTOR_INIT, DESCRIPTOR_INIT};
	const struct digest signed_digest = fixture_put("x");
	struct fixture_layer layers[2];

	fixture_layer("a", "content of a", &layers[0]);
	fixture_fake_layer("secret", &layers[1]);
	set_type(&layers[1], ENCRYPTED);
	fixture_image_for(NULL, platforms[0], layers, 1, &images[0]);
	fixture_image_for(NULL, platforms[1], layers, 2, &images[1]);
	fixture_signature("localhost/app:1", &signed_digest, &images[2]);
	fixture_index("localhost/app:1", images, platforms, 3, &index);
	export_well(forms[_i], "out", &opt, &r);
	ck_assert_uint_eq(r.changes.recoded, 1);
	ck_assert_uint_eq(r.changes.kept_images, 1);
	ck_assert_uint_eq(r.changes.kept_manifests, 1);
	ck_assert_uint_eq(r.changes.kept_layers, 0);
	assert_parts(&seen, 1);
	for (int i = 0; i < 3; i++)
		descriptor_fini(&images[i]);
	for (int i = 0; i < 2; i++)
		fixture_layer_fini(&layers[i]);
}
END_TEST

START_TEST(an_image_with_unknown_layers_alone_is_refused)
{
	SCOPE(descriptor) struct descriptor image = DESCRIPTOR_INIT;
	struct fixture_layer layer;

	fixture_fake_layer("secret", &layer);
	set_type(&layer, ENCRYPTED);
	fixture_image("localhost/app:1", &layer, 1, &image);
	fixture_layer_fini(&layer);
	refuse(forms[_i], _i < OCI_FORMS ? ERR_UNSUPPORTED : ERR_FORMAT,
	       _i < OCI_FORMS ? "a layer of an unknown type" : "layer 1 has the type '" ENCRYPTED);
}
END_TEST

START_TEST(survives_without_memory)
{
	SCOPE(descriptor) struct descriptor image = DESCRIPTOR_INIT;

	make_image(false, &image);
	exports_without_memory(forms[_i], &to_gzip);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("packer/export_recode");
	TCase *tc = tcase_create("export_recode");

	tcase_add_checked_fixture(tc, fixture_make, fixture_remove);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, the_encoding_that_it_has_changes_nothing);
	tcase_add_loop_test(tc, all_layers_get_the_encoding, 0, 2);
	tcase_add_loop_test(tc, an_archive_is_always_the_same, 1, FORMS);
	tcase_add_loop_test(tc, a_missing_layer_leaves_nothing, 0, FORMS);
	tcase_add_loop_test(tc, a_flipped_layer_leaves_nothing, 0, FORMS);
	tcase_add_loop_test(tc, another_diff_id_leaves_nothing, 0, FORMS);
	tcase_add_test(tc, signatures_of_another_digest_stay_behind);
	tcase_add_test(tc, nondistributable_layers_stay);
	tcase_add_test(tc, an_index_names_what_became_of_its_manifests);
	tcase_add_loop_test(tc, what_has_no_layers_of_files_is_refused, 0, OCI_FORMS);
	tcase_add_loop_test(tc, an_image_with_unknown_layers_stays, 0, OCI_FORMS);
	tcase_add_loop_test(tc, an_image_with_unknown_layers_alone_is_refused, 0, FORMS);
	tcase_add_test(tc, documents_come_from_the_top_down);
	tcase_add_test(tc, a_layer_is_made_once);
	tcase_add_loop_test(tc, progress_is_of_what_is_re_encoded, 0, FORMS);
	tcase_add_loop_test(tc, progress_counts_a_shared_layer_once, 0, OCI_FORMS);
	tcase_add_loop_test(tc, survives_without_memory, 0, FORMS);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
