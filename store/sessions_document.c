/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/quote.h"
#include "base/rfc3339.h"
#include "image/mediatype.h"
#include "store/folder.h"
#include "store/sessions_private.h"

#define KEY_VERSION  "version"
#define KEY_NAME     "name"
#define KEY_IMAGE    "image"
#define KEY_MANIFEST "manifest"
#define KEY_CREATED  "created"

enum { VERSION = 1 };

static const char letters_and_digits[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
static const char name_chars[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

/* Why a name is none, or NULL. */
static const char *fault_of_name(const char *name)
{
	const size_t len = strlen(name);

	if (len == 0)
		return "it is empty";
	if (len > LIMIT_SESSION_NAME)
		return "it is too long";
	if (!strchr(letters_and_digits, name[0]))
		return "it must begin with a letter or a digit";
	if (strspn(name, name_chars) != len)
		return "it may hold letters, digits, '_', '.' and '-'";
	return NULL;
}

int sessions_check_name(const char *name, struct err *e)
{
	char quoted[QUOTE_MAX];
	const char *fault = fault_of_name(name);

	return fault ? err_set(e, ERR_USAGE, "'%s' cannot be the name of a session: %s",
			       quote_str(quoted, name), fault)
		     : 0;
}

void session_document_fini(struct session_document *d)
{
	free(d->name);
	free(d->image);
	free(d->created);
	descriptor_fini(&d->manifest);
	*d = (struct session_document)SESSION_DOCUMENT_INIT;
}

/* A newer one may mean something else by all that follows. */
static int check_version(const json_t *doc, struct err *e)
{
	uint64_t version;

	if (json_need_u64(doc, KEY_VERSION, SESSIONS_DOCUMENT, INT64_MAX, &version, e) < 0)
		return -1;
	if (version > VERSION)
		return err_set(e, ERR_UNSUPPORTED,
			       SESSIONS_DOCUMENT " has version %llu, which is newer than what this "
						 "shale knows (%d): use a newer shale",
			       (unsigned long long)version, VERSION);
	if (version < VERSION)
		return err_set(e, ERR_FORMAT, SESSIONS_DOCUMENT ": '" KEY_VERSION "' is %llu",
			       (unsigned long long)version);
	return 0;
}

static int parse_manifest(const json_t *doc, struct descriptor *out, struct err *e)
{
	json_t *manifest;
	char quoted[QUOTE_MAX];

	const int r = json_get_object(doc, KEY_MANIFEST, SESSIONS_DOCUMENT, &manifest, e);
	if (r < 0)
		return -1;
	if (r == 0)
		return err_set(e, ERR_FORMAT, SESSIONS_DOCUMENT " has no '" KEY_MANIFEST "'");
	if (descriptor_from_json(out, manifest, SESSIONS_DOCUMENT, e) < 0)
		return -1;
	if (mediatype_kind(out->media_type) != MEDIA_MANIFEST)
		return err_set(e, ERR_FORMAT, SESSIONS_DOCUMENT ": '%s' is no type of a manifest",
			       quote_str(quoted, out->media_type));
	return 0;
}

static int check_text(const char *name, const char *image, const char *created, struct err *e)
{
	char quoted[QUOTE_MAX];
	struct rfc3339_time time;

	if (fault_of_name(name))
		return err_set(e, ERR_FORMAT,
			       SESSIONS_DOCUMENT ": '%s' is no name of a session: %s",
			       quote_str(quoted, name), fault_of_name(name));
	/* Other tools call images in a layout what they like, so there is no grammar to hold it to.
	 */
	if (!image[0])
		return err_set(e, ERR_FORMAT, SESSIONS_DOCUMENT ": '" KEY_IMAGE "' is empty");
	if (rfc3339_parse(created, &time) < 0)
		return err_set(e, ERR_FORMAT, SESSIONS_DOCUMENT ": '%s' is no time",
			       quote_str(quoted, created));
	return 0;
}

int session_document_parse(struct session_document *out, const char *bytes, size_t len,
			   struct err *e)
{
	SCOPE(session_document) struct session_document d = SESSION_DOCUMENT_INIT;
	const char *name, *image, *created;
	SCOPE_JSON json_t *doc =
		json_parse_object(bytes, len, LIMIT_DOCUMENT, SESSIONS_DOCUMENT, e);

	if (!doc || check_version(doc, e) < 0 ||
	    json_need_str(doc, KEY_NAME, SESSIONS_DOCUMENT, &name, e) < 0 ||
	    json_need_str(doc, KEY_IMAGE, SESSIONS_DOCUMENT, &image, e) < 0 ||
	    json_need_str(doc, KEY_CREATED, SESSIONS_DOCUMENT, &created, e) < 0 ||
	    check_text(name, image, created, e) < 0 || parse_manifest(doc, &d.manifest, e) < 0)
		return -1;
	d.name = str_dup(name, e);
	d.image = d.name ? str_dup(image, e) : NULL;
	d.created = d.image ? str_dup(created, e) : NULL;
	if (!d.created)
		return -1;
	out->name = steal_ptr(&d.name);
	out->image = steal_ptr(&d.image);
	out->created = steal_ptr(&d.created);
	descriptor_move(&out->manifest, &d.manifest);
	return 0;
}

/* Of a descriptor what says which blob it is: the rest belongs to the index that it came from. */
static json_t *manifest_to_json(const struct descriptor *d, struct err *e)
{
	SCOPE(descriptor) struct descriptor bare = DESCRIPTOR_INIT;

	return descriptor_set(&bare, d->media_type, &d->digest, d->size, e) < 0
		       ? NULL
		       : descriptor_to_json(&bare, e);
}

int session_document_format(const struct session_document *d, struct str *out, struct err *e)
{
	SCOPE_JSON json_t *doc = json_object();
	json_t *manifest = manifest_to_json(&d->manifest, e);

	if (!manifest || json_put(doc, KEY_MANIFEST, manifest, e) < 0 ||
	    json_put(doc, KEY_VERSION, json_integer(VERSION), e) < 0 ||
	    json_put(doc, KEY_NAME, json_string(d->name), e) < 0 ||
	    json_put(doc, KEY_IMAGE, json_string(d->image), e) < 0 ||
	    json_put(doc, KEY_CREATED, json_string(d->created), e) < 0)
		return -1;
	return json_format(doc, out, e);
}

int session_document_read(int folder, struct session_document *out, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	struct err why = ERR_INIT;

	if (folder_read_own(folder, SESSIONS_DOCUMENT, LIMIT_DOCUMENT, &text, &why) < 0) {
		if (why.code != ERR_NOT_FOUND)
			return err_move(e, &why);
		err_clear(&why);
		/* Not found is who asks for a session that is none. */
		return err_set(e, ERR_FORMAT, "it has no '" SESSIONS_DOCUMENT "'");
	}
	return session_document_parse(out, str_text(&text), text.len, e);
}
