/* SPDX-License-Identifier: MIT */
/*
 * What readline does by itself and may not here, because the process is confined and must
 * never wait for a terminal: signals (they come through the loop's descriptor), the mode
 * of the terminal (set once, without waiting for output to drain), reading (what poll()
 * said is there), drawing (through a description of our own that does not block; what it
 * does not take is drawn again later).
 */
#include "app/console_line.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#define PROMPT "lnk> "
#define LINES_KEPT 1000
#define KEYS_AT_ONCE 256 /* of a large paste, before rows have their turn again */
#define QUEUED_KEYS 4096 /* that a terminal keeps */

static struct {
	FILE *out;
	line_done done;
	line_offer offer;
	void *arg;
	struct termios cooked;
	bool raw;         /* the terminal's mode is ours */
	bool on;          /* readline waits for keys */
	bool shown;       /* the prompt is on the terminal */
	bool taken;       /* a line was complete */
	bool interrupted; /* by Ctrl-C, and nothing typed since */
	struct winsize size;
	char before[256]; /* what stands before the word that Tab completes */
} line;

/* --- the terminal ------------------------------------------------------------------- */

/* Keys one by one and without echo. Output stays as it is, and so does ISIG: Ctrl-C is a
 * signal, but takes no row away with it that is still in the terminal's queue (NOFLSH).
 * Ctrl-Z and Ctrl-\ would leave the shell a terminal in this mode. */
static void make_raw(int meta)
{
	struct termios t = line.cooked;

	(void)meta;
	rl_tty_set_echoing(1); /* readline shows what is typed */
	if (line.raw)
		return;
	t.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	t.c_lflag |= ISIG | NOFLSH;
	t.c_iflag &= ~(tcflag_t)(ICRNL | INLCR);
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	t.c_cc[VSUSP] = t.c_cc[VQUIT] = _POSIX_VDISABLE;
	t.c_cc[VLNEXT] = _POSIX_VDISABLE;
	line.raw = !tcsetattr(STDIN_FILENO, TCSANOW, &t);
}

static void leave_as_it_is(void)
{
}

static void make_cooked(void)
{
	if (line.raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &line.cooked);
	line.raw = false;
}

static bool terminal_takes(void)
{
	struct pollfd p = { .fd = fileno(line.out), .events = POLLOUT };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT);
}

/* Only ends a wait: the size is looked at before the prompt is drawn. */
static void on_resize(int sig)
{
	(void)sig;
}

static bool was_resized(void)
{
	struct winsize ws;
	bool changed;

	if (ioctl(fileno(line.out), TIOCGWINSZ, &ws))
		return false;
	changed = ws.ws_col != line.size.ws_col || ws.ws_row != line.size.ws_row;
	line.size = ws;
	return changed;
}

/* --- what readline asks for ---------------------------------------------------------- */

static int next_key(FILE *in)
{
	unsigned char c;
	ssize_t n;

	(void)in;
	do
		n = read(STDIN_FILENO, &c, 1);
	while (n < 0 && errno == EINTR);
	return n == 1 ? c : EOF;
}

static int keys_wait(void)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

/* As a terminal does by itself where no NOFLSH is set. Returns whether there were any. */
static bool drop_keys(void)
{
	int n = 0;

	while (n < QUEUED_KEYS && keys_wait() && next_key(stdin) != EOF)
		n++;
	return n > 0;
}

static void draw_nothing(void)
{
}

static void take_line(char *typed)
{
	line.shown = false;
	line.taken = true;
	if (!typed) {
		fputc('\n', line.out);
		fflush(line.out);
	}
	if (!line.done(line.arg, typed)) {
		rl_callback_handler_remove();
		line.on = false;
	}
	free(typed);
}

static char *next_match(const char *text, int state)
{
	static int at;
	const char *offer;
	size_t skip, bare;
	bool more = false;

	if (!state)
		at = 0;
	/* "+ttl" is completed as "ttl" is */
	skip = line.before[0] && (*text == '+' || *text == '-');
	bare = strlen(text) - skip;
	while ((offer = line.offer(line.arg, line.before, at++, &more))) {
		char *match;

		if (strncmp(offer, text + skip, bare) != 0)
			continue;
		/* a list goes on with a comma */
		rl_completion_append_character = more ? ' ' : '\0';
		match = malloc(skip + strlen(offer) + 1);
		if (!match)
			return NULL;
		memcpy(match, text, skip);
		strcpy(match + skip, offer);
		return match;
	}
	return NULL;
}

/* Never names of files: none can be opened any more. */
static char **complete(const char *text, int start, int end)
{
	(void)end;
	snprintf(line.before, sizeof(line.before), "%.*s", start, rl_line_buffer);
	rl_attempted_completion_over = 1;
	return rl_completion_matches(text, next_match);
}

/* --- from open to close ---------------------------------------------------------------- */

/* The user's inputrc only if it is that of the user we are. */
static void choose_inputrc(void)
{
	const char *home = getenv("HOME");
	struct stat st;

	if (getenv("SUDO_UID") || !home || stat(home, &st) || st.st_uid != geteuid())
		setenv("INPUTRC", "/etc/inputrc", 1);
}

static FILE *open_terminal(int fd)
{
	char path[32];
	FILE *f;
	int own;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (own < 0)
		own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (own < 0)
		return NULL;
	f = fdopen(own, "w");
	if (!f)
		close(own);
	return f;
}

int console_line_open(int fd, line_done done, line_offer offer, void *arg)
{
	struct sigaction resize = { .sa_handler = on_resize };

	line.done = done;
	line.offer = offer;
	line.arg = arg;
	if (tcgetattr(STDIN_FILENO, &line.cooked))
		return -errno;
	line.out = open_terminal(fd);
	if (!line.out)
		return -errno;
	sigaction(SIGWINCH, &resize, NULL);
	choose_inputrc();
	rl_readline_name = "linux_net_kernel";
	rl_instream = stdin;
	rl_outstream = line.out;
	rl_catch_signals = 0;
	rl_catch_sigwinch = 0;
	rl_change_environment = 0;
	rl_prep_term_function = make_raw;
	rl_deprep_term_function = leave_as_it_is;
	rl_getc_function = next_key;
	rl_input_available_hook = keys_wait;
	rl_attempted_completion_function = complete;
	rl_basic_word_break_characters = " \t,";
	rl_completer_word_break_characters = " \t,";
	using_history();
	stifle_history(LINES_KEPT);
	rl_initialize();
	/* neither may wait for a key of its own */
	rl_completion_query_items = -1;
	rl_variable_bind("page-completions", "off");
	rl_variable_bind("enable-bracketed-paste", "off");
	was_resized();
	return 0;
}

void console_line_close(void)
{
	if (line.on) {
		console_line_hide();
		rl_callback_handler_remove();
	}
	line.on = false;
	make_cooked();
	if (line.out)
		fclose(line.out);
	line.out = NULL;
	rl_outstream = stdout;
}

void console_line_remember(const char *s)
{
	add_history(s);
}

/* --- drawing ---------------------------------------------------------------------------- */

static void draw(void)
{
	rl_redisplay();
	fflush(line.out);
	clearerr(line.out);
	line.shown = true;
}

size_t console_line_width(void)
{
	return line.size.ws_col;
}

void console_line_start(void)
{
	line.on = true;
	rl_callback_handler_install(PROMPT, take_line);
	draw();
}

void console_line_hide(void)
{
	if (!line.on || !line.shown)
		return;
	rl_clear_visible_line();
	fflush(line.out);
	line.shown = false;
}

void console_line_show(void)
{
	if (!line.on)
		return;
	if (was_resized()) {
		console_line_hide();
		rl_reset_screen_size();
	}
	if (line.shown || !terminal_takes())
		return;
	rl_on_new_line();
	draw();
}

/* --- keys ------------------------------------------------------------------------------- */

void console_line_read(bool behind)
{
	int n = 0;

	if (behind)
		rl_redisplay_function = draw_nothing;
	else
		console_line_show();
	line.taken = false;
	/* of several lines each is answered before the next one is drawn */
	while (line.on && !line.taken && n++ < KEYS_AT_ONCE && keys_wait()) {
		line.interrupted = false;
		rl_callback_read_char();
		/* the prompt of the next line has been drawn */
		if (line.on && !behind)
			line.shown = true;
	}
	rl_redisplay_function = rl_redisplay;
	fflush(line.out);
	clearerr(line.out);
}

bool console_line_interrupt(void)
{
	if (!line.on || (!drop_keys() && line.interrupted))
		return false;
	line.interrupted = true;
	console_line_show();
	rl_point = rl_end;
	rl_callback_sigcleanup();
	fputs("^C (once more ends)\n", line.out);
	rl_replace_line("", 1);
	rl_on_new_line();
	draw();
	return true;
}
