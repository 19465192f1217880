/* SPDX-License-Identifier: Apache-2.0 */
#include "image/config.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/limits.h"
#include "image/document.h"

enum { YEAR_MAX = 9999 /* RFC 3339, section 1: four digits */, TM_YEAR_BASE = 1900 };

void image_config_init(struct image_config *c)
{
	memset(c, 0, sizeof(*c));
}

static void history_fini(struct history *h)
{
	free(h->created);
	free(h->created_by);
	free(h->author);
	free(h->comment);
}

void image_config_fini(struct image_config *c)
{
	free(c->created);
	free(c->author);
	free(c->user);
	strlist_fini(&c->env);
	strlist_fini(&c->entrypoint);
	strlist_fini(&c->cmd);
	strlist_fini(&c->shell);
	strlist_fini(&c->onbuild);
	free(c->working_dir);
	free(c->stop_signal);
	strmap_fini(&c->labels);
	strmap_fini(&c->exposed_ports);
	strmap_fini(&c->volumes);
	strlist_fini(&c->healthcheck.test);
	free(c->diff_ids);
	for (size_t i = 0; i < c->history_count; i++)
		history_fini(&c->history[i]);
	free(c->history);
	image_config_init(c);
}

int image_config_add_diff_id(struct image_config *c, const struct digest *diff_id, struct err *e)
{
	size_t cap = c->diff_id_count;

	if (c->diff_id_count >= LIMIT_LAYERS)
		return err_set(e, ERR_LIMIT, "more than %d layers", LIMIT_LAYERS);
	if (array_reserve(&c->diff_ids, &cap, c->diff_id_count + 1, sizeof(*c->diff_ids), e) < 0)
		return -1;
	c->diff_ids[c->diff_id_count++] = *diff_id;
	return 0;
}

int image_config_add_history(struct image_config *c, const struct history *h, struct err *e)
{
	struct history copy = {.is_empty_layer = h->is_empty_layer};
	size_t cap = c->history_count;

	if (document_copy_text(&copy.created, h->created, e) < 0 ||
	    document_copy_text(&copy.created_by, h->created_by, e) < 0 ||
	    document_copy_text(&copy.author, h->author, e) < 0 ||
	    document_copy_text(&copy.comment, h->comment, e) < 0 ||
	    array_reserve(&c->history, &cap, c->history_count + 1, sizeof(*c->history), e) < 0) {
		history_fini(&copy);
		return -1;
	}
	c->history[c->history_count++] = copy;
	return 0;
}

/* Whether `entry` is "NAME", or starts with "NAME=". */
static bool sets_name(const char *entry, const char *name)
{
	const size_t len = strlen(name);

	return strncmp(entry, name, len) == 0 && (entry[len] == '=' || entry[len] == '\0');
}

int image_config_set_env(struct image_config *c, const char *name, const char *value, struct err *e)
{
	SCOPE_FREE char *entry = str_dupf(e, "%s=%s", name, value);
	struct strlist *env = &c->env;
	size_t kept = 0;

	if (!entry)
		return -1;
	while (kept < env->count && !sets_name(env->items[kept], name))
		kept++;
	if (kept == env->count)
		return strlist_add(env, entry, e);
	free(env->items[kept]);
	env->items[kept++] = steal_ptr(&entry);
	/* A name given twice means the first to some programs, and the last to others. */
	for (size_t i = kept; i < env->count; i++) {
		if (sets_name(env->items[i], name))
			free(env->items[i]);
		else
			env->items[kept++] = env->items[i];
	}
	env->count = kept;
	return 0;
}

static int copy_texts(struct image_config *to, const struct image_config *from, struct err *e)
{
	if (document_copy_text(&to->created, from->created, e) < 0 ||
	    document_copy_text(&to->author, from->author, e) < 0 ||
	    document_copy_text(&to->user, from->user, e) < 0 ||
	    document_copy_text(&to->working_dir, from->working_dir, e) < 0 ||
	    document_copy_text(&to->stop_signal, from->stop_signal, e) < 0)
		return -1;
	return 0;
}

static int copy_collections(struct image_config *to, const struct image_config *from, struct err *e)
{
	if (strlist_copy(&to->env, &from->env, e) < 0 ||
	    strlist_copy(&to->entrypoint, &from->entrypoint, e) < 0 ||
	    strlist_copy(&to->cmd, &from->cmd, e) < 0 ||
	    strlist_copy(&to->shell, &from->shell, e) < 0 ||
	    strlist_copy(&to->onbuild, &from->onbuild, e) < 0 ||
	    strlist_copy(&to->healthcheck.test, &from->healthcheck.test, e) < 0 ||
	    strmap_copy(&to->labels, &from->labels, e) < 0 ||
	    strmap_copy(&to->exposed_ports, &from->exposed_ports, e) < 0 ||
	    strmap_copy(&to->volumes, &from->volumes, e) < 0)
		return -1;
	return 0;
}

static void copy_plain(struct image_config *to, const struct image_config *from)
{
	to->platform = from->platform;
	to->args_escaped = from->args_escaped;
	to->has_healthcheck = from->has_healthcheck;
	to->healthcheck.interval = from->healthcheck.interval;
	to->healthcheck.timeout = from->healthcheck.timeout;
	to->healthcheck.start_period = from->healthcheck.start_period;
	to->healthcheck.start_interval = from->healthcheck.start_interval;
	to->healthcheck.retries = from->healthcheck.retries;
}

int image_config_copy(struct image_config *to, const struct image_config *from, struct err *e)
{
	SCOPE(image_config) struct image_config c;

	image_config_init(&c);
	copy_plain(&c, from);
	if (copy_texts(&c, from, e) < 0 || copy_collections(&c, from, e) < 0)
		return -1;
	for (size_t i = 0; i < from->diff_id_count; i++) {
		if (image_config_add_diff_id(&c, &from->diff_ids[i], e) < 0)
			return -1;
	}
	for (size_t i = 0; i < from->history_count; i++) {
		if (image_config_add_history(&c, &from->history[i], e) < 0)
			return -1;
	}
	image_config_fini(to);
	*to = c;
	image_config_init(&c);
	return 0;
}

char *config_format_time(int64_t epoch_s, struct err *e)
{
	const time_t when = (time_t)epoch_s;
	struct tm tm;

	if (!gmtime_r(&when, &tm) || tm.tm_year < -TM_YEAR_BASE ||
	    tm.tm_year > YEAR_MAX - TM_YEAR_BASE) {
		err_set(e, ERR_LIMIT, "a time outside of the years 0 to %d", YEAR_MAX);
		return NULL;
	}
	return str_dupf(e, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + TM_YEAR_BASE,
			tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}
