/* api.c -- the paths of the protocol.
 * SPDX-License-Identifier: MIT */
#include "daemon/api.h"

const struct route api_routes[] = {
	{ "PUT", "/v1/blobs/{digest}", api_blob_put, api_blob_begin, true },
	{ "GET", "/v1/blobs/{digest}", api_blob_get, NULL, true },
	{ "POST", "/v1/jobs", api_job_submit, NULL, false },
	{ "GET", "/v1/jobs", api_job_list, NULL, false },
	{ "GET", "/v1/jobs/{id}", api_job_get, NULL, false },
	{ "POST", "/v1/jobs/{id}/cancel", api_job_cancel, NULL, false },
	{ "POST", "/v1/jobs/{id}/pause", api_job_pause, NULL, false },
	{ "POST", "/v1/jobs/{id}/resume", api_job_resume, NULL, false },
	{ "POST", "/v1/jobs/{id}/finish", api_job_finish, NULL, false },
	{ "GET", "/v1/jobs/{id}/trials", api_job_trials, NULL, false },
	{ "POST", "/v1/jobs/{id}/trials", api_job_post, NULL, false },
	{ "GET", "/v1/jobs/{id}/pareto", api_job_pareto, NULL, false },
	{ "GET", "/v1/jobs/{id}/best", api_job_best, NULL, false },
	{ "GET", "/v1/jobs/{id}/explain", api_job_explain, NULL, false },
	{ "GET", "/v1/jobs/{id}/events", api_job_events, NULL, false },
	{ "GET", "/v1/trials/{trial}", api_trial_get, NULL, false },
	{ "GET", "/v1/trials/{trial}/model", api_trial_model, NULL, false },
	{ "POST", "/v1/leases", api_lease_ask, NULL, false },
	{ "POST", "/v1/leases/{id}/heartbeat", api_lease_beat, NULL, true },
	{ "POST", "/v1/leases/{id}/complete", api_lease_complete, NULL, true },
	{ "POST", "/v1/leases/{id}/fail", api_lease_fail, NULL, true },
	{ "POST", "/v1/leases/{id}/release", api_lease_release, NULL, true },
	{ "GET", "/v1/workers", api_workers, NULL, false },
	{ "GET", "/healthz", api_health, NULL, false },
};
const size_t api_route_count = sizeof api_routes / sizeof *api_routes;
