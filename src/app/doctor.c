/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation. First what can be seen without attaching anything; then a session
 * is started just as a monitor would, with the port of a connection of our own for a
 * filter; then that connection is made, and the events are counted. What the session says
 * on stderr meanwhile is caught: its first line is the reason when it fails.
 */
#include "app/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "app/doctor_parts.h"
#include "base/io.h"
#include "base/log.h"

/* --- stderr ------------------------------------------------------------------------ */

struct capture {
	int saved;
	int file;
};

static void capture_begin(struct capture *c)
{
	c->saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	c->file = memfd_create("linux_net_kernel doctor", MFD_CLOEXEC);
	if (c->saved >= 0 && c->file >= 0)
		dup2(c->file, STDERR_FILENO);
}

/* What was said; with -v it is passed on as well. */
static void capture_end(struct capture *c, struct text *said)
{
	if (c->saved >= 0) {
		dup2(c->saved, STDERR_FILENO);
		close(c->saved);
	}
	if (c->file >= 0) {
		lseek(c->file, 0, SEEK_SET);
		read_all(c->file, said, TEXT_MAX);
		close(c->file);
	}
	if (log_is_verbose())
		write_all(STDERR_FILENO, text_str(said), said->len);
}

/* The line that says why, without what every message of ours begins with. */
static void add_failure(struct report *r, const char *name, const struct text *said, int err)
{
	static const char *const leads[] = { PROGRAM_NAME ": ", "Failed to compile BPF module: " };
	const char *why = text_str(said);
	size_t i;

	for (i = 0; i < sizeof(leads) / sizeof(leads[0]); i++)
		if (strstr(why, leads[i]))
			why = strstr(why, leads[i]) + strlen(leads[i]);
	if (!*why)
		why = strerror(-err);
	report_add(r, VERDICT_PROBLEM, name, "run with -v for the whole text", "%.*s",
		   (int)strcspn(why, "\n"), why);
}

/* --- the parts in their order ------------------------------------------------------ */

static void look_at_places(struct report *r, const struct config *conf, int stop_fd)
{
	struct choice all = choice_all(conf->attach);
	struct text said = { 0 };
	struct session s;
	struct capture c;
	int err;

	capture_begin(&c);
	err = session_prepare(&s, conf, &(struct ask){ 0 }, &all, stop_fd);
	capture_end(&c, &said);
	if (err) {
		r->group = "places of the hooks";
		add_failure(r, "probes", &said, err);
	} else {
		doctor_check_hooks(r, &s);
	}
	session_close(&s);
	text_free(&said);
}

static int attach(struct report *r, struct session *s, const struct config *conf,
		  const struct ask *ask, int stop_fd)
{
	struct text said = { 0 };
	struct capture c;
	int err;

	capture_begin(&c);
	err = session_start(s, conf, ask, stop_fd);
	capture_end(&c, &said);
	if (!err || err == -ENOENT)
		doctor_check_stages(r, s);
	if (err && err != -EINTR) {
		r->group = "stages";
		add_failure(r, "attaching", &said, err);
	}
	text_free(&said);
	return err;
}

static int try_it(struct report *r, const struct config *conf, int stop_fd)
{
	struct config own = *conf;
	struct ask ask = { .ip_set = false };
	struct session s;
	struct visit v;
	int err;

	err = visit_open(&v);
	if (err) {
		r->group = "a connection over the loopback";
		report_add(r, VERDICT_LIMIT, "listening", "look at: ip address show dev lo",
			   "cannot listen there, so nothing was compared: %s", strerror(-err));
	}
	own.stats = own.debug_func = false;
	ask.port = v.port;
	own.rate = 0;
	own.no_cache = true; /* does the compiler work? */
	err = attach(r, &s, &own, &ask, stop_fd);
	if (!err)
		doctor_check_traffic(r, &s, &v);
	session_close(&s);
	visit_close(&v);
	return err;
}

static int print(const struct report *r, bool json)
{
	struct text t = { 0 };
	int err;

	if (json)
		report_json(r, &t);
	else
		report_text(r, &t);
	err = write_all(STDOUT_FILENO, text_str(&t), t.len);
	text_free(&t);
	if (err)
		log_error("cannot write: %s", strerror(-err));
	return err;
}

int doctor_run(const struct config *conf, int stop_fd)
{
	struct report r = { 0 };
	int err = 0, status;

	if (doctor_check_host(&r, conf)) {
		look_at_places(&r, conf, stop_fd);
		err = try_it(&r, conf, stop_fd);
	} else {
		look_at_places(&r, conf, stop_fd);
	}
	if (err == -EINTR)
		log_info("Stopped.");
	status = report_exit_status(&r);
	if (err == -EINTR || print(&r, conf->json))
		status = 1;
	report_free(&r);
	return status;
}
