/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/vars.h"

#include <string.h>

#include "base/str.h"
#include "manifests/chars.h"
#include "manifests/plan.h"

static int set_platform(struct vars *v, const char *prefix, const struct plan_platform *p,
			struct err *e)
{
	const char *variant = p->variant ? p->variant : "";
	SCOPE_FREE char *whole =
		str_dupf(e, "%s/%s%s%s", p->os, p->architecture, variant[0] ? "/" : "", variant);
	if (!whole)
		return -1;
	const struct {
		const char *name, *value;
	} parts[] = {
		{"PLATFORM", whole},
		{"OS", p->os},
		{"ARCH", p->architecture},
		{"VARIANT", variant},
	};
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		SCOPE_FREE char *name = str_dupf(e, "%s%s", prefix, parts[i].name);
		if (!name || vars_set_global(v, name, parts[i].value, e) < 0)
			return -1;
	}
	return 0;
}

int vars_init(struct vars *v, const struct plan_inputs *in, struct err *e)
{
	*v = (struct vars){.build_args = in->build_args,
			   .globals = STRMAP_INIT,
			   .stage = STRMAP_INIT,
			   .env = STRMAP_INIT,
			   .declared = STRMAP_INIT};
	if (set_platform(v, "TARGET", &in->target, e) < 0 ||
	    set_platform(v, "BUILD", &in->build, e) < 0)
		return -1;
	return vars_set_global(v, "TARGETSTAGE", "default", e);
}

void vars_fini(struct vars *v)
{
	strmap_fini(&v->globals);
	strmap_fini(&v->stage);
	strmap_fini(&v->env);
	strmap_fini(&v->declared);
}

const char *vars_build_arg(const struct vars *v, const char *name)
{
	return v->build_args ? strmap_get(v->build_args, name) : NULL;
}

int vars_set_env(struct vars *v, const char *name, const char *value, size_t at, struct err *e)
{
	SCOPE_FREE char *place = str_dupf(e, "%zu", at);

	if (!place || strmap_set(&v->env, name, place, e) < 0)
		return -1;
	return strmap_set(&v->stage, name, value, e);
}

bool vars_env_place(const struct vars *v, const char *name, size_t *at)
{
	const char *place = strmap_get(&v->env, name);
	uint64_t number;

	if (!place || str_to_u64(place, strlen(place), 10, SIZE_MAX, &number) < 0)
		return false;
	*at = (size_t)number;
	return true;
}

int vars_set_arg(struct vars *v, const char *name, const char *value, struct err *e)
{
	if (strmap_set(&v->declared, name, "", e) < 0)
		return -1;
	if (!value || strmap_get(&v->env, name))
		return 0;
	return strmap_set(&v->stage, name, value, e);
}

int vars_set_global(struct vars *v, const char *name, const char *value, struct err *e)
{
	const char *given = vars_build_arg(v, name);

	return strmap_set(&v->globals, name, given ? given : value, e);
}

bool vars_is_predefined(const char *name)
{
	static const char *const proxies[] = {"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY",
					      "ALL_PROXY"};

	if (str_has_prefix(name, "BUILDKIT_") || str_equal(name, "SOURCE_DATE_EPOCH"))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(proxies); i++) {
		if (chars_equal_fold(name, strlen(name), proxies[i]))
			return true;
	}
	return false;
}
