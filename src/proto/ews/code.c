#include "proto/ews/code.h"

#include "base/defs.h"

static const struct {
	const char *code; /* one that ends in '*' stands for all that begin so */
	enum pf_ews_does does;
} CODES[] = {
	{"NoError", PF_EWS_DONE},
	{"ErrorServerBusy", PF_EWS_BUSY},
	{"ErrorExceededConnectionCount", PF_EWS_BUSY},
	{"ErrorTooManyObjectsOpened", PF_EWS_BUSY},
	{"ErrorExceededFindCountLimit", PF_EWS_BUSY},
	{"ErrorTimeoutExpired", PF_EWS_PASSING},
	{"ErrorInternalServerTransientError", PF_EWS_PASSING},
	{"ErrorConnectionFailed", PF_EWS_PASSING},
	{"ErrorMailboxStoreUnavailable", PF_EWS_PASSING},
	{"ErrorMailboxMoveInProgress", PF_EWS_PASSING},
	{"ErrorMailboxFailover", PF_EWS_PASSING},
	{"ErrorConnectionFailedTransientError", PF_EWS_PASSING},
	{"ErrorClientDisconnected", PF_EWS_PASSING},
	{"ErrorRequestAborted", PF_EWS_PASSING},
	{"ErrorADOperation", PF_EWS_PASSING},
	{"ErrorADUnavailable", PF_EWS_PASSING},
	{"ErrorInsufficientResources", PF_EWS_PASSING},
	{"ErrorNotEnoughMemory", PF_EWS_PASSING},
	{"ErrorNoApplicableProxyCASServersAvailable", PF_EWS_PASSING},
	{"ErrorNoRespondingCASInDestinationSite", PF_EWS_PASSING},
	{"ErrorProxyCallFailed", PF_EWS_PASSING},
	{"ErrorProxyRequestProcessingFailed", PF_EWS_PASSING},
	{"ErrorInternalServerError", PF_EWS_UNCLEAR},
	{"ErrorBatchProcessingStopped", PF_EWS_UNTRIED},
	{"ErrorItemNotFound", PF_EWS_GONE},
	{"ErrorFolderNotFound", PF_EWS_GONE},
	{"ErrorSyncFolderNotFound", PF_EWS_GONE},
	{"ErrorParentFolderNotFound", PF_EWS_GONE},
	{"ErrorFolderExists", PF_EWS_EXISTS},
	{"ErrorInvalidChangeKey", PF_EWS_RACE},
	{"ErrorStaleObject", PF_EWS_RACE},
	{"ErrorIrresolvableConflict", PF_EWS_RACE},
	{"ErrorQuotaExceeded", PF_EWS_FULL},
	{"ErrorMessagePerFolderCountReceiveQuotaExceeded", PF_EWS_FULL},
	{"ErrorDataSizeLimitExceeded", PF_EWS_TOO_LARGE},
	{"ErrorMessageSizeExceeded", PF_EWS_TOO_LARGE},
	{"ErrorAttachmentSizeLimitExceeded", PF_EWS_TOO_LARGE},
	/* told of a source's item, too, and then it is damage all the same: no better can be had */
	{"ErrorMimeContentInvalid*", PF_EWS_CONTENT},
	{"ErrorMimeContentConversionFailed", PF_EWS_CONTENT},
	{"ErrorContentConversionFailed", PF_EWS_CONTENT},
	{"ErrorUnsupportedMimeConversion", PF_EWS_CONTENT}, /* of a document and its like */
	{"ErrorPropertyValidationFailure", PF_EWS_CONTENT},
	{"ErrorCalendar*", PF_EWS_CONTENT},
	{"ErrorRecurrence*", PF_EWS_CONTENT},
	{"ErrorOccurrence*", PF_EWS_CONTENT},
	{"ErrorItemCorrupt", PF_EWS_DAMAGED},
	{"ErrorCorruptData", PF_EWS_DAMAGED},
	{"ErrorInvalidSyncStateData", PF_EWS_SYNC},
	{"ErrorInvalidServerVersion", PF_EWS_VERSION},
	{"ErrorIncorrectSchemaVersion", PF_EWS_VERSION},
	{"ErrorInvalidSchemaVersionForMailboxVersion", PF_EWS_VERSION},
	{"ErrorAccessDenied", PF_EWS_RIGHTS},
	{"ErrorImpersonat*", PF_EWS_RIGHTS},
	{"ErrorNonExistentMailbox", PF_EWS_RIGHTS},
	{"ErrorMissingEmailAddress", PF_EWS_RIGHTS},
	{"ErrorSchemaValidation", PF_EWS_OURS},
	{"ErrorInvalidRequest", PF_EWS_OURS},
};

enum pf_ews_does pf_ews_does(struct pf_span code)
{
	for (size_t i = 0; i < PF_COUNT(CODES); i++) {
		size_t n = strlen(CODES[i].code);
		bool many = CODES[i].code[n - 1] == '*';
		size_t same = many ? n - 1 : n;

		if ((many ? code.n >= same : code.n == same) && same > 0 &&
			memcmp(code.p, CODES[i].code, same) == 0) {
			return CODES[i].does;
		}
	}
	return code.n > 0 ? PF_EWS_REFUSED : PF_EWS_UNCLEAR;
}
