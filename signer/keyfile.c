/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/quote.h"
#include "base/tmpfile.h"
#include "signer/base64.h"
#include "signer/pem.h"

#define TYPE_COSIGN   "ENCRYPTED COSIGN PRIVATE KEY"
#define TYPE_SIGSTORE "ENCRYPTED SIGSTORE PRIVATE KEY"
#define KDF           "scrypt"
#define CIPHER        "nacl/secretbox"
#define WHAT          "encrypted key"

enum {
	SCRYPT_N_WRITE = 1 << 15, /* cosign's "Legacy": 32 MiB */
	SCRYPT_N_2 = 1 << 16,     /* its "Standard" */
	SCRYPT_N_MAX = 1 << 17,   /* its "OWASP" */
	SCRYPT_R = 8,
	SCRYPT_P = 1,
	OTHERS = S_IRWXG | S_IRWXO,
	TEMPORARY_MAX = sizeof(".shale-0123456789abcdef.tmp"),
};

_Static_assert(KEYFILE_NONCE_LEN == crypto_secretbox_NONCEBYTES, "XSalsa20's nonce");

void keyfile_fini(struct keyfile *kf)
{
	if (kf)
		str_fini(&kf->box);
}

/* All of an object's members are among the `count` names. */
static int check_members(json_t *obj, const char *const *names, size_t count, struct err *e)
{
	const char *key;
	json_t *value;

	json_object_foreach(obj, key, value)
	{
		size_t i = 0;
		while (i < count && strcmp(key, names[i]) != 0)
			i++;
		if (i == count) {
			char quoted[QUOTE_MAX];
			return err_set(e, ERR_FORMAT, WHAT ": unknown member '%s'",
				       quote_str(quoted, key));
		}
	}
	return 0;
}

/* A member that must be there, an object, with no members but those named. */
static int need_object(const json_t *obj, const char *key, const char *const *names, size_t count,
		       json_t **out, struct err *e)
{
	const int rc = json_get_object(obj, key, WHAT, out, e);

	if (rc < 0)
		return -1;
	if (rc == 0)
		return err_set(e, ERR_FORMAT, WHAT ": no member '%s'", key);
	return check_members(*out, names, count, e);
}

static int need_name(const json_t *obj, const char *name, const char *what, struct err *e)
{
	const char *got = NULL;
	char quoted[QUOTE_MAX];

	if (json_need_str(obj, "name", WHAT, &got, e) < 0)
		return -1;
	if (strcmp(got, name) != 0)
		return err_set(e, ERR_UNSUPPORTED, "its %s is '%s', not '%s'", what,
			       quote_str(quoted, got), name);
	return 0;
}

/* Exactly `len` bytes of base64. */
static int need_bytes(const json_t *obj, const char *key, uint8_t *out, size_t len, struct err *e)
{
	const char *text = NULL;
	size_t got = 0;

	if (json_need_str(obj, key, WHAT, &text, e) < 0)
		return -1;
	if (base64_decode(text, strlen(text), out, len, &got) < 0 || got != len)
		return err_set(e, ERR_FORMAT, "its %s is not %zu bytes in base64", key, len);
	return 0;
}

static int read_kdf(struct keyfile *kf, const json_t *doc, struct err *e)
{
	static const char *const kdf_names[] = {"name", "params", "salt"};
	static const char *const param_names[] = {"N", "r", "p"};
	json_t *kdf = NULL, *params = NULL;
	uint64_t n = 0, r = 0, p = 0;

	if (need_object(doc, "kdf", kdf_names, ARRAY_LEN(kdf_names), &kdf, e) < 0 ||
	    need_name(kdf, KDF, "key derivation", e) < 0 ||
	    need_object(kdf, "params", param_names, ARRAY_LEN(param_names), &params, e) < 0 ||
	    json_need_u64(params, "N", WHAT, INT64_MAX, &n, e) < 0 ||
	    json_need_u64(params, "r", WHAT, INT64_MAX, &r, e) < 0 ||
	    json_need_u64(params, "p", WHAT, INT64_MAX, &p, e) < 0)
		return -1;
	if ((n != SCRYPT_N_WRITE && n != SCRYPT_N_2 && n != SCRYPT_N_MAX) || r != SCRYPT_R ||
	    p != SCRYPT_P)
		return err_set(
			e, ERR_UNSUPPORTED,
			"its scrypt parameters N=%" PRIu64 " r=%" PRIu64 " p=%" PRIu64
			" are not among those that cosign uses (N of 32768, 65536 or 131072, "
			"r=8, p=1)",
			n, r, p);
	kf->n = n;
	return need_bytes(kdf, "salt", kf->salt, sizeof(kf->salt), e);
}

static int read_box(struct keyfile *kf, const json_t *doc, struct err *e)
{
	static const char *const names[] = {"name", "nonce"};
	json_t *cipher = NULL;
	const char *text = NULL;
	size_t len = 0;

	if (need_object(doc, "cipher", names, ARRAY_LEN(names), &cipher, e) < 0 ||
	    need_name(cipher, CIPHER, "cipher", e) < 0 ||
	    need_bytes(cipher, "nonce", kf->nonce, sizeof(kf->nonce), e) < 0 ||
	    json_need_str(doc, "ciphertext", WHAT, &text, e) < 0)
		return -1;

	const size_t room = BASE64_DECODED_MAX(strlen(text));
	if (str_append_zeros(&kf->box, room, e) < 0)
		return -1;
	if (room == 0 ||
	    base64_decode(text, strlen(text), (uint8_t *)kf->box.data, room, &len) < 0 ||
	    len <= crypto_secretbox_MACBYTES)
		return err_set(e, ERR_FORMAT, "its ciphertext is too short, or not base64");
	str_truncate(&kf->box, len);
	return 0;
}

static int read_document(struct keyfile *kf, const struct str *body, struct err *e)
{
	static const char *const names[] = {"kdf", "cipher", "ciphertext"};
	SCOPE(json)
	json_t *doc = json_parse_object(str_text(body), body->len, LIMIT_KEY_FILE, WHAT, e);

	if (!doc || check_members(doc, names, ARRAY_LEN(names), e) < 0 ||
	    read_kdf(kf, doc, e) < 0 || read_box(kf, doc, e) < 0)
		return -1;
	return 0;
}

int keyfile_parse(struct keyfile *out, const char *text, size_t len, struct err *e)
{
	SCOPE(keyfile) struct keyfile kf = KEYFILE_INIT;
	SCOPE(secret_text) struct str body = STR_INIT;
	char type[PEM_TYPE_MAX];

	if (pem_parse(text, len, type, &body, e) < 0)
		return -1;
	if (!str_equal(type, TYPE_COSIGN) && !str_equal(type, TYPE_SIGSTORE)) {
		if (str_equal(type, "PUBLIC KEY"))
			return err_set(e, ERR_FORMAT, "is a public key, not a private one");
		if (str_has_suffix(type, "PRIVATE KEY"))
			return err_set(e, ERR_UNSUPPORTED,
				       "is '%s': only private keys encrypted as cosign does it "
				       "('" TYPE_COSIGN "') are read",
				       type);
		return err_set(e, ERR_FORMAT, "holds '%s', not a private key", type);
	}
	if (read_document(&kf, &body, e) < 0)
		return -1;
	*out = kf;
	kf.box = (struct str)STR_INIT;
	return 0;
}

/* Opened so that a FIFO does not hang us, and judged by the descriptor, not by the name. */
static int open_checked(const char *path, const char *what, struct stat *st, struct err *e)
{
	SCOPE_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 && errno == ENOENT)
		return err_set(e, ERR_NOT_FOUND, "no %s", what);
	if (fd < 0 || fstat(fd, st) < 0)
		return err_sys(e, errno, "cannot open %s", what);
	if (!S_ISREG(st->st_mode))
		return err_set(e, ERR_FORMAT, "%s is not a regular file", what);
	return steal_fd(&fd);
}

static void warn_of_others(const struct stat *st, const char *what)
{
	if (st->st_mode & OTHERS)
		log_warning("%s has mode %04o: others may use it (chmod 600)", what,
			    (unsigned)(st->st_mode & ALLPERMS));
	if (st->st_uid != geteuid() && st->st_uid != 0)
		log_warning("%s belongs to another user (uid %u)", what, (unsigned)st->st_uid);
}

int keyfile_read(struct keyfile *out, const char *path, struct err *e)
{
	SCOPE(secret_text) struct str text = STR_INIT;
	char quoted[QUOTE_MAX], what[QUOTE_MAX + 16];
	struct stat st = {0};

	snprintf(what, sizeof(what), "key file '%s'", quote_str(quoted, path));
	SCOPE_FD int fd = open_checked(path, what, &st, e);
	if (fd < 0 || secret_text_init(&text, LIMIT_KEY_FILE + 1, e) < 0 ||
	    io_slurp(fd, LIMIT_KEY_FILE, what, &text, e) < 0)
		return -1;
	if (keyfile_parse(out, str_text(&text), text.len, e) < 0)
		return err_wrap(e, "%s", what);
	warn_of_others(&st, what);
	return 0;
}

static int derive(const struct secret *passphrase, uint64_t n,
		  const uint8_t salt[static KEYFILE_SALT_LEN], struct secret *out, struct err *e)
{
	if (secret_init(out, crypto_secretbox_KEYBYTES, e) < 0)
		return -1;
	if (crypto_pwhash_scryptsalsa208sha256_ll(passphrase->data, passphrase->len, salt,
						  KEYFILE_SALT_LEN, n, SCRYPT_R, SCRYPT_P,
						  out->data, out->len) != 0)
		return err_nomem(e);
	return 0;
}

int keyfile_decrypt(const struct keyfile *kf, const struct secret *passphrase,
		    struct private_key *out, struct err *e)
{
	SCOPE(secret) struct secret key = SECRET_INIT;
	SCOPE(secret) struct secret plain = SECRET_INIT;

	if (passphrase->len > LIMIT_PASSPHRASE)
		return err_set(e, ERR_LIMIT, "the passphrase is longer than %" PRIu64 " bytes",
			       LIMIT_PASSPHRASE);
	if (derive(passphrase, kf->n, kf->salt, &key, e) < 0 ||
	    secret_init(&plain, kf->box.len - crypto_secretbox_MACBYTES, e) < 0)
		return -1;
	if (crypto_secretbox_open_easy(plain.data, (const uint8_t *)kf->box.data, kf->box.len,
				       kf->nonce, key.data) != 0)
		return err_set(e, ERR_UNTRUSTED, "wrong passphrase, or a damaged key file");
	return private_key_from_pkcs8(out, plain.data, plain.len, e);
}

/* The document, its members in cosign's order. */
static int format_document(const struct keyfile *kf, struct str *out, struct err *e)
{
	if (str_appendf(out, e,
			"{\"kdf\":{\"name\":\"" KDF "\",\"params\":{\"N\":%" PRIu64
			",\"r\":%d,\"p\":%d},\"salt\":\"",
			kf->n, (int)SCRYPT_R, (int)SCRYPT_P) < 0 ||
	    base64_append(out, kf->salt, sizeof(kf->salt), e) < 0 ||
	    str_append_z(out, "\"},\"cipher\":{\"name\":\"" CIPHER "\",\"nonce\":\"", e) < 0 ||
	    base64_append(out, kf->nonce, sizeof(kf->nonce), e) < 0 ||
	    str_append_z(out, "\"},\"ciphertext\":\"", e) < 0 ||
	    base64_append(out, (const uint8_t *)kf->box.data, kf->box.len, e) < 0)
		return -1;
	return str_append_z(out, "\"}", e);
}

int keyfile_format(const struct private_key *k, const struct secret *passphrase,
		   const struct keyfile *fixed, struct str *out, struct err *e)
{
	SCOPE(keyfile) struct keyfile kf = KEYFILE_INIT;
	SCOPE(secret) struct secret key = SECRET_INIT;
	SCOPE(secret) struct secret plain = SECRET_INIT;
	SCOPE(str) struct str doc = STR_INIT;

	if (secret_setup(e) < 0)
		return -1;
	kf.n = SCRYPT_N_WRITE;
	if (fixed) {
		kf.n = fixed->n;
		memcpy(kf.salt, fixed->salt, sizeof(kf.salt));
		memcpy(kf.nonce, fixed->nonce, sizeof(kf.nonce));
	} else {
		randombytes_buf(kf.salt, sizeof(kf.salt));
		randombytes_buf(kf.nonce, sizeof(kf.nonce));
	}

	if (private_key_to_pkcs8(k, &plain, e) < 0 ||
	    derive(passphrase, kf.n, kf.salt, &key, e) < 0 ||
	    str_append_zeros(&kf.box, crypto_secretbox_MACBYTES + plain.len, e) < 0)
		return -1;
	crypto_secretbox_easy((uint8_t *)kf.box.data, plain.data, plain.len, kf.nonce, key.data);
	if (format_document(&kf, &doc, e) < 0)
		return -1;
	return pem_format(TYPE_COSIGN, doc.data, doc.len, out, e);
}

static int exists(const char *path, struct err *e)
{
	char quoted[QUOTE_MAX];

	return err_set(e, ERR_EXISTS, "'%s' exists already: key files are never overwritten",
		       quote_str(quoted, path));
}

/* A file on its way to its name. */
struct new_file {
	const char *path; /* as the user gave it */
	const char *name; /* its last part */
	mode_t mode;
	int dirfd, fd;
	char temporary[TEMPORARY_MAX]; /* the name it has meanwhile; "": none */
};

static void new_file_init(struct new_file *f, int dirfd, const char *path, mode_t mode)
{
	const char *slash = strrchr(path, '/');

	*f = (struct new_file){.path = path,
			       .name = slash ? slash + 1 : path,
			       .mode = mode,
			       .dirfd = dirfd,
			       .fd = -1};
}

static void make_temporary(char name[static TEMPORARY_MAX])
{
	uint8_t random[8];
	char hex[2 * sizeof(random) + 1];

	randombytes_buf(random, sizeof(random));
	sodium_bin2hex(hex, sizeof(hex), random, sizeof(random));
	(void)snprintf(name, TEMPORARY_MAX, ".shale-%s.tmp", hex);
}

/* Whether the name is that of our file, and not of another that took it since. */
static bool has_name(const struct new_file *f, const char *name)
{
	struct stat ours, there;

	return f->fd >= 0 && fstat(f->fd, &ours) == 0 &&
	       fstatat(f->dirfd, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

/*
 * unlink(2) takes whatever has the name by then.  So a name that others know is changed first to
 * one that they do not, looked at once more, and given back when it was not ours.
 */
static void take_back(struct new_file *f)
{
	char aside[TEMPORARY_MAX], quoted[QUOTE_MAX];

	if (!has_name(f, f->name))
		return;
	make_temporary(aside);
	if (renameat2(f->dirfd, f->name, f->dirfd, aside, RENAME_NOREPLACE) < 0)
		log_warning("'%s' was written, and cannot be taken back",
			    quote_str(quoted, f->path));
	else if (has_name(f, aside))
		unlinkat(f->dirfd, aside, 0);
	else
		(void)renameat2(f->dirfd, aside, f->dirfd, f->name, RENAME_NOREPLACE);
}

static void new_file_fini(struct new_file *f)
{
	if (f->temporary[0] && has_name(f, f->temporary))
		unlinkat(f->dirfd, f->temporary, 0);
	if (f->fd >= 0)
		close(f->fd);
}
SCOPE_DEFINE_VALUE(new_file, struct new_file, new_file_fini)

/* A file without a name; where the file system has none of these (FAT on a stick), with one that
 * says nothing. */
static int open_new(struct new_file *f, struct err *e)
{
	char quoted[QUOTE_MAX];

	f->fd = tmpfile_open_at(f->dirfd, e);
	if (f->fd >= 0)
		return 0;
	if (e->code != ERR_UNSUPPORTED)
		return -1;
	err_clear(e);
	make_temporary(f->temporary);
	f->fd = openat(f->dirfd, f->temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		       KEYFILE_MODE);
	if (f->fd < 0) {
		f->temporary[0] = '\0';
		return err_sys(e, errno, "cannot create '%s'", quote_str(quoted, f->path));
	}
	return 0;
}

static int prepare(struct new_file *f, const struct str *text, struct err *e)
{
	char quoted[QUOTE_MAX];

	if (open_new(f, e) < 0)
		return -1;
	if (fchmod(f->fd, f->mode) < 0 || io_write_all(f->fd, text->data, text->len) < 0 ||
	    fsync(f->fd) < 0)
		return err_sys(e, errno, "cannot write '%s'", quote_str(quoted, f->path));
	return 0;
}

/* Gives the temporary name away for the real one, if that is free: 0, or -1 with errno. */
static int rename_new(struct new_file *f)
{
	if (renameat2(f->dirfd, f->temporary, f->dirfd, f->name, RENAME_NOREPLACE) == 0) {
		f->temporary[0] = '\0';
		return 0;
	}
	/* NFS cannot do that, but has links. */
	return errno == EINVAL ? linkat(f->dirfd, f->temporary, f->dirfd, f->name, 0) : -1;
}

static int publish(struct new_file *f, struct err *e)
{
	char quoted[QUOTE_MAX];

	if (!f->temporary[0]) {
		const int rc = tmpfile_publish_at(f->fd, f->dirfd, f->name, f->mode, e);
		return rc == 0 ? exists(f->path, e) : rc < 0 ? -1 : 0;
	}
	const int rc = rename_new(f);
	if (rc < 0 && errno == EEXIST)
		return exists(f->path, e);
	if (rc < 0 || fsync(f->dirfd) < 0)
		return err_sys(e, errno, "cannot create '%s'", quote_str(quoted, f->path));
	return 0;
}

static int open_parent(const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	const size_t len = slash == path ? 1 : (size_t)(slash ? slash - path : 0);
	SCOPE_FREE char *dir = slash ? str_dup_n(path, len, e) : str_dup(".", e);
	char quoted[QUOTE_MAX];

	if (!dir)
		return -1;
	const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, errno, "cannot open directory '%s'", quote_str(quoted, dir));
	return fd;
}

static int check_free(const char *path, struct err *e)
{
	struct stat st;
	char quoted[QUOTE_MAX];

	if (lstat(path, &st) == 0)
		return exists(path, e);
	if (errno != ENOENT)
		return err_sys(e, errno, "cannot look for '%s'", quote_str(quoted, path));
	return 0;
}

int keyfile_create_pair(const char *prefix, const struct private_key *k,
			const struct secret *passphrase, struct err *e)
{
	SCOPE_FREE char *key_path = str_dupf(e, "%s.key", prefix);
	SCOPE_FREE char *pub_path = key_path ? str_dupf(e, "%s.pub", prefix) : NULL;
	SCOPE(str) struct str key = STR_INIT;
	SCOPE(str) struct str pub = STR_INIT;

	if (!pub_path || check_free(key_path, e) < 0 || check_free(pub_path, e) < 0)
		return -1;
	SCOPE_FD int dirfd = open_parent(key_path, e);
	SCOPE(new_file) struct new_file key_file = {.fd = -1};
	SCOPE(new_file) struct new_file pub_file = {.fd = -1};
	if (dirfd < 0)
		return -1;
	new_file_init(&key_file, dirfd, key_path, KEYFILE_MODE);
	new_file_init(&pub_file, dirfd, pub_path, KEYFILE_PUB_MODE);
	if (keyfile_format(k, passphrase, NULL, &key, e) < 0 ||
	    public_key_format(&k->public_key, &pub, e) < 0 || prepare(&key_file, &key, e) < 0 ||
	    prepare(&pub_file, &pub, e) < 0)
		return -1;
	/* The private one first: from it the other can be made at any time. */
	if (publish(&key_file, e) < 0 || publish(&pub_file, e) < 0) {
		take_back(&pub_file);
		take_back(&key_file);
		return -1;
	}
	return 0;
}
