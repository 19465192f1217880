/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hasher.h"
#include "image/config.h"
#include "image/manifest.h"
#include "image/mediatype.h"
#include "image/reference.h"
#include "store/blobs.h"
#include "store/lease.h"
#include "store/refs.h"

static struct store *store;
static struct lease *lease;

void fixture_make(void)
{
	struct err e = ERR_INIT;

	scratch_make();
	ck_assert_int_eq(store_open(scratch_file("store"), STORE_CREATE, &store, &e), 0);
	ck_assert_no_err(&e);
}

void fixture_remove(void)
{
	store_close(store);
	store = NULL;
	scratch_remove();
}

void fixture_make_leased(void)
{
	struct err e = ERR_INIT;

	fixture_make();
	ck_assert_int_eq(lease_open(store, "test", &lease, &e), 0);
}

void fixture_remove_leased(void)
{
	lease_close(lease);
	lease = NULL;
	fixture_remove();
}

struct lease *fixture_lease(void)
{
	return lease;
}

const struct store *fixture_store(void)
{
	return store;
}

const char *fixture_file(const char *name)
{
	char path[300];

	snprintf(path, sizeof(path), "store/%s", name);
	return scratch_file(path);
}

const char *fixture_blob_file(const struct digest *d)
{
	char hex[DIGEST_HEX_MAX], path[200];

	snprintf(path, sizeof(path), "blobs/%s/%s", digest_alg_name(d->alg), digest_hex(d, hex));
	return fixture_file(path);
}

void fixture_put_as(const char *media_type, const void *bytes, size_t len, struct descriptor *out)
{
	struct err e = ERR_INIT;
	struct digest d;
	SCOPE(lease) struct lease *l = NULL;

	ck_assert_int_eq(lease_open(store, "test", &l, &e), 0);
	ck_assert_int_eq(blobs_put_bytes(store, l, bytes, len, &d, &e), 0);
	*out = (struct descriptor)DESCRIPTOR_INIT;
	ck_assert_int_eq(descriptor_set(out, media_type, &d, len, &e), 0);
}

void fixture_put_document(const char *media_type, const struct str *text, struct descriptor *out)
{
	fixture_put_as(media_type, text->data, text->len, out);
}

struct digest fixture_put(const char *text)
{
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;

	fixture_put_as("text/plain", text, strlen(text), &d);
	return d.digest;
}

bool fixture_has(const struct digest *d)
{
	return access(fixture_blob_file(d), F_OK) == 0;
}

void fixture_fake_layer(const char *text, struct fixture_layer *out)
{
	out->diff_id = hasher_sha256(text, strlen(text));
	fixture_put_as(MEDIATYPE_LAYER_GZIP, text, strlen(text), &out->descriptor);
}

void fixture_layer_fini(struct fixture_layer *l)
{
	descriptor_fini(&l->descriptor);
}

void fixture_image_for(const char *key, const char *platform, const struct fixture_layer *layers,
		       size_t count, struct descriptor *out)
{
	struct err e = ERR_INIT;
	SCOPE(image_config) struct image_config c;
	SCOPE(manifest) struct manifest m = MANIFEST_INIT;
	SCOPE(str) struct str config = STR_INIT;
	SCOPE(str) struct str manifest = STR_INIT;

	image_config_init(&c);
	ck_assert_int_eq(platform_parse(&c.platform, platform, &e), 0);
	for (size_t i = 0; i < count; i++) {
		ck_assert_int_eq(image_config_add_diff_id(&c, &layers[i].diff_id, &e), 0);
		ck_assert_int_eq(manifest_add_layer(&m, &layers[i].descriptor, &e), 0);
	}
	ck_assert_int_eq(image_config_format(&c, &config, &e), 0);
	fixture_put_document(MEDIATYPE_CONFIG, &config, &m.config);
	m.media_type = str_dup(MEDIATYPE_MANIFEST, &e);
	ck_assert_int_eq(manifest_format(&m, &manifest, &e), 0);
	fixture_put_document(MEDIATYPE_MANIFEST, &manifest, out);
	if (key)
		fixture_set_ref(key, out);
}

void fixture_image(const char *key, const struct fixture_layer *layers, size_t count,
		   struct descriptor *out)
{
	fixture_image_for(key, FIXTURE_PLATFORM, layers, count, out);
}

void fixture_fake_image(const char *key, struct descriptor *manifest, struct digest *layer)
{
	struct fixture_layer l;

	fixture_fake_layer(key, &l);
	fixture_image(key, &l, 1, manifest);
	*layer = l.descriptor.digest;
	fixture_layer_fini(&l);
}

void fixture_index(const char *key, const struct descriptor *manifests,
		   const char *const *platforms, size_t count, struct descriptor *out)
{
	struct err e = ERR_INIT;
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;
	SCOPE(str) struct str text = STR_INIT;

	ix.media_type = str_dup(MEDIATYPE_INDEX, &e);
	for (size_t i = 0; i < count; i++) {
		ck_assert_int_eq(image_index_add(&ix, &manifests[i], &e), 0);
		struct descriptor *d = &ix.manifests[i];
		d->has_platform = platforms[i] != NULL;
		if (platforms[i])
			ck_assert_int_eq(platform_parse(&d->platform, platforms[i], &e), 0);
	}
	ck_assert_int_eq(image_index_format(&ix, &text, &e), 0);
	fixture_put_document(MEDIATYPE_INDEX, &text, out);
	if (key)
		fixture_set_ref(key, out);
}

void fixture_signature(const char *name, const struct digest *of, struct descriptor *out)
{
	struct err e = ERR_INIT;
	SCOPE(manifest) struct manifest m = MANIFEST_INIT;
	SCOPE(descriptor) struct descriptor payload = DESCRIPTOR_INIT;
	SCOPE(str) struct str text = STR_INIT;
	char digest[DIGEST_STR_MAX];

	digest_format(of, digest);
	fixture_put_as(MEDIATYPE_SIMPLESIGNING, digest, strlen(digest), &payload);
	fixture_put_as(MEDIATYPE_CONFIG, "{}", 2, &m.config);
	m.media_type = str_dup(MEDIATYPE_MANIFEST, &e);
	ck_assert_int_eq(manifest_add_layer(&m, &payload, &e), 0);
	ck_assert_int_eq(manifest_format(&m, &text, &e), 0);
	fixture_put_document(MEDIATYPE_MANIFEST, &text, out);

	SCOPE_FREE char *tag = reference_signature_tag(of, &e);
	SCOPE_FREE char *key = str_dupf(&e, "%s:%s", name, tag);
	ck_assert_no_err(&e);
	fixture_set_ref(key, out);
}

void fixture_set_ref(const char *key, const struct descriptor *d)
{
	struct err e = ERR_INIT;

	ck_assert_int_eq(refs_set(store, key, d, &e), 0);
	ck_assert_no_err(&e);
}

bool fixture_has_ref(const char *key)
{
	struct err e = ERR_INIT;
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;
	const int r = refs_get(store, key, &d, &e);

	ck_assert_int_ge(r, 0);
	return r == 1;
}

void fixture_flip(const char *path, long at)
{
	uint8_t byte;
	struct stat st;

	ck_assert_int_eq(chmod(path, 0644), 0);
	SCOPE_FD int fd = open(path, O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	const off_t place = at < 0 ? st.st_size + at : at;
	ck_assert_int_eq(pread(fd, &byte, 1, place), 1);
	byte ^= 1;
	ck_assert_int_eq(pwrite(fd, &byte, 1, place), 1);
}

void fixture_cut(const char *path, long size)
{
	ck_assert_int_eq(chmod(path, 0644), 0);
	ck_assert_int_eq(truncate(path, size), 0);
}
