/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target without libFuzzer:
 *
 *	fuzz_<name> CORPUS [RUNS [SEED [FIRST]]]
 *
 * replays each file of the folder CORPUS (or the one file that it is), and then RUNS mutations of
 * them.  Mutation n depends on SEED and n alone, so FIRST n with RUNS 1 repeats it.
 *
 * A crash, or a minute without an end, prints the number of the mutation and the input in hex.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

enum {
	DEFAULT_RUNS = 2000,
	DEFAULT_SEED = 1,
	INPUT_MAX = 1 << 20,   /* bytes */
	SHOWN_MAX = 64 * 1024, /* bytes of an input in hex */
	STEPS_MAX = 4,         /* changes that make up one mutation */
	DUPLICATE_MAX = 256,   /* bytes */
	TIMEOUT_S = 60,        /* for one input */
	HEX_LINE = 32,         /* bytes */
};

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

struct input {
	uint8_t *bytes;
	size_t size;
};

struct corpus {
	struct input *files;
	size_t count;
};

/* What runs just now; read by the signal handler. */
static struct {
	const uint8_t *bytes;
	size_t size;
	char title[512];
} running;

/* UBSan only prints by default. */
const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
	return "halt_on_error=1:abort_on_error=1:print_stacktrace=1";
}

static void die(const char *what, const char *subject)
{
	fprintf(stderr, "fuzz driver: %s '%s': %s\n", what, subject, strerror(errno));
	exit(EXIT_FAILURE);
}

static void *allocate(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (!p)
		die("no memory for", "an input");
	return p;
}

/* Signal-safe. */
static void show(const char *text, size_t len)
{
	while (len > 0) {
		const ssize_t n = write(STDERR_FILENO, text, len);
		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

static void show_running(int signal_number)
{
	static const char hex[] = "0123456789abcdef";
	char line[2 * HEX_LINE + 1];

	show(running.title, strlen(running.title));
	for (size_t at = 0; at < running.size && at < SHOWN_MAX; at += HEX_LINE) {
		size_t n = 0;
		for (size_t i = at; i < running.size && i < at + HEX_LINE; i++) {
			line[n++] = hex[running.bytes[i] >> 4];
			line[n++] = hex[running.bytes[i] & 0xf];
		}
		line[n++] = '\n';
		show(line, n);
	}
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

static void catch_crashes(void)
{
	/* AddressSanitizer reports the others, and then aborts. */
#ifdef __SANITIZE_ADDRESS__
	static const int signals[] = {SIGABRT, SIGALRM};
#else
	static const int signals[] = {SIGABRT, SIGALRM, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
#endif
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = show_running;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
}

static void run(const struct input *in)
{
	running.bytes = in->bytes;
	running.size = in->size;
	alarm(TIMEOUT_S);
	LLVMFuzzerTestOneInput(in->bytes, in->size);
	alarm(0);
}

static struct input read_input(const char *path)
{
	struct input in = {allocate(INPUT_MAX), 0};
	FILE *file = fopen(path, "rb");

	if (!file)
		die("cannot open", path);
	in.size = fread(in.bytes, 1, INPUT_MAX, file);
	if (ferror(file))
		die("cannot read", path);
	fclose(file);
	/* No byte more than it has, so that AddressSanitizer sees a read beyond it. */
	struct input exact = {allocate(in.size), in.size};
	memcpy(exact.bytes, in.bytes, in.size);
	free(in.bytes);
	return exact;
}

static void add_input(struct corpus *c, const char *path)
{
	struct input *grown = realloc(c->files, (c->count + 1) * sizeof(*grown));

	if (!grown)
		die("no memory for", path);
	c->files = grown;
	c->files[c->count] = read_input(path);
	snprintf(running.title, sizeof(running.title), "fuzz input: %s\n", path);
	run(&c->files[c->count++]);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void replay(struct corpus *c, const char *path)
{
	struct dirent **entries;
	struct stat st;

	if (stat(path, &st) < 0)
		die("cannot open", path);
	if (!S_ISDIR(st.st_mode)) {
		add_input(c, path);
		return;
	}
	/* In the order of names: mutations must not depend on the file system. */
	const int count = scandir(path, &entries, is_visible, alphasort);
	if (count < 0)
		die("cannot read", path);
	for (int i = 0; i < count; i++) {
		char file[4096];
		snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
		add_input(c, file);
		free(entries[i]);
	}
	free(entries);
}

/* splitmix64: S. Vigna, public domain algorithm. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* From 0 to `limit` - 1; 0 for no limit. */
static size_t pick(uint64_t *state, size_t limit)
{
	return limit ? (size_t)(next_random(state) % limit) : 0;
}

/* Puts `len` bytes at `at`, which is no place in `in->bytes` itself. */
static void insert(struct input *in, size_t at, const uint8_t *bytes, size_t len)
{
	if (len > INPUT_MAX - in->size)
		return;
	memmove(in->bytes + at + len, in->bytes + at, in->size - at);
	memcpy(in->bytes + at, bytes, len);
	in->size += len;
}

static void duplicate(struct input *in, uint64_t *state)
{
	uint8_t copy[DUPLICATE_MAX];
	const size_t from = pick(state, in->size);
	size_t len = 1 + pick(state, DUPLICATE_MAX);

	if (len > in->size - from)
		len = in->size - from;
	memcpy(copy, in->bytes + from, len);
	insert(in, pick(state, in->size + 1), copy, len);
}

static void splice(struct input *in, const struct corpus *c, uint64_t *state)
{
	const struct input *other = &c->files[pick(state, c->count)];
	const size_t from = pick(state, other->size);

	in->size = pick(state, in->size + 1);
	insert(in, in->size, other->bytes + from, other->size - from);
}

static void remove_range(struct input *in, uint64_t *state)
{
	const size_t from = pick(state, in->size);
	const size_t len = pick(state, in->size - from + 1);

	memmove(in->bytes + from, in->bytes + from + len, in->size - from - len);
	in->size -= len;
}

static void mutate(struct input *in, const struct corpus *c, uint64_t *state)
{
	enum { FLIP, OVERWRITE, TRUNCATE, DUPLICATE, SPLICE, REMOVE, KINDS };

	switch (pick(state, KINDS)) {
	case FLIP:
		if (in->size > 0)
			in->bytes[pick(state, in->size)] ^= (uint8_t)(1U << pick(state, 8));
		break;
	case OVERWRITE:
		if (in->size > 0)
			in->bytes[pick(state, in->size)] = (uint8_t)next_random(state);
		break;
	case TRUNCATE:
		in->size = pick(state, in->size + 1);
		break;
	case DUPLICATE:
		duplicate(in, state);
		break;
	case SPLICE:
		splice(in, c, state);
		break;
	default:
		remove_range(in, state);
		break;
	}
}

static void run_mutation(const struct corpus *c, uint64_t seed, uint64_t number)
{
	uint64_t state = seed;
	state = next_random(&state) ^ number;
	const struct input *origin = &c->files[pick(&state, c->count)];
	struct input in = {allocate(INPUT_MAX), origin->size};

	memcpy(in.bytes, origin->bytes, origin->size);
	for (size_t steps = 1 + pick(&state, STEPS_MAX); steps > 0; steps--)
		mutate(&in, c, &state);

	struct input exact = {allocate(in.size), in.size};
	memcpy(exact.bytes, in.bytes, in.size);
	free(in.bytes);
	snprintf(running.title, sizeof(running.title),
		 "fuzz input: mutation %" PRIu64 " of seed %" PRIu64 ":\n", number, seed);
	run(&exact);
	free(exact.bytes);
}

static uint64_t number_argument(int argc, char **argv, int at, uint64_t otherwise)
{
	return argc > at ? strtoull(argv[at], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
	struct corpus c = {NULL, 0};

	if (argc < 2) {
		fprintf(stderr, "usage: %s CORPUS [RUNS [SEED [FIRST]]]\n", argv[0]);
		return EXIT_FAILURE;
	}
	const uint64_t runs = number_argument(argc, argv, 2, DEFAULT_RUNS);
	const uint64_t seed = number_argument(argc, argv, 3, DEFAULT_SEED);
	const uint64_t first = number_argument(argc, argv, 4, 0);

	catch_crashes();
	replay(&c, argv[1]);
	if (c.count == 0) {
		fprintf(stderr, "fuzz driver: no files in '%s'\n", argv[1]);
		return EXIT_FAILURE;
	}
	for (uint64_t n = 0; n < runs; n++)
		run_mutation(&c, seed, first + n);
	printf("%zu files, %" PRIu64 " mutations of seed %" PRIu64 "\n", c.count, runs, seed);
	for (size_t i = 0; i < c.count; i++)
		free(c.files[i].bytes);
	free(c.files);
	return EXIT_SUCCESS;
}
