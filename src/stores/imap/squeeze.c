/*
 * COMPRESS=DEFLATE (RFC 4978), where the link is slow.
 *
 * A server compresses 30 to 40 MB of mail a second; mail with attachments becomes a third smaller
 * by it, text three quarters (bench/RESULTS.md). On a link that moves 100 MB a second that would be
 * the slowest part by far. At 2 MB a second it costs a server less than a tenth of its time even
 * where it was the server that was slow and not the link, and saves a third and more where it was
 * the link. So a connection begins without, and the time is taken that it waits for each MiB.
 */
#include "stores/imap/imap_private.h"

enum {
	BLOCK_BYTES = 1 << 20,
	BLOCK_SLOW_MS = 500, /* waited for one block: then the link moves less than 2 MiB/s */
};

bool pace_is_slow(struct ipace *p, size_t moved, int64_t now_ms)
{
	bool slow = false;

	if (moved == 0) {
		p->since_ms = p->waits ? p->since_ms : now_ms;
		p->waits = true;
		return false;
	}
	if (p->block == 0) {
		p->waited_ms = 0; /* nothing was asked for before */
	} else if (p->waits) {
		p->waited_ms += now_ms - p->since_ms;
	}
	p->waits = false;
	p->block += moved;
	if (p->block >= BLOCK_BYTES) {
		slow = p->waited_ms > BLOCK_SLOW_MS;
		p->block = 1; /* it goes on */
		p->waited_ms = 0;
	}
	return slow;
}

void squeeze_judge(struct iconn *c, size_t moved)
{
	if (pace_is_slow(&c->pace, moved, pf_loop_now_ms(c->store->loop))) {
		c->store->slow_link = true;
	}
}

static bool is_asked(const struct iconn *c)
{
	return c->cmds && c->cmds->kind == ICMD_COMPRESS;
}

bool squeeze_comes(const struct iconn *c)
{
	const struct istore *s = c->store;

	return is_asked(c) || (s->slow_link && !c->squeeze_asked && !s->closing &&
				      (s->caps & PF_IMAP_CAP_COMPRESS) && !s->cfg->rate_bytes_s);
}

int squeeze_issue(struct iconn *c, struct pf_err *err)
{
	struct icmd *i = icmd_new(c, ICMD_COMPRESS, NULL, err);
	struct pf_imap_cmd *cmd;

	if (!i || conn_begin(c, PF_IMAP_CMD_COMPRESS, i, &cmd, err) != PF_OK) {
		return PF_FAIL;
	}
	c->squeeze_asked = true;
	pf_imap_cmd_text(cmd, " DEFLATE");
	return pf_imap_cmd_send(cmd, false, err);
}

int squeeze_done(struct iconn *c, const struct pf_imap_session_event *ev, struct pf_err *err)
{
	if (ev->resp->cond != PF_IMAP_OK) {
		feature_refused(c->store, ev->cmd, ev->resp);
		return PF_OK;
	}
	if (pf_conn_start_deflate(c->net, pf_imap_session_rest(c->session), err) != PF_OK) {
		return PF_FAIL;
	}
	pf_imap_session_forget_input(c->session);
	return PF_OK;
}

bool squeeze_failed(const struct iconn *c)
{
	return c->net && pf_conn_is_deflated(c->net) && !c->squeeze_works;
}
