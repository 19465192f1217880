/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/verify.h"

#include <sodium.h>

#include "base/limits.h"
#include "image/mediatype.h"
#include "main.h"
#include "signer/base64.h"
#include "signer/images.h"
#include "signer/sign.h"
#include "signer/signatures.h"
#include "signer/support.h"
#include "store/gc.h"
#include "store/refs.h"
#include "tests/support/failalloc.h"

#define NAME "localhost/app:1"
#define REPO "localhost/app"

static const struct platform amd64 = {"linux", "amd64", ""};
static const struct platform arm64 = {"linux", "arm64", "v8"};

static struct private_key ed, ec;

static void setup(void)
{
	images_setup();
	fixture_private(&ed, KEY_ED25519);
	fixture_private(&ec, KEY_P256);
}

static void teardown(void)
{
	private_key_fini(&ed);
	private_key_fini(&ec);
	images_teardown();
}

static void sign_as(const char *text, const struct private_key *k, const char *identity)
{
	SCOPE(sign_report) struct sign_report r = SIGN_REPORT_INIT;
	struct err e = ERR_INIT;
	const struct sign_options opt = {.identity = identity};

	ck_assert_int_eq(sign_image(images_store, text, k, &opt, &r, &e), 0);
	ck_assert_no_err(&e);
}

static struct verify_options options(void)
{
	return (struct verify_options){
		.key = &ed.public_key,
		.platform = &amd64,
		.read_layers = true,
		.layers = {.workers = 1},
	};
}

static void expect_good(const char *text, const struct verify_options *opt)
{
	SCOPE(verify_report) struct verify_report r = VERIFY_REPORT_INIT;
	struct err e = ERR_INIT;

	const int rc = verify_image(images_store, text, opt, &r, NULL, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(rc, 0);
	ck_assert_int_eq(r.step, VERIFY_DONE);
}

static void ck_assert_said_once(const char *msg, const char *word)
{
	const char *at = strstr(msg, word);

	ck_assert_msg(!at || !strstr(at + 1, word), "'%s' twice in: %s", word, msg);
}

static void expect_refusal(const char *text, const struct verify_options *opt, enum err_code code,
			   enum verify_step step, const char *word)
{
	SCOPE(verify_report) struct verify_report r = VERIFY_REPORT_INIT;
	SCOPE(image) struct image im = IMAGE_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(verify_image(images_store, text, opt, &r, &im, &e), -1);
	ck_assert_int_eq(strncmp(e.msg, "image 'localhost/app", strlen("image 'localhost/app")), 0);
	ck_assert_said_once(e.msg, "image '");
	ck_assert_said_once(e.msg, "layer");
	if (step <= VERIFY_IDENTITY)
		ck_assert_int_eq(err_exit_status(&e), 6);
	ck_assert_err(&e, code, word);
	ck_assert_msg(r.step == step, "failed at step '%s'", verify_step_name(r.step));
	ck_assert_ptr_null(im.name);
	ck_assert_ptr_null(im.manifest.layers);
}

START_TEST(a_signed_image_is_good)
{
	SCOPE(verify_report) struct verify_report r = VERIFY_REPORT_INIT;
	SCOPE(image) struct image im = IMAGE_INIT;
	struct err e = ERR_INIT;
	struct verify_options opt = options();
	const struct made made = images_put(NAME, "hello\n");

	opt.key = _i ? &ec.public_key : &ed.public_key;
	sign_as(NAME, _i ? &ec : &ed, NULL);
	ck_assert_int_eq(verify_image(images_store, "app:1", &opt, &r, &im, &e), 0);
	ck_assert_no_err(&e);
	ck_assert_int_eq(r.step, VERIFY_DONE);
	ck_assert_str_eq(r.name, NAME);
	ck_assert_str_eq(r.identity, NAME);
	ck_assert(digest_equal(&r.manifest, &made.manifest));
	ck_assert(digest_equal(&r.chosen, &made.manifest));
	const struct digest fingerprint = public_key_fingerprint(opt.key);
	ck_assert(digest_equal(&r.key, &fingerprint));
	ck_assert_uint_eq(r.signatures, 1);
	ck_assert_str_eq(im.name, NAME);
	ck_assert_uint_eq(im.manifest.layer_count, 1);
	ck_assert_uint_gt(r.bytes_read, made.manifest_size + made.config_size + made.layer_size);
}
END_TEST

/* Without reading layers, what a mount asks for. */
START_TEST(layers_are_left_to_the_mount)
{
	SCOPE(verify_report) struct verify_report r = VERIFY_REPORT_INIT;
	struct err e = ERR_INIT;
	struct verify_options opt = options();
	const struct made made = images_put(NAME, "hello\n");

	sign_as(NAME, &ed, NULL);
	images_damage(&made.layer);
	expect_refusal(NAME, &opt, ERR_DIGEST, VERIFY_LAYERS, "layer");
	opt.read_layers = false;
	ck_assert_int_eq(verify_image(images_store, NAME, &opt, &r, NULL, &e), 0);
	ck_assert_int_eq(r.step, VERIFY_DONE);
}
END_TEST

START_TEST(damage_of_a_signed_image_is_not_distrust)
{
	const struct verify_options opt = options();
	const struct made made = images_put(NAME, "hello\n");

	sign_as(NAME, &ed, NULL);
	images_damage(&made.config);
	expect_refusal(NAME, &opt, ERR_DIGEST, VERIFY_CONFIG, "sha256:");
	images_damage(&made.config);
	images_damage(&made.manifest);
	expect_refusal(NAME, &opt, ERR_DIGEST, VERIFY_MANIFEST, "sha256:");
	images_damage(&made.manifest);
	expect_good(NAME, &opt);
	images_lose(&made.layer);
	expect_refusal(NAME, &opt, ERR_NOT_FOUND, VERIFY_LAYERS, "sha256:");
}
END_TEST

START_TEST(an_unsigned_image_is_refused)
{
	const struct verify_options opt = options();

	images_put(NAME, "hello\n");
	expect_refusal(NAME, &opt, ERR_UNTRUSTED, VERIFY_ARTIFACT, "no signature");
	/* Signed under another name, which says nothing about this one. */
	images_put("localhost/other:1", "hello\n");
	sign_as("localhost/other:1", &ed, NULL);
	expect_refusal(NAME, &opt, ERR_UNTRUSTED, VERIFY_ARTIFACT, "no signature");
}
END_TEST

START_TEST(another_key_is_refused)
{
	struct verify_options opt = options();

	images_put(NAME, "hello\n");
	sign_as(NAME, &ec, NULL);
	expect_refusal(NAME, &opt, ERR_UNTRUSTED, VERIFY_KEY, "another key");
	sign_as(NAME, &ec, "localhost/app:2");
	expect_refusal(NAME, &opt, ERR_UNTRUSTED, VERIFY_KEY, "none of 2");
	sign_as(NAME, &ed, NULL);
	expect_good(NAME, &opt);
	opt.key = &ec.public_key;
	expect_good(NAME, &opt);
}
END_TEST

START_TEST(another_name_is_refused)
{
	struct verify_options opt = options();

	images_put(NAME, "hello\n");
	sign_as(NAME, &ed, "localhost/app:2");
	expect_refusal(NAME, &opt, ERR_UNTRUSTED, VERIFY_IDENTITY, "signed as 'localhost/app:2'");
	sign_as(NAME, &ed, REPO);
	expect_refusal(NAME, &opt, ERR_UNTRUSTED, VERIFY_IDENTITY, "signed as");
	opt.identity = "localhost/app:2";
	expect_good(NAME, &opt);
	opt.identity = REPO;
	expect_good(NAME, &opt);
	opt.identity = "localhost/app:3";
	expect_refusal(NAME, &opt, ERR_UNTRUSTED, VERIFY_IDENTITY, "not as 'localhost/app:3'");
	opt.identity = NULL;
	sign_as(NAME, &ed, NULL);
	expect_good(NAME, &opt);
}
END_TEST

/* As everywhere, a name without a host is localhost/NAME; nothing else is made up. */
START_TEST(an_identity_may_lack_its_host)
{
	struct verify_options opt = options();

	images_put(NAME, "hello\n");
	sign_as(NAME, &ed, "team/app:2");
	opt.identity = "localhost/team/app:2";
	expect_good(NAME, &opt);
	opt.identity = "team/app:2";
	expect_good(NAME, &opt);
	opt.identity = "team/app";
	expect_refusal(NAME, &opt, ERR_UNTRUSTED, VERIFY_IDENTITY, "not as 'localhost/team/app'");
	opt.identity = "docker.io/team/app:2";
	expect_refusal(NAME, &opt, ERR_UNTRUSTED, VERIFY_IDENTITY, "not as 'docker.io/team/app:2'");
	opt.identity = "No Name";
	expect_refusal(NAME, &opt, ERR_UNTRUSTED, VERIFY_IDENTITY, "not as 'No Name'");
}
END_TEST

/* Another signer may have written anything; what is demanded literally is taken literally, too. */
/* Puts one signature of `payload` beside the image; a `size` of 0 is the payload's own. */
static void put_signed(const struct digest *image, const char *payload, uint64_t size)
{
	SCOPE_FREE char *sig = images_signature(&ed, payload);
	const struct forged f = {NULL, payload, sig, size};

	images_forge(REPO, image, &f, 1);
}

START_TEST(an_identity_may_be_any_text)
{
	static const char *const names[] = {"team/app:2", "No Name", ""};
	struct verify_options opt = options();
	const struct made made = images_put(NAME, "hello\n");
	SCOPE_FREE char *payload = images_payload(names[_i], &made.manifest);

	put_signed(&made.manifest, payload, 0);
	expect_refusal(NAME, &opt, ERR_UNTRUSTED, VERIFY_IDENTITY, "not as 'localhost/app:1'");
	opt.identity = names[_i];
	expect_good(NAME, &opt);
	opt.identity = "localhost/team/app:2";
	expect_refusal(NAME, &opt, ERR_UNTRUSTED, VERIFY_IDENTITY, "not as 'localhost/team/app:2'");
}
END_TEST

START_TEST(by_digest_any_tag_of_the_name_will_do)
{
	SCOPE_FREE char *by_digest = NULL;
	const struct verify_options opt = options();
	struct err e = ERR_INIT;
	char digest[DIGEST_STR_MAX];
	const struct made made = images_put(NAME, "hello\n");

	digest_format(&made.manifest, digest);
	by_digest = str_dupf(&e, REPO "@%s", digest);
	sign_as(NAME, &ed, "localhost/other:1");
	expect_refusal(by_digest, &opt, ERR_UNTRUSTED, VERIFY_IDENTITY, "which is no");
	sign_as(NAME, &ed, "localhost/app:some-tag");
	expect_good(by_digest, &opt);
	expect_refusal(NAME, &opt, ERR_UNTRUSTED, VERIFY_IDENTITY, "signed as");
}
END_TEST

START_TEST(a_bare_digest_has_no_signatures)
{
	SCOPE(verify_report) struct verify_report r = VERIFY_REPORT_INIT;
	const struct verify_options opt = options();
	struct err e = ERR_INIT;
	char digest[DIGEST_STR_MAX];
	const struct made made = images_put(NAME, "hello\n");

	ck_assert_int_eq(verify_image(images_store, digest_format(&made.manifest, digest), &opt, &r,
				      NULL, &e),
			 -1);
	ck_assert_err(&e, ERR_USAGE, "NAME@DIGEST");
	ck_assert_int_eq(verify_image(images_store, "none:1", &opt, &r, NULL, &e), -1);
	ck_assert_err(&e, ERR_NOT_FOUND, "none");
}
END_TEST

/* A signer who does not look may sign such an image; it is refused all the same. */
START_TEST(a_config_without_its_layers_is_refused)
{
	const struct verify_options opt = options();
	const struct made made = images_put_short(NAME);
	SCOPE_FREE char *payload = images_payload(NAME, &made.manifest);

	put_signed(&made.manifest, payload, 0);
	expect_refusal(NAME, &opt, ERR_DIGEST, VERIFY_CONFIG, "names 0 layers");
}
END_TEST

/* The signature of one image, put beside another. */
START_TEST(a_moved_signature_is_refused)
{
	const struct verify_options opt = options();
	const struct made other = images_put("localhost/app:2", "other\n");
	const struct made made = images_put(NAME, "hello\n");
	SCOPE_FREE char *payload = images_payload(NAME, &other.manifest);

	put_signed(&made.manifest, payload, 0);
	expect_refusal(NAME, &opt, ERR_UNTRUSTED, VERIFY_PAYLOAD, "another image");
}
END_TEST

/* How a good signature's text may be changed. */
static const struct {
	const char *why;
	enum verify_step step;
	const char *word;
} changes[] = {
	{"a blank inside", VERIFY_FORM, "base64"},
	{"a line end", VERIFY_FORM, "base64"},
	{"URL alphabet", VERIFY_FORM, "base64"},
	{"no padding", VERIFY_FORM, "base64"},
	{"nothing", VERIFY_FORM, "no '"},
	{"63 bytes", VERIFY_KEY, "another key"},
	{"65 bytes", VERIFY_KEY, "another key"},
	{"a bit of S", VERIFY_KEY, "another key"},
	{"a bit of R", VERIFY_KEY, "another key"},
	{"R of small order", VERIFY_KEY, "another key"},
	{"empty", VERIFY_KEY, "another key"},
	{"2 KiB", VERIFY_FORM, "base64"},
	{"RSA's length", VERIFY_KEY, "another key"},
};

static char *change(int how, const char *good, struct err *e)
{
	SCOPE(str) struct str out = STR_INIT;
	static uint8_t bytes[2048];
	size_t len = 0, n = strlen(good);

	memset(bytes, 0, sizeof(bytes));
	ck_assert_int_eq(base64_decode(good, n, bytes, sizeof(bytes), &len), 0);
	switch (how) {
	case 0:
		return str_dupf(e, "%.4s %s", good, good + 4);
	case 1:
		return str_dupf(e, "%s\\n", good);
	case 2:
		return str_dupf(e, "-_%s", good + 2);
	case 3:
		return str_dupf(e, "%.*s", (int)n - 2, good);
	case 4:
		return NULL;
	case 5:
		len = 63;
		break;
	case 6:
		len = 65;
		break;
	case 7:
		bytes[40] ^= 1;
		break;
	case 8:
		bytes[3] ^= 1;
		break;
	case 9:
		memset(bytes, 0, 32);
		bytes[0] = 1;
		break;
	case 10:
		return str_dup("", e);
	case 11:
		len = 2048;
		break;
	default:
		len = 512;
		break;
	}
	ck_assert_int_eq(base64_append(&out, bytes, len, e), 0);
	return str_steal(&out, e);
}

START_TEST(a_changed_signature_is_refused)
{
	SCOPE_FREE char *good = NULL;
	SCOPE_FREE char *bad = NULL;
	const struct verify_options opt = options();
	struct err e = ERR_INIT;
	const struct made made = images_put(NAME, "hello\n");
	SCOPE_FREE char *payload = images_payload(NAME, &made.manifest);

	good = images_signature(&ed, payload);
	bad = change(_i, good, &e);
	const struct forged f = {NULL, payload, bad, 0};
	images_forge(REPO, &made.manifest, &f, 1);
	expect_refusal(NAME, &opt, ERR_UNTRUSTED, changes[_i].step, changes[_i].word);

	/* Beside it, the good one is enough. */
	const struct forged both[] = {f, {NULL, payload, good, 0}};
	images_forge(REPO, &made.manifest, both, 2);
	expect_good(NAME, &opt);
}
END_TEST

START_TEST(a_prehash_signature_is_named)
{
	SCOPE_FREE char *payload = NULL;
	SCOPE_FREE char *other = NULL;
	SCOPE(str) struct str text = STR_INIT;
	const struct verify_options opt = options();
	struct err e = ERR_INIT;
	crypto_sign_ed25519ph_state state;
	uint8_t pk[32], sk[64], sig[64];
	const struct made made = images_put(NAME, "hello\n");

	payload = images_payload(NAME, &made.manifest);
	crypto_sign_ed25519_seed_keypair(pk, sk, ed.seed.data);
	crypto_sign_ed25519ph_init(&state);
	crypto_sign_ed25519ph_update(&state, (const uint8_t *)payload, strlen(payload));
	crypto_sign_ed25519ph_final_create(&state, sig, NULL, sk);
	ck_assert_int_eq(base64_append(&text, sig, sizeof(sig), &e), 0);
	other = images_signature(&ec, payload);
	/* Named wherever it stands. */
	const struct forged f[] = {
		{NULL, payload, other, 0},
		{NULL, payload, str_text(&text), 0},
		{NULL, payload, other, 0},
	};
	images_forge(REPO, &made.manifest, f, ARRAY_LEN(f));
	expect_refusal(NAME, &opt, ERR_UNTRUSTED, VERIFY_KEY, "prehash");
}
END_TEST

/* Signed by the right key, and still no payload. */
START_TEST(a_strange_payload_is_refused)
{
	static const char *const patterns[][2] = {
		{"\"optional\":null", "\"optional\":null,\"optional\":null"},
		{"\"optional\":null", "\"optional\":null,\"other\":1"},
		{"cosign container", "atomic container"},
		{"{\"critical\"", "[\"critical\""},
	};
	SCOPE_FREE char *strange = NULL;
	const struct verify_options opt = options();
	struct err e = ERR_INIT;
	const struct made made = images_put(NAME, "hello\n");
	const char *from = patterns[_i][0], *to = patterns[_i][1];
	SCOPE_FREE char *payload = images_payload(NAME, &made.manifest);

	const char *at = strstr(payload, from);
	strange = str_dupf(&e, "%.*s%s%s", (int)(at - payload), payload, to, at + strlen(from));
	put_signed(&made.manifest, strange, 0);
	expect_refusal(NAME, &opt, ERR_UNTRUSTED, VERIFY_PAYLOAD, "payload");
}
END_TEST

START_TEST(other_types_are_no_signatures)
{
	SCOPE_FREE char *sig = NULL;
	const struct verify_options opt = options();
	const struct made made = images_put(NAME, "hello\n");
	SCOPE_FREE char *payload = images_payload(NAME, &made.manifest);

	sig = images_signature(&ed, payload);
	const struct forged f[] = {
		{"application/vnd.dsse.envelope.v1+json", payload, sig, 0},
		{MEDIATYPE_SIMPLESIGNING "x", payload, sig, 0},
		{MEDIATYPE_LAYER, payload, sig, 0},
	};
	images_forge(REPO, &made.manifest, f, ARRAY_LEN(f));
	expect_refusal(NAME, &opt, ERR_UNTRUSTED, VERIFY_FORM, "no signature");
}
END_TEST

/* A size is judged before anything is read: the blob is a few bytes here. */
START_TEST(a_huge_payload_is_not_read)
{
	const struct verify_options opt = options();
	const struct made made = images_put(NAME, "hello\n");
	SCOPE_FREE char *payload = images_payload(NAME, &made.manifest);

	put_signed(&made.manifest, payload, UINT64_C(1) << 40);
	expect_refusal(NAME, &opt, ERR_UNTRUSTED, VERIFY_FORM, "1099511627776");
	put_signed(&made.manifest, payload, strlen(payload) + 1);
	expect_refusal(NAME, &opt, ERR_UNTRUSTED, VERIFY_FORM, " bytes, not ");
}
END_TEST

START_TEST(only_the_first_signatures_are_looked_at)
{
	struct forged f[LIMIT_SIGNATURES + 1];
	SCOPE_FREE char *good = NULL;
	SCOPE_FREE char *bad = NULL;
	const struct verify_options opt = options();
	const struct made made = images_put(NAME, "hello\n");
	SCOPE_FREE char *payload = images_payload(NAME, &made.manifest);

	good = images_signature(&ed, payload);
	bad = images_signature(&ec, payload);
	for (size_t i = 0; i < ARRAY_LEN(f); i++)
		f[i] = (struct forged){NULL, payload, bad, 0};
	f[LIMIT_SIGNATURES].annotation = good;
	images_forge(REPO, &made.manifest, f, LIMIT_SIGNATURES + 1);
	expect_refusal(NAME, &opt, ERR_UNTRUSTED, VERIFY_KEY, "first 64");
	images_forge(REPO, &made.manifest, f + 1, LIMIT_SIGNATURES);
	expect_good(NAME, &opt);
}
END_TEST

START_TEST(too_many_layers_are_refused)
{
	static struct forged f[LIMIT_LAYERS + 1];
	const struct verify_options opt = options();
	const struct made made = images_put(NAME, "hello\n");

	for (size_t i = 0; i < ARRAY_LEN(f); i++)
		f[i] = (struct forged){NULL, "x", "Zm9v", 0};
	images_forge(REPO, &made.manifest, f, ARRAY_LEN(f));
	expect_refusal(NAME, &opt, ERR_UNTRUSTED, VERIFY_ARTIFACT, "more than 512");
}
END_TEST

START_TEST(an_artifact_of_another_type_is_none)
{
	SCOPE_FREE char *artifact = NULL;
	const struct verify_options opt = options();
	struct err e = ERR_INIT;
	char hex[DIGEST_HEX_MAX];
	const struct made made = images_put(NAME, "hello\n");

	artifact = str_dupf(&e, REPO ":sha256-%s.sig", digest_hex(&made.manifest, hex));
	images_put_document(artifact, MEDIATYPE_INDEX, "{\"schemaVersion\":2,\"manifests\":[]}");
	expect_refusal(NAME, &opt, ERR_UNTRUSTED, VERIFY_ARTIFACT, "OCI manifest");
	images_put_document(artifact, MEDIATYPE_MANIFEST, "{}");
	expect_refusal(NAME, &opt, ERR_UNTRUSTED, VERIFY_ARTIFACT, "signatures");
}
END_TEST

/* Nobody has to tell damage from forgery there. */
START_TEST(damaged_signatures_are_none)
{
	const struct verify_options opt = options();
	struct err e = ERR_INIT;
	const struct made made = images_put(NAME, "hello\n");
	SCOPE_FREE char *payload = images_payload(NAME, &made.manifest);

	put_signed(&made.manifest, payload, 0);
	const struct digest d = images_blob(payload, strlen(payload));
	images_damage(&d);
	expect_refusal(NAME, &opt, ERR_UNTRUSTED, VERIFY_FORM, "another digest");
	images_lose(&d);
	expect_refusal(NAME, &opt, ERR_UNTRUSTED, VERIFY_FORM, "not in the store");

	SCOPE(signatures) struct signatures sigs = SIGNATURES_INIT;
	ck_assert_int_eq(signatures_load(images_store, REPO, &made.manifest, &sigs, &e), 1);
	images_damage(&sigs.top.digest);
	expect_refusal(NAME, &opt, ERR_UNTRUSTED, VERIFY_ARTIFACT, "another digest");
	images_lose(&sigs.top.digest);
	expect_refusal(NAME, &opt, ERR_UNTRUSTED, VERIFY_ARTIFACT, "not in the store");
}
END_TEST

START_TEST(an_index_is_verified_for_a_platform)
{
	SCOPE(verify_report) struct verify_report r = VERIFY_REPORT_INIT;
	SCOPE(image) struct image im = IMAGE_INIT;
	struct verify_options opt = options();
	struct err e = ERR_INIT;
	struct made parts[2];
	const struct digest top = images_put_index(NAME, parts);

	sign_as(NAME, &ed, NULL);
	opt.platform = &arm64;
	ck_assert_int_eq(verify_image(images_store, NAME, &opt, &r, &im, &e), 0);
	ck_assert_no_err(&e);
	ck_assert(digest_equal(&r.manifest, &top));
	ck_assert(digest_equal(&r.chosen, &parts[1].manifest));
	ck_assert(digest_equal(&im.chosen.digest, &parts[1].manifest));

	/* The other platform's damage is not ours. */
	images_damage(&parts[1].manifest);
	expect_refusal(NAME, &opt, ERR_DIGEST, VERIFY_MANIFEST, "sha256:");
	opt.platform = &amd64;
	expect_good(NAME, &opt);
}
END_TEST

START_TEST(an_absent_platform_is_named)
{
	static const struct platform riscv = {"linux", "riscv64", ""};
	struct verify_options opt = options();
	struct made parts[2];

	images_put_index(NAME, parts);
	sign_as(NAME, &ed, NULL);
	opt.platform = &riscv;
	expect_refusal(NAME, &opt, ERR_NOT_FOUND, VERIFY_CONFIG, "arm64");
}
END_TEST

/* Takes away the image and its signatures, as far as they are not leased. */
static void take_away(struct progress *p, bool at_once)
{
	struct gc_report r;
	struct err e = ERR_INIT;
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;

	(void)p;
	(void)at_once;
	ck_assert_int_eq(refs_list(images_store, &ix, &e), 0);
	for (size_t i = 0; i < ix.count; i++) {
		const char *name = strmap_get(&ix.manifests[i].annotations, REFS_NAME_KEY);
		ck_assert_int_eq(refs_remove(images_store, name, &e), 1);
	}
	ck_assert_int_eq(gc_run(images_store, false, NULL, &r, &e), 0);
	ck_assert_no_err(&e);
}

START_TEST(what_is_removed_meanwhile_is_verified)
{
	struct progress p = {.show = take_away};
	struct verify_options opt = options();
	struct err e = ERR_INIT;
	struct lease *l = NULL;

	images_put(NAME, "hello\n");
	sign_as(NAME, &ed, NULL);
	ck_assert_int_eq(lease_open(images_store, "verify", &l, &e), 0);
	opt.lease = l;
	opt.layers.progress = &p;
	expect_good(NAME, &opt);
	lease_close(l);
	/* It was the lease that kept it. */
	images_put(NAME, "hello\n");
	sign_as(NAME, &ed, NULL);
	opt.lease = NULL;
	expect_refusal(NAME, &opt, ERR_NOT_FOUND, VERIFY_LAYERS, "is not in the store");
}
END_TEST

static int verify_once(void *arg, struct err *e)
{
	SCOPE(verify_report) struct verify_report r = VERIFY_REPORT_INIT;
	SCOPE(image) struct image im = IMAGE_INIT;

	return verify_image(images_store, NAME, arg, &r, &im, e);
}

START_TEST(verifies_or_lacks_memory)
{
	struct verify_options opt = options();

	opt.read_layers = false;
	opt.key = _i ? &ec.public_key : &ed.public_key;
	images_put(NAME, "hello\n");
	/* Two, so that a failure with the first must not become "none is good". */
	sign_as(NAME, _i ? &ed : &ec, NULL);
	sign_as(NAME, _i ? &ec : &ed, NULL);
	failalloc_each(verify_once, &opt);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("signer/verify");
	TCase *tc = tcase_create("verify");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, a_signed_image_is_good, 0, 2);
	tcase_add_test(tc, layers_are_left_to_the_mount);
	tcase_add_test(tc, damage_of_a_signed_image_is_not_distrust);
	tcase_add_test(tc, an_unsigned_image_is_refused);
	tcase_add_test(tc, another_key_is_refused);
	tcase_add_test(tc, another_name_is_refused);
	tcase_add_test(tc, an_identity_may_lack_its_host);
	tcase_add_loop_test(tc, an_identity_may_be_any_text, 0, 3);
	tcase_add_test(tc, by_digest_any_tag_of_the_name_will_do);
	tcase_add_test(tc, a_bare_digest_has_no_signatures);
	tcase_add_test(tc, a_config_without_its_layers_is_refused);
	tcase_add_test(tc, a_moved_signature_is_refused);
	tcase_add_loop_test(tc, a_changed_signature_is_refused, 0, ARRAY_LEN(changes));
	tcase_add_test(tc, a_prehash_signature_is_named);
	tcase_add_loop_test(tc, a_strange_payload_is_refused, 0, 4);
	tcase_add_test(tc, other_types_are_no_signatures);
	tcase_add_test(tc, a_huge_payload_is_not_read);
	tcase_add_test(tc, only_the_first_signatures_are_looked_at);
	tcase_add_test(tc, too_many_layers_are_refused);
	tcase_add_test(tc, an_artifact_of_another_type_is_none);
	tcase_add_test(tc, damaged_signatures_are_none);
	tcase_add_test(tc, an_index_is_verified_for_a_platform);
	tcase_add_test(tc, an_absent_platform_is_named);
	tcase_add_test(tc, what_is_removed_meanwhile_is_verified);
	tcase_add_loop_test(tc, verifies_or_lacks_memory, 0, 2);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
