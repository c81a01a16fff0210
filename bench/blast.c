/*
 * The limit of writing: a prepared stream of commands, sent over a few connections without waiting
 * for answers.
 *
 * The stream (accounts.py writes it) is a record for each folder: a line "FOLDER octets commands
 * messages", then that many octets: a CREATE and APPENDs with LITERAL+ in MULTIAPPEND groups, whose
 * tags begin with "b". Each connection takes folders, the largest first, and reads answers while it
 * writes.
 */
#include "raw.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_AT_ONCE (1u << 20) /* a send of more holds the lock of the socket for long */

struct folder {
	const char *p;
	size_t n;
	uint64_t commands, messages;
};

struct blast {
	struct raw_account account;
	pthread_mutex_t lock;
	struct folder *folders;
	size_t count, next;
	uint64_t messages, octets;
};

static void add_folder(struct blast *b, struct folder f)
{
	struct folder *more = reallocarray(b->folders, b->count + 1, sizeof(*more));

	if (!more) {
		raw_die(ENOMEM, "folders");
	}
	b->folders = more;
	b->folders[b->count++] = f;
	b->messages += f.messages;
	b->octets += f.n;
}

static int larger_first(const void *a, const void *b)
{
	const struct folder *x = a, *y = b;

	return x->n < y->n ? 1 : x->n > y->n ? -1 : 0;
}

static void parse(struct blast *b, const char *p, size_t n)
{
	const char *end = p + n;

	while (p < end) {
		const char *line_end = memchr(p, '\n', (size_t)(end - p));
		struct folder f = {0};
		char *word = NULL;

		if (!line_end || strncmp(p, "FOLDER ", 7) != 0) {
			raw_die(0, "not a stream of ours");
		}
		f.n = strtoull(p + 7, &word, 10);
		f.commands = strtoull(word, &word, 10);
		f.messages = strtoull(word, &word, 10);
		f.p = line_end + 1;
		if (f.n > (size_t)(end - f.p)) {
			raw_die(0, "the stream is cut short");
		}
		add_folder(b, f);
		p = f.p + f.n;
	}
	if (b->folders) {
		qsort(b->folders, b->count, sizeof(*b->folders), larger_first);
	}
}

static void load(struct blast *b, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st) != 0) {
		raw_die(errno, "%s", path);
	}
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED) {
		raw_die(errno, "%s", path);
	}
	(void)close(fd);
	parse(b, p, (size_t)st.st_size);
}

static const struct folder *take_folder(struct blast *b)
{
	const struct folder *f = NULL;

	(void)pthread_mutex_lock(&b->lock);
	if (b->next < b->count) {
		f = &b->folders[b->next++];
	}
	(void)pthread_mutex_unlock(&b->lock);
	return f;
}

/* How many answers are in what was read. */
static uint64_t take_answers(struct raw *r)
{
	struct raw_line line;
	uint64_t count = 0;

	while (raw_take_line(r, &line)) {
		const char *word = raw_starts(&line, "b") ? memchr(line.p, ' ', line.n) : NULL;

		if (!word) {
			continue;
		}
		count++;
		if (strncmp(word, " OK", 3) != 0 &&
			!memmem(line.p, line.n, "[ALREADYEXISTS]", 15)) {
			raw_die(0, "%.*s", (int)line.n, line.p);
		}
	}
	return count;
}

static void send_some(struct raw *r, struct folder *f)
{
	size_t most = f->n < MOST_AT_ONCE ? f->n : MOST_AT_ONCE;
	ssize_t done = send(r->fd, f->p, most, MSG_NOSIGNAL);

	if (done < 0 && errno != EAGAIN && errno != EINTR) {
		raw_die(errno, "send");
	}
	if (done > 0) {
		f->p += done;
		f->n -= (size_t)done;
	}
}

static void *write_folders(void *arg)
{
	struct blast *b = arg;
	const struct folder *next;
	struct raw *r = raw_open(&b->account);
	struct folder f = {0}; /* what of it is still to send */
	uint64_t open = 0;     /* commands without an answer */

	(void)fcntl(r->fd, F_SETFL, O_NONBLOCK);
	for (;;) {
		struct pollfd p = {.fd = r->fd, .events = POLLIN};

		if (f.n == 0 && (next = take_folder(b)) != NULL) {
			f = *next;
			open += f.commands;
		}
		if (open == 0) {
			break;
		}
		p.events = (short)(f.n > 0 ? POLLIN | POLLOUT : POLLIN);
		if (poll(&p, 1, -1) < 0 && errno != EINTR) {
			raw_die(errno, "poll");
		}
		if ((p.revents & POLLIN) && raw_fill(r)) {
			open -= take_answers(r);
		}
		if (p.revents & POLLOUT) {
			send_some(r, &f);
		}
		if (p.revents & (POLLERR | POLLHUP)) {
			raw_die(0, "the server ended the connection");
		}
	}
	raw_close(r);
	return NULL;
}

int main(int argc, char **argv)
{
	struct blast b = {.lock = PTHREAD_MUTEX_INITIALIZER};
	pthread_t threads[64];
	long connections = argc == 5 ? strtol(argv[1], NULL, 10) : 0;
	double began;

	if (connections < 1 || connections > 64) {
		raw_die(0, "usage: blast CONNECTIONS HOST:PORT USER STREAM");
	}
	b.account = raw_account(argv[2], argv[3]);
	load(&b, argv[4]);
	began = raw_now();
	for (long i = 0; i < connections; i++) {
		if (pthread_create(&threads[i], NULL, write_folders, &b) != 0) {
			raw_die(EAGAIN, "thread");
		}
	}
	for (long i = 0; i < connections; i++) {
		(void)pthread_join(threads[i], NULL);
	}
	raw_report("blast", b.messages, b.octets, began);
	free(b.folders);
	return 0;
}
