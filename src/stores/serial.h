/*
 * Stores that do their operations in the order they came, each at once: files. They wait for
 * nothing but the disk, and an item that is fed for its feeder. Here are their queue and their
 * events; such a store gives three functions, and two more where it holds PUTs.
 *
 * PUTs may be held, so that one wait for the disk serves many: the end of none is told before all
 * that are held are on disk. That comes when there are PF_SERIAL_HELD or PF_SERIAL_HELD_BYTES, with
 * the FLUSH of those that have more to follow, before any other operation, and when one fails or is
 * to be alone.
 */
#ifndef PF_STORES_SERIAL_H
#define PF_STORES_SERIAL_H

#include "stores/op.h"

enum { PF_SERIAL_HELD = 64, PF_SERIAL_HELD_BYTES = 4 << 20 };

struct pf_serial;
struct pf_serial_op;

struct pf_serial_does {
	/* The account is there, or is made where it is a target. PF_FAIL: the store is lost. */
	int (*begin)(struct pf_serial *s, struct pf_err *err);
	/*
	 * The next event of the operation at the front; pf_serial_end gives its last one. PF_AGAIN:
	 * it waits to be fed. PF_FAIL: the operation ends with `err`. PF_END (with `settle` only):
	 * a PUT is to be held; a PUT never has its end from here then.
	 */
	int (*step)(struct pf_serial *s, const struct pf_op *op, struct pf_store_event *out,
		struct pf_err *err);
	/* Bytes of a PUT that pf_serial_fed waits for. NULL: items come whole. */
	int (*take)(struct pf_serial *s, struct pf_span part, struct pf_err *err);
	/*
	 * For pf_serial_give: the next octets of the item that is given out, the store's until the
	 * next call; none: its end. NULL: the store gives its items out itself.
	 */
	int (*read)(struct pf_serial *s, struct pf_span *part, struct pf_err *err);
	/* The operation at the front is over, or held: what was kept for it goes. */
	void (*reset)(struct pf_serial *s);
	/* All that is held is to be on disk now. NULL: nothing is ever held. */
	void (*settle)(struct pf_serial *s);
	/* Then, of each in its order: pf_serial_end, and what became of the i-th. */
	void (*settled)(
		struct pf_serial *s, size_t i, const struct pf_op *op, struct pf_store_event *out);
};

/* Such a store embeds this first. */
struct pf_serial {
	struct pf_store base;
	const struct pf_store_cfg *cfg;
	const struct pf_serial_does *does;
	struct pf_store_facts facts;
	struct pf_serial_op *first, *last; /* those that are held come first */
	struct pf_serial_op *at;           /* the first that is not; NULL: there is none */
	struct pf_serial_op *told;         /* the last event borrows from it */
	size_t n;
	size_t held, settled, told_n; /* settled: held no longer, and told_n of them were told */
	uint64_t held_bytes;
	bool over; /* what is held waits for no more */
	bool ready_told, closed;
	bool begun; /* the operation that is `at`; the store's to set */
	/* GET */
	uint64_t given;
	bool body_given;
	/* PUT without body */
	bool feeding, hungry_told, abandoned;
	uint64_t fed;
};

void pf_serial_init(struct pf_serial *s, const struct pf_store_ops *ops,
	const struct pf_store_cfg *cfg, const struct pf_serial_does *does);
/* Drops what is queued; `reset` is called. */
void pf_serial_deinit(struct pf_serial *s);

/* The operation at the front is over; `why` NULL: it is done. Fills `out`. */
void pf_serial_end(struct pf_serial *s, struct pf_store_event *out, const struct pf_err *why);
/* ... and failed, or came about all the same. */
void pf_serial_end_in_doubt(
	struct pf_serial *s, struct pf_store_event *out, const struct pf_err *why);
/*
 * For `step`, of a PUT without body: PF_END, all of it was taken. PF_OK: `out` says HUNGRY.
 * PF_AGAIN: bytes are on the way. PF_FAIL: they will never come.
 */
int pf_serial_fed(struct pf_serial *s, const struct pf_op *op, struct pf_store_event *out,
	struct pf_err *err);

/*
 * For `step`, of a GET whose item was found: the next event of giving out its `total` octets, at
 * once or as chunks. PF_FAIL (scope ITEM, to be tried again): they are not as many.
 */
int pf_serial_give(struct pf_serial *s, const struct pf_op *op, uint64_t total,
	struct pf_store_event *out, struct pf_err *err);
/* ... whose item is not there: the GET is over. */
void pf_serial_missing(struct pf_serial *s, struct pf_store_event *out);

/* For the table of operations. */
int pf_serial_submit(struct pf_store *base, const struct pf_op *op, struct pf_err *err);
int pf_serial_feed(struct pf_store *base, uint64_t id, struct pf_span part, struct pf_err *err);
int pf_serial_next(
	struct pf_store *base, struct pf_store_event *out, int64_t *wake_ms, struct pf_err *err);
const struct pf_store_facts *pf_serial_facts(const struct pf_store *base);

#endif
