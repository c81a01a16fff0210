#include "cli/run.h"

#include "cli/screen.h"
#include "cli/settings.h"
#include "cli/wire.h"

#include <stdio.h>

static int run(const struct pf_settings *set, enum pf_job_mode mode, struct pf_err *err)
{
	struct pf_screen screen;
	struct pf_wire *w = NULL;
	struct pf_err why;
	int status = -1;

	pf_screen_init(&screen, set);
	if (pf_wire_new(set, mode, &screen.listener, &w, err) != PF_OK) {
		return -1;
	}
	pf_err_clear(&why);
	if (pf_wire_run(w, &screen.watch, &why) == PF_OK) {
		status = pf_outcome_exit_status(pf_job_outcome(pf_wire_job(w)));
	} else {
		(void)fprintf(stderr, "postferry: %s\n", why.text);
		status = PF_EXIT_INTERRUPTED; /* a full disk, say: the ledger has what was done */
	}
	if (pf_screen_end(&screen, w, mode, status, err) != PF_OK) {
		(void)fprintf(stderr, "postferry: %s\n", err->text);
	}
	pf_wire_free(&w);
	return status;
}

int pf_run_job(const struct pf_args *args, enum pf_job_mode mode, struct pf_err *err)
{
	struct pf_settings set;
	int status = -1;

	if (pf_settings_read(args, &set, err) == PF_OK) {
		status = run(&set, mode, err);
	}
	pf_settings_free(&set);
	return status;
}
