/* UTC dates, RFC 3339, and query strings, which carry them. */

#include "tally.h"

int64_t tally_floor_divide(int64_t n, int64_t by) {
	return n / by - (n % by < 0);
}

/* Years are counted from March here, so that the leap day is a year's last, in
 * eras of 400 years, which all have the same number of days. */
enum {
	DAYS_TO_1970 = 719468, /* from 0000-03-01 */
	ERA_DAYS = 146097,
	ERA_YEARS = 400,
	CENTURY_DAYS = 36524,
	LEAP_DAYS = 1461, /* of four years */
	YEAR_DAYS = 365,
	DAY_SECONDS = 86400,
};

tally_date tally_date_of(int64_t days) {
	days += DAYS_TO_1970;
	int64_t era = tally_floor_divide(days, ERA_DAYS);
	uint32_t day = (uint32_t)(days - era * ERA_DAYS);
	uint32_t year = (day - day / (LEAP_DAYS - 1) + day / CENTURY_DAYS - day / (ERA_DAYS - 1)) / YEAR_DAYS;
	day -= year * YEAR_DAYS + year / 4 - year / 100;
	uint32_t month = (5 * day + 2) / 153; /* 0 is March; five months have 153 days */
	return (tally_date){
		.year = era * ERA_YEARS + year + (month >= 10),
		.month = month < 10 ? month + 3 : month - 9,
		.day = day - (153 * month + 2) / 5 + 1,
	};
}

int64_t tally_days_of(tally_date date) {
	int64_t year = date.year - (date.month <= 2);
	int64_t era = tally_floor_divide(year, ERA_YEARS);
	uint32_t of_era = (uint32_t)(year - era * ERA_YEARS);
	uint32_t month = date.month > 2 ? date.month - 3 : date.month + 9;
	uint32_t day = (153 * month + 2) / 5 + date.day - 1;
	return era * ERA_DAYS + of_era * YEAR_DAYS + of_era / 4 - of_era / 100 + day - DAYS_TO_1970;
}

bool tally_take_digits(tally_text *text, uint32_t digits, uint32_t *n) {
	*n = 0;
	if (text->len < digits)
		return false;
	for (uint32_t i = 0; i < digits; i++) {
		char c = text->at[i];
		if (c < '0' || c > '9')
			return false;
		*n = *n * 10 + (uint32_t)(c - '0');
	}
	text->at += digits;
	text->len -= digits;
	return true;
}

bool tally_take_char(tally_text *text, char c) {
	if (text->len == 0 || text->at[0] != c)
		return false;
	text->at++;
	text->len--;
	return true;
}

static bool take_date(tally_text *text, tally_date *date) {
	static const uint32_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	uint32_t year;
	if (!tally_take_digits(text, 4, &year) || !tally_take_char(text, '-') ||
	    !tally_take_digits(text, 2, &date->month) || !tally_take_char(text, '-') ||
	    !tally_take_digits(text, 2, &date->day))
		return false;
	date->year = year;
	if (date->month < 1 || date->month > 12 || date->day < 1)
		return false;
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return date->day <= days[date->month - 1] + (date->month == 2 && leap);
}

/* Reads .123456789; what is below a microsecond does not count. */
static bool take_fraction(tally_text *text, int64_t *microseconds) {
	int64_t unit = 100000;
	uint32_t digit;
	if (!tally_take_char(text, '.'))
		return true;
	if (!tally_take_digits(text, 1, &digit))
		return false;
	do {
		*microseconds += digit * unit;
		unit /= 10;
	} while (tally_take_digits(text, 1, &digit));
	return true;
}

static bool take_offset(tally_text *text, int64_t *seconds) {
	uint32_t hours, minutes;
	if (tally_take_char(text, 'Z') || tally_take_char(text, 'z'))
		return true;
	bool west = tally_take_char(text, '-');
	if (!west && !tally_take_char(text, '+') && !tally_take_char(text, ' '))
		return false;
	if (!tally_take_digits(text, 2, &hours) || !tally_take_char(text, ':') ||
	    !tally_take_digits(text, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*seconds = (west ? -1 : 1) * (int64_t)(hours * 60 + minutes) * 60;
	return true;
}

bool tally_parse_time(tally_text text, int64_t *time) {
	tally_date date;
	uint32_t hour, minute, second;
	int64_t microseconds = 0, offset = 0;
	if (!take_date(&text, &date) || (!tally_take_char(&text, 'T') && !tally_take_char(&text, 't')) ||
	    !tally_take_digits(&text, 2, &hour) || !tally_take_char(&text, ':') ||
	    !tally_take_digits(&text, 2, &minute) || !tally_take_char(&text, ':') ||
	    !tally_take_digits(&text, 2, &second) || !take_fraction(&text, &microseconds) ||
	    !take_offset(&text, &offset) || text.len > 0)
		return false;
	if (hour > 23 || minute > 59 || second > 60)
		return false;
	int64_t seconds = tally_days_of(date) * DAY_SECONDS + hour * 3600 + minute * 60 + second - offset;
	*time = seconds * 1000000 + microseconds;
	return second < 60 || seconds % DAY_SECONDS == 0; /* a leap second is the last of a day in UTC */
}

/* ---- Query strings ---- */

static int hex_digit(char c) {
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* + is a space; a % without two hexadecimal digits stands for itself. */
static tally_text percent_decode(const char *at, const char *end) {
	tally_out out = tally_out_new((uint32_t)(end - at));
	while (at < end) {
		char c = *at++;
		if (c == '+')
			c = ' ';
		if (c == '%' && end - at >= 2 && hex_digit(at[0]) >= 0 && hex_digit(at[1]) >= 0) {
			c = (char)(hex_digit(at[0]) << 4 | hex_digit(at[1]));
			at += 2;
		}
		tally_put_char(&out, c);
	}
	return tally_out_text(&out);
}

bool tally_take_parameter(tally_text *query, tally_text *name, tally_text *value) {
	while (tally_take_char(query, '&'))
		;
	if (query->len == 0)
		return false;
	const char *start = query->at, *end = start + query->len, *p = start, *equals;
	while (p < end && *p != '&')
		p++;
	for (equals = start; equals < p && *equals != '=';)
		equals++;
	*name = percent_decode(start, equals);
	*value = percent_decode(equals < p ? equals + 1 : p, p);
	query->len -= (uint32_t)(p - start);
	query->at = p;
	return true;
}

bool tally_has_parameter(tally_text query, tally_text wanted) {
	tally_text name, value;
	while (tally_take_parameter(&query, &name, &value))
		if (tally_equal(name, wanted))
			return true;
	return false;
}

int32_t tally_fail_repeated(tally_text name) {
	tally_out out = tally_out_new(64);
	tally_put(&out, name); /* one that the view knows */
	tally_put(&out, TALLY_TEXT(" is given twice: give it once"));
	return tally_fail(tally_out_text(&out));
}
