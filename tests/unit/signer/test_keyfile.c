/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"
#include "main.h"
#include "signer/pem.h"
#include "signer/support.h"
#include "tests/support/failalloc.h"
#include "tests/support/scratch.h"

#define SALT   "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define NONCE  "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3"
#define PARAMS "{\"N\":32768,\"r\":8,\"p\":1}"
#define KDF    "\"kdf\":{\"name\":\"scrypt\",\"params\":" PARAMS ",\"salt\":\"" SALT "\"}"
#define CIPHER "\"cipher\":{\"name\":\"nacl/secretbox\",\"nonce\":\"" NONCE "\"}"
#define BOX    "\"ciphertext\":\"" SALT "\""

/* All secrets of the fixtures, as they would look in a message. */
static const char *const secret_words[] = {PASSPHRASE, "9d61b19d", "c9afa9d8", "nWGxnfwt"};

static void check_no_secret(const char *message)
{
	for (size_t i = 0; i < ARRAY_LEN(secret_words); i++)
		ck_assert_ptr_null(strstr(message, secret_words[i]));
}

/* A file system without nameless files, with failing disks, or with somebody else at work. */
static bool without_tmpfile, without_rename;
static int failing_fsync;
static int stealing_rename;
static const char *race_name, *stolen_name;
int __real_tmpfile_open_at(int dirfd, struct err *e);
int __wrap_tmpfile_open_at(int dirfd, struct err *e);

int __wrap_tmpfile_open_at(int dirfd, struct err *e)
{
	if (race_name)
		scratch_write(race_name, "mine");
	race_name = NULL;
	if (without_tmpfile)
		return err_set(e, ERR_UNSUPPORTED, "no O_TMPFILE here");
	return __real_tmpfile_open_at(dirfd, e);
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);

/* Somebody puts a file of his own in place of a new one. */
static void steal(void)
{
	if (!stolen_name || unlink(scratch_file(stolen_name)) < 0)
		return;
	scratch_write(stolen_name, "mine");
	stolen_name = NULL;
}

int __real_renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags);
int __wrap_renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags);

int __wrap_renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	if (without_rename) {
		errno = EINVAL;
		return -1;
	}
	if (stealing_rename > 0 && --stealing_rename == 0)
		steal();
	return __real_renameat2(from_dir, from, to_dir, to, flags);
}

int __wrap_fsync(int fd)
{
	if (failing_fsync > 0 && --failing_fsync == 0) {
		if (!stealing_rename)
			steal();
		errno = EIO;
		return -1;
	}
	return __real_fsync(fd);
}

static int open_fixture(const char *name, const char *passphrase, struct private_key *out,
			struct err *e)
{
	SCOPE(keyfile) struct keyfile kf = KEYFILE_INIT;
	SCOPE(secret) struct secret pass = SECRET_INIT;

	secret_from_text(&pass, passphrase);
	if (keyfile_read(&kf, fixture_path(name), e) < 0)
		return -1;
	return keyfile_decrypt(&kf, &pass, out, e);
}

static const struct {
	const char *name, *passphrase;
	enum key_alg alg;
} readable[] = {
	{"cosign-ed25519-32768.key", PASSPHRASE, KEY_ED25519},
	{"cosign-ed25519-65536.key", PASSPHRASE, KEY_ED25519},
	{"cosign-ed25519-131072.key", PASSPHRASE, KEY_ED25519},
	{"sigstore-ed25519-65536.key", PASSPHRASE, KEY_ED25519},
	{"cosign-ed25519-empty.key", "", KEY_ED25519},
	{"cosign-p256-32768.key", PASSPHRASE, KEY_P256},
	{"sigstore-p256-65536.key", PASSPHRASE, KEY_P256},
};

START_TEST(reads_each_kind_of_file)
{
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	SCOPE(private_key) struct private_key want = PRIVATE_KEY_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(open_fixture(readable[_i].name, readable[_i].passphrase, &k, &e), 0);
	ck_assert_no_err(&e);
	fixture_private(&want, readable[_i].alg);
	ck_assert(public_key_equal(&k.public_key, &want.public_key));
	ck_assert_mem_eq(k.seed.data, want.seed.data, KEY_SEED_LEN);
}
END_TEST

static const struct {
	const char *name, *passphrase;
	enum err_code code;
	const char *word;
} unreadable[] = {
	{"cosign-ed25519-32768.key", "open sesamE", ERR_UNTRUSTED, "wrong passphrase"},
	{"cosign-ed25519-32768.key", PASSPHRASE "\n", ERR_UNTRUSTED, "wrong passphrase"},
	{"cosign-ed25519-32768.key", "", ERR_UNTRUSTED, "wrong passphrase"},
	{"cosign-ed25519-empty.key", PASSPHRASE, ERR_UNTRUSTED, "wrong passphrase"},
	{"cosign-rsa.key", PASSPHRASE, ERR_UNSUPPORTED, "RSA"},
	{"cosign-p384.key", PASSPHRASE, ERR_UNSUPPORTED, "curve"},
	{"cosign-text.key", PASSPHRASE, ERR_FORMAT, "PKCS#8"},
	{"plain-ed25519.pem", PASSPHRASE, ERR_UNSUPPORTED, "encrypted"},
	{"openssl-encrypted.pem", PASSPHRASE, ERR_UNSUPPORTED, "cosign"},
	{"ed25519.pub", PASSPHRASE, ERR_FORMAT, "public key"},
	{"payload.json", PASSPHRASE, ERR_FORMAT, "PEM"},
	{"no-such-file", PASSPHRASE, ERR_NOT_FOUND, "no-such-file"},
	{".", PASSPHRASE, ERR_FORMAT, "regular"},
};

START_TEST(refuses_files)
{
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(open_fixture(unreadable[_i].name, unreadable[_i].passphrase, &k, &e), -1);
	check_no_secret(e.msg);
	ck_assert_err(&e, unreadable[_i].code, unreadable[_i].word);
	ck_assert_ptr_null(k.seed.data);
}
END_TEST

static const struct {
	const char *body;
	enum err_code code;
	const char *word;
} bad_bodies[] = {
	{"{}", ERR_FORMAT, "kdf"},
	{"[]", ERR_FORMAT, "encrypted key"},
	{"{" KDF "," CIPHER "}", ERR_FORMAT, "ciphertext"},
	{"{" KDF "," BOX "}", ERR_FORMAT, "cipher"},
	{"{" KDF "," CIPHER "," BOX ",\"x\":1}", ERR_FORMAT, "unknown member 'x'"},
	{"{" KDF "," KDF "," CIPHER "," BOX "}", ERR_FORMAT, "encrypted key"},
	{"{" KDF "," CIPHER "," BOX "} ", ERR_NONE, NULL},
	{"{" KDF "," CIPHER "," BOX "}x", ERR_FORMAT, "encrypted key"},
	{"{" KDF "," CIPHER ",\"ciphertext\":\"\"}", ERR_FORMAT, "too short"},
	{"{" KDF "," CIPHER ",\"ciphertext\":\"AAAAAAAAAAAAAAAAAAAAAA==\"}", ERR_FORMAT,
	 "too short"},
	{"{" KDF "," CIPHER ",\"ciphertext\":\"AAAAAAAAAAAAAAAAAAAAAAA=\"}", ERR_NONE, NULL},
	{"{" KDF "," CIPHER ",\"ciphertext\":\"AAAA AAAAAAAAAAAAAAAAAAA=\"}", ERR_FORMAT, "base64"},
	{"{" KDF "," CIPHER ",\"ciphertext\":7}", ERR_FORMAT, "ciphertext"},
	{"{" KDF ",\"cipher\":{\"name\":\"aes\",\"nonce\":\"" NONCE "\"}," BOX "}", ERR_UNSUPPORTED,
	 "cipher"},
	{"{" KDF ",\"cipher\":{\"name\":\"nacl/secretbox\",\"nonce\":\"AAAA\"}," BOX "}",
	 ERR_FORMAT, "nonce is not 24"},
	/* 23 and 25 bytes */
	{"{" KDF
	 ",\"cipher\":{\"name\":\"nacl/secretbox\",\"nonce\":\"ICEiIyQlJicoKSorLC0uLzAxMjM0NTY=\"}"
	 "," BOX "}",
	 ERR_FORMAT, "nonce"},
	{"{" KDF ",\"cipher\":{\"name\":\"nacl/secretbox\",\"nonce\":"
	 "\"ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3AA==\"}," BOX "}",
	 ERR_FORMAT, "nonce"},
	{"{\"kdf\":{\"name\":\"pbkdf2\",\"params\":" PARAMS ",\"salt\":\"" SALT "\"}," CIPHER
	 "," BOX "}",
	 ERR_UNSUPPORTED, "pbkdf2"},
	{"{\"kdf\":{\"name\":\"scrypt\",\"params\":" PARAMS ",\"salt\":\"\"}," CIPHER "," BOX "}",
	 ERR_FORMAT, "salt"},
	{"{\"kdf\":{\"name\":\"scrypt\",\"params\":" PARAMS "}," CIPHER "," BOX "}", ERR_FORMAT,
	 "salt"},
	{"{\"kdf\":{\"name\":\"scrypt\",\"params\":" PARAMS ",\"salt\":\"" SALT
	 "\",\"dkLen\":32}," CIPHER "," BOX "}",
	 ERR_FORMAT, "dkLen"},
	{"{\"kdf\":\"scrypt\"," CIPHER "," BOX "}", ERR_FORMAT, "kdf"},
};

START_TEST(refuses_bodies)
{
	SCOPE(keyfile) struct keyfile kf = KEYFILE_INIT;
	SCOPE(str) struct str text = STR_INIT;
	struct err e = ERR_INIT;
	const char *body = bad_bodies[_i].body;

	ck_assert_int_eq(pem_format("ENCRYPTED COSIGN PRIVATE KEY", body, strlen(body), &text, &e),
			 0);
	const int rc = keyfile_parse(&kf, text.data, text.len, &e);
	if (bad_bodies[_i].code == ERR_NONE) {
		ck_assert_no_err(&e);
		return;
	}
	ck_assert_int_eq(rc, -1);
	ck_assert_err(&e, bad_bodies[_i].code, bad_bodies[_i].word);
	ck_assert_ptr_null(kf.box.data);
}
END_TEST

static const struct {
	const char *params;
	enum err_code code;
	const char *word;
} bad_params[] = {
	{"{\"N\":1024,\"r\":8,\"p\":1}", ERR_UNSUPPORTED, "N=1024"},
	{"{\"N\":16384,\"r\":8,\"p\":1}", ERR_UNSUPPORTED, "scrypt"},
	{"{\"N\":32769,\"r\":8,\"p\":1}", ERR_UNSUPPORTED, "scrypt"},
	{"{\"N\":262144,\"r\":8,\"p\":1}", ERR_UNSUPPORTED, "scrypt"},
	{"{\"N\":1073741824,\"r\":8,\"p\":1}", ERR_UNSUPPORTED, "scrypt"},
	{"{\"N\":0,\"r\":8,\"p\":1}", ERR_UNSUPPORTED, "scrypt"},
	{"{\"N\":32768,\"r\":1000000,\"p\":1}", ERR_UNSUPPORTED, "r=1000000"},
	{"{\"N\":32768,\"r\":1,\"p\":1}", ERR_UNSUPPORTED, "scrypt"},
	{"{\"N\":32768,\"r\":8,\"p\":0}", ERR_UNSUPPORTED, "scrypt"},
	{"{\"N\":32768,\"r\":8,\"p\":1000000}", ERR_UNSUPPORTED, "scrypt"},
	{"{\"N\":-1,\"r\":8,\"p\":1}", ERR_FORMAT, "N"},
	{"{\"N\":32768.0,\"r\":8,\"p\":1}", ERR_FORMAT, "N"},
	{"{\"N\":\"32768\",\"r\":8,\"p\":1}", ERR_FORMAT, "N"},
	{"{\"N\":18446744073709551617,\"r\":8,\"p\":1}", ERR_FORMAT, "encrypted key"},
	{"{\"N\":32768,\"r\":8}", ERR_FORMAT, "p"},
	{"{\"N\":32768,\"r\":8,\"p\":1,\"q\":1}", ERR_FORMAT, "unknown member 'q'"},
};

START_TEST(refuses_parameters_before_deriving)
{
	SCOPE(keyfile) struct keyfile kf = KEYFILE_INIT;
	SCOPE(str) struct str body = STR_INIT;
	SCOPE(str) struct str text = STR_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(str_appendf(&body, &e,
				     "{\"kdf\":{\"name\":\"scrypt\",\"params\":%s,\"salt\":\"" SALT
				     "\"}," CIPHER "," BOX "}",
				     bad_params[_i].params),
			 0);
	ck_assert_int_eq(
		pem_format("ENCRYPTED SIGSTORE PRIVATE KEY", body.data, body.len, &text, &e), 0);
	/* The parser derives nothing: there is no passphrase here. */
	ck_assert_int_eq(keyfile_parse(&kf, text.data, text.len, &e), -1);
	ck_assert_err(&e, bad_params[_i].code, bad_params[_i].word);
}
END_TEST

START_TEST(refuses_other_blocks)
{
	static const char text[] =
		"-----BEGIN CERTIFICATE-----\nMCowBQYDK2VwAyEA\n-----END CERTIFICATE-----\n";
	SCOPE(keyfile) struct keyfile kf = KEYFILE_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(keyfile_parse(&kf, text, strlen(text), &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "CERTIFICATE");
}
END_TEST

START_TEST(a_changed_byte_is_noticed)
{
	SCOPE(keyfile) struct keyfile kf = KEYFILE_INIT;
	SCOPE(secret) struct secret pass = SECRET_INIT;
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	struct err e = ERR_INIT;
	uint8_t *const places[] = {kf.salt, kf.nonce, NULL, NULL};

	secret_from_text(&pass, PASSPHRASE);
	ck_assert_int_eq(keyfile_read(&kf, fixture_path("cosign-ed25519-32768.key"), &e), 0);
	uint8_t *at = _i < 2 ? places[_i] : (uint8_t *)kf.box.data + (_i == 2 ? 0 : kf.box.len - 1);
	*at ^= 1;
	ck_assert_int_eq(keyfile_decrypt(&kf, &pass, &k, &e), -1);
	check_no_secret(e.msg);
	ck_assert_err(&e, ERR_UNTRUSTED, "damaged");
}
END_TEST

/* With the salt and the nonce of the peer's file, ours is the same, byte for byte. */
START_TEST(writes_what_the_peer_writes)
{
	static const char *const names[] = {"cosign-ed25519-32768.key", "cosign-p256-32768.key"};
	SCOPE(str) struct str want = fixture_read(names[_i]);
	SCOPE(keyfile) struct keyfile kf = KEYFILE_INIT;
	SCOPE(secret) struct secret pass = SECRET_INIT;
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	SCOPE(str) struct str out = STR_INIT;
	struct err e = ERR_INIT;

	secret_from_text(&pass, PASSPHRASE);
	fixture_private(&k, _i ? KEY_P256 : KEY_ED25519);
	ck_assert_int_eq(keyfile_read(&kf, fixture_path(names[_i]), &e), 0);
	ck_assert_int_eq(keyfile_format(&k, &pass, &kf, &out, &e), 0);
	ck_assert_str_eq(str_text(&out), str_text(&want));
}
END_TEST

START_TEST(the_peer_reads_what_we_write)
{
	SCOPE(secret) struct secret pass = SECRET_INIT;
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	SCOPE_FREE char *path = NULL;
	SCOPE(str) struct str text = STR_INIT;
	struct err e = ERR_INIT;
	const char *script = getenv("KEYFILE_PY");

	if (!script)
		return;
	secret_from_text(&pass, _i ? "" : "p\xc3\xa4ss w\xc3\xb6rd");
	ck_assert_int_eq(private_key_generate(&k, _i ? KEY_P256 : KEY_ED25519, &e), 0);
	ck_assert_int_eq(keyfile_format(&k, &pass, NULL, &text, &e), 0);
	scratch_write("ours.key", str_text(&text));
	path = str_dup(scratch_file("ours.key"), &e);
	const char *right[] = {"python3", script,         "decrypt",
			       path,      "--passphrase", _i ? "" : "p\xc3\xa4ss w\xc3\xb6rd",
			       NULL};
	const char *wrong[] = {"python3", script, "decrypt", path, "--passphrase", "other", NULL};
	const int status = run_program(right);
	if (status == 127)
		return;
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(run_program(wrong), 1);
}
END_TEST

static void make_pair(struct private_key *k, struct secret *pass)
{
	*k = (struct private_key)PRIVATE_KEY_INIT;
	fixture_private(k, KEY_ED25519);
	secret_from_text(pass, PASSPHRASE);
}

static mode_t mode_of(const char *name)
{
	struct stat st;

	ck_assert_int_eq(lstat(scratch_file(name), &st), 0);
	return st.st_mode;
}

START_TEST(a_long_passphrase_is_refused)
{
	SCOPE(keyfile) struct keyfile kf = KEYFILE_INIT;
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	SCOPE(secret) struct secret pass = SECRET_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(secret_init(&pass, LIMIT_PASSPHRASE + 1, &e), 0);
	ck_assert_int_eq(keyfile_read(&kf, fixture_path("cosign-ed25519-32768.key"), &e), 0);
	ck_assert_int_eq(keyfile_decrypt(&kf, &pass, &k, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "longer");
}
END_TEST

START_TEST(creates_a_pair)
{
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	SCOPE(secret) struct secret pass = SECRET_INIT;
	SCOPE(keyfile) struct keyfile kf = KEYFILE_INIT;
	struct public_key pub;
	struct err e = ERR_INIT;

	without_tmpfile = _i;
	make_pair(&k, &pass);
	umask(0277);
	ck_assert_int_eq(keyfile_create_pair(scratch_file("team"), &k, &pass, &e), 0);
	ck_assert_no_err(&e);
	umask(022);
	ck_assert_uint_eq(mode_of("team.key"), S_IFREG | 0600);
	ck_assert_uint_eq(mode_of("team.pub"), S_IFREG | 0644);
	ck_assert_int_eq(scratch_count(), 2);
	ck_assert_int_eq(keyfile_read(&kf, scratch_file("team.key"), &e), 0);
	ck_assert_int_eq(public_key_read(&pub, scratch_file("team.pub"), &e), 0);
	ck_assert(public_key_equal(&pub, &k.public_key));

	/* In the current directory, too. */
	ck_assert_int_eq(chdir(scratch_path()), 0);
	ck_assert_int_eq(keyfile_create_pair("here", &k, &pass, &e), 0);
	ck_assert_int_eq(scratch_count(), 4);
	ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

START_TEST(never_overwrites)
{
	static const char *const taken[] = {"team.key", "team.pub"};
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	SCOPE(secret) struct secret pass = SECRET_INIT;
	SCOPE_FREE char *prefix = NULL;
	struct err e = ERR_INIT;

	without_tmpfile = _i >= 2;
	make_pair(&k, &pass);
	prefix = str_dup(scratch_file("team"), &e);
	scratch_write(taken[_i % 2], "mine");
	ck_assert_int_eq(keyfile_create_pair(prefix, &k, &pass, &e), -1);
	ck_assert_int_eq(err_exit_status(&e), 9);
	ck_assert_err(&e, ERR_EXISTS, taken[_i % 2]);
	ck_assert_int_eq(scratch_count(), 1);

	/* A symlink, even to nowhere, is not followed. */
	ck_assert_int_eq(unlink(scratch_file(taken[_i % 2])), 0);
	ck_assert_int_eq(symlink("nowhere", scratch_file(taken[_i % 2])), 0);
	ck_assert_int_eq(keyfile_create_pair(prefix, &k, &pass, &e), -1);
	ck_assert_err(&e, ERR_EXISTS, taken[_i % 2]);
	ck_assert_int_eq(scratch_count(), 1);
}
END_TEST

/* Somebody takes a name after both were found free: then the other goes again. */
START_TEST(a_lost_race_leaves_nothing)
{
	static const char *const taken[] = {"team.key", "team.pub"};
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	SCOPE(secret) struct secret pass = SECRET_INIT;
	SCOPE_FREE char *prefix = NULL;
	struct err e = ERR_INIT;

	without_tmpfile = _i >= 2;
	make_pair(&k, &pass);
	prefix = str_dup(scratch_file("team"), &e);
	race_name = taken[_i % 2];
	ck_assert_int_eq(keyfile_create_pair(prefix, &k, &pass, &e), -1);
	ck_assert_err(&e, ERR_EXISTS, taken[_i % 2]);
	ck_assert_int_eq(scratch_count(), 1);
}
END_TEST

/* The n-th fsync fails: of the files, then of the names. */
static const struct {
	bool without_tmpfile, without_rename;
	int count; /* of calls to fsync */
} disks[] = {{false, false, 6}, {true, false, 4}, {true, true, 4}};

START_TEST(a_disk_that_fails_leaves_nothing)
{
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	SCOPE(secret) struct secret pass = SECRET_INIT;
	struct err e = ERR_INIT;

	without_tmpfile = disks[_i].without_tmpfile;
	make_pair(&k, &pass);
	for (int n = 1; n <= disks[_i].count; n++) {
		failing_fsync = n;
		ck_assert_int_eq(keyfile_create_pair(scratch_file("team"), &k, &pass, &e), -1);
		ck_assert_int_eq(e.sys, EIO);
		ck_assert_err(&e, ERR_SYS, "team.");
		ck_assert_int_eq(scratch_count(), 0);
	}
	/* It was all of them. */
	failing_fsync = disks[_i].count + 1;
	without_rename = disks[_i].without_rename;
	ck_assert_int_eq(keyfile_create_pair(scratch_file("team"), &k, &pass, &e), 0);
	ck_assert_int_eq(failing_fsync, 1);
	ck_assert_int_eq(scratch_count(), 2);
}
END_TEST

static void check_mine(const char *name)
{
	SCOPE(str) struct str text = STR_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(io_slurp_path(scratch_file(name), LIMIT_KEY_FILE, &text, &e), 0);
	ck_assert_str_eq(str_text(&text), "mine");
}

/* Whoever took the name after us keeps it when we fail: found before it is touched, or just
 * after. */
static const struct {
	bool without_tmpfile;
	int failing_fsync, stealing_rename;
} thefts[] = {
	{false, 5, 0}, /* of the second file's content */
	{false, 5, 1},
	{true, 4, 0}, /* of the second name */
	{true, 4, 4}, /* the renames before: two to the names, one of the other file */
};

START_TEST(files_of_others_stay)
{
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	SCOPE(secret) struct secret pass = SECRET_INIT;
	struct err e = ERR_INIT;

	without_tmpfile = thefts[_i].without_tmpfile;
	failing_fsync = thefts[_i].failing_fsync;
	stealing_rename = thefts[_i].stealing_rename;
	stolen_name = "team.key";
	make_pair(&k, &pass);
	ck_assert_int_eq(keyfile_create_pair(scratch_file("team"), &k, &pass, &e), -1);
	ck_assert_err(&e, ERR_SYS, "team.pub");
	ck_assert_ptr_null(stolen_name);
	check_mine("team.key");
	ck_assert_int_eq(scratch_count(), 1);
}
END_TEST

START_TEST(needs_a_directory)
{
	SCOPE(private_key) struct private_key k = PRIVATE_KEY_INIT;
	SCOPE(secret) struct secret pass = SECRET_INIT;
	struct err e = ERR_INIT;

	make_pair(&k, &pass);
	ck_assert_int_eq(keyfile_create_pair(scratch_file("no/team"), &k, &pass, &e), -1);
	ck_assert_err(&e, ERR_SYS, "directory");
}
END_TEST

START_TEST(a_fifo_does_not_hang)
{
	SCOPE(keyfile) struct keyfile kf = KEYFILE_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(mkfifo(scratch_file("fifo"), 0600), 0);
	ck_assert_int_eq(keyfile_read(&kf, scratch_file("fifo"), &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "regular");
}
END_TEST

START_TEST(a_long_file_is_refused)
{
	SCOPE(keyfile) struct keyfile kf = KEYFILE_INIT;
	struct err e = ERR_INIT;
	const int fd = open(scratch_file("long"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_eq(ftruncate(fd, 10 * LIMIT_MIB), 0);
	close(fd);
	ck_assert_int_eq(keyfile_read(&kf, scratch_file("long"), &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "long");
}
END_TEST

START_TEST(warns_when_others_may_read)
{
	static const mode_t modes[] = {0600, 0400, 0640, 0604, 0620, 0644};
	SCOPE(keyfile) struct keyfile kf = KEYFILE_INIT;
	SCOPE(str) struct str text = fixture_read("cosign-ed25519-32768.key");
	SCOPE(str) struct str said = STR_INIT;
	struct err e = ERR_INIT;

	scratch_write("k", str_text(&text));
	ck_assert_int_eq(chmod(scratch_file("k"), modes[_i]), 0);
	caught_begin();
	const int rc = keyfile_read(&kf, scratch_file("k"), &e);
	said = caught_end();
	ck_assert_int_eq(rc, 0);
	ck_assert_int_eq(strstr(str_text(&said), "others may use it") != NULL, _i >= 2);
}
END_TEST

START_TEST(warns_of_another_users_file)
{
	SCOPE(keyfile) struct keyfile kf = KEYFILE_INIT;
	SCOPE(str) struct str text = fixture_read("cosign-ed25519-32768.key");
	SCOPE(str) struct str said = STR_INIT;
	struct err e = ERR_INIT;

	scratch_write("k", str_text(&text));
	ck_assert_int_eq(chmod(scratch_file("k"), 0600), 0);
	/* Only root can give a file away. */
	if (chown(scratch_file("k"), 12345, (gid_t)-1) < 0)
		return;
	caught_begin();
	const int rc = keyfile_read(&kf, scratch_file("k"), &e);
	said = caught_end();
	ck_assert_int_eq(rc, 0);
	ck_assert_ptr_nonnull(strstr(str_text(&said), "another user"));
}
END_TEST

static int parse_fixture(void *arg, struct err *e)
{
	SCOPE(keyfile) struct keyfile kf = KEYFILE_INIT;
	const struct str *text = arg;

	return keyfile_parse(&kf, text->data, text->len, e);
}

START_TEST(survives_without_memory)
{
	SCOPE(str) struct str text = fixture_read("cosign-ed25519-32768.key");

	failalloc_each(parse_fixture, &text);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("signer/keyfile");
	TCase *rd = tcase_create("read");
	TCase *wr = tcase_create("write");

	tcase_set_timeout(rd, 60);
	tcase_set_timeout(wr, 60);
	tcase_add_checked_fixture(rd, scratch_make, scratch_remove);
	tcase_add_loop_test(rd, reads_each_kind_of_file, 0, ARRAY_LEN(readable));
	tcase_add_loop_test(rd, refuses_files, 0, ARRAY_LEN(unreadable));
	tcase_add_loop_test(rd, refuses_bodies, 0, ARRAY_LEN(bad_bodies));
	tcase_add_loop_test(rd, refuses_parameters_before_deriving, 0, ARRAY_LEN(bad_params));
	tcase_add_test(rd, refuses_other_blocks);
	tcase_add_loop_test(rd, a_changed_byte_is_noticed, 0, 4);
	tcase_add_test(rd, a_fifo_does_not_hang);
	tcase_add_test(rd, a_long_file_is_refused);
	tcase_add_loop_test(rd, warns_when_others_may_read, 0, 6);
	tcase_add_test(rd, warns_of_another_users_file);
	tcase_add_test(rd, a_long_passphrase_is_refused);
	tcase_add_test(rd, survives_without_memory);
	suite_add_tcase(s, rd);

	tcase_add_checked_fixture(wr, scratch_make, scratch_remove);
	tcase_add_loop_test(wr, writes_what_the_peer_writes, 0, 2);
	tcase_add_loop_test(wr, the_peer_reads_what_we_write, 0, 2);
	tcase_add_loop_test(wr, creates_a_pair, 0, 2);
	tcase_add_loop_test(wr, never_overwrites, 0, 4);
	tcase_add_loop_test(wr, a_lost_race_leaves_nothing, 0, 4);
	tcase_add_loop_test(wr, a_disk_that_fails_leaves_nothing, 0, ARRAY_LEN(disks));
	tcase_add_loop_test(wr, files_of_others_stay, 0, ARRAY_LEN(thefts));
	tcase_add_test(wr, needs_a_directory);
	suite_add_tcase(s, wr);
	return s;
}

UNIT_MAIN(suite_new)
