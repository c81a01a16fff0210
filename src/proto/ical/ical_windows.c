/*
 * Names of zones as Windows and Outlook write them into TZID, where no VTIMEZONE comes with them,
 * and those of the IANA (Unicode CLDR, windowsZones, territory 001; as ICU knows them).
 */
#include "proto/ical/ical_private.h"

#include <unicode/ucal.h>
#include <unicode/ustring.h>

enum { NAME_MAX = 128 };

/* ASCII of UTF-16; false: it is none, or too long. */
static bool to_ascii(const UChar *from, int32_t n, char *out, size_t size)
{
	if (n <= 0 || (size_t)n >= size) {
		return false;
	}
	for (int32_t i = 0; i < n; i++) {
		if (from[i] >= 0x80) {
			return false;
		}
		out[i] = (char)from[i];
	}
	out[n] = '\0';
	return true;
}

static int32_t to_utf16(const char *from, UChar out[NAME_MAX])
{
	int32_t n = 0;

	for (; from[n]; n++) {
		if (n == NAME_MAX - 1 || (from[n] & 0x80)) {
			return 0;
		}
		out[n] = (UChar)from[n];
	}
	return n;
}

bool pf_ical_zone_of_windows(const char *windows, char *out, size_t size)
{
	UChar from[NAME_MAX], to[NAME_MAX];
	UErrorCode status = U_ZERO_ERROR;
	int32_t n = to_utf16(windows, from);

	n = n > 0 ? ucal_getTimeZoneIDForWindowsID(from, n, NULL, to, NAME_MAX, &status) : 0;
	return U_SUCCESS(status) && to_ascii(to, n, out, size);
}

bool pf_ical_windows_of_zone(const char *iana, char *out, size_t size)
{
	UChar from[NAME_MAX], to[NAME_MAX];
	UErrorCode status = U_ZERO_ERROR;
	int32_t n = to_utf16(iana, from);

	n = n > 0 ? ucal_getWindowsTimeZoneID(from, n, to, NAME_MAX, &status) : 0;
	return U_SUCCESS(status) && to_ascii(to, n, out, size);
}
