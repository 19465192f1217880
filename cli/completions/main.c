/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Usage: completions bash|zsh|fish ENGINE: prints a shell's completions.  Run by the build alone.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli/completions/completions.h"

static const struct shell {
	const char *name;
	int (*append)(struct str *out, struct err *e);
} shells[] = {
	{"bash", completions_bash},
	{"zsh", completions_zsh},
	{"fish", completions_fish},
};

int completions_choices(struct str *out, struct meaning m, const char *separator, struct err *e)
{
	const char *text;
	size_t len;

	for (bool is_first = true; choice_next(&m, &text, &len); is_first = false) {
		if (str_append_z(out, is_first ? "" : separator, e) < 0 ||
		    str_append(out, text, len, e) < 0)
			return -1;
	}
	return 0;
}

int completions_quoted(struct str *out, const char *text, size_t len, const char *special,
		       const char *quote, struct err *e)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\'') {
			if (str_append_z(out, quote, e) < 0)
				return -1;
			continue;
		}
		if (strchr(special, text[i]) && str_append_c(out, '\\', e) < 0)
			return -1;
		if (str_append_c(out, text[i], e) < 0)
			return -1;
	}
	return 0;
}

static int append_file(struct str *out, const char *path, struct err *e)
{
	char block[4096];
	size_t n;
	FILE *f = fopen(path, "re");

	if (!f)
		return err_sys(e, errno, "cannot open '%s'", path);
	while ((n = fread(block, 1, sizeof(block), f)) > 0) {
		if (str_append(out, block, n, e) < 0)
			break;
	}
	if (ferror(f) && e->code == ERR_NONE)
		(void)err_sys(e, errno, "cannot read '%s'", path);
	(void)fclose(f);
	return e->code == ERR_NONE ? 0 : -1;
}

static int print(const char *shell, const char *engine, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(shells); i++) {
		if (strcmp(shells[i].name, shell) != 0)
			continue;
		if (append_file(&text, engine, e) < 0 || shells[i].append(&text, e) < 0)
			return -1;
		if (fwrite(text.data, 1, text.len, stdout) != text.len || fflush(stdout) != 0)
			return err_sys(e, errno, "cannot write");
		return 0;
	}
	return err_set(e, ERR_USAGE, "unknown shell '%s'", shell);
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;

	if (argc != 3)
		(void)err_set(&e, ERR_USAGE, "usage: completions bash|zsh|fish ENGINE");
	else if (print(argv[1], argv[2], &e) == 0)
		return EXIT_SUCCESS;
	log_err(&e);
	const int status = err_exit_status(&e);
	err_clear(&e);
	return status;
}
