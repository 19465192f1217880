/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/layouts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hasher.h"
#include "base/io.h"
#include "image/mediatype.h"
#include "main.h"
#include "packer/import.h"
#include "store/refs.h"
#include "tests/support/scratch.h"

struct store *layouts_store;

/* ustar, POSIX.1-1988: where the fields that matter are. */
enum {
	TAR_BLOCK_SIZE = 512,
	TAR_MODE = 100,
	TAR_UID = 108,
	TAR_GID = 116,
	TAR_SIZE = 124,
	TAR_MTIME = 136,
	TAR_SUM = 148,
	TAR_TYPE = 156,
	TAR_MAGIC = 257,
	TAR_VERSION = 263
};

void layouts_setup(void)
{
	struct err e = ERR_INIT;

	/* Who builds a package has it set. */
	unsetenv("SOURCE_DATE_EPOCH");
	scratch_make();
	store_open(scratch_file("store"), STORE_CREATE, &layouts_store, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(mkdirat(scratch_fd(), "layout", 0755), 0);
	ck_assert_int_eq(mkdirat(scratch_fd(), "layout/blobs", 0755), 0);
	ck_assert_int_eq(mkdirat(scratch_fd(), "layout/blobs/sha256", 0755), 0);
	scratch_write("layout/oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
}

void layouts_teardown(void)
{
	store_close(layouts_store);
	layouts_store = NULL;
	scratch_remove();
}

void layout_write(const char *name, const char *bytes, size_t len)
{
	SCOPE_FD int fd =
		openat(scratch_fd(), name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(io_write_all(fd, bytes, len), 0);
}

char *layout_blob(const char *media_type, const char *bytes, size_t len, const char *more)
{
	const struct digest d = hasher_sha256(bytes, len);
	struct err e = ERR_INIT;
	char hex[DIGEST_HEX_MAX], path[256];

	snprintf(path, sizeof(path), "layout/blobs/sha256/%s", digest_hex(&d, hex));
	layout_write(path, bytes, len);
	return str_dupf(&e, "{\"mediaType\":\"%s\",\"digest\":\"sha256:%s\",\"size\":%zu%s}",
			media_type, hex, len, more);
}

const char *layout_hex(const char *descriptor)
{
	static char hex[2 * DIGEST_SHA256_LEN + 1];
	const char *at = strstr(descriptor, "sha256:");

	ck_assert_ptr_nonnull(at);
	memcpy(hex, at + strlen("sha256:"), sizeof(hex) - 1);
	return hex;
}

/* Without its NUL: a field of a header may be full. */
static void put_field(char *to, const char *text)
{
	while (*text)
		*to++ = *text++;
}

void layout_tar(const char *content, struct str *out)
{
	const size_t n = strlen(content);
	char tar[4 * TAR_BLOCK_SIZE] = "file";
	struct err e = ERR_INIT;
	unsigned sum = 0;

	ck_assert_uint_le(n, TAR_BLOCK_SIZE);
	put_field(tar + TAR_MODE, "0000644");
	put_field(tar + TAR_UID, "0000000");
	put_field(tar + TAR_GID, "0000000");
	snprintf(tar + TAR_SIZE, 12, "%011o", (unsigned)n);
	put_field(tar + TAR_MTIME, "02263123400");
	memset(tar + TAR_SUM, ' ', 8);
	tar[TAR_TYPE] = '0';
	put_field(tar + TAR_MAGIC, "ustar");
	put_field(tar + TAR_VERSION, "00");
	for (size_t i = 0; i < TAR_BLOCK_SIZE; i++)
		sum += (uint8_t)tar[i];
	snprintf(tar + TAR_SUM, 8, "%06o", sum);
	put_field(tar + TAR_BLOCK_SIZE, content);
	str_append(out, tar, sizeof(tar), &e);
	ck_assert_no_err(&e);
}

char *layout_manifest(const char *config, const char *layers, const char *more)
{
	SCOPE(str) struct str doc = STR_INIT;
	struct err e = ERR_INIT;

	str_appendf(&doc, &e,
		    "{\"schemaVersion\":2,\"mediaType\":\"" MEDIATYPE_MANIFEST
		    "\",\"config\":%s,\"layers\":[%s]}",
		    config, layers);
	ck_assert_no_err(&e);
	return layout_blob(MEDIATYPE_MANIFEST, doc.data, doc.len, more);
}

char *layout_image(const char *arch, const char *content, const char *more)
{
	SCOPE(str) struct str tar = STR_INIT;
	SCOPE(str) struct str doc = STR_INIT;
	struct err e = ERR_INIT;

	layout_tar(content, &tar);
	SCOPE_FREE char *layer = layout_blob(MEDIATYPE_LAYER, tar.data, tar.len, "");
	str_appendf(&doc, &e,
		    "{\"architecture\":\"%s\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\","
		    "\"diff_ids\":[\"sha256:%s\"]}}",
		    arch, layout_hex(layer));
	SCOPE_FREE char *config = layout_blob(MEDIATYPE_CONFIG, doc.data, doc.len, "");
	ck_assert_no_err(&e);
	return layout_manifest(config, layer, more);
}

void layout_index(const char *manifests)
{
	SCOPE(str) struct str doc = STR_INIT;
	struct err e = ERR_INIT;

	str_appendf(&doc, &e, "{\"schemaVersion\":2,\"manifests\":[%s]}", manifests);
	ck_assert_no_err(&e);
	scratch_write("layout/index.json", doc.data);
}

void layouts_run(const char *const *argv)
{
	const union {
		const char *const *text;
		char *const *args; /* execv(3) has its type for reasons of history */
	} program = {argv};
	const pid_t child = fork();
	int status = -1;

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		if (chdir(scratch_path()) == 0)
			execvp(argv[0], program.args);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(status == 0, "%s ended with %d", argv[0], status);
}

size_t layouts_refs(void)
{
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;
	struct err e = ERR_INIT;

	refs_list(layouts_store, &ix, &e);
	ck_assert_no_err(&e);
	return ix.count;
}

const struct platform layouts_platform = {"linux", "amd64", ""};

/* Imports `what` ("oci:layout", its path below the scratch folder): 0 or -1. */
int layouts_import(const char *what, const char *tag, struct import_result *out, struct err *e)
{
	struct import_options opt = {.tag = tag, .compression = COMPRESSION_DEFAULT};
	const char *colon = strchr(what, ':');
	SCOPE(str) struct str text = STR_INIT;
	struct import_source src;
	int r;

	str_appendf(&text, e, "%.*s:%s/%s", (int)(colon - what), what, scratch_path(), colon + 1);
	import_source_parse(&src, str_text(&text), e);
	ck_assert_no_err(e);
	/* Root file systems do not say what they are for; images do. */
	if (src.kind == IMPORT_DIR || src.kind == IMPORT_ROOTFS)
		opt.platform = &layouts_platform;
	r = import_run(layouts_store, &src, &opt, out, e);
	import_source_fini(&src);
	return r;
}

/* Imports, checks the name, and gives the digest. */
struct digest layouts_take(const char *what, const char *tag, const char *name)
{
	struct import_result r = {.layers = 0};
	struct err e = ERR_INIT;
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;

	layouts_import(what, tag, &r, &e);
	ck_assert_no_err(&e);
	ck_assert_str_eq(r.names.items[0], name);
	ck_assert_int_eq(refs_get(layouts_store, name, &d, &e), 1);
	ck_assert(digest_equal(&d.digest, &r.top.digest));
	import_result_fini(&r);
	return d.digest;
}

void layouts_refuse(const char *what, const char *tag, enum err_code code, const char *word)
{
	const size_t before = layouts_refs();
	struct import_result r = {.layers = 0};
	struct err e = ERR_INIT;

	ck_assert_int_eq(layouts_import(what, tag, &r, &e), -1);
	ck_assert_err(&e, code, word);
	ck_assert_uint_eq(r.names.count, 0);
	/* What failed has no name. */
	ck_assert_uint_eq(layouts_refs(), before);
}

void layouts_pack(const char *archive)
{
	const char *const argv[] = {"tar", "-C", "layout", "-cf", archive, ".", NULL};

	layouts_run(argv);
}
