/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/support.h"
#include "signer/verify.h"

static const struct option options[] = {
	{0, "key", "FILE", "the public key that must have signed"},
	{0, "identity", "NAME:TAG", "the name that must have been signed (default: IMAGE's own)"},
	OPTION_PLATFORM,
	OPTION_JSON,
	OPTION_QUIET,
	{0, "workers", "N", "threads that frame layers anew (default: one per processor)"},
	OPTION_END,
};

static int put_digest(json_t *obj, const char *key, const struct digest *d, struct err *e)
{
	char text[DIGEST_STR_MAX];

	if (d->alg == DIGEST_NONE)
		return 0;
	return json_put(obj, key, json_string(digest_format(d, text)), e);
}

/* Also for an image that is refused: `failure` is why. */
static int print_json(const struct verify_report *r, const struct err *failure, struct err *e)
{
	SCOPE_JSON json_t *doc = json_object();
	const bool is_verified = failure->code == ERR_NONE;

	if (json_put(doc, "verified", json_boolean(is_verified), e) < 0 ||
	    put_digest(doc, "digest", &r->manifest, e) < 0 ||
	    put_digest(doc, "manifest", &r->chosen, e) < 0 ||
	    put_digest(doc, "key", &r->key, e) < 0 ||
	    json_put(doc, "signatures", json_integer(r->signatures), e) < 0 ||
	    json_put(doc, "bytes_read", json_integer((json_int_t)r->bytes_read), e) < 0)
		return -1;
	if (r->name && json_put(doc, "name", json_string(r->name), e) < 0)
		return -1;
	if (r->identity && json_put(doc, "identity", json_string(r->identity), e) < 0)
		return -1;
	if (!is_verified &&
	    (json_put(doc, "failed_step", json_string(verify_step_name(r->step)), e) < 0 ||
	     json_put(doc, "reason", json_text_value(failure->msg, strlen(failure->msg)), e) < 0))
		return -1;
	return output_json(doc, e);
}

static int verify(const struct invocation *in, const struct store *s, struct verify_report *r,
		  struct err *e)
{
	SCOPE(progress_line) struct progress_line line;
	SCOPE(lease) struct lease *l = NULL;
	struct public_key key;
	struct platform room;
	struct verify_options opt = {
		.key = &key,
		.identity = invocation_value(in, "identity"),
		.read_layers = true,
	};
	const char *path = invocation_value(in, "key");

	progress_line_init(&line, invocation_has(in, "quiet"));
	opt.layers.progress = &line.progress;
	if (support_platform(in, &room, &opt.platform, e) < 0 ||
	    support_workers(in, &opt.layers.workers, e) < 0 || public_key_read(&key, path, e) < 0 ||
	    lease_open(s, in->command->name, &l, e) < 0)
		return -1;
	opt.lease = l;
	return verify_image(s, in->args[0], &opt, r, NULL, e);
}

static int run(const struct invocation *in, struct err *e)
{
	SCOPE(store) struct store *s = NULL;
	SCOPE(verify_report) struct verify_report report = VERIFY_REPORT_INIT;
	struct err failure = ERR_INIT;
	char digest[DIGEST_STR_MAX];

	if (!invocation_has(in, "key"))
		return err_set(e, ERR_USAGE, "option '--key' is missing: the public key to trust");
	if (support_store(in, 0, &s, e) < 0)
		return -1;
	const int r = verify(in, s, &report, &failure);
	if (invocation_has(in, "json") && failure.code != ERR_USAGE &&
	    print_json(&report, &failure, e) < 0) {
		err_clear(&failure);
		return -1;
	}
	if (r < 0)
		return err_move(e, &failure);
	if (invocation_has(in, "json"))
		return 0;
	return outputf(e, "%s\n", digest_format(&report.manifest, digest));
}

const struct command command_verify = {
	.name = "verify",
	.synopsis = "[OPTION]... --key FILE IMAGE",
	.summary = "Check an image, from its signature to its last byte",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
