/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The instructions of the language: their names, and how their words are cut.
 */
#ifndef MANIFESTS_INSTRUCTIONS_H
#define MANIFESTS_INSTRUCTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum instruction_kind {
	INSTRUCTION_FROM,
	INSTRUCTION_ARG,
	INSTRUCTION_ENV,
	INSTRUCTION_LABEL,
	INSTRUCTION_USER,
	INSTRUCTION_WORKDIR,
	INSTRUCTION_EXPOSE,
	INSTRUCTION_VOLUME,
	INSTRUCTION_STOPSIGNAL,
	INSTRUCTION_ENTRYPOINT,
	INSTRUCTION_CMD,
	INSTRUCTION_SHELL,
	INSTRUCTION_HEALTHCHECK,
	INSTRUCTION_COPY,
	INSTRUCTION_RUN,
	INSTRUCTION_ADD,
	INSTRUCTION_ONBUILD,
	INSTRUCTION_MAINTAINER,
	INSTRUCTION_INCLUDE, /* docker does not have it, */
	INSTRUCTION_OWN,     /* nor these */
};

enum word_rule {
	RULE_REST,           /* one word, to the end */
	RULE_BLANKS,         /* words between blanks; no quotes */
	RULE_JSON_OR_BLANKS, /* ["a", "b"], else words between blanks */
	RULE_JSON_OR_REST,   /* ["a", "b"], else one word */
	RULE_PAIRS,          /* a=b "c"="d e", or the old form: name rest */
	RULE_NAMES,          /* words with quotes */
	RULE_HEALTH,         /* a type word, then as RULE_JSON_OR_REST */
	RULE_TRIGGER,        /* another instruction */
};

struct instruction_info {
	const char *name; /* upper case */
	enum instruction_kind kind;
	enum word_rule rule;
	bool is_supported; /* by this version */
	bool has_heredocs;
};

/* Letters of both cases are equal; NULL: unknown. */
const struct instruction_info *instructions_find(const char *name, size_t len);

/* The name that is nearest to a mistyped one, or NULL. */
const char *instructions_suggest(const char *name);

#endif
