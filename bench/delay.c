/*
 * delay MS LISTEN:TO...: a TCP proxy on loopback that holds what it reads for MS milliseconds, in
 * both directions, and counts the round trips that the client waits for. All links of one client
 * belong in one process.
 *
 * Bandwidth is not limited: up to MOST_QUEUED octets of each direction are under way. Octets leave
 * in the order in which they came, in slots of half a millisecond; so the process sleeps between
 * slots, and adds at most a slot and a NAP to the delay. A connection also costs what it costs on a
 * real link: the server is connected to after one and a half round trips (SYN, SYN+ACK, ACK), so
 * that its greeting comes at the end of the second one.
 *
 * At SIGTERM or SIGINT one JSON object is printed. For each link:
 *   turns  times that the client spoke after it had heard something
 *   waits  those turns at which nothing of that connection was under way either: the client had
 * waited for all and for all links together: chain  the longest chain of round trips of which each
 * could only begin when the one before had ended. Each octet carries the number of round trips
 * before it: from the client one more than the most that it has heard of on any connection, from
 * the server the most that it has heard of on this one. `chain` times the round trip is never more
 * than the wall clock time, however many connections work at once. It is an upper bound: whether
 *          the client really needed what it had heard, nobody can tell.
 */
#include "raw.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK 65536u
#define MOST_QUEUED (64u << 20)
#define SLOT_US 500
#define NAP_US 200
#define MOST_LINKS 8

struct chunk {
	struct chunk *next;
	int64_t due_us;
	uint32_t depth;
	size_t at, n; /* n == 0: the end of the stream */
	uint8_t bytes[CHUNK];
};

enum watch_kind { WATCH_SIGNAL, WATCH_LISTEN, WATCH_END };

struct watch { /* what epoll hands back */
	enum watch_kind kind;
	int fd;
	bool readable, writable; /* since the last EAGAIN; WATCH_END */
};

struct pipe {
	struct watch *from, *to;
	struct chunk *head, *tail;
	size_t queued;
	bool ended, shut; /* the end was read, was passed on */
};

struct link {
	struct watch listen;
	uint16_t to;
	uint64_t connections, up, down, turns, waits;
};

struct conn {
	struct conn *next;
	struct link *link;
	struct watch client, server; /* server.fd < 0: not connected yet */
	struct pipe up, down;
	int64_t connect_us;
	uint32_t server_depth;
	bool heard; /* something was passed to the client since it spoke last */
	bool broken;
};

struct proxy {
	int epoll;
	int64_t delay_us;
	struct watch signal;
	struct link links[MOST_LINKS];
	size_t link_count;
	struct conn *conns;
	struct chunk *spare;
	uint32_t client_depth;
	bool stop;
};

static int64_t now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* When what was read at `now` leaves after so many one way delays. */
static int64_t due_after(const struct proxy *p, int64_t now, int ways)
{
	return p->delay_us > 0 ? (now + ways * p->delay_us + SLOT_US - 1) / SLOT_US * SLOT_US : now;
}

static void watch(const struct proxy *p, struct watch *w)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = w};

	if (w->kind == WATCH_END) {
		e.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
	}
	if (epoll_ctl(p->epoll, EPOLL_CTL_ADD, w->fd, &e) != 0) {
		raw_die(errno, "epoll");
	}
}

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static struct chunk *chunk_new(struct proxy *p, int64_t due_us, uint32_t depth)
{
	struct chunk *c = p->spare;

	if (c) {
		p->spare = c->next;
	} else {
		c = malloc(sizeof(*c));
	}
	if (!c) {
		raw_die(ENOMEM, "chunk");
	}
	c->next = NULL;
	c->due_us = due_us;
	c->depth = depth;
	c->at = c->n = 0;
	return c;
}

static void chunk_free(struct proxy *p, struct chunk *c)
{
	c->next = p->spare;
	p->spare = c;
}

/* Take `in` over at the end of the queue, or its octets into the last chunk, if both leave at the
 * same time. */
static void push(struct proxy *p, struct pipe *pipe, struct chunk *in)
{
	struct chunk *last = pipe->tail;

	pipe->queued += in->n;
	if (last && in->n > 0 && in->n <= CHUNK - last->n && last->due_us == in->due_us &&
		last->depth == in->depth) {
		memcpy(last->bytes + last->n, in->bytes, in->n);
		last->n += in->n;
		chunk_free(p, in);
		return;
	}
	if (last) {
		last->next = in;
	} else {
		pipe->head = in;
	}
	pipe->tail = in;
}

static void pop(struct proxy *p, struct pipe *pipe)
{
	struct chunk *c = pipe->head;

	pipe->head = c->next;
	if (!pipe->head) {
		pipe->tail = NULL;
	}
	chunk_free(p, c);
}

static void count(struct conn *c, bool up, size_t n)
{
	*(up ? &c->link->up : &c->link->down) += n;
	if (up && c->heard) {
		c->link->turns++;
		c->link->waits += c->up.queued == 0 && c->down.queued == 0 ? 1 : 0;
		c->heard = false;
	}
}

/* Read what there is and fits. */
static void take_in(struct proxy *p, struct conn *c, struct pipe *pipe, int64_t now)
{
	bool up = pipe == &c->up;

	while (pipe->from->readable && !pipe->ended && pipe->queued < MOST_QUEUED) {
		struct chunk *in = chunk_new(
			p, due_after(p, now, 1), up ? p->client_depth + 1 : c->server_depth);
		ssize_t got = recv(pipe->from->fd, in->bytes, CHUNK, MSG_DONTWAIT);

		if (got < 0) {
			pipe->from->readable = false;
			c->broken = c->broken || errno != EAGAIN;
			chunk_free(p, in);
			break;
		}
		in->n = (size_t)got;
		pipe->ended = got == 0;
		count(c, up, in->n);
		push(p, pipe, in);
	}
}

/* Pass on what is due and what the other side takes. */
static void give_out(struct proxy *p, struct conn *c, struct pipe *pipe, int64_t now)
{
	uint32_t *depth = pipe == &c->up ? &c->server_depth : &p->client_depth;

	while (pipe->head && pipe->head->due_us <= now && pipe->to->writable) {
		struct chunk *out = pipe->head;
		ssize_t put = 0;

		if (out->n == 0) {
			(void)shutdown(pipe->to->fd, SHUT_WR);
			pipe->shut = true;
		} else {
			put = send(pipe->to->fd, out->bytes + out->at, out->n - out->at,
				MSG_NOSIGNAL | MSG_DONTWAIT);
		}
		if (put < 0) {
			pipe->to->writable = false;
			c->broken = c->broken || errno != EAGAIN;
			return;
		}
		*depth = out->depth > *depth ? out->depth : *depth;
		c->heard = c->heard || pipe == &c->down;
		out->at += (size_t)put;
		pipe->queued -= (size_t)put;
		if (out->at == out->n) {
			pop(p, pipe);
		}
	}
}

static void set_up(const struct proxy *p, struct watch *w, enum watch_kind kind, int fd)
{
	int one = 1;

	*w = (struct watch){.kind = kind, .fd = fd};
	if (kind == WATCH_END) {
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	}
	watch(p, w);
}

static void connect_server(const struct proxy *p, struct conn *c)
{
	struct sockaddr_in to = loopback(c->link->to);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		c->broken = true;
		(void)close(fd);
		return;
	}
	set_up(p, &c->server, WATCH_END, fd);
}

static void accept_client(struct proxy *p, struct link *link, int64_t now)
{
	int fd = accept4(link->listen.fd, NULL, NULL, SOCK_CLOEXEC);
	struct conn *c = fd < 0 ? NULL : calloc(1, sizeof(*c));

	if (!c) {
		raw_die(errno, "accept");
	}
	link->connections++;
	c->link = link;
	c->server.fd = -1;
	c->up = (struct pipe){.from = &c->client, .to = &c->server};
	c->down = (struct pipe){.from = &c->server, .to = &c->client};
	c->connect_us = due_after(p, now, 3);
	c->server_depth = p->client_depth + 2; /* the handshake, and the way of the greeting */
	c->next = p->conns;
	p->conns = c;
	set_up(p, &c->client, WATCH_END, fd);
}

static void step(struct proxy *p, struct conn *c, int64_t now)
{
	if (c->server.fd < 0 && c->connect_us <= now) {
		connect_server(p, c);
	}
	give_out(p, c, &c->up, now);
	give_out(p, c, &c->down, now);
	take_in(p, c, &c->up, now);
	take_in(p, c, &c->down, now);
}

static void conn_free(struct proxy *p, struct conn *c)
{
	while (c->up.head) {
		pop(p, &c->up);
	}
	while (c->down.head) {
		pop(p, &c->down);
	}
	(void)close(c->client.fd);
	if (c->server.fd >= 0) {
		(void)close(c->server.fd);
	}
	free(c);
}

/* Step all connections, drop those that are done. Returns when the next octet is due; -1: none is
 * under way. */
static int64_t step_all(struct proxy *p, int64_t now)
{
	int64_t next = -1;

	for (struct conn **at = &p->conns; *at;) {
		struct conn *c = *at;

		step(p, c, now);
		if (c->broken || (c->up.shut && c->down.shut)) {
			*at = c->next;
			conn_free(p, c);
			continue;
		}
		int64_t due[] = {c->server.fd < 0 ? c->connect_us : -1,
			c->up.head && c->server.writable ? c->up.head->due_us : -1,
			c->down.head && c->client.writable ? c->down.head->due_us : -1};
		for (size_t i = 0; i < sizeof(due) / sizeof(*due); i++) {
			next = due[i] >= 0 && (next < 0 || due[i] < next) ? due[i] : next;
		}
		at = &c->next;
	}
	return next;
}

static void take_event(struct proxy *p, const struct epoll_event *e, int64_t now)
{
	struct watch *w = e->data.ptr;

	switch (w->kind) {
	case WATCH_SIGNAL:
		p->stop = true;
		break;
	case WATCH_LISTEN: /* a link begins with what it listens at */
		accept_client(p, (struct link *)(void *)w, now);
		break;
	case WATCH_END:
		w->readable = w->readable || (e->events & ~(uint32_t)EPOLLOUT) != 0;
		w->writable = w->writable || (e->events & EPOLLOUT) != 0;
		break;
	}
}

static void run(struct proxy *p)
{
	struct epoll_event events[128];
	int64_t next = -1, now = now_us();

	while (!p->stop) {
		int64_t left = next > now ? next - now : 0;
		struct timespec wait = {.tv_sec = left / 1000000, .tv_nsec = left % 1000000 * 1000};
		struct timespec nap = {.tv_nsec = NAP_US * 1000L};
		int n = epoll_pwait2(p->epoll, events, 128, next < 0 ? NULL : &wait, NULL);

		if (n < 0 && errno != EINTR) {
			raw_die(errno, "epoll");
		}
		if (n > 0 && p->delay_us > 0) {
			(void)nanosleep(
				&nap, NULL); /* what comes next is read with it, in larger pieces */
		}
		now = now_us();
		for (int i = 0; i < n; i++) {
			take_event(p, &events[i], now);
		}
		next = step_all(p, now);
	}
}

static void listen_at(struct proxy *p, struct link *link, const char *spec)
{
	char *end = NULL;
	struct sockaddr_in at = loopback((uint16_t)strtoul(spec, &end, 10));
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (*end != ':') {
		raw_die(0, "%s: not LISTEN:TO", spec);
	}
	link->to = (uint16_t)strtoul(end + 1, NULL, 10);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 256) != 0) {
		raw_die(errno, "port %s", spec);
	}
	set_up(p, &link->listen, WATCH_LISTEN, fd);
}

static void watch_signals(struct proxy *p)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	set_up(p, &p->signal, WATCH_SIGNAL, signalfd(-1, &set, SFD_CLOEXEC));
}

static void report(const struct proxy *p)
{
	printf("{\"links\": [");
	for (size_t i = 0; i < p->link_count; i++) {
		const struct link *l = &p->links[i];

		printf("%s{\"connections\": %llu, \"up\": %llu, \"down\": %llu, \"turns\": %llu, "
		       "\"waits\": %llu}",
			i > 0 ? ", " : "", (unsigned long long)l->connections,
			(unsigned long long)l->up, (unsigned long long)l->down,
			(unsigned long long)l->turns, (unsigned long long)l->waits);
	}
	printf("], \"chain\": %u}\n", p->client_depth);
}

int main(int argc, char **argv)
{
	struct proxy p = {.epoll = epoll_create1(EPOLL_CLOEXEC)};

	if (argc < 3 || argc > 2 + MOST_LINKS) {
		raw_die(0, "usage: delay MS LISTEN:TO...");
	}
	p.delay_us = (int64_t)(strtod(argv[1], NULL) * 1000);
	watch_signals(&p);
	for (int i = 2; i < argc; i++) {
		listen_at(&p, &p.links[p.link_count++], argv[i]);
	}
	printf("ready\n");
	(void)fflush(stdout);
	run(&p);
	report(&p);
	while (p.conns) {
		struct conn *c = p.conns;

		p.conns = c->next;
		conn_free(&p, c);
	}
	while (p.spare) {
		struct chunk *c = p.spare;

		p.spare = c->next;
		free(c);
	}
	return 0;
}
