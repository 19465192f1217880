/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/instructions.h"

#include "base/scope.h"
#include "base/suggest.h"
#include "manifests/chars.h"

/* Supported ones first: of two names that are as near, the first is suggested. */
static const struct instruction_info table[] = {
	/* clang-format off */
	{"FROM",        INSTRUCTION_FROM,        RULE_BLANKS,         true,  false},
	{"ARG",         INSTRUCTION_ARG,         RULE_NAMES,          true,  false},
	{"ENV",         INSTRUCTION_ENV,         RULE_PAIRS,          true,  false},
	{"LABEL",       INSTRUCTION_LABEL,       RULE_PAIRS,          true,  false},
	{"USER",        INSTRUCTION_USER,        RULE_REST,           true,  false},
	{"WORKDIR",     INSTRUCTION_WORKDIR,     RULE_REST,           true,  false},
	{"EXPOSE",      INSTRUCTION_EXPOSE,      RULE_BLANKS,         true,  false},
	{"VOLUME",      INSTRUCTION_VOLUME,      RULE_JSON_OR_BLANKS, true,  false},
	{"STOPSIGNAL",  INSTRUCTION_STOPSIGNAL,  RULE_REST,           true,  false},
	{"ENTRYPOINT",  INSTRUCTION_ENTRYPOINT,  RULE_JSON_OR_REST,   true,  false},
	{"CMD",         INSTRUCTION_CMD,         RULE_JSON_OR_REST,   true,  false},
	{"SHELL",       INSTRUCTION_SHELL,       RULE_JSON_OR_REST,   true,  false},
	{"HEALTHCHECK", INSTRUCTION_HEALTHCHECK, RULE_HEALTH,         true,  false},
	{"COPY",        INSTRUCTION_COPY,        RULE_JSON_OR_BLANKS, true,  true},
	{"ADD",         INSTRUCTION_ADD,         RULE_JSON_OR_BLANKS, true,  true},
	{"INCLUDE",     INSTRUCTION_INCLUDE,     RULE_REST,           true,  false},
	{"RUN",         INSTRUCTION_RUN,         RULE_JSON_OR_REST,   false, true},
	{"ONBUILD",     INSTRUCTION_ONBUILD,     RULE_TRIGGER,        false, false},
	{"MAINTAINER",  INSTRUCTION_MAINTAINER,  RULE_REST,           false, false},
	{"OS",          INSTRUCTION_OWN,         RULE_REST,           false, false},
	{"USE",         INSTRUCTION_OWN,         RULE_REST,           false, false},
	{"LIBS",        INSTRUCTION_OWN,         RULE_REST,           false, false},
	{"ACCOUNT",     INSTRUCTION_OWN,         RULE_REST,           false, false},
	{"DIR",         INSTRUCTION_OWN,         RULE_REST,           false, false},
	{"LINK",        INSTRUCTION_OWN,         RULE_REST,           false, false},
	{"LAYER",       INSTRUCTION_OWN,         RULE_REST,           false, false},
	{"KERNEL",      INSTRUCTION_OWN,         RULE_REST,           false, false},
	{"BOOT",        INSTRUCTION_OWN,         RULE_REST,           false, false},
	{"TEST",        INSTRUCTION_OWN,         RULE_REST,           false, false},
	/* clang-format on */
};

const struct instruction_info *instructions_find(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (chars_equal_fold(name, len, table[i].name))
			return &table[i];
	}
	return NULL;
}

const char *instructions_suggest(const char *name)
{
	const char *names[ARRAY_LEN(table)];

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		names[i] = table[i].name;
	return suggest_nearest(name, names, ARRAY_LEN(names));
}
