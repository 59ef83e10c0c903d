/* api.h -- the handlers of the protocol (docs/protocol.md).
 * SPDX-License-Identifier: MIT */
#ifndef DAEMON_API_H
#define DAEMON_API_H

#include <stddef.h>

#include "daemon/route.h"

extern const struct route api_routes[];
extern const size_t api_route_count;

route_cb api_blob_begin, api_blob_put, api_blob_get;
route_cb api_job_submit, api_job_list, api_job_get, api_job_cancel, api_job_pause, api_job_resume;
route_cb api_job_finish, api_job_best, api_job_explain;
route_cb api_job_trials, api_job_post, api_job_pareto, api_job_events;
route_cb api_trial_get, api_trial_model;
route_cb api_lease_ask, api_lease_beat, api_lease_complete, api_lease_fail, api_lease_release;
route_cb api_workers, api_health;

#endif
