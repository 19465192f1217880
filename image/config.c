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
	/* It may be one of ours, which move. */
	const struct digest copy = *diff_id;
	size_t cap = c->diff_id_count;

	if (c->diff_id_count >= LIMIT_LAYERS)
		return err_set(e, ERR_LIMIT, "more than %d layers", LIMIT_LAYERS);
	if (array_reserve(&c->diff_ids, &cap, c->diff_id_count + 1, sizeof(*c->diff_ids), e) < 0)
		return -1;
	c->diff_ids[c->diff_id_count++] = copy;
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
