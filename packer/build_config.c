/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/build_config.h"

#include "base/str.h"

static int copy_text(char **to, const char *from, struct err *e)
{
	char *copy = NULL;

	if (from) {
		copy = str_dup(from, e);
		if (!copy)
			return -1;
	}
	free(*to);
	*to = copy;
	return 0;
}

int build_config_from_image(struct plan_config *to, const struct image_config *from, struct err *e)
{
	const struct healthcheck *h = &from->healthcheck;

	if (copy_text(&to->user, from->user, e) < 0 ||
	    copy_text(&to->working_dir, from->working_dir, e) < 0 ||
	    copy_text(&to->stop_signal, from->stop_signal, e) < 0 ||
	    strlist_copy(&to->env, &from->env, e) < 0 ||
	    strlist_copy(&to->entrypoint, &from->entrypoint, e) < 0 ||
	    strlist_copy(&to->cmd, &from->cmd, e) < 0 ||
	    strlist_copy(&to->shell, &from->shell, e) < 0 ||
	    strlist_copy(&to->onbuild, &from->onbuild, e) < 0 ||
	    strmap_copy(&to->labels, &from->labels, e) < 0 ||
	    strmap_copy(&to->exposed_ports, &from->exposed_ports, e) < 0 ||
	    strmap_copy(&to->volumes, &from->volumes, e) < 0 ||
	    strlist_copy(&to->healthcheck.test, &h->test, e) < 0)
		return -1;
	to->has_healthcheck = from->has_healthcheck;
	to->healthcheck.interval_ns = h->interval;
	to->healthcheck.timeout_ns = h->timeout;
	to->healthcheck.start_period_ns = h->start_period;
	to->healthcheck.start_interval_ns = h->start_interval;
	to->healthcheck.retries = h->retries;
	to->args_escaped = from->args_escaped;
	return 0;
}

int build_config_to_image(struct image_config *to, const struct plan_config *from, struct err *e)
{
	struct healthcheck *h = &to->healthcheck;

	if (copy_text(&to->user, from->user, e) < 0 ||
	    copy_text(&to->working_dir, from->working_dir, e) < 0 ||
	    copy_text(&to->stop_signal, from->stop_signal, e) < 0 ||
	    strlist_copy(&to->env, &from->env, e) < 0 ||
	    strlist_copy(&to->entrypoint, &from->entrypoint, e) < 0 ||
	    strlist_copy(&to->cmd, &from->cmd, e) < 0 ||
	    strlist_copy(&to->shell, &from->shell, e) < 0 ||
	    strlist_copy(&to->onbuild, &from->onbuild, e) < 0 ||
	    strmap_copy(&to->labels, &from->labels, e) < 0 ||
	    strmap_copy(&to->exposed_ports, &from->exposed_ports, e) < 0 ||
	    strmap_copy(&to->volumes, &from->volumes, e) < 0 ||
	    strlist_copy(&h->test, &from->healthcheck.test, e) < 0)
		return -1;
	to->has_healthcheck = from->has_healthcheck;
	h->interval = from->healthcheck.interval_ns;
	h->timeout = from->healthcheck.timeout_ns;
	h->start_period = from->healthcheck.start_period_ns;
	h->start_interval = from->healthcheck.start_interval_ns;
	h->retries = from->healthcheck.retries;
	to->args_escaped = from->args_escaped;
	return 0;
}
