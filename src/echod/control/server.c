/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See server.h: building the daemon in the order that safety asks for, and taking it apart. */

#include "config.h"

#include "echod/control/server.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cpu_quota.h"
#include "daemon/activation.h"
#include "daemon/descriptors.h"
#include "daemon/log.h"
#include "daemon/notify.h"
#include "daemon/privileges.h"
#include "daemon/signals.h"
#include "echod/config/load.h"
#include "echod/confinement/confinement.h"
#include "echod/control/apply.h"
#include "echod/control/control.h"
#include "echod/control/monitor.h"
#include "echod/control/state.h"
#include "echod/guard/client_table.h"
#include "echod/guard/rate_limit.h"
#include "echod/guard/session_tables.h"
#include "echod/stream/connection_log.h"
#include "echod/worker/plan.h"
#include "echod/worker/worker.h"

#define WORKERS_MAX 1024

/* Limits on log lines that a remote peer can trigger. */
#define CONNECTION_LINES_PER_S 200
#define REFUSAL_LINE_EVERY_MS (30 * 1000)
#define EXHAUSTION_LINE_EVERY_MS (30 * 1000)
#define SILENCE_LINE_EVERY_MS (30 * 1000)

static size_t count_cpus(void)
{
	cpu_set_t cpus;
	long online = sysconf(_SC_NPROCESSORS_ONLN);

	if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0)
		return (size_t)CPU_COUNT(&cpus);
	return online > 0 && online <= WORKERS_MAX ? (size_t)online : WORKERS_MAX;
}

static size_t count_workers(const struct config *config)
{
	size_t cpus = count_cpus();
	uint64_t quota;

	if (config->server.workers > 0)
		return (size_t)config->server.workers;
	quota = cpu_quota(CPU_QUOTA_GROUPS, CPU_QUOTA_ROOT);
	if (quota == 0 || quota >= cpus)
		return cpus;
	log_notice("%" PRIu64 " worker%s for %zu CPUs, by the CPU quota of the control group",
		   quota, quota == 1 ? "" : "s", cpus);
	return (size_t)quota;
}

static enum exit_status status_for(int error)
{
	return error == EACCES || error == EPERM ? STATUS_NOT_PERMITTED : STATUS_FAILURE;
}

/* Appends ", NAME" or "NAME"; a list too long for a line is cut. */
static void append_name(char *text, size_t size, const char *name)
{
	size_t used = strlen(text);

	snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "", name);
}

static void log_not_opened(const struct server *server)
{
	const struct config *config = server->config;
	char names[512] = "";

	for (size_t i = 0; i < config->listener_count; i++)
		append_name(names, sizeof(names), config->listeners[i].name);
	log_notice("serving the sockets that were handed over; address and protocol of these "
		   "listeners are not opened: %s",
		   names);
	if (!server->metrics && config->server.metrics.length > 0)
		log_notice("metrics is not served: hand over a socket named " MONITOR_NAME
			   " for it");
}

static enum exit_status adopt_sockets(struct server *server)
{
	struct handed_socket *handed = NULL;
	struct reason reason;
	size_t count = 0;

	if (activation_take(&handed, &count, &reason) < 0)
		goto failed;
	if (count == 0)
		return STATUS_OK;
	if (monitor_take(&server->metrics, handed, &count, &reason) == 0)
		server->sockets = socket_table_adopt(handed, count, &reason);
	free(handed);
	if (!server->sockets ||
	    socket_table_check_modes(server->sockets, server->config, &reason) < 0)
		goto failed;
	log_not_opened(server);
	return STATUS_OK;
failed:
	log_error("%s", reason.text);
	return STATUS_FAILURE;
}

static enum exit_status open_sockets(struct server *server)
{
	const struct address *metrics = &server->config->server.metrics;
	enum exit_status status = adopt_sockets(server);
	struct reason reason;

	if (status != STATUS_OK || server->sockets)
		return status;
	server->sockets = socket_table_open(NULL, server->config, server->rounds.count, &reason);
	if (server->sockets && metrics->length > 0)
		server->metrics = monitor_open(metrics, &reason);
	if (server->sockets && (server->metrics || metrics->length == 0))
		return STATUS_OK;
	if (errno == EINTR) {
		log_notice("stopped: %s", reason.text);
		return STATUS_OK;
	}
	status = status_for(errno);
	log_error("%s", reason.text);
	return status;
}

static enum exit_status drop_privileges(const struct server *server)
{
	struct reason reason;

	if (privileges_drop(server->config->server.user, &reason) == 0)
		return STATUS_OK;
	log_error("%s", reason.text);
	return STATUS_NOT_PERMITTED;
}

static int make_tables(struct shared_tables *shared, size_t workers)
{
	kept_echo_init(&shared->kept, workers);
	shared->clients = client_table_new();
	shared->rates = rate_limit_new();
	shared->loops = calloc(workers, sizeof(struct loop *));
	shared->loop_count = workers;
	shared->connection_lines.period_ms = 1000;
	shared->connection_lines.burst = CONNECTION_LINES_PER_S;
	shared->refusal_lines.period_ms = REFUSAL_LINE_EVERY_MS;
	shared->refusal_lines.burst = 1;
	shared->exhaustion_lines.period_ms = EXHAUSTION_LINE_EVERY_MS;
	shared->exhaustion_lines.burst = 1;
	shared->receive_lines.period_ms = EXHAUSTION_LINE_EVERY_MS;
	shared->receive_lines.burst = 1;
	for (int verdict = 0; verdict < VERDICT_COUNT; verdict++) {
		shared->silence_lines[verdict].period_ms = SILENCE_LINE_EVERY_MS;
		shared->silence_lines[verdict].burst = 1;
	}
	for (int error = 0; error < SEND_ERRORS; error++) {
		shared->unsent_lines[error].period_ms = SILENCE_LINE_EVERY_MS;
		shared->unsent_lines[error].burst = 1;
	}
	return shared->clients && shared->rates && shared->loops ? 0 : -1;
}

/* Made beside the shared tables, and like them before the workers. */
static int make_sessions(struct server *server)
{
	server->sessions = session_tables_new(server->config, NULL);
	return server->sessions ? 0 : -1;
}

static int make_workers(struct server *server)
{
	struct rounds *rounds = &server->rounds;

	rounds->workers = calloc(rounds->count, sizeof(struct worker *));
	if (!rounds->workers)
		return -1;
	for (size_t i = 0; i < rounds->count; i++) {
		struct plan *plan = plan_new(server->config, server->sockets, server->sessions, i,
					     rounds->count);

		rounds->workers[i] = worker_new(i, &server->shared, server->answer_fd);
		if (!plan || !rounds->workers[i]) {
			plan_free(plan);
			return -1;
		}
		worker_give_plan(rounds->workers[i], plan);
	}
	return 0;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int start_monitor(struct server *server)
{
	struct monitor_view view = {.rounds = &server->rounds,
				    .totals = &server->totals,
				    .phase = &server->phase,
				    .config = &server->config,
				    .sockets = &server->sockets,
				    .started_at = server->started_at};

	server->monitor = monitor_new(server->base, server->metrics, &view);
	return server->monitor ? 0 : -1;
}

/* -1 with errno; *STEP is what failed. */
static int build(struct server *server, const char **step)
{
	*step = "eventfd";
	server->answer_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (server->answer_fd < 0)
		return -1;
	*step = "event loops";
	server->base = event_base_new();
	if (!server->base || make_tables(&server->shared, server->rounds.count) < 0 ||
	    make_sessions(server) < 0 || make_workers(server) < 0 || control_init(server) < 0)
		return -1;
	if (server->metrics && start_monitor(server) < 0)
		return -1;
	apply_log_level(server); /* again, now that its timer is there */
	apply_client_limit(server);
	return 0;
}

/* STATUS_OK without a table of sockets: a signal has stopped the start. */
static enum exit_status assemble(struct server *server)
{
	enum exit_status status = open_sockets(server);
	const char *step;

	if (status != STATUS_OK || !server->sockets)
		return status;
	status = drop_privileges(server);
	if (status == STATUS_OK && build(server, &step) < 0) {
		log_error("cannot start: %s: %s", step, strerror(errno));
		status = STATUS_FAILURE;
	}
	return status;
}

struct server *server_new(const struct config_source *source, unsigned verbose,
			  struct config *config, enum exit_status *status)
{
	struct server *server = calloc(1, sizeof(*server));

	*status = STATUS_FAILURE;
	if (!server) {
		log_error("cannot start: out of memory");
		return NULL;
	}
	server->source = source;
	server->verbose = verbose;
	server->answer_fd = -1;
	server->config = config_hold(config);
	server->started_with = config_hold(config);
	server->totals.started_ms = now_ms();
	server->started_at = clock_ms();
	apply_log_level(server);
	server->descriptors = descriptors_raise(); /* each client is one */
	server->rounds.count = count_workers(config);
	server->totals.workers = server->rounds.count;
	*status = assemble(server);
	if (*status == STATUS_OK && server->sockets)
		return server;
	server_free(server);
	return NULL;
}

void server_free(struct server *server)
{
	if (!server)
		return;
	if (server->sockets)
		socket_table_release(server->sockets);
	rounds_free_workers(&server->rounds);
	socket_table_free(server->sockets);
	socket_table_free(server->sockets_gone);
	session_tables_free(server->sessions);
	client_table_free(server->shared.clients);
	rate_limit_free(server->shared.rates);
	free(server->shared.loops);
	monitor_free(server->monitor);
	listen_socket_release(server->metrics);
	control_clear(server);
	if (server->base)
		event_base_free(server->base);
	confinement_end();
	if (server->answer_fd >= 0)
		close(server->answer_fd);
	config_release(server->config);
	config_release(server->started_with);
	free(server);
}

static void block_signals(sigset_t *before)
{
	sigset_t all;

	sigfillset(&all);
	sigdelset(&all, SIGSYS); /* a call that is refused (refused_call.h) */
	pthread_sigmask(SIG_SETMASK, &all, before);
}

static enum sandbox sandbox_of(const struct server *server)
{
	return (enum sandbox)server->config->server.sandbox;
}

/* Control handles all signals: the threads start with them blocked. */
static int start_workers(const struct server *server)
{
	sigset_t before;
	int result;

	block_signals(&before);
	result = rounds_start_workers(&server->rounds, sandbox_of(server));
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return result;
}

/* The workers first, since a confined thread starts no others. */
static int start_confined(const struct server *server)
{
	struct reason reason;

	if (confine_files(server->config, server->source->path, &reason) < 0) {
		log_error("%s", reason.text);
		return -1;
	}
	if (start_workers(server) < 0) {
		log_error("cannot start a worker thread: %s", strerror(errno));
		return -1;
	}
	if (confine_control(sandbox_of(server), server->answer_fd, &reason) < 0) {
		log_error("%s", reason.text);
		return -1;
	}
	return 0;
}

enum exit_status server_run(struct server *server)
{
	if (start_confined(server) < 0) {
		rounds_stop_workers(&server->rounds, true);
		return STATUS_FAILURE;
	}
	control_start(server);
	signals_unblock();
	event_base_dispatch(server->base);
	block_signals(NULL); /* one more must not kill us while we free everything */
	/* If our own loop failed, theirs are still running. */
	rounds_stop_workers(&server->rounds, true);
	if (server->phase != STOPPING) {
		log_error("stopping: an event loop failed");
		return STATUS_FAILURE;
	}
	connection_log_rest(&server->shared, INT64_MAX);
	log_notice("stopped");
	return STATUS_OK;
}
