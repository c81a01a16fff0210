#include "base/err.h"

#include "base/utf8.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void pf_assert_failed(const char *cond, const char *file, int line)
{
	(void)fprintf(stderr, "postferry: internal error at %s:%d: %s\n", file, line, cond);
	abort();
}

void pf_err_clear(struct pf_err *err)
{
	if (err) {
		memset(err, 0, sizeof(*err));
	}
}

static void set_text(struct pf_err *err, const char *text)
{
	struct pf_span cut = pf_utf8_prefix(pf_span_str(text), sizeof(err->text) - 1);

	memcpy(err->text, cut.p, cut.n);
	err->text[cut.n] = '\0';
}

static void fill(
	struct pf_err *err, enum pf_scope scope, enum pf_retry retry, const char *file, int line)
{
	pf_err_clear(err);
	err->scope = scope;
	err->retry = retry;
	err->file = file;
	err->line = line;
}

void pf_fail_at(struct pf_err *err, enum pf_scope scope, enum pf_retry retry, const char *file,
	int line, const char *fmt, ...)
{
	char text[sizeof(err->text) * 2];
	va_list ap;

	if (!err) {
		return;
	}
	va_start(ap, fmt); /* before the fill: an argument may be this very error's text */
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fill(err, scope, retry, file, line);
	set_text(err, text);
}

void pf_fail_sys_at(struct pf_err *err, enum pf_scope scope, enum pf_retry retry, const char *file,
	int line, const char *fmt, ...)
{
	int sys = errno;
	char text[sizeof(err->text)];
	char why[128];
	va_list ap;

	if (!err) {
		return;
	}
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	pf_fail_at(
		err, scope, retry, file, line, "%s: %s", text, strerror_r(sys, why, sizeof(why)));
	err->sys = sys;
}

void pf_fail_memory_at(struct pf_err *err, const char *what, const char *file, int line)
{
	pf_fail_at(err, PF_SCOPE_RUN, PF_RETRY_NO, file, line, "no memory for %s", what);
	if (err) {
		err->sys = ENOMEM;
	}
}

int pf_wrap(struct pf_err *err, const char *fmt, ...)
{
	char text[sizeof(err->text) * 2];
	va_list ap;
	int n;

	if (!err) {
		return PF_FAIL;
	}
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(err->text), fmt, ap);
	va_end(ap);
	if (n < 0) {
		return PF_FAIL;
	}
	if ((size_t)n >= sizeof(err->text)) {
		n = (int)sizeof(err->text) - 1;
	}
	(void)snprintf(text + n, sizeof(text) - (size_t)n, ": %s", err->text);
	set_text(err, text);
	return PF_FAIL;
}
