/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image documents: the same bytes as a manifest, as an index and as a config.  What is accepted
 * must come out of the writer in a form that is read as the same again.
 */
#include <string.h>

#include "base/limits.h"
#include "image/config.h"
#include "image/manifest.h"
#include "tests/fuzz/fuzz.h"

static void check_refusal(struct err *e)
{
	FUZZ_CHECK(e->code == ERR_FORMAT || e->code == ERR_LIMIT);
	err_clear(e);
}

static void check_same(const struct str *a, const struct str *b)
{
	FUZZ_CHECK(a->len == b->len && memcmp(a->data, b->data, a->len) == 0);
}

static void try_manifest(const char *bytes, size_t size)
{
	SCOPE(manifest) struct manifest m = MANIFEST_INIT, again = MANIFEST_INIT;
	SCOPE(str) struct str text = STR_INIT, text_again = STR_INIT;
	struct err e = ERR_INIT;

	if (manifest_parse(&m, bytes, size, NULL, &e) < 0) {
		check_refusal(&e);
		return;
	}
	FUZZ_CHECK(manifest_format(&m, &text, &e) == 0);
	FUZZ_CHECK(manifest_parse(&again, text.data, text.len, m.media_type, &e) == 0);
	FUZZ_CHECK(manifest_format(&again, &text_again, &e) == 0);
	check_same(&text, &text_again);
	if (manifest_check_image(&m, &e) < 0)
		check_refusal(&e);
}

static void try_index(const char *bytes, size_t size)
{
	const struct platform want = {"linux", "arm", "v7"};
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT, again = IMAGE_INDEX_INIT;
	SCOPE(str) struct str text = STR_INIT, text_again = STR_INIT;
	struct err e = ERR_INIT;
	size_t at;

	if (image_index_parse(&ix, bytes, size, NULL, LIMIT_INDEX_ENTRIES, &e) < 0) {
		check_refusal(&e);
		return;
	}
	FUZZ_CHECK(image_index_format(&ix, &text, &e) == 0);
	FUZZ_CHECK(image_index_parse(&again, text.data, text.len, ix.media_type,
				     LIMIT_INDEX_ENTRIES, &e) == 0);
	FUZZ_CHECK(image_index_format(&again, &text_again, &e) == 0);
	check_same(&text, &text_again);
	if (image_index_select(&ix, &want, &at))
		FUZZ_CHECK(at < ix.count);
	while (ix.count > 0)
		image_index_remove(&ix, 0);
}

static void try_config(const char *bytes, size_t size)
{
	SCOPE(image_config) struct image_config c, again;
	SCOPE(str) struct str text = STR_INIT, text_again = STR_INIT;
	struct err e = ERR_INIT;

	image_config_init(&c);
	image_config_init(&again);
	if (image_config_parse(&c, bytes, size, &e) < 0) {
		check_refusal(&e);
		return;
	}
	FUZZ_CHECK(image_config_format(&c, &text, &e) == 0);
	FUZZ_CHECK(image_config_parse(&again, text.data, text.len, &e) == 0);
	FUZZ_CHECK(image_config_format(&again, &text_again, &e) == 0);
	check_same(&text, &text_again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;

	try_manifest(bytes, size);
	try_index(bytes, size);
	try_config(bytes, size);
	return 0;
}
