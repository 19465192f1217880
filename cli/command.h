/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands and their options, as tables: one table drives the parser, --help and the shells'
 * completions (cli/completions/), and a test holds the man page against it.
 *
 * To add a command: (1) cli/cmd_NAME.c with its options, help text and run function, about 200
 * lines at most, calling the rooms below; (2) its line in cli/commands.c; (3) cli/meson.build; (4)
 * docs/shale-NAME.1.scd with the same SYNOPSIS; (5) docs/meson.build; (6) shell cases in
 * tests/cases; (7) CHANGELOG.md.  The completions follow by themselves; what a name in capitals
 * stands for is in cli/words.c, or in the command's own `words`.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct option {
	char letter;       /* 0: none */
	const char *name;  /* without the dashes */
	const char *value; /* what to call the value in help; NULL: a flag */
	const char *help;  /* one line */
};

struct given {
	const struct option *option;
	const char *value; /* NULL for a flag */
};

/* What a word on the command line is, for the shells to complete. */
enum word_kind {
	WORD_FILE, /* of the host */
	WORD_DIRECTORY,
	WORD_IMAGE,        /* a name in the store */
	WORD_IMAGE_PATH,   /* the same, with ":/" and a path in the image; or a file of the host */
	WORD_MOUNT,        /* where an image is mounted */
	WORD_SESSION,      /* a session in the store */
	WORD_SESSION_PATH, /* the same, with ":/" and a path; or a file of the host */
	WORD_CHOICE,       /* one of `choices` */
	WORD_PAIR,         /* one of `choices`; one that ends with "=" goes on */
	WORD_LIST,         /* some of `choices`, with commas between */
	WORD_PREFIXED,     /* a file, behind one of `choices` and ":" */
	WORD_COMMAND,      /* a program; what follows is for it */
	WORD_OTHER,        /* nothing that could be listed */
};

/* The meaning of a name in capitals, as synopsis and options have it: "FILE", "NAME[:TAG]". */
struct word {
	const char *name;
	enum word_kind kind;
	const char *choices; /* "one|two"; NULL for the kinds that have none */
};

/* The exit statuses of what runs a command, besides the command's own; those of env(1). */
enum {
	COMMAND_OWN_FAILURE = 125, /* shale itself failed, whatever it was */
	COMMAND_NOT_RUN = 126,     /* the command is there, and cannot be run */
	COMMAND_NOT_FOUND = 127,
	COMMAND_KILLED = 128, /* and the number of the signal, as shells say it */
};

/* A command line, parsed.  All text is borrowed from argv. */
struct invocation {
	const struct command *command;
	struct given *given;
	size_t given_count;
	char **args;
	size_t arg_count;
};

struct command {
	const char *name;
	const char *synopsis;         /* after "shale NAME ": "[OPTION]... IMAGE" */
	const char *summary;          /* one line, no full stop */
	const struct option *options; /* ends with a NULL name; --help and --store are added */
	/* Names that mean something else than in cli/words.c; ends with a NULL name; NULL: none. */
	const struct word *words;
	size_t min_args;
	size_t max_args; /* SIZE_MAX: any number */
	/* The arguments behind the first `own_args` are a command that it runs: options end at the
	 * first of them, and what fails but that command is COMMAND_OWN_FAILURE. */
	bool runs_command;
	size_t own_args;
	/* 0; -1 and the error that decides the exit status; or the exit status of a command whose
	 * answer it is. */
	int (*run)(const struct invocation *in, struct err *e);
};

/* Ends with NULL; in the order of `shale --help`. */
extern const struct command *const commands[];

/* Options that every command has. */
extern const struct option common_options[];

const struct command *command_find(const char *name);

/* An option of `command`, its own or a common one: by `letter`, or by `name` (`len` bytes) unless
 * that is NULL; NULL when it has none such. */
const struct option *option_find(const struct command *command, char letter, const char *name,
				 size_t len);
/* All of them, in the order of --help: start with `*at` = 0; NULL at the end. */
const struct option *option_next(const struct command *command, size_t *at);

/* The name that was probably meant, or NULL. */
const char *command_suggest(const char *name);

/*
 * Parses what comes after the command's name: --name VALUE, --name=VALUE, -x VALUE, -xVALUE, -xy
 * for flags, "--" ends the options; options may follow arguments, unless those are a command.
 * ERR_USAGE.  "--help" alone is left to the caller to ask with invocation_has.
 */
int invocation_parse(struct invocation *out, const struct command *command, int argc, char **argv,
		     struct err *e);
void invocation_fini(struct invocation *in);

/* Whether an option was given. */
bool invocation_has(const struct invocation *in, const char *name);
/* Its last value, or NULL. */
const char *invocation_value(const struct invocation *in, const char *name);
/* Every value, in order: start with `*at` = 0; NULL at the end. */
const char *invocation_next(const struct invocation *in, const char *name, size_t *at);

/* "Usage: ..." and the options, at most 80 columns. */
int command_help(const struct command *command, struct str *out, struct err *e);
/* The list of commands. */
int commands_help(struct str *out, struct err *e);

#endif
