#ifndef PF_CLI_WIRE_PRIVATE_H
#define PF_CLI_WIRE_PRIVATE_H

#include "base/memo.h"
#include "cli/secret.h"
#include "cli/wire.h"
#include "engine/batch.h"
#include "engine/crew.h"
#include "model/url.h"
#include "net/loop.h"
#include "net/tls.h"
#include "plan/address_map.h"

#include <stdio.h>

enum {
	SERVER_CONNECTIONS = 20, /* to one server, over all accounts, unless the plan says */
	STORE_CONNECTIONS = 2,   /* what a store takes of itself */
	MEMORY_DEFAULT = 128 << 20,
	MEMORY_AN_ACCOUNT = 2 << 20, /* at the least, for one at work */
	ALIVE_MAX = 1000,
	TRIES_DEFAULT = 5,
};

struct file_trace {
	struct pf_trace base;
	FILE *file;
	char side;  /* S, the source, or T */
	size_t row; /* of the plan */
};

/* Certificates to trust: one for each that the plan names. */
struct wire_tls {
	struct wire_tls *next;
	const char *ca_file, *fingerprint, *cert;
	struct pf_tls *tls;
};

struct wire_side {
	struct pf_url url;
	struct pf_cli_secret secret;
	struct pf_store_cfg cfg;
	struct pf_store *store;
	struct file_trace trace;
};

/* An account at work. */
struct wire_account {
	struct pf_wire *wire;
	size_t row, account; /* of the plan, of the batch */
	struct wire_side side[2];
	struct pf_rules rules; /* the settings', with what goes this way */
	struct pf_job_cfg job_cfg;
	struct pf_job *job;
	bool stirred, opened[2];
};

struct pf_wire {
	const struct pf_settings *set;
	const struct pf_plan *plan;
	enum pf_job_mode mode;
	struct pf_loop *loop;
	struct wire_tls *tls;
	struct pf_memo *memo;
	struct pf_address_map *addresses; /* NULL: nothing is known of a directory */
	/* Of one account, for each of its rows: what a person entered before all else; of rows with
	 * the same store, for the first. */
	struct pf_cli_secret (*asked)[2];
	FILE *trace_file;
	char *ledger_path, *quarantine, *jsonl;
	struct pf_ledger *ledger;
	struct pf_evlog *log;
	struct pf_wire_row *rows;  /* those of the plan */
	size_t *row_of;            /* of an account of the batch: its row */
	size_t (*batch_server)[2]; /* of a row: its servers in the batch */
	size_t *server_accounts;   /* of a server in the batch: how many accounts it has */
	size_t *server_limit;
	struct pf_batch *batch;
	struct pf_crew *crew;
	struct wire_account **alive;
	size_t alive_n, alive_max;
	size_t memory;
	struct pf_outcome sums;
	bool stopping;
};

/* ---- wire.c ---- */
/* Where the bytes of a side of a row are written, told from those of the others. */
void wire_trace(struct pf_wire *w, size_t row, size_t side, struct file_trace *out);

/* What a side of a row trusts, and the certificate of ours that it is shown; shared by all who have
 * the same. */
int wire_tls(struct pf_wire *w, const struct pf_plan_server *server, size_t side,
	struct pf_tls **out, struct pf_err *err);

/* What a person entered for a side of a row; NULL: nobody was asked. */
struct pf_cli_secret *wire_asked(const struct pf_wire *w, size_t row, size_t side);

/* ---- wire_account.c ---- */
/* The kinds that go from one store of a row to the other; 0: all. A row of which `--kinds` leaves
 * nothing is not begun. */
uint32_t wire_kinds(const struct pf_wire *w, size_t row);
/* Where the secret of a side of a row comes from; nothing is read yet. */
int wire_secret(const struct pf_wire *w, size_t row, size_t side, struct pf_cli_secret *out,
	struct pf_err *err);
int wire_account_new(struct pf_wire *w, size_t row, const size_t connections[2],
	struct wire_account **out, struct pf_err *err);
void wire_account_free(struct wire_account **a);
/* Connections that an account may open on that side by settings and plan. *given: 0 lets the store
 * choose. */
size_t wire_connections(const struct pf_wire *w, size_t row, size_t side);

/* ---- wire_run.c ---- */
int wire_batch_new(struct pf_wire *w, struct pf_err *err);

/* ---- wire_ledger.c ---- */
int wire_ledger_open(struct pf_wire *w, struct pf_err *err);

#endif
