/* SPDX-License-Identifier: Apache-2.0 */
#include "base/quote.h"
#include "cli/commands.h"
#include "cli/support.h"
#include "store/blobs.h"
#include "store/lease.h"
#include "store/refs.h"

static int run(const struct invocation *in, struct err *e)
{
	SCOPE(store) struct store *s = NULL;
	SCOPE(lease) struct lease *l = NULL;
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;
	SCOPE(reference) struct reference ref = REFERENCE_INIT;
	char quoted[QUOTE_MAX];
	SCOPE_FREE char *name = NULL;
	SCOPE_FREE char *key = NULL;

	if (reference_parse(&ref, in->args[1], e) < 0)
		return -1;
	if (ref.has_digest)
		return err_set(e, ERR_USAGE, "a new name cannot hold a digest");
	if (reference_check_image_name(&ref, in->args[1], e) < 0)
		return -1;
	key = reference_key(&ref, e);
	if (!key || support_store(in, STORE_WRITE, &s, e) < 0 || lease_open(s, "tag", &l, e) < 0 ||
	    image_find_leased(s, l, in->args[0], &name, &d, e) < 0)
		return -1;
	/* A second name would spread what is damaged. */
	SCOPE_FD int manifest = blobs_open(s, &d.digest, d.size, e);
	if (manifest < 0)
		return err_wrap(e, "image '%s'", quote_str(quoted, name));
	return refs_set(s, key, &d, e);
}

const struct command command_tag = {
	.name = "tag",
	.synopsis = "[OPTION]... IMAGE NEW-NAME[:TAG]",
	.summary = "Give an image another name",
	.options = NULL,
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
