/*
 * measure OUT COMMAND...: run it, and write wall and CPU seconds, the largest resident size of any
 * of its processes and its status to OUT as JSON.
 *
 * A process of its own, because the kernel counts the size of the program that forked as the
 * child's: started from a large one (a Python driver), a small client would seem to need as much
 * memory as that.
 */
#include "raw.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	struct rusage use;
	double began, wall;
	int status;
	FILE *out;
	pid_t pid;

	if (argc < 3) {
		raw_die(0, "usage: measure OUT COMMAND...");
	}
	began = raw_now();
	pid = fork();
	if (pid < 0) {
		raw_die(errno, "fork");
	}
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
		(void)execvp(argv[2], argv + 2);
		raw_die(errno, "%s", argv[2]);
	}
	while (wait4(pid, &status, 0, &use) < 0) {
		if (errno != EINTR) {
			raw_die(errno, "wait");
		}
	}
	wall = raw_now() - began;
	out = fopen(argv[1], "w");
	if (!out) {
		raw_die(errno, "%s", argv[1]);
	}
	(void)fprintf(out,
		"{\"wall\": %.4f, \"user\": %.4f, \"sys\": %.4f, \"rss_kib\": %ld, \"status\": "
		"%d}\n",
		wall, seconds(use.ru_utime), seconds(use.ru_stime), use.ru_maxrss,
		WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	if (fclose(out) != 0) {
		raw_die(errno, "%s", argv[1]);
	}
	return 0;
}
