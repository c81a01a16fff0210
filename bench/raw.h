/*
 * What the limit programs share: IMAP over a plain blocking socket, with no more care than the
 * figures need. A server that does not answer as Dovecot and Cyrus do ends the program with a
 * message.
 */
#ifndef PF_BENCH_RAW_H
#define PF_BENCH_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RAW_BUFFER (256u * 1024u)

struct raw {
	int fd;
	size_t at, n;      /* buf[at..n) is read and not taken */
	uint64_t received; /* octets in all */
	char buf[RAW_BUFFER];
};

struct raw_line {
	const char *p; /* without CRLF, valid until the next call */
	size_t n;
	bool literal; /* a literal of `size` octets follows: skip it, then take the next line */
	uint64_t size;
};

struct raw_account {
	const char *host, *port, *user, *password;
};

/* "HOST:PORT" and a user name, as on the command line; the password is the environment's
 * IMAP_PASSWORD. */
struct raw_account raw_account(char *address, const char *user);

/* Connect, take the greeting and sign in. */
struct raw *raw_open(const struct raw_account *account);
void raw_close(struct raw *r);

void raw_send(struct raw *r, const void *bytes, size_t n);

/* Read once into the buffer, waiting if need be; false: nothing there (of a non-blocking socket).
 */
bool raw_fill(struct raw *r);

/* The next line, waiting for it. */
struct raw_line raw_line(struct raw *r);

/* The same, of what is in the buffer; false: there is no whole line. */
bool raw_take_line(struct raw *r, struct raw_line *out);

/* Throw `n` octets away. */
void raw_skip(struct raw *r, uint64_t n);

bool raw_starts(const struct raw_line *line, const char *with);

/* Print, with errno's text when `sys` is not 0, and end the program. */
_Noreturn void raw_die(int sys, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Seconds of the monotonic clock. */
double raw_now(void);

/* One JSON line: what was moved, since when, and the CPU seconds of this process. */
void raw_report(const char *program, uint64_t messages, uint64_t octets, double began);

#endif
