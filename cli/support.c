/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/support.h"

#include "base/log.h"
#include "base/quote.h"
#include "base/workers.h"

enum { WORKERS_MAX = 256 };

int support_store(const struct invocation *in, unsigned flags, struct store **out, struct err *e)
{
	return store_open(invocation_value(in, "store"), flags, out, e);
}

static int blame_platform(struct err *e)
{
	err_blame_usage(e);
	return err_wrap(e, "option '--platform'");
}

int support_platform(const struct invocation *in, struct platform *room,
		     const struct platform **out, struct err *e)
{
	const char *text = invocation_value(in, "platform");

	*out = NULL;
	if (!text)
		return 0;
	if (platform_parse(room, text, e) < 0)
		return blame_platform(e);
	*out = room;
	return 0;
}

int support_platforms(const struct invocation *in, struct platform_list *out, struct err *e)
{
	const char *text;

	for (size_t at = 0; (text = invocation_next(in, "platform", &at));) {
		if (platform_list_parse(out, text, e) < 0)
			return blame_platform(e);
	}
	return out->count ? 0 : platform_list_parse(out, "local", e);
}

int support_workers(const struct invocation *in, unsigned *out, struct err *e)
{
	const char *text = invocation_value(in, "workers");
	uint64_t n;

	*out = workers_default_count();
	if (!text)
		return 0;
	if (str_to_u64(text, strlen(text), 10, WORKERS_MAX, &n) < 0) {
		char q[QUOTE_MAX];
		return err_set(e, ERR_USAGE, "option '--workers': '%s' is not a number up to %d",
			       quote_str(q, text), WORKERS_MAX);
	}
	*out = (unsigned)n;
	return 0;
}

int support_compression(const struct invocation *in, struct compression *out, struct err *e)
{
	const char *text = invocation_value(in, "compression");

	*out = (struct compression)COMPRESSION_DEFAULT;
	if (text && compression_parse(text, out, e) < 0)
		return err_wrap(e, "option '--compression'");
	return 0;
}

int support_image(const struct invocation *in, struct store **s, struct lease **l, struct image *im,
		  struct err *e)
{
	/* A wrong option is told of before a store that is not there. */
	struct platform room;
	const struct platform *want;

	if (support_platform(in, &room, &want, e) < 0 || support_store(in, 0, s, e) < 0 ||
	    lease_open(*s, in->command->name, l, e) < 0)
		return -1;
	return image_load_leased(*s, *l, in->args[0], want, im, e);
}

int support_next_image(const struct invocation *in, const struct store *s, struct lease *l,
		       size_t at, struct image *im, struct err *e)
{
	struct platform room;
	const struct platform *want;

	if (support_platform(in, &room, &want, e) < 0)
		return -1;
	return image_load_leased(s, l, in->args[at], want, im, e);
}

int support_pass_over(const char *name, struct err *why, int *status, struct err *e)
{
	char q[QUOTE_MAX];

	if (err_is_own_lack(why))
		return err_move(e, why);
	if (why->code == ERR_SYS) {
		log_warning("image '%s': %s", quote_str(q, name), why->msg);
		if (*status == 0)
			*status = err_exit_status(why);
	}
	err_clear(why);
	return 0;
}

struct view *support_view(const struct store *s, const struct image *im, const char *what,
			  struct progress *progress, struct err *e)
{
	const struct layers_options opt = {.workers = workers_default_count(),
					   .progress = progress};

	return view_open(s, im, 0, VIEW_CACHE_DEFAULT, what, &opt, e);
}
