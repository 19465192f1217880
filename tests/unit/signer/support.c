/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/support.h"

#include <check.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "main.h"

static int caught_fd = -1, kept_fd = -1;

size_t hex_decode(const char *hex, uint8_t *out, size_t cap)
{
	const size_t len = strlen(hex) / 2;

	ck_assert_uint_le(len, cap);
	for (size_t i = 0; i < len; i++) {
		uint64_t byte = 0;
		ck_assert_int_eq(str_to_u64(hex + 2 * i, 2, 16, 0xff, &byte), 0);
		out[i] = (uint8_t)byte;
	}
	return len;
}

const char *fixture_path(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/keys/%s", TEST_DATA, name);
	return path;
}

struct str fixture_read(const char *name)
{
	struct str s = STR_INIT;
	struct err e = ERR_INIT;

	io_slurp_path(fixture_path(name), 1024 * 1024, &s, &e);
	ck_assert_no_err(&e);
	return s;
}

void fixture_private(struct private_key *out, enum key_alg alg)
{
	struct err e = ERR_INIT;
	uint8_t seed[KEY_SEED_LEN];

	*out = (struct private_key)PRIVATE_KEY_INIT;
	hex_decode(alg == KEY_P256 ? SCALAR_P256 : SEED_ED25519, seed, sizeof(seed));
	private_key_from_seed(out, alg, seed, &e);
	ck_assert_no_err(&e);
}

void secret_from_text(struct secret *out, const char *text)
{
	struct err e = ERR_INIT;

	*out = (struct secret)SECRET_INIT;
	secret_init(out, strlen(text), &e);
	ck_assert_no_err(&e);
	memcpy(out->data, text, out->len);
}

void caught_begin(void)
{
	caught_fd = memfd_create("standard error", MFD_CLOEXEC);
	ck_assert_int_ge(caught_fd, 0);
	fflush(stderr);
	kept_fd = dup(STDERR_FILENO);
	dup2(caught_fd, STDERR_FILENO);
}

struct str caught_end(void)
{
	struct str s = STR_INIT;
	struct err e = ERR_INIT;

	fflush(stderr);
	dup2(kept_fd, STDERR_FILENO);
	close(kept_fd);
	lseek(caught_fd, 0, SEEK_SET);
	io_slurp(caught_fd, 1024 * 1024, "standard error", &s, &e);
	ck_assert_no_err(&e);
	close(caught_fd);
	return s;
}

int run_program(const char *const argv[])
{
	int status = 0;
	const pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		const int nowhere = open("/dev/null", O_RDWR);
		dup2(nowhere, STDIN_FILENO);
		dup2(nowhere, STDOUT_FILENO);
		dup2(nowhere, STDERR_FILENO);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
