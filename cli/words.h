/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the words of a command line are, by the names that synopsis and options give them, so that
 * shells complete what --help says.
 *
 * Plain values that borrow from the tables; nothing allocates or fails.
 */
#ifndef CLI_WORDS_H
#define CLI_WORDS_H

#include "cli/command.h"

struct meaning {
	enum word_kind kind;
	const char *choices; /* "one|two[:LEVEL]", `choices_len` bytes, for choice_next */
	size_t choices_len;
};

/*
 * What `name` (`len` bytes) stands for: what the command's own table says, else the common one;
 * else the name itself, when it is in small letters and has a "|" or a "[" ("ed25519|p256"); else a
 * file, as most words are.
 */
struct meaning word_meaning(const struct command *command, const char *name, size_t len);

/* The next of the choices without what is optional behind it: false at the end. */
bool choice_next(struct meaning *rest, const char **text, size_t *len);

/* A word of the synopsis that is no option. */
struct argument {
	const char *name; /* "IMAGE", without the brackets and dots around it */
	size_t len;
	bool is_repeated; /* "IMAGE..." */
	bool is_optional; /* "[IMAGE]" */
};

/* Start with `*at` = the synopsis; false at the end. */
bool argument_next(const struct command *command, const char **at, struct argument *out);

#endif
