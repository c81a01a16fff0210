#include "base/utf8.h"
#include "ledger/sqlite/sq_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>

const char PF_SQ_REMEDY_DAMAGED[] =
	"check --ledger; if this was the ledger, move it away and run again: what is at the target "
	"already is found there, not copied twice";

/* A path may be longer than an error's text; its end says less than the remedy does. */
enum { PATH_SHOWN = 160, DETAIL_SHOWN = 120 };

int pf_sq_refuse(struct pf_err *err, const char *path, const char *reason, const char *remedy)
{
	char shown[PATH_SHOWN];

	return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, "ledger %s: %s; %s",
		pf_print_safe(shown, sizeof(shown), pf_span_str(path)), reason, remedy);
}

int pf_sq_refuse_sys(struct pf_err *err, const char *path, const char *reason, const char *remedy)
{
	int sys = errno;
	char text[200], why[100];

	(void)snprintf(text, sizeof(text), "%s: %s", reason, strerror_r(sys, why, sizeof(why)));
	(void)pf_sq_refuse(err, path, text, remedy);
	if (err) {
		err->sys = sys;
	}
	return PF_FAIL;
}

int pf_sq_damaged(struct pf_err *err, const char *path, const char *found)
{
	char shown[DETAIL_SHOWN], text[DETAIL_SHOWN + 32];

	(void)snprintf(text, sizeof(text), "is damaged (%s)",
		pf_print_safe(shown, sizeof(shown), pf_span_str(found)));
	return pf_sq_refuse(err, path, text, PF_SQ_REMEDY_DAMAGED);
}

static int fail_full(struct pf_err *err, const char *path, int sys)
{
	struct statvfs fs;
	char why[100], text[200];
	unsigned long long free_kib = 0;

	if (statvfs(path, &fs) == 0) {
		free_kib = (unsigned long long)fs.f_bavail * fs.f_frsize / 1024;
	}
	(void)snprintf(text, sizeof(text), "can't grow: %s (%llu KiB are free there)",
		strerror_r(sys, why, sizeof(why)), free_kib);
	(void)pf_sq_refuse(err, path, text,
		"free space on that disk, then run again: all that was committed is kept and the "
		"run "
		"goes on from there");
	if (err) {
		err->sys = sys;
	}
	return PF_FAIL;
}

static bool is_full(int sys)
{
	return sys == ENOSPC || sys == EDQUOT || sys == EFBIG;
}

static int fail_other(
	struct pf_err *err, const char *path, const char *doing, const char *says, int sys)
{
	char text[DETAIL_SHOWN * 2], shown[DETAIL_SHOWN];

	(void)snprintf(text, sizeof(text), "%s: %s", doing,
		pf_print_safe(shown, sizeof(shown), pf_span_str(says)));
	if (sys == 0) {
		return pf_sq_refuse(
			err, path, text, "run again; if it happens again, look at the disk");
	}
	errno = sys;
	return pf_sq_refuse_sys(
		err, path, text, "look at the disk and the rights of file and directory");
}

int pf_sq_fail(struct pf_err *err, const char *path, sqlite3 *db, int code, const char *doing)
{
	const char *says;
	int sys = errno; /* of a failed commit SQLite keeps none itself */

	if (db) {
		code = sqlite3_extended_errcode(db);
		sys = sqlite3_system_errno(db) ? sqlite3_system_errno(db) : sys;
	}
	says = db ? sqlite3_errmsg(db) : sqlite3_errstr(code);
	switch (code & 0xff) {
	case SQLITE_NOMEM:
		return pf_fail_memory(err, doing);
	case SQLITE_FULL:
		return fail_full(err, path, ENOSPC);
	case SQLITE_NOTADB:
		return pf_sq_refuse(err, path,
			"is no ledger (not an SQLite database, or its head is damaged)",
			PF_SQ_REMEDY_DAMAGED);
	case SQLITE_CORRUPT:
	case SQLITE_ERROR: /* our statements are right, so a table or column is missing */
	case SQLITE_MISMATCH:
	case SQLITE_CONSTRAINT:
		return pf_sq_damaged(err, path, says);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return pf_sq_refuse(err, path, "a program other than postferry has it locked",
			"close that program and run again");
	case SQLITE_READONLY:
		return pf_sq_refuse(err, path, "can't be written: it is read-only here",
			"make file and directory writable, or name another one with --ledger");
	case SQLITE_IOERR:
		if (is_full(sys)) {
			return fail_full(err, path, sys);
		}
		break;
	case SQLITE_CANTOPEN:
		break;
	default:
		sys = 0; /* no call into the system failed */
		break;
	}
	return fail_other(err, path, doing, says, sys);
}
