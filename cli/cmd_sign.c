/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/quote.h"
#include "cli/commands.h"
#include "cli/keys.h"
#include "cli/output.h"
#include "cli/support.h"
#include "signer/keyfile.h"
#include "signer/sign.h"

static const struct option options[] = {
	{0, "key", "FILE", "the private key (a cosign key file)"},
	{0, "identity", "NAME:TAG", "the name to sign for (default: IMAGE's own)"},
	{'r', "recursive", NULL, "each platform's manifest of an index too"},
	OPTION_PASSPHRASE_FILE,
	OPTION_PASSPHRASE_FD,
	OPTION_JSON,
	OPTION_END,
};

static int read_key(const struct invocation *in, struct private_key *out, struct err *e)
{
	SCOPE(keyfile) struct keyfile file = KEYFILE_INIT;
	SCOPE(secret) struct secret passphrase = SECRET_INIT;
	struct passphrase_source source;
	const char *path = invocation_value(in, "key");
	char q[QUOTE_MAX];
	SCOPE_FREE char *subject = str_dupf(e, "key file '%s'", quote_str(q, path));
	if (!subject || keys_passphrase_source(in, &source, e) < 0 ||
	    keyfile_read(&file, path, e) < 0 ||
	    passphrase_read(&source, subject, false, &passphrase, e) < 0)
		return -1;
	if (keyfile_decrypt(&file, &passphrase, out, e) < 0)
		return err_wrap(e, "%s", subject);
	return 0;
}

static int print_report(const struct sign_report *r, bool as_json, struct err *e)
{
	char digest[DIGEST_STR_MAX];

	digest_format(&r->manifest, digest);
	if (!as_json)
		return outputf(e, "signed %s as %s%s\n", digest, r->identity,
			       r->added ? "" : " (the signature was there already)");
	SCOPE_JSON json_t *doc = json_object();
	if (json_put(doc, "digest", json_string(digest), e) < 0 ||
	    json_put(doc, "identity", json_string(r->identity), e) < 0 ||
	    json_put(doc, "added", json_integer(r->added), e) < 0 ||
	    json_put(doc, "kept", json_integer(r->kept), e) < 0)
		return -1;
	return output_json(doc, e);
}

static int run(const struct invocation *in, struct err *e)
{
	SCOPE(store) struct store *s = NULL;
	SCOPE(private_key) struct private_key key = PRIVATE_KEY_INIT;
	SCOPE(sign_report) struct sign_report report = SIGN_REPORT_INIT;
	const struct sign_options opt = {
		.identity = invocation_value(in, "identity"),
		.each_platform = invocation_has(in, "recursive"),
	};

	if (!invocation_has(in, "key"))
		return err_set(e, ERR_USAGE,
			       "option '--key' is missing: the private key to sign with");
	/* Before somebody types a passphrase for nothing. */
	if (sign_check_options(&opt, e) < 0 || support_store(in, STORE_WRITE, &s, e) < 0 ||
	    read_key(in, &key, e) < 0 || sign_image(s, in->args[0], &key, &opt, &report, e) < 0)
		return -1;
	return print_report(&report, invocation_has(in, "json"), e);
}

const struct command command_sign = {
	.name = "sign",
	.synopsis = "[OPTION]... --key FILE IMAGE",
	.summary = "Sign an image",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
