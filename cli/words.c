/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/words.h"

#include <string.h>

/* Those that Debian's images have. */
#define PLATFORMS                                                                     \
	"linux/386|linux/amd64|linux/arm/v5|linux/arm/v7|linux/arm64|linux/mips64le|" \
	"linux/ppc64le|linux/riscv64|linux/s390x"

/* Where an image is told by what it will be called, those that are there are a beginning. */
static const struct word common_words[] = {
	{"COMMAND", WORD_COMMAND, NULL},
	{"CONTEXT", WORD_DIRECTORY, NULL},
	{"DIR", WORD_DIRECTORY, NULL},
	{"FORMAT[:LEVEL]", WORD_CHOICE, "zstd|gzip"},
	{"IMAGE", WORD_IMAGE, NULL},
	{"DEST|SESSION:/PATH", WORD_SESSION_PATH, NULL},
	{"IMAGE:/PATH|FILE", WORD_IMAGE_PATH, NULL},
	{"KEY=VALUE", WORD_OTHER, NULL},
	{"MOUNTPOINT", WORD_DIRECTORY, NULL},
	{"N", WORD_OTHER, NULL},
	{"NAME", WORD_IMAGE, NULL},
	{"NAME:TAG", WORD_IMAGE, NULL},
	{"NAME=VALUE", WORD_OTHER, NULL},
	{"NAME[:TAG]", WORD_IMAGE, NULL},
	{"NEW-NAME[:TAG]", WORD_IMAGE, NULL},
	{"OS/ARCH", WORD_CHOICE, PLATFORMS},
	{"OS/ARCH,...", WORD_LIST, PLATFORMS},
	/* In an image. */
	{"PATH", WORD_OTHER, NULL},
	{"SESSION", WORD_SESSION, NULL},
	{"SIZE", WORD_OTHER, NULL},
	{NULL, WORD_OTHER, NULL},
};

static const struct word *find_in(const struct word *table, const char *name, size_t len)
{
	for (const struct word *w = table; w && w->name; w++) {
		if (strlen(w->name) == len && memcmp(w->name, name, len) == 0)
			return w;
	}
	return NULL;
}

static bool says_itself(const char *name, size_t len)
{
	return len > 0 && name[0] >= 'a' && name[0] <= 'z' &&
	       (memchr(name, '|', len) || memchr(name, '[', len));
}

struct meaning word_meaning(const struct command *command, const char *name, size_t len)
{
	const struct word *w = find_in(command->words, name, len);

	if (!w)
		w = find_in(common_words, name, len);
	if (w)
		return (struct meaning){w->kind, w->choices, w->choices ? strlen(w->choices) : 0};
	if (says_itself(name, len))
		return (struct meaning){WORD_CHOICE, name, len};
	return (struct meaning){WORD_FILE, NULL, 0};
}

bool choice_next(struct meaning *rest, const char **text, size_t *len)
{
	if (rest->choices_len == 0)
		return false;
	const char *end = memchr(rest->choices, '|', rest->choices_len);
	const size_t whole = end ? (size_t)(end - rest->choices) : rest->choices_len;
	const char *optional = memchr(rest->choices, '[', whole);

	*text = rest->choices;
	*len = optional ? (size_t)(optional - rest->choices) : whole;
	rest->choices += end ? whole + 1 : whole;
	rest->choices_len -= end ? whole + 1 : whole;
	return true;
}

/* The next word of the synopsis; false at the end. */
static bool synopsis_next(const char **at, const char **word, size_t *len)
{
	*word = *at + strspn(*at, " ");
	*len = strcspn(*word, " ");
	*at = *word + *len;
	return *len > 0;
}

static void strip_dots(struct argument *a)
{
	static const char dots[] = "...";
	const size_t len = sizeof(dots) - 1;

	if (a->len > len && memcmp(a->name + a->len - len, dots, len) == 0) {
		a->len -= len;
		a->is_repeated = true;
	}
}

/* "[PATH]..." and "[PATH...]" are PATH; the brackets of "NAME[:TAG]" are its own. */
static struct argument argument_of(const char *word, size_t len)
{
	const bool is_optional = word[0] == '[';
	struct argument a = {word + is_optional, len - is_optional, false, is_optional};

	strip_dots(&a);
	if (a.len > 0 && a.name[a.len - 1] == ']' && (is_optional || !memchr(a.name, '[', a.len)))
		a.len--;
	strip_dots(&a);
	return a;
}

/* Of "-x" or "--name". */
static const struct option *option_of(const struct command *command, const char *word, size_t len)
{
	if (len > 2 && word[1] == '-')
		return option_find(command, 0, word + 2, len - 2);
	return option_find(command, word[1], NULL, 0);
}

bool argument_next(const struct command *command, const char **at, struct argument *out)
{
	static const char options[] = "[OPTION]...";
	const char *word;
	size_t len;

	while (synopsis_next(at, &word, &len)) {
		const size_t open = word[0] == '[';
		if (len == sizeof(options) - 1 && memcmp(word, options, len) == 0)
			continue;
		if (word[open] != '-' || len == open + 1) {
			*out = argument_of(word, len);
			return true;
		}
		/* An option that must be given; what comes behind it is its value. */
		const struct option *o = option_of(command, word + open, len - open);
		if (o && o->value)
			(void)synopsis_next(at, &word, &len);
	}
	return false;
}
