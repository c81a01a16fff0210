/*
 * The folders of an account: NAMESPACE, LIST, LSUB or XLIST in one flight, STATUS for each where
 * LIST can't bring it; and between paths and the server's own names.
 */
#include "stores/imap/listing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 65536, STATES_IN_FLIGHT = 256 };

void folders_free(struct istore *s)
{
	struct ilisting *l = s->listing;

	if (l) {
		founds_free(&l->found);
	}
	free(l);
	s->listing = NULL;
	s->listing_op = NULL;
	s->listing_ready = false;
}

/* ---- asking ---- */

static int ask(struct iconn *c, struct iop *op, enum pf_imap_cmd_kind kind, const char *args,
	struct pf_err *err)
{
	struct icmd *i = icmd_new(c, ICMD_FOLDERS, NULL, err);
	struct pf_imap_cmd *cmd;

	if (!i || icmd_add_op(i, op, err) != PF_OK || conn_begin(c, kind, i, &cmd, err) != PF_OK) {
		return PF_FAIL;
	}
	pf_imap_cmd_text(cmd, args);
	c->store->listing->pending++;
	return pf_imap_cmd_send(cmd, false, err);
}

/* Each option only where it was announced: others make a server refuse all of the command. */
static int ask_list(struct iconn *c, struct iop *op, struct pf_err *err)
{
	const struct istore *s = c->store;
	bool status = (s->caps & PF_IMAP_CAP_LIST_STATUS) && s->listing->states;
	char args[160];

	if (!(s->caps & PF_IMAP_CAP_LIST_EXTENDED) || s->listing->extended_failed) {
		return ask(c, op, PF_IMAP_CMD_LIST, " \"\" \"*\"", err);
	}
	(void)snprintf(args, sizeof(args), " \"\" \"*\" RETURN (SUBSCRIBED CHILDREN%s%s%s%s)",
		s->caps & PF_IMAP_CAP_SPECIAL_USE ? " SPECIAL-USE" : "",
		status ? " STATUS (MESSAGES UIDNEXT UIDVALIDITY" : "",
		status && (s->caps & PF_IMAP_CAP_CONDSTORE) ? " HIGHESTMODSEQ" : "",
		status ? ")" : "");
	return ask(c, op, PF_IMAP_CMD_LIST, args, err);
}

/*
 * The namespaces of others, each by its prefix: many servers leave them out of LIST "" "*"
 * (RFC 2342 section 5).
 */
static int ask_shared(struct iconn *c, struct iop *op, struct pf_err *err)
{
	struct istore *s = c->store;
	struct pf_buf pattern;
	int rc = PF_OK;

	s->listing->shared_asked = true;
	pf_buf_init(&pattern, NAME_MAX_BYTES);
	for (size_t at = 0; at < s->other_prefixes.n && rc == PF_OK;) {
		struct pf_span prefix = pf_span_str((const char *)s->other_prefixes.p + at);
		struct icmd *i = icmd_new(c, ICMD_FOLDERS, NULL, err);
		struct pf_imap_cmd *cmd;

		at += prefix.n + 1;
		pf_buf_clear(&pattern);
		if (!i || icmd_add_op(i, op, err) != PF_OK ||
			pf_buf_add(&pattern, prefix, err) != PF_OK ||
			pf_buf_add(&pattern, pf_span("*", 1), err) != PF_OK ||
			conn_begin(c, PF_IMAP_CMD_LIST, i, &cmd, err) != PF_OK) {
			rc = PF_FAIL;
			break;
		}
		pf_imap_cmd_text(cmd, " \"\"");
		pf_imap_cmd_astring(cmd, pf_buf_span(&pattern));
		s->listing->pending++;
		rc = pf_imap_cmd_send(cmd, false, err);
	}
	pf_buf_deinit(&pattern);
	return rc;
}

/* IMAP4rev2 has no LSUB any more, and LIST that selects in its place (RFC 9051 section 6.3.9.1). */
static int ask_subscribed(struct iconn *c, struct iop *op, struct pf_err *err)
{
	uint32_t caps = c->store->caps;
	bool rev1 = (caps & PF_IMAP_CAP_REV1) || !(caps & PF_IMAP_CAP_REV2);
	struct icmd *i;
	struct pf_imap_cmd *cmd;

	if (rev1) {
		return ask(c, op, PF_IMAP_CMD_LSUB, " \"\" \"*\"", err);
	}
	i = icmd_new(c, ICMD_FOLDERS, NULL, err);
	if (!i || icmd_add_op(i, op, err) != PF_OK ||
		conn_begin(c, PF_IMAP_CMD_LIST, i, &cmd, err) != PF_OK) {
		return PF_FAIL;
	}
	i->subscribed = true;
	pf_imap_cmd_text(cmd, " (SUBSCRIBED) \"\" \"*\"");
	c->store->listing->pending++;
	return pf_imap_cmd_send(cmd, false, err);
}

static int ask_lists(struct iconn *c, struct iop *op, struct pf_err *err)
{
	uint32_t caps = c->store->caps;
	bool extended = (caps & PF_IMAP_CAP_LIST_EXTENDED) && !c->store->listing->extended_failed;

	if (ask_list(c, op, err) != PF_OK) {
		return PF_FAIL;
	}
	/* Also where RETURN says what is subscribed: that says it of listed folders only. */
	if (!c->store->listing->subscriptions_asked && ask_subscribed(c, op, err) != PF_OK) {
		return PF_FAIL;
	}
	c->store->listing->subscriptions_asked = true;
	if (!extended && (caps & PF_IMAP_CAP_XLIST) && !(caps & PF_IMAP_CAP_SPECIAL_USE)) {
		return ask(c, op, PF_IMAP_CMD_XLIST, " \"\" \"*\"", err);
	}
	return PF_OK;
}

int folders_issue(struct iconn *c, struct iop *op, struct pf_err *err)
{
	struct istore *s = c->store;

	folders_free(s);
	s->listing = calloc(1, sizeof(*s->listing));
	if (!s->listing) {
		return pf_fail_memory(err, "a list of folders");
	}
	s->listing_op = op;
	s->listing->states = op->op.folders.states;
	pf_buf_clear(&s->label_folders);
	s->listing->shared = op->op.folders.shared;
	if ((s->caps & PF_IMAP_CAP_NAMESPACE) && !s->namespace_known &&
		ask(c, op, PF_IMAP_CMD_NAMESPACE, "", err) != PF_OK) {
		return PF_FAIL;
	}
	if ((s->caps & PF_IMAP_CAP_ID) && ask(c, op, PF_IMAP_CMD_ID, " NIL", err) != PF_OK) {
		return PF_FAIL;
	}
	/* APPENDLIMIT without a number: it is each mailbox's own (RFC 7889 section 4). */
	if ((s->caps & PF_IMAP_CAP_APPENDLIMIT) && !s->facts.max_item_bytes && !s->cfg->source &&
		ask(c, op, PF_IMAP_CMD_STATUS, " INBOX (APPENDLIMIT)", err) != PF_OK) {
		return PF_FAIL;
	}
	s->facts.quota_free_bytes = UINT64_MAX;
	if ((s->caps & PF_IMAP_CAP_QUOTA) && !s->cfg->source &&
		ask(c, op, PF_IMAP_CMD_QUOTA, " INBOX", err) != PF_OK) {
		return PF_FAIL;
	}
	return ask_lists(c, op, err);
}

static int ask_state(struct iconn *c, struct iop *op, size_t i, struct pf_err *err)
{
	bool modseq = (c->store->caps & PF_IMAP_CAP_CONDSTORE) != 0;
	struct icmd *k = icmd_new(c, ICMD_FOLDERS, NULL, err);
	struct pf_imap_cmd *cmd;

	if (!k || icmd_add_op(k, op, err) != PF_OK ||
		conn_begin(c, PF_IMAP_CMD_STATUS, k, &cmd, err) != PF_OK) {
		return PF_FAIL;
	}
	k->hint = i + 1;
	pf_imap_cmd_astring(cmd, pf_buf_span(&c->store->listing->found.v[i].name));
	pf_imap_cmd_text(cmd, modseq ? " (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ)"
				     : " (MESSAGES UIDNEXT UIDVALIDITY)");
	c->store->listing->pending++;
	return pf_imap_cmd_send(cmd, false, err);
}

/* Only folders that can hold something have a state. So many are asked for at a time. */
static int ask_states(struct iconn *c, struct iop *op, struct pf_err *err)
{
	struct ilisting *l = c->store->listing;

	if (!l->status_asked) {
		l->status_asked = true;
		l->status_end = l->found.n;
	}
	for (; l->status_next < l->status_end && l->pending < STATES_IN_FLIGHT; l->status_next++) {
		const struct found *f = &l->found.v[l->status_next];

		if (!f->has_status && !(f->attrs & PF_IMAP_ATTR_NOSELECT) &&
			ask_state(c, op, l->status_next, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

/* ---- answers ---- */

static int on_list(struct ilisting *l, const struct pf_imap_list *r, struct pf_err *err)
{
	struct found *f;

	if (r->name.n == 0) { /* the root of all names, which is no folder */
		l->root_delimiter = r->delimiter ? r->delimiter : l->root_delimiter;
		return PF_OK;
	}
	f = founds_get(&l->found, r->name, err);
	if (!f) {
		return PF_FAIL;
	}
	f->delimiter = r->delimiter;
	if (r->which == PF_IMAP_IS_LSUB) {
		f->subscribed = f->subscribed || !(r->attrs & PF_IMAP_ATTR_NOSELECT);
	} else if ((r->attrs & PF_IMAP_ATTR_NONEXISTENT) && (r->attrs & PF_IMAP_ATTR_SUBSCRIBED)) {
		f->subscribed = true; /* gone, or hidden: STATUS tells */
	} else {
		f->attrs |= r->attrs;
		f->listed = true;
		f->subscribed = f->subscribed || (r->attrs & PF_IMAP_ATTR_SUBSCRIBED);
	}
	return PF_OK;
}

static int on_status(struct ilisting *l, const struct pf_imap_status *r, struct pf_err *err)
{
	const uint32_t need =
		PF_IMAP_STATUS_MESSAGES | PF_IMAP_STATUS_UIDNEXT | PF_IMAP_STATUS_UIDVALIDITY;
	struct found *f;

	if (!(r->has & (need | PF_IMAP_STATUS_HIGHESTMODSEQ))) {
		return PF_OK; /* of a limit */
	}
	f = founds_get(&l->found, r->name, err);
	if (!f) {
		return PF_FAIL;
	}
	f->there = true;
	/* Several may come for a folder, each with a part of the items. */
	f->status_has |= r->has;
	f->has_status = (f->status_has & need) == need;
	f->messages = r->has & PF_IMAP_STATUS_MESSAGES ? r->messages : f->messages;
	f->uidnext = r->has & PF_IMAP_STATUS_UIDNEXT ? r->uidnext : f->uidnext;
	f->uidvalidity = r->has & PF_IMAP_STATUS_UIDVALIDITY ? r->uidvalidity : f->uidvalidity;
	f->modseq = r->has & PF_IMAP_STATUS_HIGHESTMODSEQ ? r->highestmodseq : f->modseq;
	return PF_OK;
}

static int add_prefixes(struct istore *s, const struct pf_imap_ns *ns, size_t n, struct pf_err *err)
{
	for (size_t i = 0; i < n; i++) {
		if (ns[i].prefix.n > 0 &&
			(pf_buf_add(&s->other_prefixes, ns[i].prefix, err) != PF_OK ||
				pf_buf_add(&s->other_prefixes, pf_span("", 1), err) != PF_OK)) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

static int on_namespace(struct istore *s, const struct pf_imap_namespace *r, struct pf_err *err)
{
	s->namespace_known = true;
	pf_buf_clear(&s->prefix);
	pf_buf_clear(&s->other_prefixes);
	if (r->personals > 0) {
		s->delimiter = r->personal[0].delimiter;
		if (pf_buf_add(&s->prefix, r->personal[0].prefix, err) != PF_OK) {
			return PF_FAIL;
		}
		if (pf_span_starts(r->personal[0].prefix, "INBOX")) {
			/* What is below INBOX lies beside the rest, and is listed there. */
			s->facts.caps &= ~(uint32_t)PF_CAP_INBOX_CHILDREN;
		}
	}
	return add_prefixes(s, r->other, r->others, err) == PF_OK
		       ? add_prefixes(s, r->shared, r->shareds, err)
		       : PF_FAIL;
}

int folders_data(struct iconn *c, const struct pf_imap_session_event *ev, struct pf_err *err)
{
	struct istore *s = c->store;
	const struct pf_imap_resp *r = ev->resp;

	if (!s->listing) {
		return PF_OK;
	}
	switch (r->kind) {
	case PF_IMAP_LIST:
		return on_list(s->listing, &r->list, err);
	case PF_IMAP_STATUS:
		if ((r->status.has & PF_IMAP_STATUS_APPENDLIMIT) &&
			r->status.appendlimit != UINT64_MAX) {
			s->facts.max_item_bytes = r->status.appendlimit;
		}
		return on_status(s->listing, &r->status, err);
	case PF_IMAP_NAMESPACE:
		return on_namespace(s, &r->ns, err);
	case PF_IMAP_ID:
		s->quirks |= quirks_of(r->raw);
		quirks_apply(s); /* the greeting may have said less */
		return PF_OK;
	case PF_IMAP_QUOTA:
		if (r->quota.limit_kib != UINT64_MAX) {
			uint64_t kib = r->quota.limit_kib > r->quota.usage_kib
					       ? r->quota.limit_kib - r->quota.usage_kib
					       : 0;

			/* of several roots the tightest counts */
			if (kib < s->facts.quota_free_bytes / 1024) {
				s->facts.quota_free_bytes = kib * 1024;
			}
		}
		return PF_OK;
	default:
		return PF_OK;
	}
}

/* What the names say: those of a flat namespace, and often INBOX, have none. */
static char listed_delimiter(const struct ilisting *l)
{
	for (size_t i = 0; i < l->found.n; i++) {
		if (l->found.v[i].delimiter) {
			return l->found.v[i].delimiter;
		}
	}
	return l->root_delimiter;
}

/* *flat: it can hold no folders. */
static int add_inbox(struct istore *s, bool *flat, struct pf_err *err)
{
	struct ilisting *l = s->listing;
	struct found *f;
	bool there = false;

	*flat = false;
	for (size_t i = 0; i < l->found.n; i++) {
		if (pf_span_is(pf_buf_span(&l->found.v[i].name), "INBOX") ||
			(l->found.v[i].attrs & PF_IMAP_ATTR_INBOX)) {
			*flat = *flat || (l->found.v[i].attrs & PF_IMAP_ATTR_NOINFERIORS);
			there = true;
		}
	}
	if (there) {
		return PF_OK;
	}
	f = founds_get(&l->found, pf_span("INBOX", 5), err);
	if (!f) {
		return PF_FAIL;
	}
	f->delimiter = s->delimiter;
	return PF_OK;
}

/*
 * Some servers list a folder and not the one it lies in, which may hold mail all the same: STATUS
 * tells.
 */
static int add_parents(struct istore *s, struct pf_err *err)
{
	struct ilisting *l = s->listing;

	for (; l->named < l->found.n; l->named++) { /* those that are added have no further ones */
		char delimiter = l->found.v[l->named].delimiter;
		size_t n = l->found.v[l->named].name.n;

		for (size_t at = s->prefix.n > 0 ? s->prefix.n : 1; delimiter && at < n; at++) {
			struct pf_span name = pf_buf_span(&l->found.v[l->named].name);
			struct found *f;

			if (name.p[at] != (uint8_t)delimiter || at + 1 == n ||
				names_is_others(s, pf_span(name.p, at))) {
				continue;
			}
			f = founds_get(&l->found, pf_span(name.p, at), err);
			if (!f) {
				return PF_FAIL;
			}
			f->delimiter = delimiter;
		}
	}
	return PF_OK;
}

/* The lists are whole: INBOX is there in any case, and flat servers have no delimiter. */
static int complete(struct istore *s, struct pf_err *err)
{
	struct ilisting *l = s->listing;
	bool inbox_flat;

	if (add_inbox(s, &inbox_flat, err) != PF_OK) {
		return PF_FAIL;
	}
	if (!s->namespace_known || !s->delimiter) {
		s->delimiter = listed_delimiter(l);
	}
	s->forbidden[0] = s->delimiter;
	s->facts.max_depth = s->delimiter ? 0 : 1;
	/* With the prefix "INBOX." what is below INBOX and what is beside it are the same names. */
	if (pf_span_starts(pf_buf_span(&s->prefix), "INBOX") || inbox_flat) {
		s->facts.caps &= ~(uint32_t)PF_CAP_INBOX_CHILDREN;
	}
	s->forbidden[1] = '\0';
	return l->states ? add_parents(s, err) : PF_OK;
}

static int decide(struct iconn *c, struct iop *op, struct pf_err *err)
{
	struct istore *s = c->store;
	struct ilisting *l = s->listing;
	bool extended = (s->caps & PF_IMAP_CAP_LIST_EXTENDED) != 0;
	bool empty = true;

	if (l->again) {
		folders_free(s);
		op_back(s, op);
		return PF_OK;
	}
	for (size_t i = 0; i < l->found.n; i++) {
		empty = empty && !l->found.v[i].listed;
	}
	if ((l->list_failed || empty) && extended && !l->extended_failed) {
		l->extended_failed = true;
		l->list_failed = false;
		store_note(s, PF_EV_FEATURE_OFF, pf_span(NULL, 0), pf_span(NULL, 0), 0,
			"LIST with RETURN gives nothing: the plain form is used");
		return ask_lists(c, op, err);
	}
	if (l->list_failed) {
		struct iend end = {.failed = true, .why = l->why};

		folders_free(s);
		op_failed(s, op, &end);
		return PF_OK;
	}
	if (l->shared && !l->shared_asked && s->other_prefixes.n > 0) {
		return ask_shared(c, op, err);
	}
	if (!s->namespace_known && !l->root_asked && !listed_delimiter(l)) {
		l->root_asked = true;
		return ask(c, op, PF_IMAP_CMD_LIST, " \"\" \"\"", err); /* only the delimiter */
	}
	if (complete(s, err) != PF_OK) {
		return PF_FAIL;
	}
	if (l->states && !l->status_asked && ask_states(c, op, err) != PF_OK) {
		return PF_FAIL;
	}
	s->listing_ready = l->pending == 0;
	return PF_OK;
}

int folders_again(struct iconn *c, struct icmd *i, struct pf_err *err)
{
	struct ilisting *l = c->store->listing;

	if (!l) {
		return PF_OK;
	}
	l->again = true;
	l->pending--;
	return l->pending == 0 ? decide(c, i->ops[0], err) : PF_OK;
}

int folders_done(
	struct iconn *c, struct icmd *i, const struct pf_imap_session_event *ev, struct pf_err *err)
{
	struct istore *s = c->store;
	struct ilisting *l = s->listing;

	if (!l) {
		return PF_OK;
	}
	l->pending--;
	if (ev->resp->cond != PF_IMAP_OK) {
		feature_refused(s, ev->cmd, ev->resp);
	}
	if (ev->cmd == PF_IMAP_CMD_LIST && ev->resp->cond != PF_IMAP_OK &&
		(l->shared_asked || l->root_asked || i->subscribed)) {
		struct pf_err why; /* costs no folder of the account's own list */

		(void)pf_imap_refusal(&why, PF_SCOPE_FOLDER, ev->cmd, ev->resp);
		store_note(s, PF_EV_FEATURE_OFF, pf_span(NULL, 0), pf_span(NULL, 0), 0,
			"%s can't be listed: %s",
			i->subscribed ? "the subscriptions"
				      : "the folders of a namespace of others",
			why.text);
	} else if (ev->cmd == PF_IMAP_CMD_LIST && ev->resp->cond != PF_IMAP_OK) {
		l->list_failed = true;
		(void)pf_imap_refusal(&l->why, PF_SCOPE_SESSION, ev->cmd, ev->resp);
	}
	if (i->hint > 0 && ev->resp->cond != PF_IMAP_OK) {
		struct pf_err why; /* what passes does not mean that the folder is not there */

		(void)pf_imap_refusal(&why, PF_SCOPE_FOLDER, ev->cmd, ev->resp);
		l->found.v[i->hint - 1].there = why.retry != PF_RETRY_NO;
	}
	if (i->hint > 0 && ask_states(c, i->ops[0], err) != PF_OK) {
		return PF_FAIL;
	}
	return l->pending == 0 ? decide(c, i->ops[0], err) : PF_OK;
}
