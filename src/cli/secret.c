#include "cli/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { SECRET_MAX = 65536 };

void pf_cli_harden(void)
{
	const struct rlimit none = {0, 0};

	/* Both are a second line of defence: secrets lie on pages that are left out of dumps. */
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0);
}

#define bad(err, ...) pf_fail(err, PF_SCOPE_STORE, PF_RETRY_NO, __VA_ARGS__)

/* The first line of what was read, which is wiped. */
static int keep(struct pf_secret *out, char *text, size_t n, struct pf_err *err)
{
	const char *end = memchr(text, '\n', n);
	size_t len = end ? (size_t)(end - text) : n;
	int rc = PF_OK;

	len -= len > 0 && text[len - 1] == '\r';
	if (len == 0) {
		rc = bad(err, "there is no password: the first line is empty");
	} else if (!pf_secret_set(out, pf_span(text, len))) {
		rc = pf_fail_memory(err, "a password");
	}
	pf_wipe(text, n);
	return rc;
}

static int read_all(int fd, struct pf_secret *out, struct pf_err *err)
{
	char *text = malloc(SECRET_MAX);
	size_t n = 0;
	ssize_t got = 1;
	int rc;

	if (!text) {
		return pf_fail_memory(err, "a password");
	}
	while (got > 0 && n < SECRET_MAX) {
		got = read(fd, text + n, SECRET_MAX - n);
		if (got < 0 && errno == EINTR) {
			got = 1;
			continue;
		}
		n += got > 0 ? (size_t)got : 0;
	}
	rc = got < 0 ? pf_fail_sys(err, PF_SCOPE_STORE, PF_RETRY_NO, "reading a password")
		     : keep(out, text, n, err);
	free(text);
	return rc;
}

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

static int from_env(
	const struct pf_cli_secret *s, const char *name, struct pf_secret *out, struct pf_err *err)
{
	const char *value = getenv(name);

	if (!value || !*value) {
		return bad(err, "%s env:%s: the environment has no variable %s, or it is empty",
			s->option, name, name);
	}
	return pf_secret_set(out, pf_span_str(value)) ? PF_OK : pf_fail_memory(err, "a password");
}

static int from_file(
	const struct pf_cli_secret *s, const char *path, struct pf_secret *out, struct pf_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int rc;

	if (fd < 0) {
		return pf_fail_sys(err, PF_SCOPE_STORE, PF_RETRY_NO, "%s file:%s", s->option, path);
	}
	if (fstat(fd, &st) != 0) {
		rc = pf_fail_sys(err, PF_SCOPE_STORE, PF_RETRY_NO, "%s file:%s", s->option, path);
	} else if (S_ISREG(st.st_mode) && (st.st_mode & 077)) {
		rc = bad(err,
			"%s file:%s: others may read this file; make it yours alone: chmod 600 %s",
			s->option, path, path);
	} else {
		rc = read_all(fd, out, err);
		rc = rc == PF_OK ? rc : pf_wrap(err, "%s file:%s", s->option, path);
	}
	(void)close(fd);
	return rc;
}

/* By the shell, as the user wrote it; only its first line of output counts. */
static int from_command(const struct pf_cli_secret *s, const char *command, struct pf_secret *out,
	struct pf_err *err)
{
	int ends[2], status = 0, rc;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0 || (pid = fork()) < 0) {
		return pf_fail_sys(err, PF_SCOPE_STORE, PF_RETRY_NO, "%s command", s->option);
	}
	if (pid == 0) {
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)setenv("POSTFERRY_ACCOUNT", s->who, 1);
		(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	(void)close(ends[1]);
	rc = read_all(ends[0], out, err);
	(void)close(ends[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
	}
	if (status != 0) {
		pf_secret_clear(out);
		return bad(err, "%s command:%s: it ended with status %d", s->option, command,
			WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	}
	return rc == PF_OK ? rc : pf_wrap(err, "%s command:%s", s->option, command);
}

/*
 * Ask, and read a line without echo. Signals wait from before the first word until the terminal is
 * as it was, and then do what they would have done.
 */
static ssize_t ask(int tty, const struct termios *old, const char *who, char *text, size_t size)
{
	struct pollfd wait[2] = {{.fd = tty, .events = POLLIN}, {.events = POLLIN}};
	struct termios quiet = *old;
	ssize_t n = -1;
	sigset_t ends, before;

	(void)sigemptyset(&ends);
	(void)sigaddset(&ends, SIGINT);
	(void)sigaddset(&ends, SIGTERM);
	(void)sigaddset(&ends, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &ends, &before);
	wait[1].fd = signalfd(-1, &ends, SFD_CLOEXEC);
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	(void)tcsetattr(tty, TCSAFLUSH, &quiet);
	(void)dprintf(tty, "Password for %s: ", who);
	while (poll(wait, PF_COUNT(wait), -1) < 0 && errno == EINTR) {
	}
	if (wait[1].revents == 0) {
		n = read(tty, text, size);
	}
	(void)tcsetattr(tty, TCSAFLUSH, old);
	(void)dprintf(tty, "\n");
	if (wait[1].fd >= 0) {
		(void)close(wait[1].fd);
	}
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return n;
}

static int no_terminal(const struct pf_cli_secret *s, struct pf_err *err)
{
	return bad(err,
		"no password for %s, and no terminal to ask for it: give it in the environment "
		"variable %s, or by %s SPEC (env:NAME, file:PATH, command:CMD; none for a sign-in "
		"without one)",
		s->who, s->default_env, s->option);
}

/* A person is asked once, however many connections there are. */
static int from_prompt(struct pf_cli_secret *s, struct pf_secret *out, struct pf_err *err)
{
	int tty;
	struct termios old;
	char text[4096];
	ssize_t n;
	int rc;

	if (pf_secret_is_set(&s->entered)) {
		return pf_secret_set(out, pf_span(s->entered.p, s->entered.n))
			       ? PF_OK
			       : pf_fail_memory(err, "a password");
	}
	tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (tty < 0 || tcgetattr(tty, &old) != 0) {
		if (tty >= 0) {
			(void)close(tty);
		}
		return no_terminal(s, err);
	}
	n = ask(tty, &old, s->who, text, sizeof(text));
	rc = n <= 1 ? bad(err, "no password for %s was entered", s->who)
		    : keep(&s->entered, text, (size_t)n, err);
	pf_wipe(text, sizeof(text));
	(void)close(tty);
	return rc == PF_OK ? from_prompt(s, out, err) : rc;
}

static int by_spec(
	struct pf_cli_secret *s, const char *spec, struct pf_secret *out, struct pf_err *err)
{
	if (strncmp(spec, "env:", 4) == 0) {
		return from_env(s, spec + 4, out, err);
	}
	if (strncmp(spec, "file:", 5) == 0) {
		return from_file(s, spec + 5, out, err);
	}
	if (strncmp(spec, "command:", 8) == 0) {
		return from_command(s, spec + 8, out, err);
	}
	return from_prompt(s, out, err);
}

static int get(struct pf_secret_source *base, struct pf_secret *out, struct pf_err *err)
{
	struct pf_cli_secret *s = pf_container_of(base, struct pf_cli_secret, base);
	const char *spec = s->spec;

	if (s->password.p) {
		return pf_secret_set(out, s->password) ? PF_OK : pf_fail_memory(err, "a password");
	}
	if (!spec) {
		return is_set(s->default_env) ? from_env(s, s->default_env, out, err)
					      : from_prompt(s, out, err);
	}
	if (strcmp(spec, "none") == 0) {
		return PF_OK; /* a client certificate or a ticket says who it is */
	}
	if (strncmp(spec, "oauth:", 6) == 0) {
		spec += 6;
		return strchr(spec, ':') ? by_spec(s, spec, out, err) : from_env(s, spec, out, err);
	}
	return by_spec(s, spec, out, err);
}

int pf_cli_secret_init(struct pf_cli_secret *s, struct pf_err *err)
{
	static const char *const FORMS[] = {"env:", "file:", "command:", "oauth:"};
	bool known = !s->spec || strcmp(s->spec, "prompt") == 0 || strcmp(s->spec, "none") == 0;

	for (size_t i = 0; !known && i < PF_COUNT(FORMS); i++) {
		known = strncmp(s->spec, FORMS[i], strlen(FORMS[i])) == 0 &&
			s->spec[strlen(FORMS[i])];
	}
	s->base.get = get;
	s->base.oauth = s->spec && strncmp(s->spec, "oauth:", 6) == 0;
	return known ? PF_OK
		     : pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO,
			       "%s: it must be env:NAME, file:PATH, command:CMD, oauth:NAME, "
			       "prompt or none (the password itself does not belong on a command "
			       "line, where others can see it)",
			       s->option);
}

int pf_cli_secret_ask(struct pf_cli_secret *s, struct pf_err *err)
{
	struct pf_secret ignored = {0};
	bool asks = s->password.p ? false
		    : s->spec     ? strcmp(s->spec, "prompt") == 0
				  : !is_set(s->default_env);
	int rc = asks ? from_prompt(s, &ignored, err) : PF_OK;

	pf_secret_clear(&ignored);
	return rc;
}

void pf_cli_secret_deinit(struct pf_cli_secret *s)
{
	pf_secret_clear(&s->entered);
}
