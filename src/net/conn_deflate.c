/*
 * DEFLATE on a connection, above TLS where there is TLS: raw streams in both directions, without
 * header or checksum (RFC 4978 section 3, RFC 1951).
 *
 * What is written goes through zlib into `packed`, and from there to the socket; zlib keeps bytes
 * back until pf_conn_flush asks for them. What is read lies in `raw` until zlib has taken it.
 */
#include "net/conn_private.h"

#include <stdlib.h>
#include <zlib.h>

enum {
	RAW_SIZE = 64 << 10,
	OUT_MOST = 256 << 10,
	PACKED_SIZE = 32 << 10,
	RAW_WINDOW = -15,
	MEMORY_LEVEL = 8
};

struct deflate {
	z_stream in, out;
	bool in_ready, out_ready;
	uint8_t *raw;
	size_t raw_at, raw_n;
	bool more;  /* the last output was full: there may be more without input */
	bool ended; /* the peer ended its stream */
	uint8_t packed[PACKED_SIZE];
	size_t packed_at, packed_n;
	bool owed; /* zlib has bytes that were written and not flushed */
};

void conn_deflate_free(struct pf_conn *c)
{
	struct deflate *d = c->deflate;

	if (!d) {
		return;
	}
	if (d->in_ready) {
		(void)inflateEnd(&d->in); /* what is in it is given up */
	}
	if (d->out_ready) {
		(void)deflateEnd(&d->out);
	}
	free(d->raw);
	free(d);
	c->deflate = NULL;
}

int pf_conn_start_deflate(struct pf_conn *c, struct pf_span early, struct pf_err *err)
{
	size_t size = early.n > RAW_SIZE ? early.n : RAW_SIZE;
	struct deflate *d = calloc(1, sizeof(*d));

	pf_assert(!c->deflate);
	c->deflate = d;
	if (d) {
		d->raw = malloc(size);
		d->in_ready = inflateInit2(&d->in, RAW_WINDOW) == Z_OK;
		d->out_ready = deflateInit2(&d->out, Z_DEFAULT_COMPRESSION, Z_DEFLATED, RAW_WINDOW,
				       MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK;
	}
	if (!d || !d->raw || !d->in_ready || !d->out_ready) {
		return pf_fail_memory(err, "compression");
	}
	if (early.n > 0) {
		memcpy(d->raw, early.p, early.n);
	}
	d->raw_n = early.n;
	return PF_OK;
}

static int broken(const struct pf_conn *c, struct pf_err *err)
{
	return pf_fail(err, PF_SCOPE_SESSION, PF_RETRY_LATER,
		"connection to %s port %d lost: what came is not DEFLATE", c->host, c->port);
}

/* Take what there is to `p`; *got may stay 0. */
static int inflate_some(struct pf_conn *c, uint8_t *p, size_t n, size_t *got, struct pf_err *err)
{
	struct deflate *d = c->deflate;
	int rc;

	n = n > OUT_MOST ? OUT_MOST : n;
	d->in.next_in = d->raw + d->raw_at;
	d->in.avail_in = (uInt)(d->raw_n - d->raw_at);
	d->in.next_out = p;
	d->in.avail_out = (uInt)n;
	rc = inflate(&d->in, Z_SYNC_FLUSH);
	d->raw_at = d->raw_n - d->in.avail_in;
	d->more = d->in.avail_out == 0;
	d->ended = rc == Z_STREAM_END;
	*got = n - d->in.avail_out;
	return rc == Z_OK || rc == Z_STREAM_END || (rc == Z_BUF_ERROR && d->in.avail_in == 0)
		       ? PF_OK
		       : broken(c, err);
}

int conn_deflate_read(struct pf_conn *c, uint8_t *p, size_t n, size_t *got, struct pf_err *err)
{
	struct deflate *d = c->deflate;

	*got = 0;
	while (*got == 0) {
		if (d->ended) {
			return PF_END;
		}
		if (d->raw_at == d->raw_n && !d->more) {
			int rc = conn_plain_read(c, d->raw, RAW_SIZE, &d->raw_n, err);

			d->raw_at = 0;
			if (rc != PF_OK) {
				d->raw_n = 0;
				return rc;
			}
		}
		if (inflate_some(c, p, n, got, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

/* PF_OK: nothing is left in `packed`. */
static int drain(struct pf_conn *c, struct pf_err *err)
{
	struct deflate *d = c->deflate;

	while (d->packed_at < d->packed_n) {
		struct pf_span rest = pf_span(d->packed + d->packed_at, d->packed_n - d->packed_at);
		size_t sent = 0;
		int rc = conn_plain_write(c, &rest, 1, &sent, err);

		if (rc != PF_OK) {
			return rc;
		}
		d->packed_at += sent;
	}
	d->packed_at = 0;
	d->packed_n = 0;
	return PF_OK;
}

/* Through zlib into what is free of `packed`; how many bytes were taken. */
static size_t pack(struct deflate *d, struct pf_span bytes, int flush)
{
	size_t n = bytes.n > INT32_MAX ? INT32_MAX : bytes.n;

	d->out.next_in = (uint8_t *)(uintptr_t)bytes.p; /* zlib only reads it */
	d->out.avail_in = (uInt)n;
	d->out.next_out = d->packed + d->packed_n;
	d->out.avail_out = (uInt)(PACKED_SIZE - d->packed_n);
	(void)deflate(&d->out, flush); /* Z_BUF_ERROR says that there was nothing to do */
	d->packed_n = PACKED_SIZE - d->out.avail_out;
	return n - d->out.avail_in;
}

int conn_deflate_write(struct pf_conn *c, const struct pf_span *spans, size_t count, size_t *sent,
	struct pf_err *err)
{
	struct deflate *d = c->deflate;
	int rc = drain(c, err);

	*sent = 0;
	for (size_t i = 0; i < count && rc == PF_OK; i++) {
		size_t took = spans[i].n > 0 ? pack(d, spans[i], Z_NO_FLUSH) : 0;

		*sent += took;
		if (took < spans[i].n) {
			break;
		}
	}
	d->owed = d->owed || *sent > 0;
	return rc;
}

int pf_conn_flush(struct pf_conn *c, struct pf_err *err)
{
	struct deflate *d = c->deflate;
	int rc;

	if (!d) {
		return PF_OK;
	}
	while ((rc = drain(c, err)) == PF_OK && d->owed) {
		(void)pack(d, pf_span(NULL, 0), Z_SYNC_FLUSH);
		d->owed = d->packed_n == PACKED_SIZE; /* it was cut off: the rest follows */
	}
	return rc;
}

bool pf_conn_is_deflated(const struct pf_conn *c)
{
	return c->deflate != NULL;
}
