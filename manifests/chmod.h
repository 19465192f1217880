/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modes as COPY --chmod takes them: octal, or symbolic as chmod(1) has it ("u=rwX,go=rX").
 *
 * Where no "ugoa" says whose bits are meant, those of a umask of 022 are left alone; the umask of
 * the process never matters.  Plain values, no allocation.
 */
#ifndef MANIFESTS_CHMOD_H
#define MANIFESTS_CHMOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

enum {
	CHMOD_MASK = 07777,
	CHMOD_ACTIONS_MAX = 64 /* operators in one symbolic mode */
};

struct chmod_action {
	char op;         /* + - = */
	char copy;       /* 'u', 'g' or 'o': takes that class's bits; 0: the bits are given */
	bool is_x_asked; /* X: x for directories, and where somebody has x */
	uint16_t who;    /* the bits that may change, of CHMOD_MASK */
	uint16_t clears; /* by =, first */
	uint16_t bits;   /* the bits given, as if for everybody */
};

struct chmod_spec {
	bool is_octal;
	uint16_t octal;
	struct chmod_action actions[CHMOD_ACTIONS_MAX];
	size_t count;
};

/* ERR_SYNTAX; `out` is then untouched. */
int chmod_parse(struct chmod_spec *out, const char *text, struct err *e);

/* The permission bits that a file with `mode` gets. */
mode_t chmod_apply(const struct chmod_spec *spec, mode_t mode, bool is_dir);

#endif
