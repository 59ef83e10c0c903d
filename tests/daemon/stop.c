/* stop.c -- sockets at the start, and the end of a daemon.
 * SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/daemon/play.h"

static struct scene scene;

static bool exists(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0;
}

static int try_start(char out[2048])
{
	char config[128];
	snprintf(config, sizeof config, "%s/pared.json", scene.directory);
	char *const args[] = { (char *)scene_program("pared"), "-c", config, NULL };
	return scene_run(args, out, 2048);
}

START_TEST(a_clean_stop_refuses_those_who_wait_and_removes_the_socket)
{
	scene_open(&scene);
	int fd = scene_send_json(&scene, "POST", "/v1/leases", "{\"worker\": \"w\", \"wait\": 60}");
	int id = scene_submit(&scene, "\"seed\": 3,");
	cJSON_Delete(scene_post(&scene, "/v1/jobs/1/pause", "{}"));
	char request[96];
	snprintf(request, sizeof request, "GET /v1/jobs/%d/events HTTP/1.1\r\nHost: x\r\n\r\n", id);
	int watcher = scene_send(&scene, request);
	ck_assert_ptr_nonnull(strstr(scene_read(watcher, "\n\n"), "200"));
	int idle = scene_send_json(&scene, "POST", "/v1/leases", "{\"worker\": \"late\", \"wait\": 60}");
	usleep(50000);
	ck_assert_int_eq(scene_stop(&scene), 0);
	ck_assert(!exists(scene.socket));
	ck_assert_ptr_nonnull(strstr(scene_read(fd, NULL), "200 OK"));
	ck_assert_ptr_nonnull(strstr(scene_read(idle, NULL), "503"));
	scene_read(watcher, NULL);
	close(fd);
	close(idle);
	close(watcher);
	scene_strike(&scene);
}
END_TEST

START_TEST(a_stale_socket_is_replaced)
{
	scene_open(&scene);
	scene_kill(&scene);
	ck_assert(exists(scene.socket));
	scene_start(&scene);
	scene_close(&scene);
}
END_TEST

START_TEST(the_socket_has_the_permissions_of_the_configuration)
{
	struct stat st;
	scene.extra = "\"socket_mode\": \"0600\",";
	scene_open(&scene);
	ck_assert_int_eq(stat(scene.socket, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	scene_close(&scene);
}
END_TEST

START_TEST(a_socket_on_which_somebody_answers_is_left_alone)
{
	char out[2048];
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	scene_set(&scene);
	memcpy(address.sun_path, scene.socket, strlen(scene.socket) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(try_start(out), 1);
	ck_assert_msg(strstr(out, "another daemon answers on it"), "%s", out);
	ck_assert(exists(scene.socket));
	close(fd);
	scene_strike(&scene);
}
END_TEST

START_TEST(a_file_that_is_no_socket_is_left_alone)
{
	char out[2048];
	scene_set(&scene);
	ck_ok(file_write(scene.socket, "dear diary", 10, &e));
	ck_assert_int_eq(try_start(out), 1);
	ck_assert_msg(strstr(out, "exists and is not a socket"), "%s", out);
	ck_assert(exists(scene.socket));
	scene_strike(&scene);
}
END_TEST

START_TEST(a_second_daemon_on_one_state_directory_is_refused)
{
	char out[2048];
	scene_open(&scene);
	ck_assert_int_eq(try_start(out), 1);
	ck_assert_msg(strstr(out, "in use by another pared"), "%s", out);
	cJSON_Delete(scene_get(&scene, "/healthz"));
	scene_close(&scene);
}
END_TEST

/* As systemd does it: the socket is descriptor 3, and stays when the daemon goes. */
static pid_t start_activated(int listening)
{
	char config[128], pid[16];
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	freopen("/dev/null", "w", stderr);
	dup2(listening, 3);
	snprintf(pid, sizeof pid, "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	snprintf(config, sizeof config, "%s/pared.json", scene.directory);
	execl(scene_program("pared"), "pared", "-c", config, (char *)NULL);
	_exit(127);
}

START_TEST(an_activated_socket_is_served_and_outlives_the_daemon)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int status;
	scene_set(&scene);
	memcpy(address.sun_path, scene.socket, strlen(scene.socket) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	for (int i = 0; i < 2; i++) {
		pid_t child = start_activated(fd);
		ck_ok(http_open(scene.url, NULL, &scene.http, &e));
		cJSON_Delete(scene_get(&scene, "/healthz"));
		http_close(scene.http);
		kill(child, SIGTERM);
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		ck_assert(exists(scene.socket));
	}
	close(fd);
	scene_strike(&scene);
}
END_TEST

Suite *suite_stop(void)
{
	Suite *s = suite_create("stop");
	TCase *t = tcase_create("stop");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_clean_stop_refuses_those_who_wait_and_removes_the_socket);
	tcase_add_test(t, a_stale_socket_is_replaced);
	tcase_add_test(t, the_socket_has_the_permissions_of_the_configuration);
	tcase_add_test(t, a_socket_on_which_somebody_answers_is_left_alone);
	tcase_add_test(t, a_file_that_is_no_socket_is_left_alone);
	tcase_add_test(t, a_second_daemon_on_one_state_directory_is_refused);
	tcase_add_test(t, an_activated_socket_is_served_and_outlives_the_daemon);
	suite_add_tcase(s, t);
	return s;
}
