/*
 * Accounts wait in lanes, one for each pair of servers, in the order they were added; lanes take
 * turns. One that comes back goes to the front of its lane when its pause is over; until then it
 * lies in a heap by the moment it is due.
 */
#include "engine/batch.h"

#include "model/event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	PAUSE_FIRST_MS = 3000, /* of an account */
	PAUSE_MAX_MS = 60000,
	SERVER_PAUSE_FIRST_MS = 1000,
	SERVER_DOWNS_MAX = 8, /* tries in a row, with pauses between them, before it is given up */
	CAPS_MAX = 20,        /* times that an account may run into a server's cap */
	RAISE_EVERY_MS = 60000,
	REFUSALS_MAX = 3, /* of an administrator, in a row */
	PATIENCE_MAX_S = 3600,
	WHY_MAX = 400,
};

#define NO_ACCOUNT SIZE_MAX

struct lane {
	struct lane *next; /* of the same source */
	size_t server[2];
	size_t first, last; /* accounts; NO_ACCOUNT: empty */
	bool listed;
};

struct server {
	struct lane *lanes; /* of which it is the source */
	size_t limit, most, used;
	size_t opening, open; /* accounts at work: not yet signed in, signed in */
	size_t per_account;   /* connections that it was seen to permit; SIZE_MAX: not known */
	unsigned int downs;   /* failures in a row to reach it */
	int64_t down_at_ms, not_before_ms, raise_ms;
	char gone[WHY_MAX]; /* given up, and why */
};

struct login {
	unsigned int refused; /* in a row */
	char gone[WHY_MAX];
};

struct account {
	size_t server[2], login[2], connections[2];
	size_t next; /* in its lane */
	bool opened[2];
	unsigned int tries, futile, caps;
	int64_t begun_ms, due_ms;
};

struct pf_batch {
	struct pf_batch_cfg cfg;
	struct server *servers;
	struct login *logins;
	struct account *accounts;
	struct lane *local; /* whose source is no server */
	size_t server_n, login_n, account_n;
	size_t server_cap, login_cap, account_cap;
	struct lane **lanes; /* those with accounts */
	size_t lane_n, lane_cap, lane_total, turn;
	size_t *heap; /* those that pause, the one that is due first on top */
	size_t heap_n, heap_cap;
	size_t alive, waiting; /* waiting: in lanes and heap */
	bool stopped;
};

int pf_batch_new(const struct pf_batch_cfg *cfg, struct pf_batch **out, struct pf_err *err)
{
	*out = calloc(1, sizeof(**out));
	if (!*out) {
		return pf_fail_memory(err, "a batch");
	}
	(*out)->cfg = *cfg;
	return PF_OK;
}

static void free_lanes(struct lane *l)
{
	while (l) {
		struct lane *next = l->next;

		free(l);
		l = next;
	}
}

void pf_batch_free(struct pf_batch **batch)
{
	struct pf_batch *b = *batch;

	if (!b) {
		return;
	}
	for (size_t i = 0; i < b->server_n; i++) {
		free_lanes(b->servers[i].lanes);
	}
	free_lanes(b->local);
	free(b->servers);
	free(b->logins);
	free(b->accounts);
	free((void *)b->lanes);
	free(b->heap);
	free(b);
	*batch = NULL;
}

/* Room for one more element of `size` bytes. */
static int grow(void **v, size_t n, size_t *cap, size_t size, struct pf_err *err)
{
	size_t more = *cap ? *cap * 2 : 16;
	void *grown;

	if (n < *cap) {
		return PF_OK;
	}
	grown = realloc(*v, more * size);
	if (!grown) {
		return pf_fail_memory(err, "a batch");
	}
	*v = grown;
	*cap = more;
	return PF_OK;
}

int pf_batch_add_server(struct pf_batch *b, size_t limit, struct pf_err *err)
{
	if (grow((void **)&b->servers, b->server_n, &b->server_cap, sizeof(*b->servers), err) !=
		PF_OK) {
		return PF_FAIL;
	}
	pf_assert(limit > 0);
	b->servers[b->server_n++] =
		(struct server){.limit = limit, .most = limit, .per_account = SIZE_MAX};
	return PF_OK;
}

int pf_batch_add_login(struct pf_batch *b, struct pf_err *err)
{
	if (grow((void **)&b->logins, b->login_n, &b->login_cap, sizeof(*b->logins), err) !=
		PF_OK) {
		return PF_FAIL;
	}
	b->logins[b->login_n++] = (struct login){.refused = 0};
	return PF_OK;
}

/* ---- lanes ---- */

static struct server *server_of(struct pf_batch *b, size_t i)
{
	return i == PF_BATCH_NONE ? NULL : &b->servers[i];
}

static struct lane *lane_of(struct pf_batch *b, const struct account *a)
{
	struct server *s = server_of(b, a->server[0]);
	struct lane *l = s ? s->lanes : b->local;

	while (l && l->server[1] != a->server[1]) {
		l = l->next;
	}
	return l;
}

static int make_lane(struct pf_batch *b, const struct account *a, struct pf_err *err)
{
	struct server *s = server_of(b, a->server[0]);
	struct lane **head = s ? &s->lanes : &b->local;
	struct lane *l;

	if (lane_of(b, a)) {
		return PF_OK;
	}
	/* The list of lanes has room for all that there are, so that listing one never fails. */
	if (grow((void **)&b->lanes, b->lane_total, &b->lane_cap, sizeof(struct lane *), err) !=
		PF_OK) {
		return PF_FAIL;
	}
	l = malloc(sizeof(*l));
	if (!l) {
		return pf_fail_memory(err, "a batch");
	}
	*l = (struct lane){.next = *head,
		.server = {a->server[0], a->server[1]},
		.first = NO_ACCOUNT,
		.last = NO_ACCOUNT};
	*head = l;
	b->lane_total++;
	return PF_OK;
}

static void lane_put(struct pf_batch *b, size_t i, bool in_front)
{
	struct account *a = &b->accounts[i];
	struct lane *l = lane_of(b, a);

	a->next = in_front ? l->first : NO_ACCOUNT;
	if (l->first == NO_ACCOUNT) {
		l->first = i;
		l->last = i;
	} else if (in_front) {
		l->first = i;
	} else {
		b->accounts[l->last].next = i;
		l->last = i;
	}
	if (!l->listed) {
		l->listed = true;
		b->lanes[b->lane_n++] = l;
	}
}

static size_t lane_take(struct pf_batch *b, size_t at)
{
	struct lane *l = b->lanes[at];
	size_t i = l->first;

	l->first = b->accounts[i].next;
	b->waiting--;
	b->turn = at + 1;
	if (l->first == NO_ACCOUNT) {
		l->last = NO_ACCOUNT;
		l->listed = false;
		b->lanes[at] = b->lanes[--b->lane_n];
		b->turn = at;
	}
	return i;
}

int pf_batch_add(struct pf_batch *b, const struct pf_batch_account *a, struct pf_err *err)
{
	struct account *n;

	if (grow((void **)&b->accounts, b->account_n, &b->account_cap, sizeof(*b->accounts), err) !=
			PF_OK ||
		grow((void **)&b->heap, b->account_n, &b->heap_cap, sizeof(*b->heap), err) !=
			PF_OK) {
		return PF_FAIL;
	}
	n = &b->accounts[b->account_n];
	*n = (struct account){.next = NO_ACCOUNT};
	memcpy(n->server, a->server, sizeof(n->server));
	memcpy(n->login, a->login, sizeof(n->login));
	memcpy(n->connections, a->connections, sizeof(n->connections));
	if (make_lane(b, n, err) != PF_OK) {
		return PF_FAIL;
	}
	lane_put(b, b->account_n++, false);
	b->waiting++;
	return PF_OK;
}

/* ---- the heap of those that pause ---- */

static bool due_before(const struct pf_batch *b, size_t x, size_t y)
{
	return b->accounts[b->heap[x]].due_ms < b->accounts[b->heap[y]].due_ms;
}

static void heap_swap(struct pf_batch *b, size_t x, size_t y)
{
	size_t t = b->heap[x];

	b->heap[x] = b->heap[y];
	b->heap[y] = t;
}

static void heap_put(struct pf_batch *b, size_t account)
{
	size_t at = b->heap_n++;

	b->heap[at] = account;
	while (at > 0 && due_before(b, at, (at - 1) / 2)) {
		heap_swap(b, at, (at - 1) / 2);
		at = (at - 1) / 2;
	}
}

static size_t heap_take(struct pf_batch *b)
{
	size_t top = b->heap[0], at = 0;

	b->heap[0] = b->heap[--b->heap_n];
	for (;;) {
		size_t least = at;

		for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < b->heap_n; child++) {
			least = due_before(b, child, least) ? child : least;
		}
		if (least == at) {
			return top;
		}
		heap_swap(b, at, least);
		at = least;
	}
}

/* ---- who is next ---- */

static size_t connections_of(struct pf_batch *b, const struct account *a, size_t side)
{
	const struct server *s = server_of(b, a->server[side]);

	return s && s->per_account < a->connections[side] ? s->per_account : a->connections[side];
}

/* Quiet time: it may have been a moment's cap. */
static void raise_limit(struct server *s, int64_t now_ms)
{
	while (s->limit < s->most && s->raise_ms <= now_ms) {
		s->limit++;
		s->raise_ms += RAISE_EVERY_MS;
	}
}

static void lower(int64_t *wake_ms, int64_t at_ms)
{
	*wake_ms = at_ms < *wake_ms ? at_ms : *wake_ms;
}

static bool has_room(struct pf_batch *b, const struct account *a, size_t side, size_t more,
	int64_t now_ms, int64_t *wake_ms)
{
	struct server *s = server_of(b, a->server[side]);

	if (!s) {
		return true;
	}
	if (s->not_before_ms > now_ms) {
		lower(wake_ms, s->not_before_ms);
		return false;
	}
	if (s->downs > 0 && s->opening > 0) {
		return false; /* one asks whether it is there again */
	}
	raise_limit(s, now_ms);
	if (s->used == 0 || s->used + connections_of(b, a, side) + more <= s->limit) {
		return true;
	}
	if (s->limit < s->most) {
		lower(wake_ms, s->raise_ms);
	}
	return false;
}

static bool both_have_room(
	struct pf_batch *b, const struct account *a, int64_t now_ms, int64_t *wake_ms)
{
	/* Both accounts on one server: it must bear the two of them. */
	size_t more = a->server[0] == a->server[1] ? connections_of(b, a, 1) : 0;

	return has_room(b, a, 0, more, now_ms, wake_ms) && has_room(b, a, 1, 0, now_ms, wake_ms);
}

static const char *given_up(struct pf_batch *b, const struct account *a)
{
	for (size_t side = 0; side < 2; side++) {
		const struct server *s = server_of(b, a->server[side]);

		if (s && s->gone[0]) {
			return s->gone;
		}
		if (a->login[side] != PF_BATCH_NONE && b->logins[a->login[side]].gone[0]) {
			return b->logins[a->login[side]].gone;
		}
	}
	return NULL;
}

static void begin(struct pf_batch *b, size_t i, int64_t now_ms, struct pf_batch_turn *out)
{
	struct account *a = &b->accounts[i];

	*out = (struct pf_batch_turn){.account = i, .tries = a->tries};
	for (size_t side = 0; side < 2; side++) {
		struct server *s = server_of(b, a->server[side]);

		a->connections[side] = connections_of(b, a, side);
		out->connections[side] = a->connections[side];
		if (s) {
			s->used += a->connections[side];
			s->opening++;
		}
		a->opened[side] = false;
	}
	a->tries++;
	a->begun_ms = now_ms;
	b->alive++;
}

int pf_batch_next(struct pf_batch *b, int64_t now_ms, struct pf_batch_turn *out, int64_t *wake_ms)
{
	while (b->heap_n > 0 && b->accounts[b->heap[0]].due_ms <= now_ms) {
		lane_put(b, heap_take(b), true);
	}
	if (b->stopped || b->waiting == 0) {
		return b->alive > 0 ? PF_AGAIN : PF_END;
	}
	if (b->alive >= b->cfg.alive_max) {
		return PF_AGAIN;
	}
	for (size_t k = 0; k < b->lane_n; k++) {
		size_t at = (b->turn + k) % b->lane_n;
		const struct account *a = &b->accounts[b->lanes[at]->first];
		const char *why = given_up(b, a);

		if (why) {
			*out = (struct pf_batch_turn){
				.account = lane_take(b, at), .tries = a->tries, .give_up = why};
			return PF_OK;
		}
		if (both_have_room(b, a, now_ms, wake_ms)) {
			begin(b, lane_take(b, at), now_ms, out);
			return PF_OK;
		}
	}
	if (b->heap_n > 0) {
		lower(wake_ms, b->accounts[b->heap[0]].due_ms);
	}
	return PF_AGAIN;
}

/* ---- how it ended ---- */

static int64_t growing(int64_t first_ms, unsigned int times)
{
	int64_t pause = first_ms;

	for (unsigned int i = 1; i < times && pause < PAUSE_MAX_MS; i++) {
		pause *= 2;
	}
	return pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS;
}

static int64_t asked_ms(const struct pf_err *why)
{
	int s = why->retry_after_s < PATIENCE_MAX_S ? why->retry_after_s : PATIENCE_MAX_S;

	return (int64_t)s * 1000;
}

/*
 * Nobody gets in. Failures of accounts that began before the last one was counted tell nothing new,
 * and while others are at work there it is not the server that is down.
 */
static void note_down(
	struct server *s, const struct account *a, const struct pf_err *why, int64_t now_ms)
{
	int64_t pause;

	if (a->begun_ms <= s->down_at_ms || s->open > 0) {
		return;
	}
	s->downs++;
	s->down_at_ms = now_ms;
	pause = growing(SERVER_PAUSE_FIRST_MS, s->downs);
	s->not_before_ms = now_ms + (asked_ms(why) > pause ? asked_ms(why) : pause);
	if (s->downs >= SERVER_DOWNS_MAX) {
		(void)snprintf(s->gone, sizeof(s->gone),
			"not tried, as %u others in a row could not be opened there: %.300s",
			s->downs, why->text);
	}
}

/* A cap on connections: what the others use now is what it bears. */
static void note_cap(struct server *s, int64_t now_ms)
{
	if (s->used < s->limit) {
		s->limit = s->used;
	}
	s->raise_ms = now_ms + RAISE_EVERY_MS;
}

static void note_refused(struct login *l, const struct pf_err *why)
{
	if (++l->refused >= REFUSALS_MAX) {
		(void)snprintf(l->gone, sizeof(l->gone),
			"not tried, as this administrator was refused for %u accounts in a row: "
			"%.300s",
			l->refused, why->text);
	}
}

void pf_batch_opened(struct pf_batch *b, size_t account, size_t side)
{
	struct account *a = &b->accounts[account];
	struct server *s = server_of(b, a->server[side]);

	if (a->opened[side]) {
		return;
	}
	a->opened[side] = true;
	if (s) {
		s->opening--;
		s->open++;
		s->downs = 0;
		s->not_before_ms = 0;
	}
	if (a->login[side] != PF_BATCH_NONE) {
		b->logins[a->login[side]].refused = 0;
	}
}

static void learn(struct pf_batch *b, const struct account *a, const struct pf_batch_end *end)
{
	for (size_t side = 0; side < 2; side++) {
		struct server *s = server_of(b, a->server[side]);

		if (!end->opened[side]) {
			continue;
		}
		pf_batch_opened(b, (size_t)(a - b->accounts), side);
		if (s) {
			s->per_account = end->connections[side] > 0 && end->connections[side] <
									       a->connections[side]
						 ? end->connections[side]
						 : s->per_account;
		}
	}
}

/* Whether it may come again, by what kept it from the server. */
static bool not_opened(
	struct pf_batch *b, struct account *a, const struct pf_batch_end *end, int64_t now_ms)
{
	size_t side = end->at_target ? 1 : 0;
	struct server *s = server_of(b, a->server[side]);

	if (end->why->retry == PF_RETRY_NO) {
		if (a->login[side] != PF_BATCH_NONE) {
			note_refused(&b->logins[a->login[side]], end->why);
		}
		return false;
	}
	if (s && end->why->number == PF_EV_CONNECTION_CAP && s->used > 0) {
		note_cap(s, now_ms);
		a->futile -= a->futile > 0; /* the others are in the way, it is not to blame */
		return ++a->caps <= CAPS_MAX;
	}
	if (s) {
		note_down(s, a, end->why, now_ms);
	}
	return true;
}

static bool waits_for_tomorrow(const struct pf_batch_end *end)
{
	return !end->complete && end->why->number == PF_EV_DAY_USED;
}

static bool may_come_again(
	struct pf_batch *b, struct account *a, const struct pf_batch_end *end, int64_t now_ms)
{
	if (waits_for_tomorrow(end)) {
		return !b->cfg.no_wait && !b->stopped;
	}
	a->futile = end->progressed ? 0 : a->futile + 1;
	if (end->complete || end->why->scope == PF_SCOPE_RUN) {
		return false;
	}
	if (end->why->number == PF_EV_TARGET_FULL) {
		return false; /* somebody has to make room first */
	}
	if (!end->opened[end->at_target ? 1 : 0]) {
		return not_opened(b, a, end, now_ms) && a->futile < b->cfg.tries && !b->stopped;
	}
	return a->futile < b->cfg.tries && !b->stopped;
}

bool pf_batch_ended(struct pf_batch *b, size_t account, const struct pf_batch_end *end,
	int64_t now_ms, int64_t *pause_ms)
{
	struct account *a = &b->accounts[account];
	int64_t pause;

	learn(b, a, end);
	for (size_t side = 0; side < 2; side++) {
		struct server *s = server_of(b, a->server[side]);

		if (s) {
			s->used -= a->connections[side];
			s->opening -= !a->opened[side];
			s->open -= a->opened[side];
		}
	}
	b->alive--;
	if (!may_come_again(b, a, end, now_ms)) {
		return true;
	}
	pause = growing(PAUSE_FIRST_MS, a->futile + a->caps);
	pause += (int64_t)((account * 7919 + a->tries * (size_t)104729) %
			   (size_t)(pause / 4)); /* jitter */
	*pause_ms = asked_ms(end->why) > pause ? asked_ms(end->why) : pause;
	if (waits_for_tomorrow(end)) { /* our own wish, so it is no mistake */
		*pause_ms = (int64_t)end->why->retry_after_s * 1000;
	}
	a->due_ms = now_ms + *pause_ms;
	heap_put(b, account);
	b->waiting++;
	return false;
}

void pf_batch_stop(struct pf_batch *b)
{
	b->stopped = true;
}

size_t pf_batch_waiting(const struct pf_batch *b)
{
	return b->waiting;
}

size_t pf_batch_limit(const struct pf_batch *b, size_t server)
{
	return b->servers[server].limit;
}
