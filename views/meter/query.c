#include "query.h"
#include "../shared/number.h"

/* What was asked, as far as it can only be read when all is known. */
typedef struct {
	tally_text from;
	tally_text to;
	tally_text after;
} late;

bool refuse_parameter(tally_text name, tally_text value, tally_text why) {
	tally_out before = tally_out_new(128);
	tally_put(&before, name);
	tally_put(&before, TALLY_TEXT(" is "));
	return refuse(tally_out_text(&before), value, why);
}

/* Takes the next of a list with commas from its front. */
static bool take_listed(tally_text *list, tally_text *one) {
	if (list->at == 0)
		return false;
	*one = (tally_text){list->at, 0};
	while (one->len < list->len && one->at[one->len] != ',')
		one->len++;
	bool last = one->len == list->len;
	*list = last ? (tally_text){0} : (tally_text){list->at + one->len + 1, list->len - one->len - 1};
	return true;
}

static bool group_of(const configuration *config, tally_text name, uint32_t *found) {
	for (*found = 0; *found < config->groups.len; ++*found)
		if (tally_equal(config->groups.at[*found].name, name))
			return true;
	return false;
}

static tally_text group_names(const configuration *config) {
	tally_out out = tally_out_new(128);
	for (uint32_t i = 0; i < config->groups.len; i++) {
		if (i > 0)
			tally_put(&out, TALLY_TEXT(", "));
		tally_put(&out, config->groups.at[i].name);
	}
	if (config->groups.len == 0)
		tally_put(&out, TALLY_TEXT("none"));
	return tally_out_text(&out);
}

static bool refuse_group(const configuration *config, tally_text parameter, tally_text name) {
	tally_out after = tally_out_new(256);
	tally_put(&after, TALLY_TEXT(", which this view does not group by; its groups are "));
	tally_put(&after, group_names(config));
	return refuse_parameter(parameter, name, tally_out_text(&after));
}

static bool read_group_by(const configuration *config, tally_text list, meter_query *q) {
	tally_text name;
	uint32_t group;
	q->groups_len = 0;
	if (list.len == 0)
		return true;
	if (tally_equal(list, TALLY_TEXT("*"))) {
		for (group = 0; group < config->groups.len; group++)
			q->groups[q->groups_len++] = group;
		return true;
	}
	while (take_listed(&list, &name)) {
		if (!group_of(config, name, &group))
			return refuse_group(config, TALLY_TEXT("group_by"), name);
		for (uint32_t i = 0; i < q->groups_len; i++)
			if (q->groups[i] == group)
				return refuse_parameter(TALLY_TEXT("group_by"), name, TALLY_TEXT(", which is named twice"));
		q->groups[q->groups_len++] = group;
	}
	return true;
}

static void add_filter(meter_query *q, uint32_t group, const tally_out *value) {
	filter *added = tally_room(sizeof *added);
	*added = (filter){q->filters, group, tally_out_text(value)};
	q->filters = added;
}

/* A parameter has no types: 12 stands for the string and for the number, true
 * for the string and for true. */
static void add_filters(meter_query *q, uint32_t group, tally_text value) {
	tally_out string = tally_out_new(value.len + 16), other = tally_out_new(value.len + 16);
	number read;
	put_string_value(&string, value);
	add_filter(q, group, &string);
	if (tally_equal(value, TALLY_TEXT("true")) || tally_equal(value, TALLY_TEXT("false"))) {
		tally_put_char(&other, '~');
		tally_put_char(&other, value.at[0]);
		add_filter(q, group, &other);
	} else if (read_number(value, &read) && put_number_value(&other, value)) {
		add_filter(q, group, &other);
	}
}

static bool read_missing(const configuration *config, tally_text list, meter_query *q) {
	tally_text name;
	uint32_t group;
	while (take_listed(&list, &name)) {
		if (!group_of(config, name, &group))
			return refuse_group(config, TALLY_TEXT("missing"), name);
		tally_out none = tally_out_new(1);
		put_no_value(&none);
		add_filter(q, group, &none);
	}
	return true;
}

/* Whether the view keeps what the aggregation needs; any percentile can be had
 * where one is configured. */
static bool is_kept(const configuration *config, const pick *wanted) {
	for (uint32_t i = 0; i < config->picks.len; i++)
		if (config->picks.at[i].kind == wanted->kind)
			return true;
	return wanted->kind == PICK_COUNT;
}

static bool read_aggregation(const configuration *config, tally_text list, meter_query *q) {
	tally_text name;
	pick wanted;
	while (take_listed(&list, &name)) {
		if (!pick_of(name, &wanted))
			return refuse_parameter(TALLY_TEXT("aggregation"), name,
			                        TALLY_TEXT(", which is not count, sum, min, max, average, latest, unique or a percentile like p99.9"));
		if (!is_kept(config, &wanted))
			return refuse_parameter(TALLY_TEXT("aggregation"), name,
			                        TALLY_TEXT(", which this view does not keep; deploy a version with it among its aggregations"));
		for (uint32_t i = 0; i < q->picks.len; i++)
			if (tally_equal(q->picks.at[i].name, name))
				return refuse_parameter(TALLY_TEXT("aggregation"), name, TALLY_TEXT(", which is named twice"));
		if (q->picks.len == MOST_PICKS)
			return refuse_parameter(TALLY_TEXT("aggregation"), name, TALLY_TEXT(", which is one too many: 32 can be asked for at once"));
		q->picks.at[q->picks.len++] = wanted;
	}
	return true;
}

static bool read_window(const configuration *config, tally_text value, meter_query *q) {
	q->windowed = true;
	if (!span_of(value, &q->windows.span) || q->windows.span > SPAN_MONTH)
		return refuse_parameter(TALLY_TEXT("window"), value, TALLY_TEXT(", which is not minute, quarter_hour, hour, day, week or month"));
	if (q->windows.span >= config->parts.span)
		return true;
	tally_out why = tally_out_new(256);
	tally_put(&why, TALLY_TEXT(", which is shorter than what this view keeps apart: ask for "));
	tally_put(&why, span_names[config->parts.span]);
	tally_put(&why, TALLY_TEXT(" or longer, or deploy a version with \"resolution\":\""));
	tally_put(&why, span_names[q->windows.span]);
	tally_put(&why, TALLY_TEXT("\" in its configuration"));
	return refuse_parameter(TALLY_TEXT("window"), value, tally_out_text(&why));
}

static bool read_whole(tally_text name, tally_text value, uint32_t least, uint32_t most, uint32_t *number) {
	enum { MOST_DIGITS = 9 };
	tally_text digits = value;
	if (value.len >= 1 && value.len <= MOST_DIGITS && tally_take_digits(&digits, value.len, number) && *number >= least && *number <= most)
		return true;
	tally_out why = tally_out_new(64);
	tally_put(&why, TALLY_TEXT(", which is not a whole number from "));
	tally_put_padded(&why, least, 1);
	tally_put(&why, TALLY_TEXT(" to "));
	tally_put_padded(&why, most, 1);
	return refuse_parameter(name, value, tally_out_text(&why));
}

static bool read_zone(tally_text value, meter_query *q) {
	q->windows.zone = zone_find(value);
	q->zone_name = value;
	return q->windows.zone != 0 ||
	       refuse_parameter(TALLY_TEXT("timezone"), value,
	                        TALLY_TEXT(", which is not the name of an IANA time zone like UTC or America/Los_Angeles"));
}

static bool read_format(tally_text value, meter_query *q) {
	q->csv = tally_equal(value, TALLY_TEXT("csv"));
	return q->csv || tally_equal(value, TALLY_TEXT("json")) ||
	       refuse_parameter(TALLY_TEXT("format"), value, TALLY_TEXT(", which is not json or csv"));
}

static bool read_csv(tally_text value, meter_query *q) {
	q->raw = tally_equal(value, TALLY_TEXT("raw"));
	return q->raw || refuse_parameter(TALLY_TEXT("csv"), value, TALLY_TEXT(", which is not raw"));
}

static bool refuse_unknown(const configuration *config, tally_text name) {
	tally_out after = tally_out_new(256);
	tally_put(&after, TALLY_TEXT(": this view knows window, timezone, from, to, rolling, group_by, aggregation, missing, format, "
	                             "csv, limit, after, offset, uncounted and its groups, which are "));
	tally_put(&after, group_names(config));
	return refuse(TALLY_TEXT("unknown parameter "), name, tally_out_text(&after));
}

static bool read_parameter(const configuration *config, tally_text name, tally_text value, meter_query *q, late *late) {
	enum { MOST_OFFSET = 999999999 };
	uint32_t group;
	if (tally_equal(name, TALLY_TEXT("window")))
		return read_window(config, value, q);
	if (tally_equal(name, TALLY_TEXT("timezone")))
		return read_zone(value, q);
	if (tally_equal(name, TALLY_TEXT("group_by")))
		return read_group_by(config, value, q);
	if (tally_equal(name, TALLY_TEXT("aggregation")))
		return read_aggregation(config, value, q);
	if (tally_equal(name, TALLY_TEXT("missing")))
		return read_missing(config, value, q);
	if (tally_equal(name, TALLY_TEXT("format")))
		return read_format(value, q);
	if (tally_equal(name, TALLY_TEXT("csv")))
		return read_csv(value, q);
	if (tally_equal(name, TALLY_TEXT("rolling")))
		return read_whole(name, value, 1, MOST_ROLLING, &q->rolling);
	if (tally_equal(name, TALLY_TEXT("limit")))
		return (q->limited = true) && read_whole(name, value, 1, MOST_LIMIT, &q->limit);
	if (tally_equal(name, TALLY_TEXT("offset")))
		return read_whole(name, value, 0, MOST_OFFSET, &q->offset);
	if (tally_equal(name, TALLY_TEXT("from")))
		late->from = value;
	else if (tally_equal(name, TALLY_TEXT("to")))
		late->to = value;
	else if (tally_equal(name, TALLY_TEXT("after")))
		late->after = value;
	else if (tally_equal(name, TALLY_TEXT("uncounted")))
		q->uncounted = true;
	else if (group_of(config, name, &group))
		add_filters(q, group, value);
	else
		return refuse_unknown(config, name);
	return true;
}

/* ---- from and to ---- */

/* Takes a date like 2025-03-01: the beginning of that day. */
static bool take_date(tally_text text, const zone_entry *zone, int64_t *time) {
	enum { DATE_BYTES = 10 };
	tally_out midnight = tally_out_new(32);
	if (text.len != DATE_BYTES)
		return false;
	tally_put(&midnight, text);
	tally_put(&midnight, TALLY_TEXT("T00:00:00Z"));
	if (!tally_parse_time(tally_out_text(&midnight), time))
		return false;
	*time = start_of_day(zone, tally_floor_divide(*time / MICROSECONDS, DAY_SECONDS));
	return true;
}

static void put_part_name(tally_out *out, const configuration *config) {
	tally_put(out, span_names[config->parts.span]);
	tally_put(out, TALLY_TEXT(" of "));
	tally_put(out, config->zone_name);
}

static bool check_edge(const configuration *config, const meter_query *q, tally_text name, tally_text value, int64_t time) {
	if (is_start(&config->parts, time))
		return true;
	stretch part = window_at(&config->parts, time);
	tally_out why = tally_out_new(256);
	tally_put(&why, TALLY_TEXT(", where no "));
	put_part_name(&why, config);
	tally_put(&why, TALLY_TEXT(" begins, which is what this view keeps apart; "));
	put_time(&why, q->windows.zone, part.start);
	tally_put(&why, TALLY_TEXT(" or "));
	put_time(&why, q->windows.zone, part.end);
	tally_put(&why, TALLY_TEXT(" would do"));
	return refuse_parameter(name, value, tally_out_text(&why));
}

static bool read_edge(const configuration *config, const meter_query *q, tally_text name, tally_text value, int64_t *time) {
	if (!take_date(value, q->windows.zone, time)) {
		int64_t microseconds;
		if (!tally_parse_time(value, &microseconds) || floor_remainder(microseconds, MICROSECONDS) != 0)
			return refuse_parameter(name, value,
			                        TALLY_TEXT(", which is not a date like 2025-03-01 or an RFC 3339 time of whole seconds like "
			                                   "2025-03-01T10:00:00Z or 2025-03-01T10:00:00+02:00"));
		*time = tally_floor_divide(microseconds, MICROSECONDS);
	}
	if (!is_countable(*time))
		return refuse_parameter(name, value, TALLY_TEXT(", which is not within the years 0001 to 9998"));
	return check_edge(config, q, name, value, *time);
}

int64_t covered_from(const meter_query *q, int64_t time) {
	for (uint32_t i = 1; i < q->rolling; i++)
		time = window_at(&q->windows, time - 1).start;
	return time;
}

static bool check_rolling(const meter_query *q) {
	if (q->rolling == 1)
		return true;
	if (!q->windowed || !q->starts || !q->ends)
		return tally_fail(TALLY_TEXT("rolling needs window, from and to: window=day&rolling=7&from=2025-03-01&to=2025-04-01 answers "
		                             "for each day of March that day and the six before it")) != TALLY_FAILED;
	if (!is_start(&q->windows, q->from) || !is_start(&q->windows, q->to))
		return tally_fail(TALLY_TEXT("rolling needs from and to where a window begins: dates like 2025-03-01 for days, Mondays for weeks, "
		                             "firsts for months")) != TALLY_FAILED;
	return is_countable(covered_from(q, q->from)) ||
	       tally_fail(TALLY_TEXT("rolling reaches back before the year 0001")) != TALLY_FAILED;
}

/* Finds how the groups that are asked for lie in the keys. */
static void order_groups(meter_query *q) {
	uint32_t len = q->groups_len;
	for (uint32_t i = 0; i < len; i++) {
		uint32_t at = i;
		for (; at > 0 && q->ordered[at - 1] > q->groups[i]; at--)
			q->ordered[at] = q->ordered[at - 1];
		q->ordered[at] = q->groups[i];
	}
	q->depth = len > 0 && q->ordered[len - 1] == len - 1 ? len : 0;
}

bool read_query(const configuration *config, tally_text query, meter_query *q) {
	tally_text name, value;
	late late = {0};
	uint32_t group;
	*q = (meter_query){.rolling = 1, .windows = {SPAN_DAY, config->parts.zone}, .zone_name = config->zone_name,
	                    .from = -ZONE_EVER, .to = ZONE_EVER};
	while (tally_take_parameter(&query, &name, &value))
		if (!group_of(config, name, &group) && tally_has_parameter(query, name))
			return tally_fail_repeated(name) != TALLY_FAILED;
		else if (!read_parameter(config, name, value, q, &late))
			return false;
	order_groups(q);
	if (q->picks.len == 0)
		q->picks = config->picks;
	q->starts = late.from.at != 0;
	q->ends = late.to.at != 0;
	if ((q->starts && !read_edge(config, q, TALLY_TEXT("from"), late.from, &q->from)) ||
	    (q->ends && !read_edge(config, q, TALLY_TEXT("to"), late.to, &q->to)))
		return false;
	if (q->from >= q->to)
		return refuse_parameter(TALLY_TEXT("from"), late.from, TALLY_TEXT(", which is not before to; to is exclusive"));
	if (q->uncounted && q->csv)
		return tally_fail(TALLY_TEXT("uncounted is answered as JSON only")) != TALLY_FAILED;
	if (q->raw && !q->csv)
		return tally_fail(TALLY_TEXT("csv=raw goes with format=csv")) != TALLY_FAILED;
	if (late.after.at != 0 && !read_after(config, late.after, q))
		return false;
	return check_rolling(q);
}

bool check_windows(const configuration *config, const meter_query *q, int64_t from, int64_t to) {
	if (!q->windowed || parts_fit(&config->parts, &q->windows, from, to))
		return true;
	tally_out before = tally_out_new(128), after = tally_out_new(256);
	tally_put(&before, TALLY_TEXT("window="));
	tally_put(&before, span_names[q->windows.span]);
	tally_put(&before, TALLY_TEXT(" in timezone "));
	tally_put(&after, TALLY_TEXT(" does not always begin with one "));
	put_part_name(&after, config);
	tally_put(&after, TALLY_TEXT(", which is what this view keeps apart: deploy a version with a shorter \"resolution\", like "
	                             "\"quarter_hour\", or with this \"timezone\" in its configuration"));
	return refuse(tally_out_text(&before), q->zone_name, tally_out_text(&after));
}
