#include "net/dns.h"

#include "base/utf8.h"
#include "net/loop_private.h"

#include <ares.h>
#include <ares_nameser.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TRY_MS = 1500, TRIES = 2, ALL_MS = 5000, SOCKETS = 8 };

struct pf_dns {
	uv_work_t work;
	struct pf_loop *loop;
	char *name, *server;
	bool over, forgotten; /* forgotten: nobody waits for it, its thread frees it */
	struct pf_dns_answer answer;
};

/* ---- answers ---- */

/* Lesser priority first; of one priority the greater weight: a client that comes once need not
 * spread its load. */
static bool is_before(const struct pf_dns_server *x, const struct pf_dns_server *y)
{
	return x->priority != y->priority ? x->priority < y->priority : x->weight > y->weight;
}

/* false: it is no host's name. */
static bool take_host(const char *name, size_t n, char out[256])
{
	for (size_t i = 0; i < n && n < 256; i++) {
		uint8_t c = pf_ascii_lower((uint8_t)name[i]);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && !strchr("-._", c)) {
			return false;
		}
		out[i] = (char)c;
	}
	return n > 0 && n < 256;
}

static void add_server(struct pf_dns_answer *a, const struct ares_srv_reply *r)
{
	struct pf_dns_server s = {.port = r->port, .priority = r->priority, .weight = r->weight};
	size_t n = strlen(r->host), at = 0;

	n -= n > 0 && r->host[n - 1] == '.';
	a->none = a->none || n == 0;
	if (s.port == 0 || !take_host(r->host, n, s.host)) {
		return;
	}
	while (at < a->n && !is_before(&s, &a->at[at])) {
		at++;
	}
	if (at == PF_DNS_SERVERS) {
		return;
	}
	a->n -= a->n == PF_DNS_SERVERS;
	memmove(&a->at[at + 1], &a->at[at], (a->n - at) * sizeof(s));
	a->at[at] = s;
	a->n++;
}

static void on_srv(void *arg, int status, int timeouts, unsigned char *bytes, int n)
{
	struct pf_dns *d = arg;
	struct ares_srv_reply *found = NULL;

	(void)timeouts;
	if (status != ARES_SUCCESS || ares_parse_srv_reply(bytes, n, &found) != ARES_SUCCESS) {
		return;
	}
	for (const struct ares_srv_reply *r = found; r; r = r->next) {
		add_server(&d->answer, r);
	}
	ares_free_data(found);
}

/* "path=/dav/" among the strings of the record; the first one counts. */
static void on_txt(void *arg, int status, int timeouts, unsigned char *bytes, int n)
{
	static const char KEY[] = "path=";
	struct pf_dns *d = arg;
	struct ares_txt_ext *found = NULL;

	(void)timeouts;
	if (status != ARES_SUCCESS || ares_parse_txt_reply_ext(bytes, n, &found) != ARES_SUCCESS) {
		return;
	}
	for (const struct ares_txt_ext *t = found; t && !d->answer.path[0]; t = t->next) {
		struct pf_span s = pf_span(t->txt, t->length);

		if (pf_span_starts(s, KEY) && !memchr(s.p, '\0', s.n)) {
			(void)snprintf(d->answer.path, sizeof(d->answer.path), "%.*s",
				(int)(s.n - strlen(KEY)), (const char *)s.p + strlen(KEY));
		}
	}
	ares_free_data(found);
}

/* ---- asking, on the pool's thread ---- */

static int64_t clock_ms(void)
{
	struct timespec t = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* One round: wait for the sockets of the channel, and give it what came. false: all is answered. */
static bool wait_once(ares_channel channel, int64_t left_ms)
{
	ares_socket_t sockets[SOCKETS];
	struct pollfd polled[SOCKETS];
	struct timeval most = {left_ms / 1000, (left_ms % 1000) * 1000}, tv, *due;
	int bits = ares_getsock(channel, sockets, SOCKETS);
	nfds_t n = 0;

	for (int i = 0; i < SOCKETS; i++) {
		bool in = ARES_GETSOCK_READABLE(bits, i), out = ARES_GETSOCK_WRITABLE(bits, i);

		if (in || out) {
			polled[n++] = (struct pollfd){.fd = sockets[i],
				.events = (short)((in ? POLLIN : 0) | (out ? POLLOUT : 0))};
		}
	}
	if (n == 0) {
		return false;
	}
	due = ares_timeout(channel, &most, &tv);
	if (poll(polled, n, (int)(due->tv_sec * 1000 + due->tv_usec / 1000 + 1)) <= 0) {
		ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD); /* timeouts */
		return true;
	}
	for (nfds_t i = 0; i < n; i++) {
		bool in = polled[i].revents & (POLLIN | POLLERR | POLLHUP);

		ares_process_fd(channel, in ? polled[i].fd : ARES_SOCKET_BAD,
			polled[i].revents & POLLOUT ? polled[i].fd : ARES_SOCKET_BAD);
	}
	return true;
}

/* What can't be asked is not found: the caller goes on without. */
static void on_work(uv_work_t *work)
{
	struct pf_dns *d = pf_container_of(work, struct pf_dns, work);
	struct ares_options options = {.timeout = TRY_MS, .tries = TRIES};
	int64_t end = clock_ms() + ALL_MS;
	ares_channel channel;

	if (ares_init_options(&channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES) !=
		ARES_SUCCESS) {
		return;
	}
	if (!d->server || ares_set_servers_ports_csv(channel, d->server) == ARES_SUCCESS) {
		ares_query(channel, d->name, ns_c_in, ns_t_srv, on_srv, d);
		ares_query(channel, d->name, ns_c_in, ns_t_txt, on_txt, d);
		while (clock_ms() < end && wait_once(channel, end - clock_ms())) {
		}
	}
	ares_destroy(channel); /* cancels what is left; its callbacks see no success */
}

/* ---- on the loop's thread ---- */

static void free_all(struct pf_dns *d)
{
	free(d->name);
	free(d->server);
	free(d);
}

static void on_done(uv_work_t *work, int status)
{
	struct pf_dns *d = pf_container_of(work, struct pf_dns, work);

	(void)status;
	d->over = true;
	if (d->forgotten) {
		free_all(d);
	} else {
		pf_loop_stir(d->loop);
	}
}

int pf_dns_ask(struct pf_loop *loop, const char *name, const char *server, struct pf_dns **out,
	struct pf_err *err)
{
	struct pf_dns *d = calloc(1, sizeof(*d));
	int rc;

	if (!d) {
		return pf_fail_memory(err, "a look-up");
	}
	d->loop = loop;
	d->name = strdup(name);
	d->server = server ? strdup(server) : NULL;
	if (!d->name || (server && !d->server)) {
		free_all(d);
		return pf_fail_memory(err, "a look-up");
	}
	rc = uv_queue_work(pf_loop_uv(loop), &d->work, on_work, on_done);
	if (rc != 0) {
		free_all(d);
		return pf_fail(
			err, PF_SCOPE_RUN, PF_RETRY_NO, "looking up a name: %s", uv_strerror(rc));
	}
	*out = d;
	return PF_OK;
}

bool pf_dns_take(struct pf_dns *d, struct pf_dns_answer *out)
{
	if (d->over) {
		*out = d->answer;
	}
	return d->over;
}

void pf_dns_free(struct pf_dns **dns)
{
	struct pf_dns *d = *dns;

	*dns = NULL;
	if (!d) {
		return;
	}
	if (d->over) {
		free_all(d);
	} else {
		d->forgotten = true;
	}
}
