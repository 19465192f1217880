/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hasher.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "base/io.h"
#include "main.h"
#include "tests/support/scratch.h"

/* The examples of FIPS 180-2, appendices B and C, with the empty message. */
static const struct {
	const char *text;
	size_t repeat;
	const char *sha256, *sha512;
} vectors[] = {
	{"", 1, "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	 "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
	 "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"},
	{"abc", 1, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	 "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	 "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
	{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
	 "sha256:248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
	 "sha512:204a8fc6dda82f0a0ced7beb8e08a41657c16ef468b228a8279be331a703c335"
	 "96fd15c13b1b07f9aa1d3bea57789ca031ad85c7a71dd70354ec631238ca3445"},
	{"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
	 "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
	 1, "sha256:cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
	 "sha512:8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
	 "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909"},
	{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 15625,
	 "sha256:cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
	 "sha512:e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb"
	 "de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b"},
};

static void check_vector(enum digest_alg alg, int i, const char *want)
{
	char text[DIGEST_STR_MAX];
	struct hasher h;

	hasher_init(&h, alg);
	for (size_t n = 0; n < vectors[i].repeat; n++)
		hasher_update(&h, vectors[i].text, strlen(vectors[i].text));
	const struct digest d = hasher_final(&h);
	ck_assert_str_eq(digest_format(&d, text), want);
}

static void check_all(int i)
{
	char text[DIGEST_STR_MAX];

	check_vector(DIGEST_SHA256, i, vectors[i].sha256);
	check_vector(DIGEST_SHA512, i, vectors[i].sha512);
	if (vectors[i].repeat == 1) {
		const struct digest d = hasher_sha256(vectors[i].text, strlen(vectors[i].text));
		ck_assert_str_eq(digest_format(&d, text), vectors[i].sha256);
	}
}

START_TEST(published_vectors)
{
	check_all(_i);
}
END_TEST

START_TEST(fd_hashes_all_and_keeps_the_offset)
{
	struct err e = ERR_INIT;
	char block[1000], text[DIGEST_STR_MAX];
	struct digest d;
	uint64_t size = 0;

	memset(block, 'a', sizeof(block));
	SCOPE_FD int fd = open(scratch_file("million"), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(io_write_all(fd, block, sizeof(block)), 0);
	ck_assert_int_eq(lseek(fd, 17, SEEK_SET), 17);
	ck_assert_int_eq(hasher_fd(fd, DIGEST_SHA256, "'million'", &d, &size, NULL, &e), 0);
	ck_assert_uint_eq(size, 1000000);
	ck_assert_str_eq(digest_format(&d, text), vectors[4].sha256);
	ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 17);
	ck_assert_int_eq(hasher_fd(fd, DIGEST_SHA512, "'million'", &d, NULL, NULL, &e), 0);
	ck_assert_str_eq(digest_format(&d, text), vectors[4].sha512);
}
END_TEST

START_TEST(fd_that_cannot_be_read_is_an_error)
{
	struct err e = ERR_INIT;
	struct digest d;

	ck_assert_int_eq(hasher_fd(scratch_fd(), DIGEST_SHA256, "blob 'b'", &d, NULL, NULL, &e),
			 -1);
	ck_assert_int_eq(e.sys, EISDIR);
	ck_assert_err(&e, ERR_SYS, "blob 'b': cannot read");
}
END_TEST

/* Of a file of many gigabytes, too. */
START_TEST(fd_stops_for_a_signal)
{
	struct err e = ERR_INIT;
	struct digest d;
	SCOPE_FD int fd = open(scratch_file("large"), O_CREAT | O_RDWR | O_CLOEXEC, 0600);

	ck_assert_int_eq(ftruncate(fd, (off_t)1 << 40), 0);
	signal(SIGINT, SIG_DFL);
	interrupt_hold();
	raise(SIGINT);
	ck_assert_int_eq(hasher_fd(fd, DIGEST_SHA256, "blob 'b'", &d, NULL, NULL, &e), -1);
	ck_assert_int_eq(e.sys, EINTR);
	ck_assert_err(&e, ERR_SYS, "stopped");
}
END_TEST

static void *no_memory(size_t size, const char *file, int line)
{
	(void)size;
	(void)file;
	(void)line;
	return NULL;
}

static void *no_more_memory(void *old, size_t size, const char *file, int line)
{
	(void)old;
	return no_memory(size, file, line);
}

static void free_none(void *old, const char *file, int line)
{
	(void)old;
	(void)file;
	(void)line;
}

/* A mount that is out of memory checks frames all the same. */
START_TEST(takes_no_memory)
{
	ck_assert_int_eq(CRYPTO_set_mem_functions(no_memory, no_more_memory, free_none), 1);
	for (int i = 0; i < (int)ARRAY_LEN(vectors); i++)
		check_all(i);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *suite = suite_create("base/hasher");
	TCase *tc = tcase_create("vectors");

	tcase_add_loop_test(tc, published_vectors, 0, ARRAY_LEN(vectors));
	tcase_add_test(tc, takes_no_memory);
	suite_add_tcase(suite, tc);
	tc = tcase_create("files");
	tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
	tcase_add_test(tc, fd_hashes_all_and_keeps_the_offset);
	tcase_add_test(tc, fd_that_cannot_be_read_is_an_error);
	tcase_add_test(tc, fd_stops_for_a_signal);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(suite_new)
