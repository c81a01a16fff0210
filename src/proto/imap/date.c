#include "proto/imap/date.h"

#include "base/civil.h"

#include <stdio.h>

enum { ZONE_MOST = 24 * 60 };

static const char MONTHS[12][4] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

void pf_imap_date_format(int64_t utc_s, int zone_min, char out[32])
{
	static const int64_t FIRST = -62167219200, LAST = 253402300799; /* years 0 to 9999 */
	int64_t local;
	struct pf_civil c;
	int zone = zone_min < 0 ? -zone_min : zone_min;

	if (zone > ZONE_MOST) {
		zone = 0;
		zone_min = 0;
	}
	local = utc_s < FIRST ? FIRST : utc_s > LAST ? LAST : utc_s;
	local += (int64_t)zone_min * 60;
	local = local < FIRST ? FIRST : local > LAST ? LAST : local;
	pf_civil_from_unix(local, &c);
	(void)snprintf(out, 32, "%2d-%s-%04d %02d:%02d:%02d %c%02d%02d", c.day, MONTHS[c.month - 1],
		c.year, c.hour, c.minute, c.second, zone_min < 0 ? '-' : '+', zone / 60, zone % 60);
}
