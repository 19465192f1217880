/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/images.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"
#include "image/manifest.h"
#include "image/mediatype.h"
#include "image/reference.h"
#include "main.h"
#include "signer/base64.h"
#include "signer/payload.h"
#include "signer/signatures.h"
#include "store/blobs.h"
#include "store/lease.h"
#include "store/refs.h"
#include "tests/support/scratch.h"

struct store *images_store;

/* ustar, POSIX.1-1988: where the fields that matter are. */
enum {
	TAR_BLOCK = 512,
	TAR_MODE = 100,
	TAR_UID = 108,
	TAR_GID = 116,
	TAR_SIZE = 124,
	TAR_MTIME = 136,
	TAR_SUM = 148,
	TAR_TYPE = 156,
	TAR_MAGIC = 257
};

void images_setup(void)
{
	struct err e = ERR_INIT;

	scratch_make();
	ck_assert_int_eq(store_open(scratch_file("store"), STORE_CREATE, &images_store, &e), 0);
	ck_assert_no_err(&e);
}

void images_teardown(void)
{
	store_close(images_store);
	images_store = NULL;
	scratch_remove();
}

static struct digest put(const void *bytes, size_t len)
{
	SCOPE(lease) struct lease *l = NULL;
	struct err e = ERR_INIT;
	struct digest d;

	ck_assert_int_eq(lease_open(images_store, "test", &l, &e), 0);
	ck_assert_int_eq(blobs_put_bytes(images_store, l, bytes, len, &d, &e), 0);
	ck_assert_no_err(&e);
	return d;
}

struct digest images_blob(const void *bytes, size_t len)
{
	return put(bytes, len);
}

static void set_ref(const char *name, const char *media_type, const struct digest *d, uint64_t size)
{
	SCOPE(descriptor) struct descriptor desc = DESCRIPTOR_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(descriptor_set(&desc, media_type, d, size, &e), 0);
	ck_assert_int_eq(refs_set(images_store, name, &desc, &e), 0);
	ck_assert_no_err(&e);
}

/* A tar of one file, "file". */
static void make_tar(const char *content, uint8_t *tar, size_t *len)
{
	const size_t n = strlen(content);
	unsigned sum = 0;

	ck_assert_uint_le(n, TAR_BLOCK);
	memset(tar, 0, 4 * TAR_BLOCK);
	memcpy(tar, "file", 4);
	memcpy(tar + TAR_MODE, "0000644", 7);
	memcpy(tar + TAR_UID, "0000000", 7);
	memcpy(tar + TAR_GID, "0000000", 7);
	snprintf((char *)tar + TAR_SIZE, 12, "%011o", (unsigned)n);
	memcpy(tar + TAR_MTIME, "02263123400", 11);
	memset(tar + TAR_SUM, ' ', 8);
	tar[TAR_TYPE] = '0';
	memcpy(tar + TAR_MAGIC, "ustar\00000", 8);
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += tar[i];
	snprintf((char *)tar + TAR_SUM, 8, "%06o", sum);
	memcpy(tar + TAR_BLOCK, content, n);
	*len = 4 * TAR_BLOCK;
}

static struct made make(const char *arch, const char *content, bool has_diff_id)
{
	SCOPE(str) struct str doc = STR_INIT;
	struct err e = ERR_INIT;
	uint8_t tar[4 * TAR_BLOCK];
	char a[DIGEST_STR_MAX], b[DIGEST_STR_MAX];
	struct made made;
	size_t len = 0;

	make_tar(content, tar, &len);
	made.layer = put(tar, len);
	made.layer_size = len;
	digest_format(&made.layer, a);
	str_appendf(&doc, &e,
		    "{\"architecture\":\"%s\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\","
		    "\"diff_ids\":[",
		    arch);
	if (has_diff_id)
		str_appendf(&doc, &e, "\"%s\"", a);
	str_append_z(&doc, "]}}", &e);
	made.config = put(doc.data, doc.len);
	made.config_size = doc.len;
	str_truncate(&doc, 0);
	str_appendf(&doc, &e,
		    "{\"schemaVersion\":2,\"mediaType\":\"" MEDIATYPE_MANIFEST
		    "\",\"config\":{\"mediaType\":\"" MEDIATYPE_CONFIG
		    "\",\"digest\":\"%s\",\"size\":%" PRIu64
		    "},\"layers\":[{\"mediaType\":\"" MEDIATYPE_LAYER
		    "\",\"digest\":\"%s\",\"size\":%zu}]}",
		    digest_format(&made.config, b), made.config_size, a, len);
	ck_assert_no_err(&e);
	made.manifest = put(doc.data, doc.len);
	made.manifest_size = doc.len;
	return made;
}

struct made images_make(const char *arch, const char *content)
{
	return make(arch, content, true);
}

struct made images_put_short(const char *name)
{
	const struct made made = make("amd64", "hello\n", false);

	set_ref(name, MEDIATYPE_MANIFEST, &made.manifest, made.manifest_size);
	return made;
}

void images_put_document(const char *name, const char *media_type, const char *text)
{
	const struct digest d = put(text, strlen(text));

	set_ref(name, media_type, &d, strlen(text));
}

struct made images_put(const char *name, const char *content)
{
	const struct made made = images_make("amd64", content);

	set_ref(name, MEDIATYPE_MANIFEST, &made.manifest, made.manifest_size);
	return made;
}

struct digest images_put_index(const char *name, struct made parts[static 2])
{
	static const char *const arches[] = {"amd64", "arm64"};
	SCOPE(str) struct str doc = STR_INIT;
	struct err e = ERR_INIT;
	char text[DIGEST_STR_MAX];

	str_append_z(&doc,
		     "{\"schemaVersion\":2,\"mediaType\":\"" MEDIATYPE_INDEX "\",\"manifests\":[",
		     &e);
	for (size_t i = 0; i < ARRAY_LEN(arches); i++) {
		parts[i] = images_make(arches[i], arches[i]);
		str_appendf(&doc, &e,
			    "%s{\"mediaType\":\"" MEDIATYPE_MANIFEST
			    "\",\"digest\":\"%s\",\"size\":%" PRIu64
			    ",\"platform\":{\"os\":\"linux\",\"architecture\":\"%s\"}}",
			    i ? "," : "", digest_format(&parts[i].manifest, text),
			    parts[i].manifest_size, arches[i]);
	}
	str_append_z(&doc, "]}", &e);
	ck_assert_no_err(&e);
	const struct digest d = put(doc.data, doc.len);
	set_ref(name, MEDIATYPE_INDEX, &d, doc.len);
	return d;
}

static int blob_dir(void)
{
	return store_dirfd(images_store, STORE_DIR_BLOBS_SHA256);
}

void images_damage(const struct digest *d)
{
	char hex[DIGEST_HEX_MAX], byte = 0;

	ck_assert_int_eq(fchmodat(blob_dir(), digest_hex(d, hex), 0644, 0), 0);
	const int fd = openat(blob_dir(), hex, O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(pread(fd, &byte, 1, 0), 1);
	byte ^= 1;
	ck_assert_int_eq(pwrite(fd, &byte, 1, 0), 1);
	close(fd);
}

void images_lose(const struct digest *d)
{
	char hex[DIGEST_HEX_MAX];

	ck_assert_int_eq(unlinkat(blob_dir(), digest_hex(d, hex), 0), 0);
}

void images_forge(const char *repository, const struct digest *image, const struct forged *layers,
		  size_t count)
{
	SCOPE(str) struct str doc = STR_INIT;
	struct err e = ERR_INIT;
	char text[DIGEST_STR_MAX];
	const struct digest config = put("{}", 2);

	str_appendf(&doc, &e,
		    "{\"schemaVersion\":2,\"mediaType\":\"" MEDIATYPE_MANIFEST
		    "\",\"config\":{\"mediaType\":\"" MEDIATYPE_CONFIG
		    "\",\"digest\":\"%s\",\"size\":2},\"layers\":[",
		    digest_format(&config, text));
	for (size_t i = 0; i < count; i++) {
		const struct forged *f = &layers[i];
		const struct digest d = put(f->payload, strlen(f->payload));
		str_appendf(&doc, &e, "%s{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%" PRIu64,
			    i ? "," : "", f->media_type ? f->media_type : MEDIATYPE_SIMPLESIGNING,
			    digest_format(&d, text), f->size ? f->size : strlen(f->payload));
		if (f->annotation)
			str_appendf(&doc, &e, ",\"annotations\":{\"" SIGNATURES_KEY "\":\"%s\"}",
				    f->annotation);
		str_append_z(&doc, "}", &e);
	}
	str_append_z(&doc, "]}", &e);
	ck_assert_no_err(&e);

	const struct digest d = put(doc.data, doc.len);
	SCOPE_FREE char *tag = reference_signature_tag(image, &e);
	SCOPE_FREE char *name = str_dupf(&e, "%s:%s", repository, tag);
	set_ref(name, MEDIATYPE_MANIFEST, &d, doc.len);
}

char *images_payload(const char *identity, const struct digest *image)
{
	SCOPE(str) struct str out = STR_INIT;
	SCOPE_FREE char *name = NULL;
	struct err e = ERR_INIT;

	name = str_dup(identity, &e);
	const struct payload p = {.identity = name, .manifest = *image};
	ck_assert_int_eq(payload_format(&p, &out, &e), 0);
	return str_steal(&out, &e);
}

char *images_signature(const struct private_key *k, const char *text)
{
	SCOPE(str) struct str out = STR_INIT;
	struct err e = ERR_INIT;
	uint8_t sig[KEY_SIGNATURE_MAX];
	size_t len = 0;

	ck_assert_int_eq(private_key_sign(k, text, strlen(text), sig, &len, &e), 0);
	ck_assert_int_eq(base64_append(&out, sig, len, &e), 0);
	return str_steal(&out, &e);
}

struct str images_document(const char *name)
{
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;
	struct str doc = STR_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(refs_get(images_store, name, &d, &e), 1);
	ck_assert_int_eq(blobs_read(images_store, &d.digest, d.size, LIMIT_DOCUMENT, &doc, &e), 0);
	ck_assert_no_err(&e);
	return doc;
}
