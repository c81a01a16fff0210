/*
 * The limit of reading: all messages of an account by pipelined UID FETCH over a few connections,
 * thrown away.
 *
 * The first connection lists the folders while the others sign in. Then each connection takes
 * folders, the largest first, and always asks for the next one before it reads the one that it is
 * at, so that the server never waits.
 */
#include "raw.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

struct folder {
	char *name; /* as the server wrote it: an atom or a quoted string */
	uint64_t messages;
};

struct drain {
	struct raw_account account;
	pthread_mutex_t lock;
	pthread_cond_t listed;
	struct folder *folders;
	size_t count, next;
	bool ready;
	uint64_t messages, octets, received;
};

static void add_folder(struct drain *d, const char *name, size_t n, uint64_t messages)
{
	struct folder *more = reallocarray(d->folders, d->count + 1, sizeof(*more));

	if (!more) {
		raw_die(ENOMEM, "folders");
	}
	d->folders = more;
	d->folders[d->count++] = (struct folder){.name = strndup(name, n), .messages = messages};
}

/* "* STATUS NAME (MESSAGES 12)": what holds mail, whatever LIST says of it. */
static void take_status(struct drain *d, const struct raw_line *line)
{
	static const char mark[] = " (MESSAGES ";
	const char *name = line->p + strlen("* STATUS ");
	const char *end = memmem(name, line->n - strlen("* STATUS "), mark, strlen(mark));
	uint64_t messages = end ? strtoull(end + strlen(mark), NULL, 10) : 0;

	if (line->literal) {
		raw_die(0, "a folder's name is a literal: %.*s", (int)line->n, line->p);
	}
	if (messages > 0) {
		add_folder(d, name, (size_t)(end - name), messages);
	}
}

static int larger_first(const void *a, const void *b)
{
	const struct folder *x = a, *y = b;

	return x->messages < y->messages ? 1 : x->messages > y->messages ? -1 : 0;
}

static void list(struct drain *d, struct raw *r)
{
	static const char command[] = "A LIST \"\" \"*\" RETURN (STATUS (MESSAGES))\r\n";
	struct raw_line line;

	raw_send(r, command, strlen(command));
	do {
		line = raw_line(r);
		if (raw_starts(&line, "* STATUS ")) {
			take_status(d, &line);
		}
	} while (!raw_starts(&line, "A "));
	if (!raw_starts(&line, "A OK")) {
		raw_die(0, "LIST-STATUS is needed: %.*s", (int)line.n, line.p);
	}
	if (d->folders) {
		qsort(d->folders, d->count, sizeof(*d->folders), larger_first);
	}
	(void)pthread_mutex_lock(&d->lock);
	d->ready = true;
	(void)pthread_cond_broadcast(&d->listed);
	(void)pthread_mutex_unlock(&d->lock);
}

/* Ask for the next folder that nobody has; false: there is none. */
static bool ask(struct drain *d, struct raw *r)
{
	const struct folder *f = NULL;
	char text[2048];
	int n;

	(void)pthread_mutex_lock(&d->lock);
	while (!d->ready) {
		(void)pthread_cond_wait(&d->listed, &d->lock);
	}
	if (d->next < d->count) {
		f = &d->folders[d->next++];
	}
	(void)pthread_mutex_unlock(&d->lock);
	if (!f) {
		return false;
	}
	n = snprintf(text, sizeof(text),
		"E EXAMINE %s\r\nF UID FETCH 1:* (UID FLAGS INTERNALDATE BODY.PEEK[])\r\n",
		f->name);
	if (n < 0 || (size_t)n >= sizeof(text)) {
		raw_die(0, "a folder's name is too long: %s", f->name);
	}
	raw_send(r, text, (size_t)n);
	return true;
}

/* Read until the FETCH that was asked for first is done. */
static void read_folder(struct raw *r, uint64_t *messages, uint64_t *octets)
{
	struct raw_line line;

	for (;;) {
		line = raw_line(r);
		if (line.literal) {
			++*messages;
			*octets += line.size;
			raw_skip(r, line.size);
		} else if (raw_starts(&line, "F OK")) {
			return;
		} else if (raw_starts(&line, "F ") || raw_starts(&line, "E NO") ||
			   raw_starts(&line, "E BAD")) {
			raw_die(0, "FETCH: %.*s", (int)line.n, line.p);
		}
	}
}

static void finish(struct drain *d, struct raw *r, uint64_t messages, uint64_t octets)
{
	(void)pthread_mutex_lock(&d->lock);
	d->messages += messages;
	d->octets += octets;
	d->received += r->received;
	(void)pthread_mutex_unlock(&d->lock);
	raw_close(r);
}

static void read_folders(struct drain *d, struct raw *r)
{
	uint64_t messages = 0, octets = 0;
	size_t asked = 0;

	while (asked < 2 && ask(d, r)) {
		asked++;
	}
	while (asked > 0) {
		read_folder(r, &messages, &octets);
		asked -= ask(d, r) ? 0 : 1;
	}
	finish(d, r, messages, octets);
}

static void *other(void *arg)
{
	struct drain *d = arg;

	read_folders(d, raw_open(&d->account));
	return NULL;
}

int main(int argc, char **argv)
{
	struct drain d = {.lock = PTHREAD_MUTEX_INITIALIZER, .listed = PTHREAD_COND_INITIALIZER};
	pthread_t threads[64];
	long connections = argc == 4 ? strtol(argv[1], NULL, 10) : 0;
	double began = raw_now();
	struct raw *first;

	if (connections < 1 || connections > 64) {
		raw_die(0, "usage: drain CONNECTIONS HOST:PORT USER");
	}
	d.account = raw_account(argv[2], argv[3]);
	for (long i = 1; i < connections; i++) {
		if (pthread_create(&threads[i], NULL, other, &d) != 0) {
			raw_die(EAGAIN, "thread");
		}
	}
	first = raw_open(&d.account);
	list(&d, first);
	read_folders(&d, first);
	for (long i = 1; i < connections; i++) {
		(void)pthread_join(threads[i], NULL);
	}
	raw_report("drain", d.messages, d.octets, began);
	for (size_t i = 0; i < d.count; i++) {
		free(d.folders[i].name);
	}
	free(d.folders);
	return 0;
}
