/* SPDX-License-Identifier: MIT */
/*
 * linux_net_kernel: every TCP packet's way up the Linux kernel's receive path.
 *
 * Exit status: 0, 1 when it could not be done, 2 for a wrong command line, 3 of --doctor
 * when it can be done in part.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "app/check.h"
#include "app/doctor.h"
#include "app/loop.h"
#include "app/processes.h"
#include "app/session.h"
#include "app/swap.h"
#include "app/view.h"
#include "base/io.h"
#include "base/log.h"
#include "bpf/kernel.h"
#include "conf/options.h"

#define EXIT_FAILED 1
#define EXIT_USAGE 2

/* A descriptor 0 to 2 that is closed would be taken by the next file we open, and rows
 * or messages would go there. Returns whether stdout was open. */
static bool hold_standard_fds(void)
{
	bool out = fcntl(STDOUT_FILENO, F_GETFD) >= 0;
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
	return out;
}

/* Signals arrive through a descriptor in the poll set, never in between. Hangup stays
 * ignored where nohup(1) asked for it. */
static int block_signals(void)
{
	struct sigaction hup;
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigaction(SIGHUP, NULL, &hup) || hup.sa_handler != SIG_IGN)
		sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file at its size limit is an error of write() */
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

static int say_closed(void)
{
	log_error("standard output is closed: there is nowhere to print to");
	return EXIT_FAILED;
}

static int print_text(void (*make)(struct text *out))
{
	struct text t = { 0 };
	int err;

	make(&t);
	err = write_all(STDOUT_FILENO, text_str(&t), t.len);
	text_free(&t);
	if (err)
		log_error("cannot write: %s", strerror(-err));
	return err ? EXIT_FAILED : 0;
}

static void version(struct text *out)
{
	text_puts(out, PROGRAM_NAME " " VERSION "\n");
}

static int dump_source(const struct session *s)
{
	size_t i;
	int err;

	for (i = 0; i < s->source.n; i++)
		log_info("%s: %s%s", s->source.parts[i].name, s->source.parts[i].origin,
			 PART_REMARK(&s->source.parts[i]));
	err = write_all(STDOUT_FILENO, text_str(&s->text), s->text.len);
	if (err)
		log_error("cannot write: %s", strerror(-err));
	return err;
}

static bool may_run(void)
{
	if (!kernel_may_trace()) {
		log_error("Failed to compile BPF module: this needs root, or the capabilities "
			  "CAP_BPF and CAP_PERFMON (CAP_SYS_ADMIN before Linux 5.8): try sudo");
		return false;
	}
	if (kernel_locked_down()) {
		log_error("Failed to compile BPF module: the kernel is in lockdown "
			  "(confidentiality), which forbids reading kernel memory; boot with "
			  "lockdown=integrity or none");
		return false;
	}
	return true;
}

static int run(struct session *s, const struct config *conf, const struct ask *ask,
	       struct view *view, int stop_fd)
{
	struct choice all = choice_all(conf->attach);
	struct swap *swap = NULL;
	int err = 0;

	if (conf->dump_source) {
		err = session_prepare(s, conf, ask, &all, stop_fd);
		if (!err)
			err = dump_source(s);
	} else if (conf->check) {
		err = check_run(s, conf, ask, stop_fd);
	} else {
		if (config_swaps(conf))
			err = swap_open(&swap, conf, stop_fd);
		if (!err)
			err = view_open(view, conf);
		if (!err)
			err = session_start(s, conf, ask, stop_fd);
		if (!err)
			err = loop_run(s, view, swap);
		swap_close(swap);
	}
	if (err == -EINTR)
		log_info("Monitoring stopped.");
	return err;
}

int main(int argc, char **argv)
{
	struct session s = { .program = NO_PROGRAM };
	struct view view;
	struct text why = { 0 }, note = { 0 };
	struct config conf;
	struct ask ask;
	int err, stop_fd;
	bool out_open = hold_standard_fds();

	err = options_parse(&conf, argc, argv, &why);
	if (!err && (conf.help || conf.version))
		return out_open ? print_text(conf.help ? options_help : version) : say_closed();
	if (err || processes_check(&conf, &why) || view_parse(&view, &conf, &why) ||
	    ask_parse(&ask, &conf, view.columns, &why, &note)) {
		log_error("%s", text_str(&why));
		text_free(&why);
		return EXIT_USAGE;
	}
	if (note.len)
		log_info("%s", note.s);
	text_free(&note);
	if (!out_open)
		return say_closed();
	log_set_verbose(conf.verbose);
	if (!conf.dump_source && !conf.doctor && !may_run())
		return EXIT_FAILED;
	stop_fd = block_signals();
	if (stop_fd < 0) {
		log_error("cannot wait for signals: %s", strerror(-stop_fd));
		return EXIT_FAILED;
	}
	if (conf.doctor) {
		err = doctor_run(&conf, stop_fd);
		close(stop_fd);
		log_close();
		return err;
	}
	err = run(&s, &conf, &ask, &view, stop_fd);
	session_close(&s);
	view_close(&view);
	ask_free(&ask);
	options_free(&conf);
	close(stop_fd);
	log_close();
	return err ? EXIT_FAILED : 0;
}
