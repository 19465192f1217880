/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/build_config.h"

#include "main.h"
#include "tests/support/failalloc.h"

/* Every member that a plan carries, each with a value of its own. */
static const char whole[] =
	"{\"architecture\":\"amd64\",\"config\":{\"ArgsEscaped\":true,\"Cmd\":[\"c\",\"\"],"
	"\"Entrypoint\":[\"e\"],\"Env\":[\"B=2\",\"A=1\"],\"ExposedPorts\":{\"53/udp\":{},"
	"\"80/tcp\":{}},\"Healthcheck\":{\"Interval\":1000000,\"Retries\":5,\"StartInterval\":"
	"4000000,\"StartPeriod\":3000000,\"Test\":[\"CMD\",\"t\"],\"Timeout\":2000000},\"Labels\":"
	"{\"l\":\"v\"},\"OnBuild\":[\"RUN x\"],\"Shell\":[\"s\",\"-c\"],\"StopSignal\":\"SIGINT\","
	"\"User\":\"u:g\",\"Volumes\":{\"/v\":{}},\"WorkingDir\":\"/w\"},\"os\":\"linux\","
	"\"rootfs\":{\"diff_ids\":[],\"type\":\"layers\"}}";

static const char bare[] = "{\"architecture\":\"amd64\",\"config\":{},\"os\":\"linux\","
			   "\"rootfs\":{\"diff_ids\":[],\"type\":\"layers\"}}";

static const char *const documents[] = {whole, bare};

/* Through a plan's values and back; 0 or -1. */
static int carry(const char *document, struct str *out, struct err *e)
{
	SCOPE(image_config) struct image_config from;
	SCOPE(image_config) struct image_config to;
	SCOPE(plan_config) struct plan_config plan;

	image_config_init(&from);
	image_config_init(&to);
	plan_config_init(&plan);
	if (image_config_parse(&from, document, strlen(document), e) < 0 ||
	    build_config_from_image(&plan, &from, e) < 0 ||
	    build_config_to_image(&to, &plan, e) < 0)
		return -1;
	to.platform = from.platform;
	return image_config_format(&to, out, e);
}

START_TEST(carries_every_value)
{
	SCOPE(str) struct str text = STR_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(carry(documents[_i], &text, &e), 0);
	ck_assert_str_eq(str_text(&text), documents[_i]);
}
END_TEST

START_TEST(nothing_is_shared_with_the_source)
{
	SCOPE(plan_config) struct plan_config plan;
	struct image_config from;
	struct err e = ERR_INIT;

	plan_config_init(&plan);
	image_config_init(&from);
	ck_assert_int_eq(image_config_parse(&from, whole, strlen(whole), &e), 0);
	/* Twice: what was there before is replaced. */
	ck_assert_int_eq(build_config_from_image(&plan, &from, &e), 0);
	ck_assert_int_eq(build_config_from_image(&plan, &from, &e), 0);
	image_config_fini(&from);
	ck_assert_str_eq(plan.user, "u:g");
	ck_assert_uint_eq(plan.env.count, 2);
	ck_assert_str_eq(plan.env.items[0], "B=2");
	ck_assert_int_eq(plan.healthcheck.start_interval_ns, 4000000);
}
END_TEST

START_TEST(an_empty_list_is_not_the_same_as_none)
{
	SCOPE(plan_config) struct plan_config plan;
	SCOPE(image_config) struct image_config to;
	struct err e = ERR_INIT;

	plan_config_init(&plan);
	image_config_init(&to);
	ck_assert_int_eq(platform_parse(&to.platform, "linux/amd64", &e), 0);
	plan.entrypoint.is_set = true;
	ck_assert_int_eq(build_config_to_image(&to, &plan, &e), 0);
	ck_assert(to.entrypoint.is_set);
	ck_assert(!to.cmd.is_set);
}
END_TEST

static int carry_whole(void *arg, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;

	(void)arg;
	return carry(whole, &text, e);
}

START_TEST(copes_without_memory)
{
	failalloc_each(carry_whole, NULL);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("packer/build_config");
	TCase *tc = tcase_create("values");

	tcase_add_loop_test(tc, carries_every_value, 0, ARRAY_LEN(documents));
	tcase_add_test(tc, nothing_is_shared_with_the_source);
	tcase_add_test(tc, an_empty_list_is_not_the_same_as_none);
	tcase_add_test(tc, copes_without_memory);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
