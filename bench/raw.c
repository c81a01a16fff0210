#include "raw.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

void raw_die(int sys, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, "%s%s\n", sys ? ": " : "", sys ? strerror(sys) : "");
	exit(1);
}

double raw_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

void raw_report(const char *program, uint64_t messages, uint64_t octets, double began)
{
	struct rusage use;

	(void)getrusage(RUSAGE_SELF, &use);
	printf("{\"program\": \"%s\", \"messages\": %llu, \"bytes\": %llu, \"wall\": %.4f, "
	       "\"user\": %.4f, \"sys\": %.4f}\n",
		program, (unsigned long long)messages, (unsigned long long)octets,
		raw_now() - began, seconds(use.ru_utime), seconds(use.ru_stime));
}

struct raw_account raw_account(char *address, const char *user)
{
	char *colon = strrchr(address, ':');
	struct raw_account account = {
		.host = address, .user = user, .password = getenv("IMAP_PASSWORD")};

	if (!colon) {
		raw_die(0, "%s: not HOST:PORT", address);
	}
	if (!account.password) {
		raw_die(0, "the password belongs in the environment variable IMAP_PASSWORD");
	}
	*colon = '\0';
	account.port = colon + 1;
	return account;
}

static int dial(const struct raw_account *account)
{
	struct addrinfo want = {.ai_socktype = SOCK_STREAM}, *found = NULL;
	int one = 1, fd = -1, rc = getaddrinfo(account->host, account->port, &want, &found);

	if (rc != 0) {
		raw_die(0, "%s: %s", account->host, gai_strerror(rc));
	}
	for (struct addrinfo *a = found; a && fd < 0; a = a->ai_next) {
		fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
		if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
			(void)close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(found);
	if (fd < 0) {
		raw_die(errno, "%s:%s", account->host, account->port);
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

struct raw *raw_open(const struct raw_account *account)
{
	struct raw *r = calloc(1, sizeof(*r));
	struct raw_line line;
	char login[512];
	int n;

	if (!r) {
		raw_die(ENOMEM, "connection");
	}
	r->fd = dial(account);
	(void)raw_line(r); /* the greeting */
	n = snprintf(login, sizeof(login), "L LOGIN \"%s\" \"%s\"\r\n", account->user,
		account->password);
	raw_send(r, login, (size_t)n);
	do {
		line = raw_line(r);
	} while (!raw_starts(&line, "L "));
	if (!raw_starts(&line, "L OK")) {
		raw_die(0, "sign-in: %.*s", (int)line.n, line.p);
	}
	return r;
}

void raw_close(struct raw *r)
{
	if (r) {
		(void)close(r->fd);
		free(r);
	}
}

void raw_send(struct raw *r, const void *bytes, size_t n)
{
	const char *p = bytes;

	while (n > 0) {
		ssize_t done = send(r->fd, p, n, MSG_NOSIGNAL);

		if (done < 0 && errno != EINTR) {
			raw_die(errno, "send");
		}
		if (done > 0) {
			p += done;
			n -= (size_t)done;
		}
	}
}

bool raw_fill(struct raw *r)
{
	ssize_t got;

	if (r->at == r->n) {
		r->at = r->n = 0;
	} else if (r->n == sizeof(r->buf)) {
		memmove(r->buf, r->buf + r->at, r->n - r->at);
		r->n -= r->at;
		r->at = 0;
	}
	if (r->n == sizeof(r->buf)) {
		raw_die(0, "a line is longer than %zu octets", sizeof(r->buf));
	}
	do {
		got = recv(r->fd, r->buf + r->n, sizeof(r->buf) - r->n, 0);
	} while (got < 0 && errno == EINTR);
	if (got < 0 && errno == EAGAIN) {
		return false;
	}
	if (got <= 0) {
		raw_die(got < 0 ? errno : 0, "the server ended the connection");
	}
	r->n += (size_t)got;
	r->received += (uint64_t)got;
	return true;
}

/* "... {123}" announces a literal. */
static void find_literal(struct raw_line *line)
{
	const char *brace =
		line->n > 2 && line->p[line->n - 1] == '}' ? memrchr(line->p, '{', line->n) : NULL;

	line->literal = brace != NULL;
	line->size = brace ? strtoull(brace + 1, NULL, 10) : 0;
}

bool raw_take_line(struct raw *r, struct raw_line *out)
{
	const char *from = r->buf + r->at, *end = memchr(from, '\n', r->n - r->at);

	if (!end) {
		return false;
	}
	*out = (struct raw_line){.p = from, .n = (size_t)(end - from)};
	r->at += out->n + 1;
	if (out->n > 0 && out->p[out->n - 1] == '\r') {
		out->n--;
	}
	find_literal(out);
	return true;
}

struct raw_line raw_line(struct raw *r)
{
	struct raw_line line;

	while (!raw_take_line(r, &line)) {
		(void)raw_fill(r);
	}
	return line;
}

void raw_skip(struct raw *r, uint64_t n)
{
	while (n > r->n - r->at) {
		n -= r->n - r->at;
		r->at = r->n;
		(void)raw_fill(r);
	}
	r->at += (size_t)n;
}

bool raw_starts(const struct raw_line *line, const char *with)
{
	size_t n = strlen(with);

	return line->n >= n && memcmp(line->p, with, n) == 0;
}
