/* SPDX-License-Identifier: Apache-2.0 */
#include "store/roots.h"

#include <string.h>

#include "image/reference.h"
#include "store/refs.h"

const char *roots_name(const struct descriptor *entry)
{
	const char *name = strmap_get(&entry->annotations, REFS_NAME_KEY);

	return name ? name : ROOTS_NAMELESS;
}

int roots_add_sessions(struct marks *m, const struct session_list *l, struct err *e)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct session_info *info = &l->items[i];
		if (info->name && mark_add(m, &info->manifest, info->label, e) < 0)
			return -1;
	}
	return 0;
}

struct session_info *roots_unknown_session(const struct session_list *l)
{
	for (size_t i = 0; i < l->count; i++) {
		if (!l->items[i].name)
			return &l->items[i];
	}
	return NULL;
}

/* Whether an entry is kept only for the sake of another image, and of which one. */
static bool is_artifact(const struct descriptor *entry, struct digest *subject)
{
	const char *name = strmap_get(&entry->annotations, REFS_NAME_KEY);
	const char *tag = name ? reference_artifact_tag(name) : NULL;
	char text[DIGEST_STR_MAX];
	struct err why = ERR_INIT;

	if (!tag)
		return false;
	/* "sha256-<hex>.sig" */
	const size_t alg_len = strcspn(tag, "-");
	const int len = snprintf(text, sizeof(text), "%.*s:%.*s", (int)alg_len, tag,
				 2 * DIGEST_SHA256_LEN, tag + alg_len + 1);
	const bool is_digest = digest_parse(subject, text, (size_t)len, &why) == 0;
	err_clear(&why);
	return is_digest;
}

/* One round: artifacts whose image is marked by now.  Whether there were any. */
static int mark_artifacts(struct marks *m, const struct image_index *ix, bool *orphans, bool *found,
			  struct err *e)
{
	struct digest subject;

	*found = false;
	for (size_t i = 0; i < ix->count; i++) {
		const struct descriptor *entry = &ix->manifests[i];
		if (!orphans[i] || !is_artifact(entry, &subject) || !mark_has(m, &subject))
			continue;
		if (mark_add(m, entry, roots_name(entry), e) < 0)
			return -1;
		orphans[i] = false;
		*found = true;
	}
	return 0;
}

int roots_mark(struct marks *m, const struct image_index *ix, const struct mark_visitor *visitor,
	       bool *orphans, struct err *e)
{
	struct digest subject;
	bool found = true;

	for (size_t i = 0; i < ix->count; i++) {
		const struct descriptor *entry = &ix->manifests[i];
		orphans[i] = is_artifact(entry, &subject);
		if (!orphans[i] && mark_add(m, entry, roots_name(entry), e) < 0)
			return -1;
	}
	if (mark_run(m, visitor, e) < 0)
		return -1;
	/* Signatures are signed, too. */
	while (found) {
		if (mark_artifacts(m, ix, orphans, &found, e) < 0 || mark_run(m, visitor, e) < 0)
			return -1;
	}
	return 0;
}
