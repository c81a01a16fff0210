/*
 * What the session of a connection has to tell: to whom it concerns.
 */
#include "stores/imap/imap_private.h"

static int on_data(struct iconn *c, const struct pf_imap_session_event *ev,
	struct pf_store_event *out, bool *given, struct pf_err *err)
{
	struct icmd *i = ev->owner;

	if (ev->resp->kind == PF_IMAP_FETCH && ev->resp->fetch.bodies > 0) {
		return get_data(c, ev->resp, out, given, err);
	}
	if (ev->resp->kind == PF_IMAP_FETCH) { /* it is for a listing, too, if there is one */
		get_described(c, &ev->resp->fetch);
		for (i = c->cmds; i && i->kind != ICMD_LIST; i = i->next) {
		}
	}
	if (!i || i->unselected) {
		return PF_OK;
	}
	switch (i->kind) {
	case ICMD_SETUP:
	case ICMD_FOLDERS:
		return folders_data(c, ev, err);
	case ICMD_SELECT:
		return select_data(i, ev->resp, err);
	case ICMD_LIST:
		return list_data(c, i, ev->resp, out, given, err);
	default:
		return PF_OK;
	}
}

/*
 * A refusal that is not about what was asked: *taken, the command is settled. PF_FAIL: the whole
 * store is refused.
 */
static int refused_as_such(struct iconn *c, struct icmd *i, const struct pf_imap_session_event *ev,
	bool *taken, struct pf_err *err)
{
	struct pf_err why;

	*taken = i->unselected;
	if (i->unselected) {
		why = i->why;
	} else if (ev->resp->cond == PF_IMAP_OK) {
		return PF_OK;
	} else {
		(void)pf_imap_refusal(&why, PF_SCOPE_ITEM, ev->cmd, ev->resp);
		c->errors += ev->resp->cond == PF_IMAP_BAD;
		c->store->bads = c->store->bads || c->errors > 0;
	}
	if (why.scope >= PF_SCOPE_STORE) {
		*taken = false; /* it is lost with the connection, and its command is over */
		i->cmd = NULL;
		*err = why;
		return PF_FAIL;
	}
	if (why.number == PF_EV_THROTTLED && i->kind != ICMD_CLOSE && !c->store->closing) {
		*taken = true;
		if (!i->unselected) { /* else the SELECT has said it */
			c->store->put_off = i->kind;
			patience_begin(c->store, &why);
		}
		if (i->kind == ICMD_SELECT) {
			select_failed(c, i, &why);
		} else if (i->kind == ICMD_FOLDERS) {
			return folders_again(c, i, err);
		} else {
			icmd_again(c, i, &why);
		}
	} else if (*taken) {
		icmd_fail(c, i, &why);
	}
	return PF_OK;
}

/* What nobody of ours waits for. */
static void nobodys(struct iconn *c, const struct pf_imap_session_event *ev)
{
	if (ev->cmd == PF_IMAP_CMD_ENABLE && ev->resp->cond != PF_IMAP_OK) {
		feature_refused(c->store, ev->cmd, ev->resp);
	}
}

static int settle(struct iconn *c, struct icmd *i, const struct pf_imap_session_event *ev,
	struct pf_store_event *out, bool *given, struct pf_err *err)
{
	int rc = PF_OK;

	switch (i->kind) {
	case ICMD_SETUP:
		break;
	case ICMD_FOLDERS:
		rc = folders_done(c, i, ev, err);
		break;
	case ICMD_SELECT:
		rc = select_done(c, i, ev, out, given, err);
		break;
	case ICMD_LIST:
		rc = list_done(c, i, ev, err);
		break;
	case ICMD_GET:
		rc = get_done(c, i, ev);
		break;
	case ICMD_PUT:
		rc = put_done(c, i, ev);
		break;
	case ICMD_SMALL:
		rc = small_done(c, i, ev, err);
		break;
	case ICMD_COMPRESS:
		rc = squeeze_done(c, ev, err);
		break;
	case ICMD_CLOSE:
		for (size_t k = 0; k < i->n; k++) {
			op_done(c->store, i->ops[k], pf_span(NULL, 0));
		}
		c->store->closed = true;
		break;
	}
	return rc;
}

/* It works: what went wrong before does not count any more. */
static void works(struct istore *s, const struct icmd *i, const struct pf_imap_resp *r)
{
	s->losses = 0;
	s->broken_folders = 0;
	if (i && r->cond == PF_IMAP_OK) {
		patience_slowed(s, r);
		if (i->kind == s->put_off || s->put_off == ICMD_SETUP) {
			s->pauses = 0;
			s->put_off = ICMD_SETUP;
		}
	}
}

static int on_done(struct iconn *c, const struct pf_imap_session_event *ev,
	struct pf_store_event *out, bool *given, struct pf_err *err)
{
	struct icmd *i = ev->owner;
	bool taken = false;
	int rc;

	works(c->store, i, ev->resp);
	c->squeeze_works = pf_conn_is_deflated(c->net);
	if (!i) {
		nobodys(c, ev);
		return PF_OK;
	}
	rc = refused_as_such(c, i, ev, &taken, err);
	if (rc != PF_OK && !taken) {
		return PF_FAIL;
	}
	if (!taken) {
		rc = settle(c, i, ev, out, given, err);
	}
	icmd_free(c, i);
	return rc;
}

static int on_event(struct iconn *c, const struct pf_imap_session_event *ev,
	struct pf_store_event *out, bool *given, struct pf_err *err)
{
	if (ev->kind == PF_IMAP_EV_BYE) {
		c->bye = true;
		return pf_imap_refusal(err, PF_SCOPE_SESSION, PF_IMAP_CMD_LOGOUT, ev->resp);
	}
	if (ev->kind == PF_IMAP_EV_ODD) {
		const struct icmd *i = ev->owner;
		const struct ifolder *f = i && i->folder ? i->folder : c->folder;

		store_note(c->store, PF_EV_UNREADABLE_RESPONSE,
			f ? pf_buf_span(&f->id) : pf_span(NULL, 0), ev->piece->text,
			ev->piece->stream_at, "%s", ev->why->text);
		if (ev->resp->kind == PF_IMAP_FETCH) {
			list_odd(c);
		}
		return PF_OK;
	}
	if (c->state != ICONN_READY) {
		return auth_event(c, ev, err);
	}
	switch (ev->kind) {
	case PF_IMAP_EV_DATA:
		return on_data(c, ev, out, given, err);
	case PF_IMAP_EV_HEAD:
		return get_head(c, ev->piece, err);
	case PF_IMAP_EV_BODY:
		get_body(c, ev->piece, out, given);
		return PF_OK;
	case PF_IMAP_EV_DONE:
		return on_done(c, ev, out, given, err);
	default:
		return PF_OK;
	}
}

/* In whatever response it comes, the greeting and a BYE too: the user must see it (RFC 9051 7.1).
 */
static void note_alert(struct iconn *c, const struct pf_imap_session_event *ev)
{
	const struct pf_imap_resp *r = ev->resp;
	bool status = ev->kind == PF_IMAP_EV_GREETING || ev->kind == PF_IMAP_EV_DONE ||
		      ev->kind == PF_IMAP_EV_BYE ||
		      (ev->kind == PF_IMAP_EV_DATA && r->kind == PF_IMAP_COND);

	if (status && r->code == PF_IMAP_CODE_ALERT) {
		store_alert(c->store, r->text);
	}
}

int conn_event(struct iconn *c, const struct pf_imap_session_event *ev, struct pf_store_event *out,
	bool *given, struct pf_err *err)
{
	note_alert(c, ev);
	return on_event(c, ev, out, given, err);
}
