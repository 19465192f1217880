/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree of a build file: its parser directives and its instructions, cut into words, nothing
 * expanded, nothing judged.  All that the text says is here; plan.h says what it means.
 *
 * Source: the Dockerfile reference, and what BuildKit's parser does where that is silent.
 * Everything is owned by the tree and immutable once buildfile_parse returned.
 */
#ifndef MANIFESTS_BUILDFILE_H
#define MANIFESTS_BUILDFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/scope.h"
#include "manifests/findings.h"
#include "manifests/include.h"
#include "manifests/instructions.h"
#include "manifests/source.h"

/* From `offset` of an instruction's text on, the text stands at `at` of the file. */
struct segment {
	size_t offset;
	struct place at;
};

struct word {
	char *text;
	size_t offset;    /* in the instruction's text */
	bool is_verbatim; /* byte n of it is byte offset + n there: no quote or escape was removed
			   */
};

/* --name or --name=value, quotes and escapes removed. */
struct flag {
	char *name;
	char *value; /* NULL: none was given */
	size_t offset, value_offset;
};

/* <<name: the lines that follow the instruction, up to one that is `name`. */
struct heredoc {
	char *name;
	unsigned long fd;                /* the digits before <<; 0: none */
	bool is_expanded;                /* no part of the name was quoted */
	bool is_chomped;                 /* <<-: leading tabs go */
	size_t offset, len;              /* of <<name, in the instruction's text */
	uint32_t first_line, line_count; /* of the body, in the source */
};

enum form {
	FORM_WORDS,       /* as the instruction's rule cuts them */
	FORM_JSON,        /* ["a", "b"] */
	FORM_PAIRS,       /* name, value, name, value ... */
	FORM_LEGACY_PAIR, /* ENV name rest */
};

struct instruction {
	const struct source *source;         /* that it stands in; borrowed */
	char escape;                         /* of that source */
	const struct instruction_info *info; /* NULL: unknown */
	char *name;                          /* as written */
	char *text;                          /* the logical line: continuations joined */
	struct segment *segments;
	size_t segment_count;
	size_t name_offset, args_offset;
	enum form form;
	struct flag *flags;
	size_t flag_count, flag_cap;
	struct word *words;
	size_t word_count, word_cap;
	struct heredoc *heredocs;
	size_t heredoc_count, heredoc_cap;
	uint32_t first_line, last_line;
	struct instruction *trigger; /* of ONBUILD */
	bool is_broken;              /* has syntax errors: words may be missing */
};

/* # name=value */
struct directive {
	char *name; /* lower case */
	char *value;
	struct place at;
};

struct buildfile {
	const struct source *source; /* borrowed, with its fragments */
	char escape;                 /* \ or `; a fragment has its own */
	struct directive *directives;
	size_t directive_count, directive_cap;
	struct instruction **instructions;
	size_t count, cap;
};

/*
 * Reads all of `source`; what is wrong with it goes to `f`, and the rest is still read.  NULL only
 * with ERR_NOMEM.
 */
struct buildfile *buildfile_parse(const struct source *source, struct findings *f, struct err *e);

/*
 * The same, with the instructions of fragments in the place of each INCLUDE that can be read;
 * `source` gets their texts.  LIMIT_INCLUDES, and all texts together have LIMIT_MANIFEST bytes.
 */
struct buildfile *buildfile_parse_including(struct source *source, const struct includes *in,
					    struct findings *f, struct err *e);
void buildfile_free(struct buildfile *b);
SCOPE_DEFINE(buildfile, struct buildfile *, buildfile_free)

/* Where byte `offset` of the text is in the file. */
struct place instruction_place(const struct instruction *i, size_t offset);

/* The flag of that name, the last when there are more; NULL: none. */
const struct flag *instruction_flag(const struct instruction *i, const char *name);

/* For what builds trees. */
int instruction_add_word(struct instruction *i, const char *text, size_t len, size_t offset,
			 bool is_verbatim, struct err *e);
void instruction_free(struct instruction *i);
SCOPE_DEFINE(instruction, struct instruction *, instruction_free)

/* The tree as S-expressions, one line an instruction: (copy ["--link"] "a" "/b"). */
int buildfile_dump(const struct buildfile *b, struct str *out, struct err *e);

#endif
