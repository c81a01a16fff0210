/*
 * Flags, removal, copies, making and subscribing: one operation, one or two commands.
 */
#include "base/decimal.h"
#include "base/utf8.h"
#include "stores/imap/imap_private.h"

static int begin(struct iconn *c, struct iop *op, enum pf_imap_cmd_kind kind, bool last,
	struct pf_imap_cmd **cmd, struct pf_err *err)
{
	struct icmd *i = icmd_new(c, ICMD_SMALL, op->folder, err);

	if (!i || icmd_add_op(i, op, err) != PF_OK) {
		return PF_FAIL;
	}
	i->last = last;
	if (conn_begin(c, kind, i, cmd, err) != PF_OK) {
		return PF_FAIL;
	}
	i->cmd = *cmd;
	return PF_OK;
}

static int store_flags(struct iconn *c, struct iop *op, const struct pf_flags *flags,
	const char *how, bool last, struct pf_err *err)
{
	struct pf_span rest = flags->kw, word;
	const char *blank = "";
	struct pf_imap_cmd *cmd;

	if (begin(c, op, PF_IMAP_CMD_STORE, last, &cmd, err) != PF_OK) {
		return PF_FAIL;
	}
	pf_imap_cmd_text(cmd, " ");
	pf_imap_cmd_bytes(cmd, pf_buf_span(&op->item));
	pf_imap_cmd_text(cmd, how);
	for (uint32_t bit = 1; bit <= PF_FLAG_DRAFT; bit <<= 1) {
		if (flags->sys & bit) {
			pf_imap_cmd_text(cmd, blank);
			pf_imap_cmd_text(cmd, pf_flag_name(bit));
			blank = " ";
		}
	}
	while (pf_keywords_next(&rest, &word)) {
		pf_imap_cmd_text(cmd, blank);
		pf_imap_cmd_bytes(cmd, word);
		blank = " ";
	}
	pf_imap_cmd_text(cmd, ")");
	return pf_imap_cmd_send(cmd, false, err);
}

static int issue_flags(struct iconn *c, struct iop *op, struct pf_err *err)
{
	struct pf_flags add = {op->op.flags.add.sys, pf_buf_span(&op->kw[0])};
	struct pf_flags del = {op->op.flags.del.sys, pf_buf_span(&op->kw[1])};
	bool adds = add.sys || add.kw.n > 0, dels = del.sys || del.kw.n > 0;

	if (!adds && !dels) {
		op_done(c->store, op, pf_span(NULL, 0));
		return PF_OK;
	}
	if (adds && store_flags(c, op, &add, " +FLAGS.SILENT (", !dels, err) != PF_OK) {
		return PF_FAIL;
	}
	return dels ? store_flags(c, op, &del, " -FLAGS.SILENT (", true, err) : PF_OK;
}

static int issue_remove(struct iconn *c, struct iop *op, struct pf_err *err)
{
	const struct pf_flags deleted = {PF_FLAG_DELETED, {NULL, 0}};
	struct pf_imap_cmd *cmd;

	if (!(c->store->caps &
		    PF_IMAP_CAP_UIDPLUS)) { /* EXPUNGE would take what others marked as well */
		struct iend end = {.failed = true, .refused = true};

		(void)pf_fail(&end.why, PF_SCOPE_ITEM, PF_RETRY_NO,
			"the server can't remove a single message (no UIDPLUS)");
		op_failed(c->store, op, &end);
		return PF_OK;
	}
	if (store_flags(c, op, &deleted, " +FLAGS.SILENT (", false, err) != PF_OK ||
		begin(c, op, PF_IMAP_CMD_EXPUNGE, true, &cmd, err) != PF_OK) {
		return PF_FAIL;
	}
	pf_imap_cmd_text(cmd, " ");
	pf_imap_cmd_bytes(cmd, pf_buf_span(&op->item));
	return pf_imap_cmd_send(cmd, false, err);
}

static const char *use_of(enum pf_role role)
{
	switch (role) {
	case PF_ROLE_SENT:
		return "\\Sent";
	case PF_ROLE_DRAFTS:
		return "\\Drafts";
	case PF_ROLE_TRASH:
		return "\\Trash";
	case PF_ROLE_JUNK:
		return "\\Junk";
	case PF_ROLE_ARCHIVE:
		return "\\Archive";
	default:
		return NULL;
	}
}

static bool has_delimiter(const struct istore *s, const struct pf_path *path)
{
	const char *segment;

	for (size_t i = 0; s->delimiter && (segment = pf_path_segment(path, i)) != NULL; i++) {
		if (strchr(segment, s->delimiter)) {
			return true;
		}
	}
	return false;
}

static int issue_mkfolder(struct iconn *c, struct iop *op, struct pf_err *err)
{
	const char *use = use_of(op->op.mkfolder.role);
	struct pf_imap_cmd *cmd;

	if (has_delimiter(c->store, &op->path)) {
		struct iend end = {.failed = true, .refused = true};

		(void)pf_fail(&end.why, PF_SCOPE_ITEM, PF_RETRY_NO,
			"the name has the server's delimiter in it: it would be another folder");
		op_failed(c->store, op, &end);
		return PF_OK;
	}
	pf_buf_clear(&op->text);
	if (names_native(c->store, &op->path, &op->text, err) != PF_OK ||
		begin(c, op, PF_IMAP_CMD_CREATE, true, &cmd, err) != PF_OK) {
		return PF_FAIL;
	}
	pf_imap_cmd_astring(cmd, pf_buf_span(&op->text));
	if (use && !op->alone && (c->store->caps & PF_IMAP_CAP_CREATE_SPECIAL_USE)) {
		pf_imap_cmd_text(cmd, " (USE (");
		pf_imap_cmd_text(cmd, use);
		pf_imap_cmd_text(cmd, "))");
	}
	return pf_imap_cmd_send(cmd, false, err);
}

static int issue_subscribe(struct iconn *c, struct iop *op, struct pf_err *err)
{
	struct pf_imap_cmd *cmd;

	if (begin(c, op, PF_IMAP_CMD_SUBSCRIBE, true, &cmd, err) != PF_OK) {
		return PF_FAIL;
	}
	pf_imap_cmd_astring(cmd, pf_buf_span(&op->folder->id));
	return pf_imap_cmd_send(cmd, false, err);
}

static int issue_copy(struct iconn *c, struct iop *op, struct pf_err *err)
{
	struct pf_imap_cmd *cmd;

	if (begin(c, op, PF_IMAP_CMD_COPY, true, &cmd, err) != PF_OK) {
		return PF_FAIL;
	}
	pf_imap_cmd_text(cmd, " ");
	pf_imap_cmd_bytes(cmd, pf_buf_span(&op->item));
	pf_imap_cmd_astring(cmd, pf_buf_span(&op->to->id));
	return pf_imap_cmd_send(cmd, false, err);
}

int small_issue(struct iconn *c, struct ifolder *f, struct iop *op, struct pf_err *err)
{
	(void)f;
	op->refused = false;
	op->again = false;
	switch (op->op.kind) {
	case PF_OP_FLAGS:
		return issue_flags(c, op, err);
	case PF_OP_REMOVE:
		return issue_remove(c, op, err);
	case PF_OP_COPY:
		return issue_copy(c, op, err);
	case PF_OP_MKFOLDER:
		return issue_mkfolder(c, op, err);
	default:
		return issue_subscribe(c, op, err);
	}
}

static bool says_exists(const struct pf_imap_resp *r)
{
	char text[200];

	if (r->code == PF_IMAP_CODE_ALREADYEXISTS) {
		return true;
	}
	(void)pf_print_safe(text, sizeof(text), r->text);
	return strcasestr(text, "exists") && !strcasestr(text, "not exist");
}

/* COPYUID (RFC 4315 section 3): the old id and the new one. Where it is not said, or of another
 * UIDVALIDITY than the folder has, nobody knows what was made. */
static void copied(struct iconn *c, struct iop *op, const struct pf_imap_resp *r)
{
	uint64_t validity = op->to->validity, first, last;
	struct pf_span rest = r->code_args, old, made;
	struct iend end = {.in_doubt = true};
	char id[PF_DECIMAL_MAX];

	if (r->code == PF_IMAP_CODE_COPYUID && (validity == 0 || r->code_num[0] == validity) &&
		pf_imap_words_next(&rest, &old) && pf_imap_words_next(&rest, &made) &&
		pf_imap_set_next(&made, &first, &last) && first == last) {
		op_done(c->store, op, pf_span(id, pf_decimal(first, id)));
		return;
	}
	(void)pf_fail(&end.why, PF_SCOPE_ITEM, PF_RETRY_LATER,
		"UID COPY: the server does not say what it made");
	op_failed(c->store, op, &end);
}

bool small_lost(struct iconn *c, struct icmd *i, const struct pf_err *why)
{
	struct iend end = {.why = *why, .in_doubt = true};

	if (i->ops[0]->op.kind != PF_OP_COPY || !i->cmd || pf_imap_cmd_written(i->cmd) == 0) {
		return false;
	}
	end.why.scope = PF_SCOPE_ITEM;
	end.why.retry = PF_RETRY_LATER;
	op_failed(c->store, i->ops[0], &end);
	return true;
}

int small_done(
	struct iconn *c, struct icmd *i, const struct pf_imap_session_event *ev, struct pf_err *err)
{
	struct iop *op = i->ops[0];
	bool ok = ev->resp->cond == PF_IMAP_OK;
	struct iend end = {.failed = true};

	if (!ok && !op->refused) {
		op->refused = true;
		(void)pf_imap_refusal(&op->end.why, PF_SCOPE_ITEM, ev->cmd, ev->resp);
	}
	if (!i->last) {
		return PF_OK;
	}
	if (op->again) {
		op_back(c->store, op);
		return PF_OK;
	}
	if (ev->cmd == PF_IMAP_CMD_CREATE && !ok) {
		if (says_exists(ev->resp)) {
			op->refused = false;
			op->existed = op->tries == 0; /* else it may be our own */
		} else if (use_of(op->op.mkfolder.role) && !op->alone &&
			   (c->store->caps & PF_IMAP_CAP_CREATE_SPECIAL_USE)) {
			op->alone = true; /* once more, without its use */
			op->refused = false;
			return issue_mkfolder(c, op, err);
		}
	}
	if (ev->cmd == PF_IMAP_CMD_COPY && ok) {
		copied(c, op, ev->resp);
		return PF_OK;
	}
	if (!op->refused) {
		struct pf_buf id = op->text;
		bool made = ev->cmd == PF_IMAP_CMD_CREATE;

		pf_buf_init(&op->text, 65536);
		op_done(c->store, op, made ? pf_buf_span(&id) : pf_span(NULL, 0));
		pf_buf_deinit(&id);
		return PF_OK;
	}
	end.why = op->end.why;
	end.refused = end.why.retry == PF_RETRY_NO;
	op_failed(c->store, op, &end);
	return PF_OK;
}
