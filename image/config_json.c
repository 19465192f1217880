/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/json.h"
#include "base/limits.h"
#include "image/config.h"
#include "image/document.h"

static const char document_name[] = "image config";
static const char run_name[] = "image config: config";
static const char healthcheck_name[] = "image config: Healthcheck";

enum { PLACE_MAX = 64 };

static const char *const config_members[] = {
	"created", "author", "architecture", "os", "variant", "config", "rootfs", "history", NULL,
};
static const char *const run_members[] = {
	"User",   "ExposedPorts", "Env",   "Entrypoint", "Cmd",         "Volumes",     "WorkingDir",
	"Labels", "StopSignal",   "Shell", "OnBuild",    "Healthcheck", "ArgsEscaped", NULL,
};
static const char *const healthcheck_members[] = {
	"Test", "Interval", "Timeout", "StartPeriod", "StartInterval", "Retries", NULL,
};
static const char *const rootfs_members[] = {"type", "diff_ids", NULL};
static const char *const history_members[] = {
	"created", "created_by", "author", "comment", "empty_layer", NULL,
};

static int get_platform(struct image_config *c, const json_t *root, struct err *e)
{
	const char *os, *architecture, *variant = NULL;

	if (json_need_str(root, "os", document_name, &os, e) < 0 ||
	    json_need_str(root, "architecture", document_name, &architecture, e) < 0 ||
	    json_get_str(root, "variant", document_name, &variant, e) < 0)
		return -1;
	if (platform_from_fields(&c->platform, os, architecture, variant, e) < 0)
		return err_wrap(e, "%s", document_name);
	return 0;
}

static int get_number(const json_t *obj, const char *key, int64_t *out, struct err *e)
{
	uint64_t value = 0;

	if (json_get_u64(obj, key, healthcheck_name, INT64_MAX, &value, e) < 0)
		return -1;
	*out = (int64_t)value;
	return 0;
}

static int get_healthcheck(struct image_config *c, const json_t *run, struct err *e)
{
	struct healthcheck *h = &c->healthcheck;
	json_t *obj;

	const int found = json_get_object(run, "Healthcheck", run_name, &obj, e);
	if (found < 1)
		return found;
	c->has_healthcheck = true;
	if (document_check_spelling(obj, healthcheck_members, healthcheck_name, e) < 0 ||
	    document_get_list(obj, "Test", healthcheck_name, &h->test, e) < 0 ||
	    get_number(obj, "Interval", &h->interval, e) < 0 ||
	    get_number(obj, "Timeout", &h->timeout, e) < 0 ||
	    get_number(obj, "StartPeriod", &h->start_period, e) < 0 ||
	    get_number(obj, "StartInterval", &h->start_interval, e) < 0 ||
	    get_number(obj, "Retries", &h->retries, e) < 0)
		return -1;
	return 0;
}

static int get_run(struct image_config *c, const json_t *root, struct err *e)
{
	json_t *run;

	const int found = json_get_object(root, "config", document_name, &run, e);
	if (found < 1)
		return found;
	if (document_check_spelling(run, run_members, run_name, e) < 0 ||
	    document_get_text(run, "User", run_name, &c->user, e) < 0 ||
	    document_get_list(run, "Env", run_name, &c->env, e) < 0 ||
	    document_get_list(run, "Entrypoint", run_name, &c->entrypoint, e) < 0 ||
	    document_get_list(run, "Cmd", run_name, &c->cmd, e) < 0 ||
	    document_get_list(run, "Shell", run_name, &c->shell, e) < 0 ||
	    document_get_list(run, "OnBuild", run_name, &c->onbuild, e) < 0 ||
	    document_get_text(run, "WorkingDir", run_name, &c->working_dir, e) < 0 ||
	    document_get_text(run, "StopSignal", run_name, &c->stop_signal, e) < 0 ||
	    document_get_map(run, "Labels", run_name, LIMIT_DOCUMENT, &c->labels, e) < 0 ||
	    document_get_set(run, "ExposedPorts", run_name, &c->exposed_ports, e) < 0 ||
	    document_get_set(run, "Volumes", run_name, &c->volumes, e) < 0 ||
	    json_get_bool(run, "ArgsEscaped", run_name, &c->args_escaped, e) < 0)
		return -1;
	return get_healthcheck(c, run, e);
}

static int get_diff_ids(struct image_config *c, const json_t *rootfs, struct err *e)
{
	char place[PLACE_MAX];
	json_t *array = NULL, *item;
	size_t i;

	if (json_get_array(rootfs, "diff_ids", document_name, &array, e) < 0)
		return -1;
	if (json_array_size(array) > LIMIT_LAYERS)
		return err_set(e, ERR_LIMIT, "%s: more than %d diff_ids", document_name,
			       LIMIT_LAYERS);
	json_array_foreach(array, i, item)
	{
		struct digest diff_id;
		snprintf(place, sizeof(place), "%s: diff_id %zu", document_name, i + 1);
		if (!json_is_string(item))
			return err_set(e, ERR_FORMAT, "%s is not a string", place);
		if (document_parse_digest(json_string_value(item), place, &diff_id, e) < 0 ||
		    image_config_add_diff_id(c, &diff_id, e) < 0)
			return -1;
	}
	return 0;
}

static int get_rootfs(struct image_config *c, const json_t *root, struct err *e)
{
	json_t *rootfs;
	const char *type;

	const int found = json_get_object(root, "rootfs", document_name, &rootfs, e);
	if (found == 0)
		return err_set(e, ERR_FORMAT, "%s: member 'rootfs' is missing", document_name);
	if (found < 0 || document_check_spelling(rootfs, rootfs_members, document_name, e) < 0 ||
	    json_need_str(rootfs, "type", document_name, &type, e) < 0)
		return -1;
	if (strcmp(type, "layers") != 0)
		return err_set(e, ERR_FORMAT, "%s: type of rootfs is not 'layers'", document_name);
	return get_diff_ids(c, rootfs, e);
}

static int get_step(struct history *h, const json_t *obj, const char *place, struct err *e)
{
	if (!json_is_object(obj))
		return err_set(e, ERR_FORMAT, "%s is not an object", place);
	if (document_check_spelling(obj, history_members, place, e) < 0 ||
	    document_get_text(obj, "created", place, &h->created, e) < 0 ||
	    document_get_text(obj, "created_by", place, &h->created_by, e) < 0 ||
	    document_get_text(obj, "author", place, &h->author, e) < 0 ||
	    document_get_text(obj, "comment", place, &h->comment, e) < 0 ||
	    json_get_bool(obj, "empty_layer", place, &h->is_empty_layer, e) < 0)
		return -1;
	return 0;
}

static int get_history(struct image_config *c, const json_t *root, struct err *e)
{
	char place[PLACE_MAX];
	json_t *array = NULL, *item;
	size_t i;

	const int found = json_get_array(root, "history", document_name, &array, e);
	if (found < 1)
		return found;
	c->history = array_new(json_array_size(array), sizeof(*c->history), e);
	if (!c->history)
		return -1;
	json_array_foreach(array, i, item)
	{
		snprintf(place, sizeof(place), "%s: history %zu", document_name, i + 1);
		c->history_count = i + 1;
		if (get_step(&c->history[i], item, place, e) < 0)
			return -1;
	}
	return 0;
}

int image_config_parse(struct image_config *out, const char *bytes, size_t len, struct err *e)
{
	SCOPE(image_config) struct image_config c;
	SCOPE(json) json_t *root = NULL;

	image_config_init(&c);
	root = json_parse_object(bytes, len, LIMIT_DOCUMENT, document_name, e);
	if (!root)
		return -1;
	if (document_check_spelling(root, config_members, document_name, e) < 0 ||
	    document_get_text(root, "created", document_name, &c.created, e) < 0 ||
	    document_get_text(root, "author", document_name, &c.author, e) < 0 ||
	    get_platform(&c, root, e) < 0 || get_run(&c, root, e) < 0 ||
	    get_rootfs(&c, root, e) < 0 || get_history(&c, root, e) < 0)
		return -1;
	*out = c;
	image_config_init(&c);
	return 0;
}

/* Zero is left out. */
static int put_number(json_t *obj, const char *key, int64_t value, struct err *e)
{
	return value ? json_put(obj, key, json_integer(value), e) : 0;
}

/* False is left out. */
static int put_flag(json_t *obj, const char *key, bool is_set, struct err *e)
{
	return is_set ? json_put(obj, key, json_true(), e) : 0;
}

static int put_healthcheck(json_t *run, const struct healthcheck *h, struct err *e)
{
	SCOPE(json) json_t *obj = json_object();

	if (!obj)
		return err_nomem(e);
	if (document_put_list(obj, "Test", &h->test, e) < 0 ||
	    put_number(obj, "Interval", h->interval, e) < 0 ||
	    put_number(obj, "Timeout", h->timeout, e) < 0 ||
	    put_number(obj, "StartPeriod", h->start_period, e) < 0 ||
	    put_number(obj, "StartInterval", h->start_interval, e) < 0 ||
	    put_number(obj, "Retries", h->retries, e) < 0)
		return -1;
	return json_put(run, "Healthcheck", steal_ptr(&obj), e);
}

static int put_run(json_t *root, const struct image_config *c, struct err *e)
{
	SCOPE(json) json_t *run = json_object();

	if (!run)
		return err_nomem(e);
	if (document_put_text(run, "User", c->user, e) < 0 ||
	    document_put_list(run, "Env", &c->env, e) < 0 ||
	    document_put_list(run, "Entrypoint", &c->entrypoint, e) < 0 ||
	    document_put_list(run, "Cmd", &c->cmd, e) < 0 ||
	    document_put_list(run, "Shell", &c->shell, e) < 0 ||
	    document_put_list(run, "OnBuild", &c->onbuild, e) < 0 ||
	    document_put_text(run, "WorkingDir", c->working_dir, e) < 0 ||
	    document_put_text(run, "StopSignal", c->stop_signal, e) < 0 ||
	    document_put_map(run, "Labels", &c->labels, e) < 0 ||
	    document_put_set(run, "ExposedPorts", &c->exposed_ports, e) < 0 ||
	    document_put_set(run, "Volumes", &c->volumes, e) < 0 ||
	    put_flag(run, "ArgsEscaped", c->args_escaped, e) < 0 ||
	    (c->has_healthcheck && put_healthcheck(run, &c->healthcheck, e) < 0))
		return -1;
	return json_put(root, "config", steal_ptr(&run), e);
}

static int put_rootfs(json_t *root, const struct image_config *c, struct err *e)
{
	SCOPE(json) json_t *rootfs = json_object();
	SCOPE(json) json_t *diff_ids = json_array();
	char text[DIGEST_STR_MAX];

	if (!rootfs || !diff_ids)
		return err_nomem(e);
	for (size_t i = 0; i < c->diff_id_count; i++) {
		digest_format(&c->diff_ids[i], text);
		if (json_push(diff_ids, json_string(text), e) < 0)
			return -1;
	}
	if (json_put(rootfs, "type", json_string("layers"), e) < 0 ||
	    json_put(rootfs, "diff_ids", steal_ptr(&diff_ids), e) < 0)
		return -1;
	return json_put(root, "rootfs", steal_ptr(&rootfs), e);
}

static json_t *step_to_json(const struct history *h, struct err *e)
{
	SCOPE(json) json_t *obj = json_object();

	if (!obj) {
		err_nomem(e);
		return NULL;
	}
	if (document_put_text(obj, "created", h->created, e) < 0 ||
	    document_put_text(obj, "created_by", h->created_by, e) < 0 ||
	    document_put_text(obj, "author", h->author, e) < 0 ||
	    document_put_text(obj, "comment", h->comment, e) < 0 ||
	    put_flag(obj, "empty_layer", h->is_empty_layer, e) < 0)
		return NULL;
	return steal_ptr(&obj);
}

static int put_history(json_t *root, const struct image_config *c, struct err *e)
{
	if (c->history_count == 0)
		return 0;
	SCOPE(json) json_t *array = json_array();
	if (!array)
		return err_nomem(e);
	for (size_t i = 0; i < c->history_count; i++) {
		json_t *step = step_to_json(&c->history[i], e);
		if (!step || json_push(array, step, e) < 0)
			return -1;
	}
	return json_put(root, "history", steal_ptr(&array), e);
}

int image_config_format(const struct image_config *c, struct str *out, struct err *e)
{
	SCOPE(json) json_t *root = json_object();

	if (!root)
		return err_nomem(e);
	if (document_put_text(root, "created", c->created, e) < 0 ||
	    document_put_text(root, "author", c->author, e) < 0 ||
	    json_put(root, "architecture", json_string(c->platform.architecture), e) < 0 ||
	    json_put(root, "os", json_string(c->platform.os), e) < 0 ||
	    document_put_text(root, "variant", c->platform.variant, e) < 0 ||
	    put_run(root, c, e) < 0 || put_rootfs(root, c, e) < 0 || put_history(root, c, e) < 0)
		return -1;
	return json_format(root, out, e);
}
