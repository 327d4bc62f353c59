/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_CASES 512
#define EXIT_SKIPPED 77
#define DEFAULT_TIMEOUT 30

struct unit_case {
	const char *file;
	const char *name;
	void (*run)(void);
};

static struct unit_case cases[MAX_CASES];
static size_t ncases;

/* In the child: */
static const struct unit_case *current;
static int failures;

/* The sanitizers' runtimes ask the program for these. UBSan goes on after a report
 * unless told otherwise, and the case would pass. */
const char *__ubsan_default_options(void);
const char *__asan_default_options(void);

const char *__ubsan_default_options(void)
{
	return "halt_on_error=1:print_stacktrace=1";
}

const char *__asan_default_options(void)
{
	return "detect_stack_use_after_return=1";
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* "test_num: zero", from ".../test_num.c". */
static void title(const struct unit_case *c, char *buf, size_t size)
{
	const char *base = base_name(c->file);

	snprintf(buf, size, "%.*s: %s", (int)strcspn(base, "."), base, c->name);
}

void unit_register(const char *file, const char *name, void (*run)(void))
{
	if (ncases == MAX_CASES) {
		fputs("unit: raise MAX_CASES\n", stderr);
		abort();
	}
	cases[ncases++] = (struct unit_case){ .file = file, .name = name, .run = run };
}

static void fail(const char *what, const char *file, int line)
{
	failures++;
	fprintf(stderr, "%s:%d: %s\n", base_name(file), line, what);
}

bool unit_check(bool held, const char *what, const char *file, int line)
{
	if (!held)
		fail(what, file, line);
	return held;
}

bool unit_check_int(intmax_t got, intmax_t want, const char *what, const char *file, int line)
{
	if (got == want)
		return true;
	fail(what, file, line);
	fprintf(stderr, "  got  %jd (0x%jx)\n  want %jd (0x%jx)\n", got, (uintmax_t)got, want,
		(uintmax_t)want);
	return false;
}

bool unit_check_str(const char *got, const char *want, const char *what, const char *file, int line)
{
	if (got && want && !strcmp(got, want))
		return true;
	if (!got && !want)
		return true;
	fail(what, file, line);
	fprintf(stderr, "  got  \"%s\"\n  want \"%s\"\n", got ? got : "(null)",
		want ? want : "(null)");
	return false;
}

static void hex_line(const char *label, const unsigned char *p, size_t len)
{
	fprintf(stderr, "  %s", label);
	for (size_t i = 0; i < len; i++)
		fprintf(stderr, " %02x", p[i]);
	fputc('\n', stderr);
}

bool unit_check_mem(const void *got, const void *want, size_t len, const char *what,
		    const char *file, int line)
{
	const unsigned char *g = got, *w = want;
	size_t at = 0, from, n;

	while (at < len && g[at] == w[at])
		at++;
	if (at == len)
		return true;
	fail(what, file, line);
	from = at & ~(size_t)15;
	n = len - from < 16 ? len - from : 16;
	fprintf(stderr, "  first differing byte: %zu of %zu; from byte %zu:\n", at, len, from);
	hex_line("got ", g + from, n);
	hex_line("want", w + from, n);
	return false;
}

_Noreturn void unit_skip(const char *reason)
{
	char buf[256];

	title(current, buf, sizeof(buf));
	printf("skip - %s # %s\n", buf, reason);
	fflush(stdout);
	exit(failures ? 1 : EXIT_SKIPPED);
}

/* exit(), not _exit(): the leak sanitizer looks at exit. */
static _Noreturn void run_in_child(const struct unit_case *c, const sigset_t *mask)
{
	setpgid(0, 0);
	sigprocmask(SIG_SETMASK, mask, NULL);
	current = c;
	c->run();
	fflush(NULL);
	exit(failures ? 1 : 0);
}

/* Waits for the child, or ends it and all that it started. Returns its wait status, and
 * whether it ran out of time. */
static int wait_child(pid_t pid, unsigned int limit, bool *late)
{
	struct timespec now, end, left;
	sigset_t chld;
	int status;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += limit;
	*late = false;
	while (waitpid(pid, &status, WNOHANG) == 0) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		left.tv_sec = end.tv_sec - now.tv_sec;
		left.tv_nsec = 0;
		if (left.tv_sec <= 0) {
			*late = true;
			kill(-pid, SIGKILL);
			kill(pid, SIGKILL); /* had it no group yet */
			waitpid(pid, &status, 0);
			break;
		}
		sigtimedwait(&chld, NULL, &left);
	}
	return status;
}

static bool run_case(const struct unit_case *c, unsigned int limit)
{
	sigset_t chld, old;
	char buf[256];
	bool late, passed;
	int status;
	pid_t pid;

	title(c, buf, sizeof(buf));
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, &old);
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		fprintf(stderr, "fork: %s\n", strerror(errno));
		printf("not ok - %s\n", buf);
		return false;
	}
	if (!pid)
		run_in_child(c, &old);
	status = wait_child(pid, limit, &late);
	if (!late && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIPPED)
		return true; /* the child has said so */
	passed = !late && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	if (late)
		fprintf(stderr, "%s: not done after %u seconds\n", buf, limit);
	else if (WIFSIGNALED(status))
		fprintf(stderr, "%s: ended by signal %d\n", buf, WTERMSIG(status));
	else if (!passed)
		fprintf(stderr, "%s: exit status %d\n", buf, WEXITSTATUS(status));
	printf("%s - %s\n", passed ? "ok" : "not ok", buf);
	return passed;
}

int main(int argc, char **argv)
{
	const char *env = getenv("UNIT_TIMEOUT");
	unsigned int limit = env ? (unsigned int)atoi(env) : DEFAULT_TIMEOUT;
	size_t ran = 0, failed = 0;
	char buf[256];

	for (size_t i = 0; i < ncases; i++) {
		title(&cases[i], buf, sizeof(buf));
		if (argc > 1 && !strstr(buf, argv[1]))
			continue;
		ran++;
		failed += !run_case(&cases[i], limit);
	}
	if (!ran)
		fprintf(stderr, "no case to run%s%s\n", argc > 1 ? " matches " : "",
			argc > 1 ? argv[1] : "");
	return failed || !ran;
}
