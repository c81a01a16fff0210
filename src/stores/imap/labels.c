/*
 * Gmail (X-GM-EXT-1): folders are labels, and a message may have many of them. X-GM-LABELS tells
 * those of a message but for the folder that is selected; here they become ids of folders. Labels
 * are written as the names of their folders are (modified UTF-7), but for those of the system.
 */
#include "stores/imap/imap_private.h"

/* "\\Draft" is what Gmail says, the others have been seen in documents. */
static const struct {
	const char *label;
	uint32_t attr; /* of its folder; 0 = INBOX */
} SYSTEM[] = {
	{"\\Inbox", 0},
	{"\\Sent", PF_IMAP_ATTR_SENT},
	{"\\Draft", PF_IMAP_ATTR_DRAFTS},
	{"\\Drafts", PF_IMAP_ATTR_DRAFTS},
	{"\\Starred", PF_IMAP_ATTR_FLAGGED},
	{"\\Important", PF_IMAP_ATTR_IMPORTANT},
	{"\\Spam", PF_IMAP_ATTR_JUNK},
	{"\\Trash", PF_IMAP_ATTR_TRASH},
};

/* By attribute: the name of the folder that has it, behind each other as "ATTR NAME NUL". */
int labels_note(struct istore *s, uint32_t attrs, struct pf_span name, struct pf_err *err)
{
	attrs &= PF_IMAP_ATTR_SENT | PF_IMAP_ATTR_DRAFTS | PF_IMAP_ATTR_FLAGGED |
		 PF_IMAP_ATTR_IMPORTANT | PF_IMAP_ATTR_JUNK | PF_IMAP_ATTR_TRASH;
	if (!labels_are_told(s) || attrs == 0) {
		return PF_OK;
	}
	return pf_buf_add(&s->label_folders, pf_span(&attrs, sizeof(attrs)), err) == PF_OK &&
			       pf_buf_add(&s->label_folders, name, err) == PF_OK
		       ? pf_buf_add(&s->label_folders, pf_span("", 1), err)
		       : PF_FAIL;
}

bool labels_are_told(const struct istore *s)
{
	return s->cfg->source && (s->facts.caps & PF_CAP_LABELS);
}

/* The name of the folder with that attribute; absent: there is none, or it is not shown. */
static struct pf_span folder_with(const struct istore *s, uint32_t attr)
{
	struct pf_span rest = pf_buf_span(&s->label_folders);

	while (rest.n > sizeof(uint32_t)) {
		uint32_t has;
		const uint8_t *end;

		memcpy(&has, rest.p, sizeof(has));
		rest = pf_span_from(rest, sizeof(has));
		end = memchr(rest.p, '\0', rest.n);
		if (!end) {
			break;
		}
		if (has & attr) {
			return pf_span(rest.p, (size_t)(end - rest.p));
		}
		rest = pf_span_from(rest, (size_t)(end - rest.p) + 1);
	}
	return pf_span(NULL, 0);
}

static struct pf_span folder_of(const struct istore *s, struct pf_span label)
{
	if (label.n == 0 || label.p[0] != '\\') {
		return label;
	}
	for (size_t i = 0; i < PF_COUNT(SYSTEM); i++) {
		if (pf_span_is(label, SYSTEM[i].label)) {
			return SYSTEM[i].attr ? folder_with(s, SYSTEM[i].attr)
					      : pf_span_str("INBOX");
		}
	}
	return pf_span(NULL, 0);
}

/* As it was before it was quoted (RFC 9051 section 4.3). */
static int add_plain(struct pf_buf *out, struct pf_span s, struct pf_err *err)
{
	for (size_t i = 0; i < s.n; i++) {
		i += s.p[i] == '\\' && i + 1 < s.n && (s.p[i + 1] == '"' || s.p[i + 1] == '\\');
		if (pf_buf_add(out, pf_span(s.p + i, 1), err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return pf_buf_add(out, pf_span("", 1), err);
}

int labels_read(struct istore *s, struct pf_span labels, struct pf_span *out, struct pf_err *err)
{
	struct pf_span label;

	*out = pf_span(NULL, 0);
	pf_buf_clear(&s->labels_out);
	if (!labels_are_told(s)) {
		return PF_OK;
	}
	while (pf_imap_words_next(&labels, &label)) {
		struct pf_span id = folder_of(s, label);

		if (id.n > 0 && add_plain(&s->labels_out, id, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	*out = pf_buf_span(&s->labels_out);
	return PF_OK;
}
