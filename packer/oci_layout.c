/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/oci_layout.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/io.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/quote.h"
#include "image/mediatype.h"
#include "store/refs.h"

#define SIGNATURES_KEY_PREFIX "io.shale.signatures."

const char *oci_layout_blob_path(const struct digest *d, char buf[static OCI_LAYOUT_BLOB_MAX])
{
	char hex[DIGEST_HEX_MAX];

	(void)snprintf(buf, OCI_LAYOUT_BLOB_MAX, OCI_LAYOUT_BLOBS "%s/%s", digest_alg_name(d->alg),
		       digest_hex(d, hex));
	return buf;
}

int oci_layout_open_file(int dirfd, const char *path, struct stat *st, struct err *e)
{
	SCOPE_FD int fd = path_open_beneath(dirfd, path, O_RDONLY, PATH_NO_SYMLINKS);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return err_set(e, ERR_NOT_FOUND, "'%s' is not in the layout", path);
	if (fd < 0 && errno == ELOOP)
		return err_set(e, ERR_FORMAT, "'%s' is, or lies behind, a symbolic link", path);
	if (fd < 0)
		return err_sys(e, errno, "cannot open '%s'", path);
	if (fstat(fd, st) < 0)
		return err_sys(e, errno, "cannot stat '%s'", path);
	if (!S_ISREG(st->st_mode))
		return err_set(e, ERR_FORMAT, "'%s' is not a regular file", path);
	return steal_fd(&fd);
}

int oci_layout_read_file(int dirfd, const char *path, uint64_t limit, struct str *out,
			 struct err *e)
{
	struct stat st;
	struct err why = ERR_INIT;
	SCOPE_FD int fd = oci_layout_open_file(dirfd, path, &st, &why);

	if (fd < 0 && why.code == ERR_NOT_FOUND) {
		err_clear(&why);
		return 0;
	}
	if (fd < 0)
		return err_move(e, &why);
	return io_slurp(fd, limit, path, out, e) < 0 ? -1 : 1;
}

int oci_layout_check_version(const struct str *text, struct err *e)
{
	const char *version;
	char quoted[QUOTE_MAX];
	SCOPE_JSON json_t *doc =
		json_parse_object(str_text(text), text->len, LIMIT_DOCUMENT, OCI_LAYOUT_FILE, e);

	if (!doc || json_need_str(doc, "imageLayoutVersion", OCI_LAYOUT_FILE, &version, e) < 0)
		return -1;
	if (strcmp(version, OCI_LAYOUT_VERSION) != 0)
		return err_set(e, ERR_UNSUPPORTED,
			       OCI_LAYOUT_FILE ": version '%s' is not " OCI_LAYOUT_VERSION,
			       quote_str(quoted, version));
	return 0;
}

const char *oci_layout_ref_name(const struct descriptor *entry)
{
	const char *name = strmap_get(&entry->annotations, REFS_NAME_KEY);

	return name && *name ? name : NULL;
}

const struct descriptor *oci_layout_find_signatures(const struct image_index *ix, const char *tag,
						    const char *own)
{
	const char *colon = own ? strrchr(own, ':') : NULL;
	const size_t own_len = colon ? (size_t)(colon - own) : 0;
	const struct descriptor *found = NULL;

	for (size_t i = 0; i < ix->count; i++) {
		const struct descriptor *d = &ix->manifests[i];
		const char *name = oci_layout_ref_name(d);
		if (!name || mediatype_kind(d->media_type) != MEDIA_MANIFEST ||
		    !str_has_suffix(name, tag))
			continue;
		const size_t repository = strlen(name) - strlen(tag);
		if (repository > 0 && name[repository - 1] != ':')
			continue;
		if (repository > 0 && own && own_len == repository - 1 &&
		    strncmp(name, own, own_len) == 0)
			return d;
		if (!found)
			found = d;
	}
	return found;
}

static char *signatures_key(const char *tag, struct err *e)
{
	return str_dupf(e, SIGNATURES_KEY_PREFIX "%s", tag);
}

int oci_layout_attach_signatures(struct descriptor *entry, const char *tag,
				 const struct digest *artifact, uint64_t size, struct err *e)
{
	char digest[DIGEST_STR_MAX];
	SCOPE_FREE char *key = signatures_key(tag, e);
	SCOPE_FREE char *value = str_dupf(e, "%s %" PRIu64, digest_format(artifact, digest), size);

	return key && value ? strmap_set(&entry->annotations, key, value, e) : -1;
}

int oci_layout_attached_signatures(const struct descriptor *entry, const char *tag,
				   struct descriptor *out, struct err *e)
{
	struct err why = ERR_INIT;
	struct digest d;
	uint64_t size;
	SCOPE_FREE char *key = signatures_key(tag, e);

	if (!key)
		return -1;
	const char *value = strmap_get(&entry->annotations, key);
	if (!value)
		return 0;
	const size_t len = strcspn(value, " ");
	const char *digits = value + len + (value[len] == ' ');
	const bool is_good = digest_parse(&d, value, len, &why) == 0 &&
			     str_to_u64(digits, strlen(digits), 10, INT64_MAX, &size) == 0;
	err_clear(&why);
	if (!is_good)
		return err_set(e, ERR_FORMAT, "annotation '%s' is no digest and size", key);
	return descriptor_set(out, MEDIATYPE_MANIFEST, &d, size, e) < 0 ? -1 : 1;
}
