/*
 * Two accounts in memory, a ledger, and whole passes between them: without
 * loop, sockets or clock.
 *
 * Every message has a number, by which it is found again whatever a target does
 * to its header.
 */
#ifndef PF_TESTS_ENGINE_WORLD_H
#define PF_TESTS_ENGINE_WORLD_H

#include "engine/engine.h"
#include "stores/mem/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { FOLDERS = 3, NUMBERS = 400 };

/* Looks at the operations of one side, lets them take turns by chance, and has things happen to
 * them. */
struct whims {
	struct pf_mem_whims base;
	struct world *world;
	bool source;
	unsigned int trouble; /* of a thousand operations */
	size_t writes;        /* operations that change something */
	/* What happens once to an operation of this kind, when so many have passed before it. */
	struct {
		enum pf_mem_fault fault; /* FINE: nothing */
		enum pf_op_kind kind;
		unsigned int after;
	} once;
};

struct world {
	uint64_t seed;
	char dir[64];
	struct pf_mem *account[2];
	struct whims whims[2];
	struct pf_url url;
	int64_t clock_ms;
	unsigned int numbers; /* messages made so far */
	bool prompt;          /* no step may end with nothing to wait for */
	bool marked[NUMBERS]; /* by the user at the target: its flags are their own */
	/* Which target copies were of items that left the source: a lost ledger, and ids that
	 * changed, took that with them. */
	bool forgot;
	/* How often each message ever came to a folder by its users, on either side. */
	unsigned int arrived[FOLDERS][NUMBERS];
	struct pf_outcome outcome;
	size_t passes;
};

uint64_t chance(struct world *w, uint64_t n);
void world_begin(struct world *w, uint64_t seed);
void world_end(struct world *w);
/* Folder `i` of an account: INBOX and two others. */
struct pf_mem_folder *folder_of(struct world *w, int side, size_t i);
/* A message of this number, or a new one, with flags and a date of its own. */
void add(struct world *w, int side, size_t folder, unsigned int number);
unsigned int number_of(const struct pf_mem_item *item);
/* How often each number is in a folder. */
void count(struct world *w, int side, size_t folder, unsigned int out[NUMBERS]);
void lose_ledger(struct world *w);
/* One pass; false: the store or the job was lost on the way, as trouble may
 * have it. */
bool pass(struct world *w, enum pf_job_mode mode);
/* Rows of the ledger by verdict, whether every item of the source has its one row, and whether what
 * was copied has its flags. */
void check_accounts(struct world *w);
/* The ledger's rows, for who has to find out what went wrong. */
void tell(struct world *w);

#endif
