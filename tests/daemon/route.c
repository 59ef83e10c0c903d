/* route.c -- paths to handlers.
 * SPDX-License-Identifier: MIT */
#include "daemon/route.h"

#include <string.h>

#include "daemon/api.h"
#include "tests/daemon/scene.h"

static const struct route *found;
static struct route_args args;
static char allowed[64];

static enum route_match look_up(const char *method, const char *path)
{
	found = NULL;
	return route_find(api_routes, api_route_count, method, path, &found, &args, allowed);
}

START_TEST(paths_lead_to_their_handlers_with_what_the_braces_hold)
{
	ck_assert_int_eq(look_up("GET", "/v1/jobs/17"), ROUTE_FOUND);
	ck_assert(found->handle == api_job_get);
	ck_assert_int_eq(args.id, 17);
	ck_assert_int_eq(look_up("GET", "/v1/trials/7.41/model"), ROUTE_FOUND);
	ck_assert(found->handle == api_trial_model);
	ck_assert_int_eq(args.id, 7);
	ck_assert_int_eq(args.number, 41);
	ck_assert_int_eq(look_up("GET", "/v1/trials/7.0"), ROUTE_FOUND);
	ck_assert_int_eq(args.number, 0);
	ck_assert_int_eq(look_up("POST", "/v1/leases/5/heartbeat"), ROUTE_FOUND);
	ck_assert(found->handle == api_lease_beat);
	ck_assert_int_eq(look_up("PUT", "/v1/blobs/abc"), ROUTE_FOUND);
	ck_assert_str_eq(args.word, "abc");
}
END_TEST

START_TEST(head_is_answered_where_get_is)
{
	ck_assert_int_eq(look_up("HEAD", "/healthz"), ROUTE_FOUND);
	ck_assert(found->handle == api_health);
	ck_assert_int_eq(look_up("HEAD", "/v1/leases"), ROUTE_NO_METHOD);
}
END_TEST

START_TEST(a_wrong_method_is_told_the_right_ones)
{
	ck_assert_int_eq(look_up("DELETE", "/v1/jobs"), ROUTE_NO_METHOD);
	ck_assert_str_eq(allowed, "POST, GET, HEAD");
	ck_assert_int_eq(look_up("GET", "/v1/jobs/1/cancel"), ROUTE_NO_METHOD);
	ck_assert_str_eq(allowed, "POST");
	ck_assert_int_eq(look_up("get", "/healthz"), ROUTE_NO_METHOD);
}
END_TEST

static const char *const nowhere[] = {
	"", "/", "/v1", "/v1/jobs/", "/v1/jobs/0", "/v1/jobs/-1", "/v1/jobs/01", "/v1/jobs/x", "/v1/jobs/1x",
	"/v1/jobs/1/", "/v1/jobs/1/trial", "/v1/jobs/1/trialss", "/v1/jobs/9999999999999999", "/v1/trials/7",
	"/v1/trials/7.", "/v1/trials/.7", "/v1/trials/7.1.2", "/v1/trials/0.1", "/v1/trials/7.01", "//v1/jobs",
	"/V1/jobs", "/v1/blobs/", "/v1/blobs/a/b", "/v1/jobs/1/../2", "/v1/leases/1/beat",
	"/v1/blobs/00000000000000000000000000000000000000000000000000000000000000000",
};

START_TEST(other_paths_lead_nowhere)
{
	ck_assert_msg(look_up("GET", nowhere[_i]) == ROUTE_NO_PATH, "%s", nowhere[_i]);
}
END_TEST

Suite *suite_route(void)
{
	Suite *s = suite_create("route");
	TCase *t = tcase_create("route");
	tcase_add_test(t, paths_lead_to_their_handlers_with_what_the_braces_hold);
	tcase_add_test(t, head_is_answered_where_get_is);
	tcase_add_test(t, a_wrong_method_is_told_the_right_ones);
	tcase_add_loop_test(t, other_paths_lead_nowhere, 0, sizeof nowhere / sizeof *nowhere);
	suite_add_tcase(s, t);
	return s;
}
