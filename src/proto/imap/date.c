#include "proto/imap/date.h"

#include "base/civil.h"

#include <string.h>

enum { ZONE_MOST = 24 * 60 };

static const char MONTHS[12][4] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static void two(char *out, int n)
{
	out[0] = (char)('0' + n / 10);
	out[1] = (char)('0' + n % 10);
}

/* Written digit by digit: each message has one, and printf would cost more than all else about it.
 */
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
	memcpy(out, " d-mmm-yyyy hh:mm:ss +hhmm", 27);
	two(out, c.day);
	out[0] = c.day < 10 ? ' ' : out[0];
	memcpy(out + 3, MONTHS[c.month - 1], 3);
	two(out + 7, c.year / 100);
	two(out + 9, c.year % 100);
	two(out + 12, c.hour);
	two(out + 15, c.minute);
	two(out + 18, c.second);
	out[21] = zone_min < 0 ? '-' : '+';
	two(out + 22, zone / 60);
	two(out + 24, zone % 60);
}
