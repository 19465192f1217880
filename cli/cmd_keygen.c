/* SPDX-License-Identifier: Apache-2.0 */
#include "base/quote.h"
#include "cli/commands.h"
#include "cli/keys.h"
#include "cli/output.h"
#include "signer/keyfile.h"

static const struct option options[] = {
	{0, "type", "ed25519|p256", "the kind of key (default: ed25519)"},
	OPTION_PASSPHRASE_FILE,
	OPTION_PASSPHRASE_FD,
	{0, NULL, NULL, NULL},
};

static int parse_type(const struct invocation *in, enum key_alg *out, struct err *e)
{
	const char *text = invocation_value(in, "type");
	char q[QUOTE_MAX];

	if (!text || strcmp(text, "ed25519") == 0)
		*out = KEY_ED25519;
	else if (strcmp(text, "p256") == 0)
		*out = KEY_P256;
	else
		return err_set(e, ERR_USAGE, "option '--type': '%s' is not ed25519 or p256",
			       quote_str(q, text));
	return 0;
}

static int run(const struct invocation *in, struct err *e)
{
	SCOPE(secret) struct secret passphrase = SECRET_INIT;
	SCOPE(private_key) struct private_key key = PRIVATE_KEY_INIT;
	struct passphrase_source source;
	enum key_alg alg = KEY_ED25519;
	char text[DIGEST_STR_MAX];
	char q[QUOTE_MAX];

	/* Also of "keys/": files that are hidden are not found again. */
	if (!*in->args[0] || str_has_suffix(in->args[0], "/"))
		return err_set(e, ERR_USAGE, "the prefix '%s' has no name for the key files",
			       quote_str(q, in->args[0]));
	if (parse_type(in, &alg, e) < 0 || keys_passphrase_source(in, &source, e) < 0 ||
	    passphrase_read(&source, "the new key", true, &passphrase, e) < 0 ||
	    private_key_generate(&key, alg, e) < 0 ||
	    keyfile_create_pair(in->args[0], &key, &passphrase, e) < 0)
		return -1;
	const struct digest fingerprint = public_key_fingerprint(&key.public_key);
	return outputf(e, "%s.key\n%s.pub\n%s %s\n", in->args[0], in->args[0], key_alg_name(alg),
		       digest_format(&fingerprint, text));
}

const struct command command_keygen = {
	.name = "keygen",
	.synopsis = "[OPTION]... PREFIX",
	.summary = "Make a key pair: PREFIX.key, encrypted, and PREFIX.pub",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
