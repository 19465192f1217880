/* SPDX-License-Identifier: Apache-2.0 */
#include "image/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/quote.h"
#include "image/document.h"
#include "image/mediatype.h"

static const char document_name[] = "image manifest";

static const char *const manifest_members[] = {
	"schemaVersion", "mediaType", "artifactType", "config",  "layers", "subject",
	"annotations",   "manifests", "fsLayers",     "history", NULL,
};
/* Of an image index, and of docker's first manifests. */
static const char *const foreign_members[] = {"manifests", "fsLayers", "history", NULL};

/* What people meet in registries, other than images. */
static const struct {
	const char *media_type;
	const char *name;
} artifacts[] = {
	{MEDIATYPE_SIMPLESIGNING, "a signature by cosign"},
	{"application/vnd.dsse.envelope.v1+json", "an attestation"},
	{"application/vnd.in-toto+json", "an attestation"},
	{"application/vnd.dev.sigstore.bundle.v0.3+json", "a sigstore bundle"},
	{"application/vnd.cncf.helm.chart.content.v1.tar+gzip", "a Helm chart"},
};

static int get_config(struct manifest *m, const json_t *root, struct err *e)
{
	json_t *config;

	const int found = json_get_object(root, "config", document_name, &config, e);
	if (found == 0)
		return err_set(e, ERR_FORMAT, "%s: member 'config' is missing", document_name);
	return found < 0 ? -1
			 : descriptor_from_json(&m->config, config, "image manifest: config", e);
}

static int get_subject(struct manifest *m, const json_t *root, struct err *e)
{
	json_t *subject;

	const int found = json_get_object(root, "subject", document_name, &subject, e);
	if (found < 1)
		return found;
	m->has_subject = true;
	return descriptor_from_json(&m->subject, subject, "image manifest: subject", e);
}

static void manifest_move(struct manifest *to, struct manifest *from)
{
	*to = *from;
	*from = (struct manifest)MANIFEST_INIT;
}

int manifest_parse(struct manifest *out, const char *bytes, size_t len, const char *media_type,
		   struct err *e)
{
	SCOPE(manifest) struct manifest m = MANIFEST_INIT;
	SCOPE(json) json_t *root = json_parse_object(bytes, len, LIMIT_DOCUMENT, document_name, e);

	if (!root)
		return -1;
	if (document_check_spelling(root, manifest_members, document_name, e) < 0 ||
	    document_check_foreign(root, foreign_members, document_name, e) < 0 ||
	    document_get_type(root, media_type, MEDIA_MANIFEST, MEDIATYPE_MANIFEST, document_name,
			      &m.media_type, e) < 0 ||
	    document_get_text(root, "artifactType", document_name, &m.artifact_type, e) < 0 ||
	    get_config(&m, root, e) < 0 ||
	    document_get_descriptors(root, "layers", document_name, LIMIT_LAYERS, &m.layers,
				     &m.layer_count, e) < 0 ||
	    document_get_map(root, "annotations", document_name, LIMIT_ANNOTATION, &m.annotations,
			     e) < 0 ||
	    get_subject(&m, root, e) < 0)
		return -1;
	manifest_move(out, &m);
	return 0;
}

static int put_descriptor(json_t *root, const char *key, const struct descriptor *d, struct err *e)
{
	json_t *value = descriptor_to_json(d, e);

	return value ? json_put(root, key, value, e) : -1;
}

int manifest_format(const struct manifest *m, struct str *out, struct err *e)
{
	SCOPE(json) json_t *root = json_pack("{s:i}", "schemaVersion", 2);

	if (!root)
		return err_nomem(e);
	if (document_put_text(root, "mediaType", m->media_type, e) < 0 ||
	    document_put_text(root, "artifactType", m->artifact_type, e) < 0 ||
	    put_descriptor(root, "config", &m->config, e) < 0 ||
	    document_put_descriptors(root, "layers", m->layers, m->layer_count, e) < 0 ||
	    document_put_map(root, "annotations", &m->annotations, e) < 0 ||
	    (m->has_subject && put_descriptor(root, "subject", &m->subject, e) < 0))
		return -1;
	return json_format(root, out, e);
}

static const char *artifact_name(const char *media_type)
{
	for (size_t i = 0; i < ARRAY_LEN(artifacts); i++) {
		if (strcmp(artifacts[i].media_type, media_type) == 0)
			return artifacts[i].name;
	}
	return NULL;
}

/* `at`: the layer that tells; layer_count when it is the config. */
static enum manifest_kind tell_kind(const struct manifest *m, size_t *at)
{
	const bool is_image = mediatype_kind(m->config.media_type) == MEDIA_CONFIG;
	enum manifest_kind kind = is_image ? MANIFEST_IMAGE : MANIFEST_ARTIFACT;

	*at = m->layer_count;
	for (size_t i = 0; i < m->layer_count; i++) {
		const char *type = m->layers[i].media_type;
		if (artifact_name(type)) {
			*at = i;
			return MANIFEST_ARTIFACT;
		}
		/* A config of another type says more about what this is than its layers. */
		if (kind == MANIFEST_IMAGE && mediatype_kind(type) != MEDIA_LAYER) {
			*at = i;
			kind = MANIFEST_UNKNOWN_LAYERS;
		}
	}
	return kind;
}

enum manifest_kind manifest_kind(const struct manifest *m)
{
	size_t at;

	return tell_kind(m, &at);
}

static int refuse_artifact(const struct manifest *m, size_t at, struct err *e)
{
	char quoted[QUOTE_MAX];

	if (at < m->layer_count)
		return err_set(e, ERR_FORMAT, "%s, not an image",
			       artifact_name(m->layers[at].media_type));
	return err_set(
		e, ERR_FORMAT, "an artifact of type '%s', not an image",
		quote_str(quoted, m->artifact_type ? m->artifact_type : m->config.media_type));
}

int manifest_check_image(const struct manifest *m, struct err *e)
{
	char quoted[QUOTE_MAX];
	size_t at;

	switch (tell_kind(m, &at)) {
	case MANIFEST_IMAGE:
		return 0;
	case MANIFEST_ARTIFACT:
		return refuse_artifact(m, at, e);
	case MANIFEST_UNKNOWN_LAYERS:
		break;
	}
	return err_set(e, ERR_FORMAT, "layer %zu has the type '%s', which is no file system layer",
		       at + 1, quote_str(quoted, m->layers[at].media_type));
}

int manifest_add_layer(struct manifest *m, const struct descriptor *layer, struct err *e)
{
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;
	size_t cap = m->layer_count;

	if (m->layer_count >= LIMIT_LAYERS)
		return err_set(e, ERR_LIMIT, "more than %d layers", LIMIT_LAYERS);
	if (descriptor_copy(&d, layer, e) < 0 ||
	    array_reserve(&m->layers, &cap, m->layer_count + 1, sizeof(*m->layers), e) < 0)
		return -1;
	descriptor_move(&m->layers[m->layer_count++], &d);
	return 0;
}

void manifest_fini(struct manifest *m)
{
	free(m->media_type);
	free(m->artifact_type);
	descriptor_fini(&m->config);
	for (size_t i = 0; i < m->layer_count; i++)
		descriptor_fini(&m->layers[i]);
	free(m->layers);
	strmap_fini(&m->annotations);
	descriptor_fini(&m->subject);
	*m = (struct manifest)MANIFEST_INIT;
}
