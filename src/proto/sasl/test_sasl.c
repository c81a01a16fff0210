/* Sign-in: the strongest mechanism is chosen, known exchanges come out right, and a server that
 * can't prove itself is not believed. */
#include "proto/sasl/sasl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <gsasl.h>

static struct pf_secret password(const char *text)
{
	struct pf_secret s = {0};

	assert_true(pf_secret_set(&s, pf_span_str(text)));
	return s;
}

static const char *choose(const char *offered, const char *tried, const struct pf_sasl_cfg *cfg)
{
	return pf_sasl_choose(pf_span_str(offered), pf_span_str(tried), cfg);
}

static void the_strongest_is_chosen(void **state)
{
	struct pf_secret s = password("x");
	struct pf_sasl_cfg cfg = {.user = "u", .secret = &s, .encrypted = true};

	(void)state;
	assert_string_equal(choose("PLAIN LOGIN CRAM-MD5", "", &cfg), "CRAM-MD5");
	assert_string_equal(choose("PLAIN SCRAM-SHA-1 scram-sha-256", "", &cfg), "SCRAM-SHA-256");
	assert_string_equal(choose("PLAIN CRAM-MD5", "CRAM-MD5", &cfg), "PLAIN");
	assert_string_equal(choose("LOGIN XOAUTH2 GSSAPI", "", &cfg), "LOGIN");
	assert_null(choose("XOAUTH2 GSSAPI", "", &cfg));
	cfg.binding_exporter = pf_span("b", 1);
	assert_string_equal(choose("SCRAM-SHA-256 SCRAM-SHA-1-PLUS", "", &cfg), "SCRAM-SHA-256");
	assert_string_equal(
		choose("SCRAM-SHA-256 SCRAM-SHA-256-PLUS", "", &cfg), "SCRAM-SHA-256-PLUS");
	cfg.admin = "root";
	assert_string_equal(choose("PLAIN CRAM-MD5", "", &cfg), "PLAIN");
	cfg.encrypted = false;
	assert_null(choose("PLAIN", "", &cfg));
	cfg.allow_plaintext = true;
	assert_string_equal(choose("PLAIN", "", &cfg), "PLAIN");
	cfg.oauth = true;
	assert_string_equal(choose("PLAIN XOAUTH2", "", &cfg), "XOAUTH2");
	pf_secret_clear(&s);
}

static void expect_step(
	struct pf_sasl *s, const char *challenge, int rc, const char *response, size_t n)
{
	struct pf_buf out;
	struct pf_err err;

	pf_buf_init(&out, 10000);
	assert_int_equal(pf_sasl_step(s, pf_span_str(challenge), &out, &err), rc);
	assert_int_equal(out.n, n);
	assert_memory_equal(out.p, response, n);
	pf_buf_deinit(&out);
}

static void known_exchanges(void **state)
{
	struct pf_secret s = password("tanstaaftanstaaf");
	struct pf_sasl_cfg cfg = {
		.service = "imap", .host = "h", .user = "tim", .secret = &s, .encrypted = true};
	struct pf_sasl *sasl = NULL;
	struct pf_err err;

	(void)state;
	assert_int_equal(pf_sasl_begin("CRAM-MD5", &cfg, &sasl, &err), PF_OK); /* RFC 2195 */
	assert_false(pf_sasl_client_first(sasl));
	expect_step(sasl, "<1896.697170952@postoffice.reston.mci.net>", PF_END,
		"tim b913a602c7eda7a495b4e6e7334d3890", 36);
	pf_sasl_free(&sasl);
	assert_int_equal(pf_sasl_begin("PLAIN", &cfg, &sasl, &err), PF_OK);
	expect_step(sasl, NULL, PF_END, "\0tim\0tanstaaftanstaaf", 21);
	pf_sasl_free(&sasl);
	cfg.admin = "root";
	assert_int_equal(pf_sasl_begin("PLAIN", &cfg, &sasl, &err), PF_OK);
	expect_step(sasl, NULL, PF_END, "tim\0root\0tanstaaftanstaaf", 25);
	pf_sasl_free(&sasl);
	pf_secret_clear(&s);
}

static void tokens(void **state)
{
	struct pf_secret s = password("tok");
	struct pf_sasl_cfg cfg = {.host = "h", .user = "a@x", .secret = &s, .oauth = true};
	struct pf_sasl *sasl = NULL;
	struct pf_err err;

	(void)state;
	assert_int_equal(pf_sasl_begin("XOAUTH2", &cfg, &sasl, &err), PF_OK);
	expect_step(sasl, NULL, PF_END, "user=a@x\001auth=Bearer tok\001\001", 26);
	expect_step(sasl, "{\"status\":\"401\"}", PF_END, "", 0);
	assert_string_equal(pf_sasl_server_error(sasl), "{\"status\":\"401\"}");
	pf_sasl_free(&sasl);
	assert_int_equal(pf_sasl_begin("OAUTHBEARER", &cfg, &sasl, &err), PF_OK);
	expect_step(sasl, NULL, PF_END, "n,a=a@x,\001host=h\001auth=Bearer tok\001\001", 33);
	expect_step(sasl, "{}", PF_END, "\001", 1);
	pf_sasl_free(&sasl);
	pf_secret_clear(&s);
}

static int server_callback(Gsasl *ctx, Gsasl_session *session, Gsasl_property property)
{
	const char *secret = gsasl_callback_hook_get(ctx);

	if (property == GSASL_PASSWORD) {
		return gsasl_property_set(session, property, secret);
	}
	if (property == GSASL_SCRAM_ITER) {
		return gsasl_property_set(session, property, "4096");
	}
	if (property == GSASL_CB_TLS_EXPORTER) {
		return gsasl_property_set(session, property, "YmluZGluZw==");
	}
	return GSASL_NO_CALLBACK;
}

/* A whole exchange with gsasl's server; `break_at`: flip a bit of the server's message number so.
 */
static int exchange(const char *mechanism, const char *theirs, int break_at)
{
	struct pf_secret s = password("pencil");
	struct pf_sasl_cfg cfg = {
		.service = "imap", .host = "h", .user = "user", .secret = &s, .encrypted = true};
	struct pf_sasl *client = NULL;
	Gsasl *ctx = NULL;
	Gsasl_session *server = NULL;
	char *said = NULL;
	size_t said_n = 0;
	struct pf_err err;
	int rc = PF_OK, srv = GSASL_NEEDS_MORE, round = 0;

	cfg.binding_exporter = pf_span("binding", 7); /* as on any TLS link */
	assert_int_equal(gsasl_init(&ctx), GSASL_OK);
	gsasl_callback_hook_set(ctx, (void *)(uintptr_t)theirs);
	gsasl_callback_set(ctx, server_callback);
	assert_int_equal(gsasl_server_start(ctx, mechanism, &server), GSASL_OK);
	assert_int_equal(pf_sasl_begin(mechanism, &cfg, &client, &err), PF_OK);
	while (srv == GSASL_NEEDS_MORE && rc != PF_FAIL) {
		struct pf_buf out;

		pf_buf_init(&out, 10000);
		rc = pf_sasl_step(client, pf_span(said, said_n), &out, &err);
		gsasl_free(said);
		said = NULL;
		if (rc != PF_FAIL) {
			srv = gsasl_step(server, (const char *)out.p, out.n, &said, &said_n);
		}
		if (++round == break_at && said && said_n > 4) {
			said[said_n - 4] ^= 1;
		}
		pf_buf_deinit(&out);
	}
	if (rc != PF_FAIL && srv == GSASL_OK &&
		said_n > 0) { /* the signature, as IMAP's last challenge */
		struct pf_buf out;

		pf_buf_init(&out, 10000);
		rc = pf_sasl_step(client, pf_span(said, said_n), &out, &err);
		pf_buf_deinit(&out);
	}
	rc = rc != PF_FAIL && srv == GSASL_OK && pf_sasl_complete(client) ? PF_OK : PF_FAIL;
	gsasl_free(said);
	gsasl_finish(server);
	gsasl_done(ctx);
	pf_sasl_free(&client);
	pf_secret_clear(&s);
	return rc;
}

static void scram_proves_both_sides(void **state)
{
	(void)state;
	assert_int_equal(exchange("SCRAM-SHA-256", "pencil", 0), PF_OK);
	assert_int_equal(exchange("SCRAM-SHA-1", "pencil", 0), PF_OK);
	assert_int_equal(exchange("SCRAM-SHA-256-PLUS", "pencil", 0), PF_OK);
	assert_int_equal(exchange("SCRAM-SHA-256", "other", 0), PF_FAIL);
	assert_int_equal(exchange("SCRAM-SHA-256", "pencil", 2), PF_FAIL); /* a wrong signature */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_strongest_is_chosen),
		cmocka_unit_test(known_exchanges),
		cmocka_unit_test(tokens),
		cmocka_unit_test(scram_proves_both_sides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
