/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/plan.h"
#include "manifests/plan_private.h"

#include <string.h>

void plan_config_init(struct plan_config *c)
{
	*c = (struct plan_config){
		.env = STRLIST_INIT,
		.entrypoint = STRLIST_INIT,
		.cmd = STRLIST_INIT,
		.shell = STRLIST_INIT,
		.onbuild = STRLIST_INIT,
		.labels = STRMAP_INIT,
		.exposed_ports = STRMAP_INIT,
		.volumes = STRMAP_INIT,
		.healthcheck = {.test = STRLIST_INIT},
	};
}

static int copy_text(char **to, const char *from, struct err *e)
{
	*to = from ? str_dup(from, e) : NULL;
	return from && !*to ? -1 : 0;
}

static int copy_lists(struct plan_config *to, const struct plan_config *from, struct err *e)
{
	if (strlist_copy(&to->env, &from->env, e) < 0 ||
	    strlist_copy(&to->entrypoint, &from->entrypoint, e) < 0 ||
	    strlist_copy(&to->cmd, &from->cmd, e) < 0 ||
	    strlist_copy(&to->shell, &from->shell, e) < 0)
		return -1;
	return strlist_copy(&to->onbuild, &from->onbuild, e);
}

static int copy_maps(struct plan_config *to, const struct plan_config *from, struct err *e)
{
	if (strmap_copy(&to->labels, &from->labels, e) < 0 ||
	    strmap_copy(&to->exposed_ports, &from->exposed_ports, e) < 0)
		return -1;
	return strmap_copy(&to->volumes, &from->volumes, e);
}

int plan_config_copy(struct plan_config *to, const struct plan_config *from, struct err *e)
{
	SCOPE(plan_config) struct plan_config copy;

	plan_config_init(&copy);
	if (copy_text(&copy.user, from->user, e) < 0 ||
	    copy_text(&copy.working_dir, from->working_dir, e) < 0 ||
	    copy_text(&copy.stop_signal, from->stop_signal, e) < 0 ||
	    copy_lists(&copy, from, e) < 0 || copy_maps(&copy, from, e) < 0 ||
	    strlist_copy(&copy.healthcheck.test, &from->healthcheck.test, e) < 0)
		return -1;
	copy.has_healthcheck = from->has_healthcheck;
	copy.healthcheck.interval_ns = from->healthcheck.interval_ns;
	copy.healthcheck.timeout_ns = from->healthcheck.timeout_ns;
	copy.healthcheck.start_period_ns = from->healthcheck.start_period_ns;
	copy.healthcheck.start_interval_ns = from->healthcheck.start_interval_ns;
	copy.healthcheck.retries = from->healthcheck.retries;
	copy.args_escaped = from->args_escaped;
	plan_config_fini(to);
	*to = copy;
	plan_config_init(&copy);
	return 0;
}

void plan_config_fini(struct plan_config *c)
{
	free(c->user);
	free(c->working_dir);
	free(c->stop_signal);
	strlist_fini(&c->env);
	strlist_fini(&c->entrypoint);
	strlist_fini(&c->cmd);
	strlist_fini(&c->shell);
	strlist_fini(&c->onbuild);
	strmap_fini(&c->labels);
	strmap_fini(&c->exposed_ports);
	strmap_fini(&c->volumes);
	strlist_fini(&c->healthcheck.test);
	plan_config_init(c);
}

int plan_set_env(struct plan *p, const char *name, const char *value, struct err *e)
{
	struct strlist *env = &p->config.env;
	SCOPE_FREE char *text = str_dupf(e, "%s=%s", name, value);
	size_t at;

	if (!text)
		return -1;
	if (vars_env_place(&p->private->vars, name, &at)) {
		free(env->items[at]);
		env->items[at] = steal_ptr(&text);
	} else {
		at = env->count;
		if (strlist_add(env, text, e) < 0)
			return -1;
	}
	return vars_set_env(&p->private->vars, name, value, at, e);
}
