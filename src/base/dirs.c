#include "base/dirs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int pf_make_parents(const char *path, struct pf_err *err)
{
	char dir[4096];

	for (const char *slash = path[0] ? strchr(path + 1, '/') : NULL; slash;
		slash = strchr(slash + 1, '/')) {
		if ((size_t)(slash - path) >= sizeof(dir)) {
			return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO, "the path is too long");
		}
		(void)snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
		if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
			return pf_fail_sys(err, PF_SCOPE_ITEM, PF_RETRY_NO, "making %s", dir);
		}
	}
	return PF_OK;
}
