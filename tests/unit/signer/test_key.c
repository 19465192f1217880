/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/key.h"

#include <sodium.h>
#include <unistd.h>

#include "base/io.h"
#include "main.h"
#include "signer/support.h"
#include "tests/support/scratch.h"

/* RFC 8032, 7.1. */
static const struct {
	const char *seed, *public_key, *message, *sig;
} rfc8032[] = {
	{SEED_ED25519, PUBLIC_ED25519, "",
	 "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701"
	 "c"
	 "f9b46bd25bf5f0595bbe24655141438e7a100b"},
	{"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
	 "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
	 "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d"
	 "0"
	 "f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
	{"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
	 "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
	 "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f7609"
	 "8"
	 "4dc6594a7c15e9716ed28dc027beceea1ec40a"},
};

/* RFC 8032, 7.3: Ed25519ph of "abc". */
#define PH_SEED "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42"
#define PH_SIG                                                             \
	"98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41" \
	"31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406"

/* RFC 6979, A.2.5: "sample" with SHA-256. */
#define P256_SIG                                                               \
	"3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84e" \
	"af3716022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f" \
	"843acda8"

static int verify(const struct public_key *k, const void *bytes, size_t len, const uint8_t *sig,
		  size_t sig_len)
{
	struct err e = ERR_INIT;
	const int rc = public_key_verify(k, bytes, len, sig, sig_len, &e);

	ck_assert_no_err(&e);
	return rc;
}

START_TEST(ed25519_signs_as_the_rfc)
{
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	struct err e = ERR_INIT;
	uint8_t seed[32], pub[32], message[4], want[64], sig[KEY_SIGNATURE_MAX];
	size_t len = 0;

	hex_decode(rfc8032[_i].seed, seed, sizeof(seed));
	hex_decode(rfc8032[_i].public_key, pub, sizeof(pub));
	hex_decode(rfc8032[_i].sig, want, sizeof(want));
	const size_t n = hex_decode(rfc8032[_i].message, message, sizeof(message));

	ck_assert_int_eq(private_key_from_seed(&k, KEY_ED25519, seed, &e), 0);
	ck_assert_mem_eq(k.public_key.raw, pub, 32);
	ck_assert_int_eq(private_key_sign(&k, message, n, sig, &len, &e), 0);
	ck_assert_uint_eq(len, 64);
	ck_assert_mem_eq(sig, want, 64);
	ck_assert_int_eq(verify(&k.public_key, message, n, sig, 64), 1);
	ck_assert_int_eq(verify(&k.public_key, message, n, sig, 63), 0);
	memcpy(message + n, "x", 1);
	ck_assert_int_eq(verify(&k.public_key, message, n + 1, sig, 64), 0);
}
END_TEST

START_TEST(ed25519_refuses_each_changed_bit)
{
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	struct err e = ERR_INIT;
	uint8_t sig[KEY_SIGNATURE_MAX];
	size_t len = 0;

	fixture_private(&k, KEY_ED25519);
	ck_assert_int_eq(private_key_sign(&k, "text", 4, sig, &len, &e), 0);
	for (size_t bit = 0; bit < 8 * len; bit++) {
		sig[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_msg(verify(&k.public_key, "text", 4, sig, len) == 0, "bit %zu", bit);
		sig[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ck_assert_int_eq(verify(&k.public_key, "text", 4, sig, len), 1);
}
END_TEST

/* S + L verifies where nobody checks S < L (RFC 8032, 5.1.7). */
START_TEST(ed25519_refuses_a_respelt_signature)
{
	static const char order[] =
		"edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	struct err e = ERR_INIT;
	uint8_t sig[KEY_SIGNATURE_MAX], l[32];
	size_t len = 0;
	unsigned carry = 0;

	fixture_private(&k, KEY_ED25519);
	ck_assert_int_eq(private_key_sign(&k, "text", 4, sig, &len, &e), 0);
	hex_decode(order, l, sizeof(l));
	for (size_t i = 0; i < 32; i++) {
		carry += sig[32 + i] + l[i];
		sig[32 + i] = (uint8_t)carry;
		carry >>= 8;
	}
	ck_assert_uint_eq(carry, 0);
	ck_assert_int_eq(verify(&k.public_key, "text", 4, sig, len), 0);
}
END_TEST

START_TEST(prehashed_is_named_but_not_accepted)
{
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	struct err e = ERR_INIT;
	uint8_t seed[32], sig[64];

	hex_decode(PH_SEED, seed, sizeof(seed));
	hex_decode(PH_SIG, sig, sizeof(sig));
	ck_assert_int_eq(private_key_from_seed(&k, KEY_ED25519, seed, &e), 0);
	ck_assert_int_eq(verify(&k.public_key, "abc", 3, sig, 64), 0);
	ck_assert(public_key_is_prehashed(&k.public_key, "abc", 3, sig, 64));
	ck_assert(!public_key_is_prehashed(&k.public_key, "abd", 3, sig, 64));
	ck_assert(!public_key_is_prehashed(&k.public_key, "abc", 3, sig, 63));
}
END_TEST

/* All points of order 1, 2, 4 and 8; "-0" twice; and a y without an x. */
static const char *const bad_points[] = {
	"0100000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000080",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	"0200000000000000000000000000000000000000000000000000000000000000",
};

static void expect_bad_point(const uint8_t point[static 32], const char *word)
{
	uint8_t spki[44];
	struct public_key k, before;
	struct err e = ERR_INIT;

	memset(&k, 0xa5, sizeof(k));
	before = k;
	hex_decode("302a300506032b6570032100", spki, sizeof(spki));
	memcpy(spki + 12, point, 32);
	ck_assert_int_eq(public_key_from_spki(&k, spki, sizeof(spki), &e), -1);
	ck_assert_err(&e, ERR_FORMAT, word);
	ck_assert_mem_eq(&k, &before, sizeof(k));
}

START_TEST(ed25519_refuses_bad_points)
{
	uint8_t point[32];

	hex_decode(bad_points[_i], point, sizeof(point));
	expect_bad_point(point, "small order");
}
END_TEST

/* y from p to 2^255 - 1, which say again what 0 to 18 say. */
START_TEST(ed25519_refuses_other_spellings)
{
	uint8_t point[32];

	memset(point, 0xff, sizeof(point));
	point[0] = (uint8_t)(0xed + _i);
	expect_bad_point(point, "canonical");
	point[31] = 0x7f;
	expect_bad_point(point, "canonical");
}
END_TEST

/* R and S of the identity verify for the identity as a key, in libraries that do not look. */
START_TEST(ed25519_refuses_the_forgery_for_a_small_key)
{
	struct public_key k = {.alg = KEY_ED25519, .raw = {1}};
	uint8_t sig[64] = {1};

	ck_assert_int_eq(verify(&k, "anything", 8, sig, sizeof(sig)), 0);
}
END_TEST

START_TEST(p256_verifies_the_rfc)
{
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	uint8_t point[65], sig[KEY_SIGNATURE_MAX];

	fixture_private(&k, KEY_P256);
	hex_decode(PUBLIC_P256, point, sizeof(point));
	ck_assert_mem_eq(k.public_key.raw, point, sizeof(point));
	const size_t len = hex_decode(P256_SIG, sig, sizeof(sig));
	ck_assert_int_eq(verify(&k.public_key, "sample", 6, sig, len), 1);
	ck_assert_int_eq(verify(&k.public_key, "samplE", 6, sig, len), 0);
	ck_assert_int_eq(verify(&k.public_key, "sample", 6, sig, len - 1), 0);
	ck_assert_int_eq(verify(&k.public_key, "sample", 6, sig, 0), 0);
}
END_TEST

START_TEST(p256_signs_what_it_verifies)
{
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	struct err e = ERR_INIT;
	uint8_t sig[KEY_SIGNATURE_MAX];
	size_t len = 0;

	ck_assert_int_eq(private_key_generate(&k, KEY_P256, &e), 0);
	for (int i = 0; i < 64; i++) {
		ck_assert_int_eq(private_key_sign(&k, &i, sizeof(i), sig, &len, &e), 0);
		ck_assert_int_eq(verify(&k.public_key, &i, sizeof(i), sig, len), 1);
		sig[len - 1] ^= 1;
		ck_assert_int_eq(verify(&k.public_key, &i, sizeof(i), sig, len), 0);
	}
}
END_TEST

/* The RFC's signature, spelt as BER allows it and DER does not; and r or s out of range. */
static const char *const bad_p256_sigs[] = {
	/* a long length where a short one does */
	"308146022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716022100f7cb1c94"
	"2"
	"d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
	/* bytes behind */
	"3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716022100f7cb1c942d"
	"657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda800",
	/* r without the byte that keeps it positive */
	"30450220efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716022100f7cb1c942d65"
	"7c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
	/* r with one zero too many */
	"304702220000efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716022100f7cb1c94"
	"2d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
	"3006020100020100",
	"3006020101020101",
	"3000",
	/* r = n */
	"3026022100ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551020101",
};

START_TEST(p256_refuses_loose_der)
{
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	uint8_t sig[2 * KEY_SIGNATURE_MAX];

	fixture_private(&k, KEY_P256);
	const size_t len = hex_decode(bad_p256_sigs[_i], sig, sizeof(sig));
	ck_assert_int_eq(verify(&k.public_key, "sample", 6, sig, len), 0);
}
END_TEST

static const struct {
	const char *name;
	enum key_alg alg;
} pub_files[] = {
	{"ed25519.pub", KEY_ED25519},
	{"p256.pub", KEY_P256},
};

START_TEST(reads_and_writes_openssl_files)
{
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	SCOPE(str) struct str file = fixture_read(pub_files[_i].name);
	SCOPE(str) struct str text = STR_INIT;
	struct err e = ERR_INIT;
	struct public_key pub;

	fixture_private(&k, pub_files[_i].alg);
	ck_assert_int_eq(public_key_read(&pub, fixture_path(pub_files[_i].name), &e), 0);
	ck_assert(public_key_equal(&pub, &k.public_key));
	ck_assert_int_eq(public_key_format(&k.public_key, &text, &e), 0);
	ck_assert_str_eq(str_text(&text), str_text(&file));
}
END_TEST

START_TEST(verifies_openssl_signatures)
{
	SCOPE(str) struct str payload = fixture_read("payload.json");
	SCOPE(str) struct str ed = fixture_read("payload.ed25519.sig");
	SCOPE(str) struct str ec = fixture_read("payload.p256.sig");
	SCOPE(private_key) struct private_key a = PRIVATE_KEY_INIT;
	SCOPE(private_key) struct private_key b = PRIVATE_KEY_INIT;

	fixture_private(&a, KEY_ED25519);
	fixture_private(&b, KEY_P256);
	const uint8_t *ed_sig = (const uint8_t *)ed.data, *ec_sig = (const uint8_t *)ec.data;
	ck_assert_int_eq(verify(&a.public_key, payload.data, payload.len, ed_sig, ed.len), 1);
	ck_assert_int_eq(verify(&b.public_key, payload.data, payload.len, ec_sig, ec.len), 1);
	ck_assert_int_eq(verify(&a.public_key, payload.data, payload.len, ec_sig, ec.len), 0);
	ck_assert_int_eq(verify(&b.public_key, payload.data, payload.len, ed_sig, ed.len), 0);
	ck_assert(!public_key_equal(&a.public_key, &b.public_key));
}
END_TEST

/* And openssl verifies ours. */
START_TEST(openssl_verifies_ours)
{
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	SCOPE(str) struct str pub = STR_INIT;
	struct err e = ERR_INIT;
	uint8_t sig[KEY_SIGNATURE_MAX];
	size_t len = 0;
	const enum key_alg alg = _i ? KEY_P256 : KEY_ED25519;

	ck_assert_int_eq(private_key_generate(&k, alg, &e), 0);
	ck_assert_int_eq(private_key_sign(&k, "text\n", 5, sig, &len, &e), 0);
	ck_assert_int_eq(public_key_format(&k.public_key, &pub, &e), 0);
	scratch_write("pub", str_text(&pub));
	scratch_write("text", "text\n");
	SCOPE_FREE char *sig_path = str_dup(scratch_file("sig"), &e);
	FILE *f = fopen(sig_path, "wb");
	ck_assert_uint_eq(fwrite(sig, 1, len, f), len);
	fclose(f);

	const char *const argv[] = {"openssl",  "pkeyutl", "-verify",
				    "-rawin",   "-pubin",  "-inkey",
				    "pub",      "-in",     "text",
				    "-sigfile", "sig",     alg == KEY_P256 ? "-digest" : NULL,
				    "sha256",   NULL};
	ck_assert_int_eq(chdir(scratch_path()), 0);
	const int status = run_program(argv);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_msg(status == 0 || status == 127, "openssl: %d", status);
}
END_TEST

static const struct {
	const char *name;
	enum err_code code;
	const char *word;
} refused_files[] = {
	{"rsa.pub", ERR_UNSUPPORTED, "RSA"},
	{"rsa-pkcs1.pub", ERR_UNSUPPORTED, "RSA"},
	{"p384.pub", ERR_UNSUPPORTED, "curve"},
	{"p256-explicit.pub", ERR_UNSUPPORTED, "curve"},
	{"p256-compressed.pub", ERR_FORMAT, "length or form"},
	{"x25519.pub", ERR_UNSUPPORTED, "Ed25519 or ECDSA P-256"},
	{"plain-ed25519.pem", ERR_FORMAT, "private key"},
	{"cosign-ed25519-32768.key", ERR_FORMAT, "private key"},
	{"payload.json", ERR_FORMAT, "PEM"},
	{"payload.p256.sig", ERR_FORMAT, "PEM"},
};

START_TEST(refuses_files)
{
	struct err e = ERR_INIT;
	struct public_key k, before;

	memset(&k, 0xa5, sizeof(k));
	before = k;
	ck_assert_int_eq(public_key_read(&k, fixture_path(refused_files[_i].name), &e), -1);
	ck_assert_ptr_nonnull(strstr(e.msg, refused_files[_i].name));
	ck_assert_err(&e, refused_files[_i].code, refused_files[_i].word);
	ck_assert_mem_eq(&k, &before, sizeof(k));
}
END_TEST

START_TEST(refuses_other_blocks)
{
	static const char text[] =
		"-----BEGIN CERTIFICATE-----\nMCowBQYDK2VwAyEA\n-----END CERTIFICATE-----\n";
	struct public_key k;
	struct err e = ERR_INIT;

	ck_assert_int_eq(public_key_parse(&k, text, strlen(text), &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "CERTIFICATE");
}
END_TEST

static const struct {
	const char *hex, *word;
} refused_spki[] = {
	{"", "DER"},
	{"30", "DER"},
	{"302a300506032b65700321", "DER"},
	/* a byte behind */
	{"302a300506032b6570032100" PUBLIC_ED25519 "00", "DER"},
	/* unused bits */
	{"302a300506032b6570032101" PUBLIC_ED25519, "form"},
	/* a byte short */
	{"3029300506032b65700320005a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
	 "form"},
	{"3009300506032b65700300", "bytes"},
	/* no algorithm; no key; no BIT STRING */
	{"3023032100" PUBLIC_ED25519, "DER"},
	{"3007300506032b6570", "DER"},
	{"302a300506032b6570042100" PUBLIC_ED25519, "DER"},
	/* one more element */
	{"302c300506032b6570032100" PUBLIC_ED25519 "0500", "DER"},
	/* off the curve: the last byte differs */
	{"3059301306072a8648ce3d020106082a8648ce3d030107034200"
	 "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
	 "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462298",
	 "P-256"},
	/* the hybrid form of the same point */
	{"3059301306072a8648ce3d020106082a8648ce3d030107034200"
	 "0760fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
	 "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
	 "P-256"},
};

START_TEST(refuses_spki)
{
	uint8_t der[128];
	struct public_key k;
	struct err e = ERR_INIT;

	const size_t len = hex_decode(refused_spki[_i].hex, der, sizeof(der));
	ck_assert_int_eq(public_key_from_spki(&k, der, len, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, refused_spki[_i].word);
}
END_TEST

/* PKCS#8 in the forms that others write. */
static const struct {
	const char *hex;
	enum key_alg alg;
} good_pkcs8[] = {
	{"302e020100300506032b657004220420" SEED_ED25519, KEY_ED25519},
	/* RFC 8410, 10.3: with the public key beside it (version 1) */
	{"3051020101300506032b657004220420" SEED_ED25519 "812100" PUBLIC_ED25519, KEY_ED25519},
	/* with an attribute */
	{"3032020100300506032b657004220420" SEED_ED25519 "a0020500", KEY_ED25519},
	{"308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420" SCALAR_P256
	 "a144034200" PUBLIC_P256,
	 KEY_P256},
	/* without the public key, with the curve named again */
	{"304d020100301306072a8648ce3d020106082a8648ce3d030107043330310201010420" SCALAR_P256
	 "a00a06082a8648ce3d030107",
	 KEY_P256},
	{"3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420" SCALAR_P256,
	 KEY_P256},
};

START_TEST(reads_pkcs8)
{
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	SCOPE(private_key) struct private_key want = PRIVATE_KEY_INIT;
	struct err e = ERR_INIT;
	uint8_t der[256];

	const size_t len = hex_decode(good_pkcs8[_i].hex, der, sizeof(der));
	fixture_private(&want, good_pkcs8[_i].alg);
	ck_assert_int_eq(private_key_from_pkcs8(&k, der, len, &e), 0);
	ck_assert_no_err(&e);
	ck_assert(public_key_equal(&k.public_key, &want.public_key));
	ck_assert_mem_eq(k.seed.data, want.seed.data, KEY_SEED_LEN);
}
END_TEST

START_TEST(writes_pkcs8_as_openssl)
{
	const size_t row = _i ? 3 : 0;
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	SCOPE(secret) struct secret der = SECRET_INIT;
	struct err e = ERR_INIT;
	uint8_t want[256];

	const size_t len = hex_decode(good_pkcs8[row].hex, want, sizeof(want));
	fixture_private(&k, good_pkcs8[row].alg);
	ck_assert_int_eq(private_key_to_pkcs8(&k, &der, &e), 0);
	ck_assert_uint_eq(der.len, len);
	ck_assert_mem_eq(der.data, want, len);
}
END_TEST

static const struct {
	const char *hex;
	enum err_code code;
	const char *word;
} refused_pkcs8[] = {
	{"", ERR_FORMAT, "PKCS#8"},
	{"302e020102300506032b657004220420" SEED_ED25519, ERR_FORMAT, "PKCS#8"},
	{"302e020100300506032b657004220420" SEED_ED25519 "00", ERR_FORMAT, "PKCS#8"},
	{"302e020100300506032b657004220421" SEED_ED25519, ERR_FORMAT, "form"},
	{"302d020100300506032b65700421041f61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031ca"
	 "e"
	 "7f60",
	 ERR_FORMAT, "form"},
	{"302e020100300506032b656f04220420" SEED_ED25519, ERR_UNSUPPORTED, "Ed25519"},
	/* a public key beside it in version 0 */
	{"3051020100300506032b657004220420" SEED_ED25519 "812100" PUBLIC_ED25519, ERR_FORMAT,
	 "after"},
	/* somebody else's public key beside it */
	{"3051020101300506032b657004220420" SEED_ED25519
	 "8121003d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
	 ERR_FORMAT, "another"},
	{"308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420" SCALAR_P256
	 "a144034200"
	 "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
	 "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462298",
	 ERR_FORMAT, "another"},
	/* another curve inside than outside */
	{"304d020100301306072a8648ce3d020106082a8648ce3d030107043330310201010420" SCALAR_P256
	 "a00a06082a8648ce3d030108",
	 ERR_FORMAT, "form"},
	/* unused bits in the public key; a byte short */
	{"3051020101300506032b657004220420" SEED_ED25519 "812101" PUBLIC_ED25519, ERR_FORMAT,
	 "another"},
	{"3050020101300506032b657004220420" SEED_ED25519
	 "8120005a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
	 ERR_FORMAT, "another"},
	/* a byte behind the seed; no OCTET STRING around it */
	{"302f020100300506032b657004230420" SEED_ED25519 "00", ERR_FORMAT, "form"},
	{"302c020100300506032b65700420" SEED_ED25519, ERR_FORMAT, "form"},
	/* a version of two bytes; none; no key */
	{"302f02020001300506032b657004220420" SEED_ED25519, ERR_FORMAT, "PKCS#8"},
	{"302b300506032b657004220420" SEED_ED25519, ERR_FORMAT, "PKCS#8"},
	{"300a020100300506032b6570", ERR_FORMAT, "PKCS#8"},
	/* ECPrivateKey: no SEQUENCE; a byte behind it; version 2; none; no key; a short one */
	{"303c020100301306072a8648ce3d020106082a8648ce3d03010704220420" SCALAR_P256, ERR_FORMAT,
	 "form"},
	{"3042020100301306072a8648ce3d020106082a8648ce3d030107042830250201010420" SCALAR_P256 "00",
	 ERR_FORMAT, "form"},
	{"3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201020420" SCALAR_P256,
	 ERR_FORMAT, "form"},
	{"303e020100301306072a8648ce3d020106082a8648ce3d030107042430220420" SCALAR_P256, ERR_FORMAT,
	 "form"},
	{"301f020100301306072a8648ce3d020106082a8648ce3d03010704053003020101", ERR_FORMAT, "form"},
	{"3040020100301306072a8648ce3d020106082a8648ce3d03010704263024020101041fafa9d845ba75166b5c"
	 "215767b1d6934e50c3db36e89b127b8a622b120f6721",
	 ERR_FORMAT, "form"},
	/* its element [2]; [1] without a BIT STRING; [1] with a byte behind it */
	{"3043020100301306072a8648ce3d020106082a8648ce3d030107042930270201010420" SCALAR_P256
	 "a200",
	 ERR_FORMAT, "form"},
	{"308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420" SCALAR_P256
	 "a144044200" PUBLIC_P256,
	 ERR_FORMAT, "form"},
	{"308188020100301306072a8648ce3d020106082a8648ce3d030107046e306c0201010420" SCALAR_P256
	 "a145034200" PUBLIC_P256 "00",
	 ERR_FORMAT, "form"},
	/* scalars 0 and n */
	{"3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420"
	 "0000000000000000000000000000000000000000000000000000000000000000",
	 ERR_FORMAT, "range"},
	{"3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420"
	 "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
	 ERR_FORMAT, "range"},
};

START_TEST(refuses_pkcs8)
{
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	struct err e = ERR_INIT;
	uint8_t der[256];

	const size_t len = hex_decode(refused_pkcs8[_i].hex, der, sizeof(der));
	ck_assert_int_eq(private_key_from_pkcs8(&k, der, len, &e), -1);
	ck_assert_ptr_null(strstr(e.msg, "9d61"));
	ck_assert_err(&e, refused_pkcs8[_i].code, refused_pkcs8[_i].word);
	ck_assert_ptr_null(k.seed.data);
}
END_TEST

START_TEST(generated_keys_differ)
{
	const enum key_alg alg = _i ? KEY_P256 : KEY_ED25519;
	SCOPE(private_key) struct private_key a = PRIVATE_KEY_INIT;
	SCOPE(private_key) struct private_key b = PRIVATE_KEY_INIT;
	uint8_t spki[KEY_SPKI_MAX];
	struct public_key again;
	struct err e = ERR_INIT;

	ck_assert_int_eq(private_key_generate(&a, alg, &e), 0);
	ck_assert_int_eq(private_key_generate(&b, alg, &e), 0);
	ck_assert(!public_key_equal(&a.public_key, &b.public_key));
	const size_t len = public_key_to_spki(&a.public_key, spki);
	ck_assert_int_eq(public_key_from_spki(&again, spki, len, &e), 0);
	ck_assert(public_key_equal(&a.public_key, &again));
}
END_TEST

/* `openssl pkey -pubin -in ed25519.pub -outform DER | sha256sum` */
START_TEST(fingerprints_are_of_the_spki)
{
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	char text[DIGEST_STR_MAX];

	fixture_private(&k, KEY_ED25519);
	const struct digest ed = public_key_fingerprint(&k.public_key);
	ck_assert_str_eq(digest_format(&ed, text),
			 "sha256:06e3fd8fda29bb60ab59557de61edb0aecdb231134be30e75b455f8e1b792fa9");
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("signer/key");
	TCase *sig = tcase_create("signatures");
	TCase *pub = tcase_create("public");
	TCase *priv = tcase_create("private");

	tcase_add_checked_fixture(sig, scratch_make, scratch_remove);
	tcase_add_loop_test(sig, ed25519_signs_as_the_rfc, 0, ARRAY_LEN(rfc8032));
	tcase_add_test(sig, ed25519_refuses_each_changed_bit);
	tcase_add_test(sig, ed25519_refuses_a_respelt_signature);
	tcase_add_test(sig, prehashed_is_named_but_not_accepted);
	tcase_add_test(sig, ed25519_refuses_the_forgery_for_a_small_key);
	tcase_add_test(sig, p256_verifies_the_rfc);
	tcase_add_test(sig, p256_signs_what_it_verifies);
	tcase_add_loop_test(sig, p256_refuses_loose_der, 0, ARRAY_LEN(bad_p256_sigs));
	tcase_add_test(sig, verifies_openssl_signatures);
	tcase_add_loop_test(sig, openssl_verifies_ours, 0, 2);
	suite_add_tcase(s, sig);

	tcase_add_loop_test(pub, ed25519_refuses_bad_points, 0, ARRAY_LEN(bad_points));
	tcase_add_loop_test(pub, ed25519_refuses_other_spellings, 0, 19);
	tcase_add_loop_test(pub, reads_and_writes_openssl_files, 0, ARRAY_LEN(pub_files));
	tcase_add_loop_test(pub, refuses_files, 0, ARRAY_LEN(refused_files));
	tcase_add_test(pub, refuses_other_blocks);
	tcase_add_loop_test(pub, refuses_spki, 0, ARRAY_LEN(refused_spki));
	tcase_add_test(pub, fingerprints_are_of_the_spki);
	suite_add_tcase(s, pub);

	tcase_add_loop_test(priv, reads_pkcs8, 0, ARRAY_LEN(good_pkcs8));
	tcase_add_loop_test(priv, writes_pkcs8_as_openssl, 0, 2);
	tcase_add_loop_test(priv, refuses_pkcs8, 0, ARRAY_LEN(refused_pkcs8));
	tcase_add_loop_test(priv, generated_keys_differ, 0, 2);
	suite_add_tcase(s, priv);
	return s;
}

UNIT_MAIN(suite_new)
