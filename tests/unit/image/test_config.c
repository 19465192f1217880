/* SPDX-License-Identifier: Apache-2.0 */
#include "image/config.h"

#include "base/limits.h"
#include "tests/support/failalloc.h"
#include "tests/unit/image/documents.h"
#include "tests/unit/main.h"

#define PLATFORM "'architecture':'amd64','os':'linux'"
#define ROOTFS   "'rootfs':{'diff_ids':[],'type':'layers'}"
#define MINIMAL  PLATFORM "," ROOTFS

/* All that is kept. */
#define FULL                                                                                    \
	"{'architecture':'arm64','author':'me','config':{'ArgsEscaped':true,'Cmd':['a','b'],"   \
	"'Entrypoint':['/e'],'Env':['PATH=/bin','A=','NAME'],"                                  \
	"'ExposedPorts':{'443/udp':{},'80/tcp':{}},'Healthcheck':{'Interval':5000000000,"       \
	"'Retries':3,'StartInterval':2,'StartPeriod':1,'Test':['CMD','/t'],'Timeout':1},"       \
	"'Labels':{'':'none','l':'a\\nb\\\\'},'OnBuild':['RUN x'],'Shell':['/bin/sh','-c'],"    \
	"'StopSignal':'SIGQUIT','User':'1000:1000','Volumes':{'/v':{}},'WorkingDir':'/w'},"     \
	"'created':'2023-01-01T00:00:00.5+01:00','history':[{'author':'x','comment':'c',"       \
	"'created':'2023-01-01T00:00:00Z','created_by':'COPY'},{'empty_layer':true},{}],"       \
	"'os':'linux','rootfs':{'diff_ids':['" EMPTY_SHA "','sha512:" EMPTY_HEX EMPTY_HEX "']," \
	"'type':'layers'},'variant':'v8'}"

static int parse(struct image_config *c, const char *text, struct err *e)
{
	char buf[DOCUMENT_MAX];

	document(buf, text);
	return image_config_parse(c, buf, strlen(buf), e);
}

/* Text, and the canonical form of what it says. */
static const struct {
	const char *text;
	const char *shown;
} accepted[] = {
	{FULL, FULL},
	{"{" MINIMAL "}", "{'architecture':'amd64','config':{},'os':'linux'," ROOTFS "}"},
	{"{" PLATFORM ",'rootfs':{'type':'layers'},'config':null,'history':null,'created':null}",
	 "{'architecture':'amd64','config':{},'os':'linux'," ROOTFS "}"},
	{"{" PLATFORM ",'rootfs':{'type':'layers','diff_ids':null},'history':[],'author':''}",
	 "{'architecture':'amd64','config':{},'os':'linux'," ROOTFS "}"},
	/* What Go's omitempty leaves out, as docker used to write it. */
	{"{" MINIMAL ",'config':{'User':'','Env':null,'Cmd':null,'Entrypoint':[],'Volumes':{},"
	 "'Labels':null,'ExposedPorts':null,'WorkingDir':'','StopSignal':'','OnBuild':[],"
	 "'Shell':null,'ArgsEscaped':false,'Healthcheck':null}}",
	 "{'architecture':'amd64','config':{},'os':'linux'," ROOTFS "}"},
	{"{" MINIMAL ",'x':1,'container_config':{'Cmd':['x']},'config':{'Hostname':'h','Tty':true},"
	 "'docker_version':'20','history':[{'empty_layer':false,'x':1}]}",
	 "{'architecture':'amd64','config':{},'history':[{}],'os':'linux'," ROOTFS "}"},
	{"{" MINIMAL ",'config':{'Healthcheck':{}}}",
	 "{'architecture':'amd64','config':{'Healthcheck':{}},'os':'linux'," ROOTFS "}"},
	{"{" MINIMAL ",'config':{'Healthcheck':{'Interval':9223372036854775807,'Retries':0}}}",
	 "{'architecture':'amd64','config':{'Healthcheck':{'Interval':9223372036854775807}},"
	 "'os':'linux'," ROOTFS "}"},
	{"{" MINIMAL ",'config':{'Volumes':{'/b':null,'/a':{'x':1}}}}",
	 "{'architecture':'amd64','config':{'Volumes':{'/a':{},'/b':{}}},'os':'linux'," ROOTFS "}"},
	{umoci_config,
	 "{'architecture':'amd64','author':'me','config':{'Cmd':['/bin/sh','-c'],"
	 "'Entrypoint':['/init'],'Env':['A=b','PATH=/bin'],'ExposedPorts':{'80/tcp':{}},"
	 "'Labels':{'x':'y'},'StopSignal':'SIGTERM','User':'1000:1000','Volumes':{'/data':{}},"
	 "'WorkingDir':'/srv'},'created':'2026-11-23T21:02:48.37347543Z','history':[{'author':'me',"
	 "'created':'2026-11-23T21:04:47.411899077Z','created_by':'umoci config',"
	 "'empty_layer':true},{'author':'me','created':'2026-11-23T21:04:47.431289563Z',"
	 "'created_by':'umoci repack'}],'os':'linux','rootfs':{'diff_ids':['sha256:"
	 "8a9db6de5da6eb048555be89963f7dd85816f5657d98d1df66748d5018895103'],'type':'layers'}}"},
};

START_TEST(parse_accepts)
{
	struct err e = ERR_INIT;
	char want[DOCUMENT_MAX];
	SCOPE(image_config) struct image_config c;
	SCOPE(str) struct str text = STR_INIT;

	image_config_init(&c);
	ck_assert_int_eq(parse(&c, accepted[_i].text, &e), 0);
	ck_assert_no_err(&e);
	ck_assert_int_eq(image_config_format(&c, &text, &e), 0);
	ck_assert_str_eq(text.data, document(want, accepted[_i].shown));
}
END_TEST

START_TEST(parse_reads_dockers)
{
	struct err e = ERR_INIT;
	SCOPE(image_config) struct image_config c;

	image_config_init(&c);
	ck_assert_int_eq(parse(&c, buildah_docker_config, &e), 0);
	ck_assert_str_eq(c.created, "2026-11-23T21:05:09.41224203Z");
	ck_assert_ptr_null(c.user);
	ck_assert_uint_eq(c.env.count, 2);
	ck_assert_str_eq(c.env.items[1], "A=b");
	ck_assert_uint_eq(c.cmd.count, 1);
	ck_assert(!c.entrypoint.is_set);
	ck_assert_str_eq(c.shell.items[1], "-ec");
	ck_assert_str_eq(c.onbuild.items[0], "RUN x");
	ck_assert(c.has_healthcheck);
	ck_assert_str_eq(c.healthcheck.test.items[0], "CMD-SHELL");
	ck_assert_int_eq(c.healthcheck.interval, 5000000000);
	ck_assert_int_eq(c.healthcheck.timeout, 3000000000);
	ck_assert_str_eq(strmap_get(&c.labels, "io.buildah.version"), "1.28.2");
	ck_assert_uint_eq(c.diff_id_count, 1);
	ck_assert_uint_eq(c.history_count, 6);
	ck_assert(c.history[0].is_empty_layer);
	ck_assert(!c.history[5].is_empty_layer);
	ck_assert_str_eq(c.history[4].created_by, "/bin/sh -c #(nop) SHELL [\"/bin/sh\",\"-ec\"]");
}
END_TEST

#define RUN(members)     "{" MINIMAL ",'config':{" members "}}"
#define HEALTH(members)  RUN("'Healthcheck':{" members "}")
#define HISTORY(members) "{" MINIMAL ",'history':[{}," members "]}"
#define DIFF_IDS(text)   "{" PLATFORM ",'rootfs':{'type':'layers','diff_ids':" text "}}"

static const struct {
	const char *text;
	const char *word;
} refused[] = {
	{"", "JSON"},
	{"{" MINIMAL "}{}", "garbage"},
	{"{'architecture':'amd64'," ROOTFS "}", "'os' is missing"},
	{"{'os':'linux'," ROOTFS "}", "'architecture' is missing"},
	{"{'os':'linux','architecture':''," ROOTFS "}", "architecture is empty"},
	{"{'os':'linux','architecture':7," ROOTFS "}", "'architecture' is not a string"},
	{"{'os':'linux','architecture':'a/b'," ROOTFS "}", "image config: platform"},
	{"{" MINIMAL ",'variant':{}}", "'variant' is not a string"},
	{"{" MINIMAL ",'created':0}", "'created' is not a string"},
	{"{" MINIMAL ",'author':[]}", "'author' is not a string"},
	{"{" PLATFORM "}", "'rootfs' is missing"},
	{"{" PLATFORM ",'rootfs':[]}", "'rootfs' is not an object"},
	{"{" PLATFORM ",'rootfs':{}}", "'type' is missing"},
	{"{" PLATFORM ",'rootfs':{'type':'x','diff_ids':[]}}", "type of rootfs is not 'layers'"},
	{DIFF_IDS("{}"), "'diff_ids' is not an array"},
	{DIFF_IDS("['" EMPTY_SHA "',7]"), "diff_id 2 is not a string"},
	{DIFF_IDS("['" EMPTY_HEX "']"), "diff_id 1: '"},
	{DIFF_IDS("['sha256:../../x']"), "diff_id 1: 'sha256:../../x' is not a digest"},
	{DIFF_IDS("['md5:d41d8cd98f00b204e9800998ecf8427e']"), "only sha256 and sha512"},
	{"{" MINIMAL ",'config':[]}", "'config' is not an object"},
	{RUN("'User':0"), "'User' is not a string"},
	{RUN("'Env':{}"), "'Env' is not an array"},
	{RUN("'Env':['A=b',1]"), "'Env' holds more than strings"},
	{RUN("'Env':[null]"), "'Env' holds more than strings"},
	{RUN("'Env':['A=\\u0000']"), "NUL"},
	{RUN("'Env':['A=\xff']"), "UTF-8"},
	{RUN("'Entrypoint':'/e'"), "'Entrypoint' is not an array"},
	{RUN("'Cmd':'/c'"), "'Cmd' is not an array"},
	{RUN("'Shell':{}"), "'Shell' is not an array"},
	{RUN("'OnBuild':[[]]"), "'OnBuild' holds more than strings"},
	{RUN("'WorkingDir':[]"), "'WorkingDir' is not a string"},
	{RUN("'StopSignal':15"), "'StopSignal' is not a string"},
	{RUN("'Labels':['a']"), "'Labels' is not an object"},
	{RUN("'Labels':{'a':1}"), "member 'a' of 'Labels' has the wrong type"},
	{RUN("'ExposedPorts':['80']"), "'ExposedPorts' is not an object"},
	{RUN("'ExposedPorts':{'80':''}"), "member '80' of 'ExposedPorts' has the wrong type"},
	{RUN("'Volumes':'/v'"), "'Volumes' is not an object"},
	{RUN("'Volumes':{'/v':true}"), "member '/v' of 'Volumes' has the wrong type"},
	{RUN("'ArgsEscaped':1"), "'ArgsEscaped' is not true or false"},
	{RUN("'cmd':[]"), "'cmd' must be spelled 'Cmd'"},
	{RUN("'Cmd':['a'],'CMD':['b']"), "'CMD' must be spelled 'Cmd'"},
	{RUN("'Cmd':['a'],'Cmd':['b']"), "duplicate"},
	{RUN("'wor\\u212aingdir':''"), "must be spelled 'WorkingDir'"},
	{RUN("'Healthcheck':[]"), "'Healthcheck' is not an object"},
	{HEALTH("'Test':'x'"), "'Test' is not an array"},
	{HEALTH("'Interval':'5s'"), "'Interval' is not an integer"},
	{HEALTH("'Interval':-1"), "'Interval' is -1"},
	{HEALTH("'Timeout':1.5"), "'Timeout' is not an integer"},
	{HEALTH("'StartPeriod':[]"), "'StartPeriod' is not an integer"},
	{HEALTH("'StartInterval':''"), "'StartInterval' is not an integer"},
	{HEALTH("'Retries':true"), "'Retries' is not an integer"},
	{HEALTH("'test':[]"), "must be spelled 'Test'"},
	{"{" MINIMAL ",'history':{}}", "'history' is not an array"},
	{HISTORY("7"), "history 2 is not an object"},
	{HISTORY("null"), "history 2 is not an object"},
	{HISTORY("{'created':1}"), "history 2: member 'created'"},
	{HISTORY("{'created_by':[]}"), "'created_by' is not a string"},
	{HISTORY("{'author':{}}"), "'author' is not a string"},
	{HISTORY("{'comment':false}"), "'comment' is not a string"},
	{HISTORY("{'empty_layer':'true'}"), "'empty_layer' is not true or false"},
	{HISTORY("{'Empty_layer':true}"), "must be spelled 'empty_layer'"},
	{"{" MINIMAL ",'Config':{}}", "must be spelled 'config'"},
	{"{" MINIMAL ",'rootFS':{}}", "must be spelled 'rootfs'"},
	{"{" PLATFORM ",'rootfs':{'type':'layers','diff_IDs':[]}}", "must be spelled 'diff_ids'"},
};

START_TEST(parse_refuses)
{
	struct err e = ERR_INIT;
	struct image_config before, c;

	memset(&c, 0xa5, sizeof(c));
	before = c;
	ck_assert_int_eq(parse(&c, refused[_i].text, &e), -1);
	ck_assert_mem_eq(&c, &before, sizeof(c));
	ck_assert_err(&e, ERR_FORMAT, refused[_i].word);
}
END_TEST

START_TEST(diff_ids_have_a_limit)
{
	struct err e = ERR_INIT;
	struct digest d = {DIGEST_SHA256, {0}};
	SCOPE(image_config) struct image_config c, again;
	SCOPE(str) struct str text = STR_INIT;

	image_config_init(&c);
	image_config_init(&again);
	ck_assert_int_eq(platform_parse(&c.platform, "linux/amd64", &e), 0);
	for (unsigned i = 0; i < LIMIT_LAYERS; i++) {
		d.raw[0] = (uint8_t)i;
		ck_assert_int_eq(image_config_add_diff_id(&c, &d, &e), 0);
	}
	ck_assert_int_eq(image_config_add_diff_id(&c, &d, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "512");
	ck_assert_int_eq(image_config_format(&c, &text, &e), 0);
	ck_assert_int_eq(image_config_parse(&again, text.data, text.len, &e), 0);
	ck_assert_uint_eq(again.diff_id_count, LIMIT_LAYERS);
	ck_assert_uint_eq(again.diff_ids[7].raw[0], 7);
	ck_assert(digest_equal(&again.diff_ids[511], &d));
	image_config_fini(&again);

	/* One more in the text. */
	char one[DOCUMENT_MAX];
	SCOPE(str) struct str more = STR_INIT;
	const char *array = strchr(strstr(text.data, "diff_ids"), '[') + 1;
	ck_assert_int_eq(str_append(&more, text.data, (size_t)(array - text.data), &e), 0);
	ck_assert_int_eq(str_append_z(&more, document(one, "'" EMPTY_SHA "',"), &e), 0);
	ck_assert_int_eq(str_append_z(&more, array, &e), 0);
	ck_assert_int_eq(image_config_parse(&again, more.data, more.len, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "512 diff_ids");
}
END_TEST

START_TEST(the_document_has_a_limit)
{
	struct err e = ERR_INIT;
	struct image_config c;
	SCOPE(str) struct str text = STR_INIT;

	ck_assert_int_eq(str_append_zeros(&text, LIMIT_DOCUMENT + 1, &e), 0);
	ck_assert_int_eq(image_config_parse(&c, text.data, text.len, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "bytes");
}
END_TEST

START_TEST(history_is_copied)
{
	struct err e = ERR_INIT;
	char created_by[] = "RUN <<E\nx\nE";
	struct history h = {.created_by = created_by, .is_empty_layer = true};
	SCOPE(image_config) struct image_config c;

	image_config_init(&c);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(image_config_add_history(&c, &h, &e), 0);
	created_by[0] = 'x';
	ck_assert_uint_eq(c.history_count, 20);
	ck_assert_str_eq(c.history[19].created_by, "RUN <<E\nx\nE");
	ck_assert_ptr_null(c.history[19].created);
	ck_assert(c.history[19].is_empty_layer);
}
END_TEST

START_TEST(text_that_is_not_utf8_is_not_written)
{
	struct err e = ERR_INIT;
	SCOPE(image_config) struct image_config c;
	SCOPE(str) struct str text = STR_INIT;

	image_config_init(&c);
	ck_assert_int_eq(strlist_add(&c.env, "A=\xff", &e), 0);
	ck_assert_int_eq(image_config_format(&c, &text, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "UTF-8");
	ck_assert_uint_eq(text.len, 0);
	strlist_clear(&c.env);
	ck_assert_int_eq(strmap_set(&c.volumes, "/\xff", "", &e), 0);
	ck_assert_int_eq(image_config_format(&c, &text, &e), -1);
	ck_assert_err(&e, ERR_FORMAT, "UTF-8");
}
END_TEST

static const struct {
	int64_t epoch_s;
	const char *text; /* by date -u -d @N +%FT%TZ */
} times[] = {
	{0, "1970-01-01T00:00:00Z"},
	{315532800, "1980-01-01T00:00:00Z"},
	{951782399, "2000-02-28T23:59:59Z"},
	{951782400, "2000-02-29T00:00:00Z"},
	{1700000000, "2023-11-14T22:13:20Z"},
	{4294967296, "2106-02-07T06:28:16Z"},
	{-1, "1969-12-31T23:59:59Z"},
	{-62135596800, "0001-01-01T00:00:00Z"},
	{-62167219200, "0000-01-01T00:00:00Z"},
	{253402300799, "9999-12-31T23:59:59Z"},
};

START_TEST(time_is_rfc3339)
{
	struct err e = ERR_INIT;
	SCOPE_FREE char *text = config_format_time(times[_i].epoch_s, &e);

	ck_assert_str_eq(text, times[_i].text);
}
END_TEST

START_TEST(time_has_four_digits_for_the_year)
{
	struct err e = ERR_INIT;

	ck_assert_ptr_null(config_format_time(253402300800, &e));
	ck_assert_err(&e, ERR_LIMIT, "9999");
	ck_assert_ptr_null(config_format_time(-62167219201, &e));
	ck_assert_err(&e, ERR_LIMIT, "9999");
	ck_assert_ptr_null(config_format_time(INT64_MAX, &e));
	ck_assert_err(&e, ERR_LIMIT, "9999");
	ck_assert_ptr_null(config_format_time(INT64_MIN, &e));
	ck_assert_err(&e, ERR_LIMIT, "9999");
}
END_TEST

static int parse_add_and_format(void *arg, struct err *e)
{
	SCOPE(image_config) struct image_config c;
	SCOPE(str) struct str text = STR_INIT;

	image_config_init(&c);
	if (parse(&c, arg, e) < 0 || image_config_add_diff_id(&c, &c.diff_ids[0], e) < 0 ||
	    image_config_add_history(&c, &c.history[0], e) < 0)
		return -1;
	return image_config_format(&c, &text, e);
}

START_TEST(survives_lack_of_memory)
{
	char text[] = FULL;

	failalloc_each(parse_add_and_format, text);
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("image/config");
	TCase *tc = tcase_create("config");

	tcase_add_loop_test(tc, parse_accepts, 0, ARRAY_LEN(accepted));
	tcase_add_test(tc, parse_reads_dockers);
	tcase_add_loop_test(tc, parse_refuses, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, diff_ids_have_a_limit);
	tcase_add_test(tc, the_document_has_a_limit);
	tcase_add_test(tc, history_is_copied);
	tcase_add_test(tc, text_that_is_not_utf8_is_not_written);
	tcase_add_loop_test(tc, time_is_rfc3339, 0, ARRAY_LEN(times));
	tcase_add_test(tc, time_has_four_digits_for_the_year);
	tcase_add_test(tc, survives_lack_of_memory);
	suite_add_tcase(s, tc);
	return s;
}
UNIT_MAIN(suite_new)
