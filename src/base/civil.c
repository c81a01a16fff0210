#include "base/civil.h"

#include <stdio.h>

static bool leap(int y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

bool pf_civil_valid(const struct pf_civil *c)
{
	static const int DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	if (c->year < 0 || c->year > 9999 || c->month < 1 || c->month > 12 || c->day < 1) {
		return false;
	}
	if (c->day > DAYS[c->month - 1] + (c->month == 2 && leap(c->year))) {
		return false;
	}
	return c->hour >= 0 && c->hour < 24 && c->minute >= 0 && c->minute < 60 && c->second >= 0 &&
	       c->second <= 60;
}

/*
 * Days are counted in eras of 400 years (146,097 days) that begin on 1 March, so that the leap day
 * is the last of its year and a month's first day is a linear function.
 */
int64_t pf_civil_to_unix(const struct pf_civil *c)
{
	int64_t y = c->year - (c->month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int day = (153 * (c->month + (c->month > 2 ? -3 : 9)) + 2) / 5 + c->day - 1;
	int64_t days = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + day - 719468;
	int of_day = c->hour * 3600 + c->minute * 60 + c->second;

	return days * 86400 + of_day;
}

void pf_civil_from_unix(int64_t unix_s, struct pf_civil *out)
{
	int64_t days = unix_s / 86400;
	int64_t rest = unix_s % 86400;
	int64_t era, of_era, y, doy, mp;

	if (rest < 0) {
		rest += 86400;
		days--;
	}
	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	of_era = days - era * 146097;
	y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	doy = of_era - (365 * y + y / 4 - y / 100);
	mp = (5 * doy + 2) / 153;
	out->day = (int)(doy - (153 * mp + 2) / 5 + 1);
	out->month = (int)(mp < 10 ? mp + 3 : mp - 9);
	out->year = (int)(y + era * 400 + (out->month <= 2));
	out->hour = (int)(rest / 3600);
	out->minute = (int)(rest / 60 % 60);
	out->second = (int)(rest % 60);
}

bool pf_date_is_odd(int64_t unix_s)
{
	return unix_s != PF_DATE_NONE && pf_date_nearest(unix_s) != unix_s;
}

int64_t pf_date_nearest(int64_t unix_s)
{
	return unix_s < 0 ? 0 : unix_s > INT32_MAX ? INT32_MAX : unix_s;
}

void pf_date_iso(int64_t unix_s, char out[32])
{
	struct pf_civil c;

	if (unix_s == PF_DATE_NONE) {
		(void)snprintf(out, 32, "-");
		return;
	}
	pf_civil_from_unix(unix_s, &c);
	(void)snprintf(out, 32, "%04d-%02d-%02dT%02d:%02d:%02dZ", c.year, c.month, c.day, c.hour,
		c.minute, c.second);
}
