/* A limit of the tokens of each team in each UTC day: an event that would bring its team over it is not appended.
 *
 * Fields    /team, /tokens
 * Config    {"limit":1000}, of a team in a day; 100000 unless it is given
 * State     "2025-03-01/search": {"tokens":900}
 *           "uncounted": {"tokens_not_a_number":2,"last_sequence":17}
 * Query     none             {"2025-03-01/search":{"tokens":900},...}
 *           day=2025-03-01   the same of one day
 * Guard     admits           {"remaining":100}
 *           429              {"limit":1000,"used":900,"resets_at":"2025-03-02T00:00:00Z"}, until then
 *           403              {"limit":1000}, for more tokens than that in one event: it never fits
 *           409              {"reason":"tokens_not_a_number"}, for what could not be counted
 *
 * The day is that of recording: the event's own time is up to who sends it. An event without tokens is ignored, and admitted. */

#include "tally/tally.h"

/* The slots of an event, in the order of view_fields. */
enum {
	TEAM,
	TOKENS,
};

enum {
	DAY_BYTES = sizeof "2025-03-01" - 1,
	TEAM_BYTES = TALLY_KEY_BYTES - DAY_BYTES - 1,
	DEFAULT_LIMIT = 100000,
	SCAN_PAGE = 1000,       /* keys; about 100 KB of totals */
	ANSWER_BYTES = 1 << 20, /* the server takes no longer answer */
};

static const int64_t SECOND = 1000000; /* times are in microseconds */
static const int64_t DAY = 86400 * SECOND;

static const tally_text around[] = { /* the total of a key in the state */
	TALLY_STATIC_TEXT("{\"tokens\":"),
	TALLY_STATIC_TEXT("}"),
};

static tally_decimal limit; /* of a team in a day */
static bool configured;     /* since memory was last set back */

static int32_t configure(void) {
	tally_members members = tally_object(tally_config());
	tally_text name, value;
	if (configured)
		return TALLY_APPLIED;
	tally_set_decimal(&limit, DEFAULT_LIMIT);
	while (tally_member_next(&members, &name, &value)) {
		if (!tally_equal(name, TALLY_TEXT("limit")))
			return tally_fail_shown(TALLY_TEXT("unknown member "), name, TALLY_TEXT(": this view knows limit"));
		if (!tally_parse_input(value, &limit) || limit.negative)
			return tally_fail(TALLY_TEXT("limit must be a number of tokens, 0 or more"));
	}
	configured = true;
	return TALLY_APPLIED;
}

int64_t view_fields(void) {
	return configure() < 0 ? TALLY_FAILED : tally_answer(TALLY_TEXT("/team\n/tokens"));
}

/* What the view counts of an event. */
typedef struct {
	bool given; /* the event has tokens */
	tally_reasons fault; /* why they cannot be counted; none if they can */
	tally_decimal tokens;
	tally_text key; /* of the team's day in the state */
} usage;

/* "2025-03-01" */
static void put_day(tally_out *out, int64_t time) {
	tally_date date = tally_date_of(tally_floor_divide(time, DAY));
	tally_put_padded(out, (uint64_t)date.year, 4);
	tally_put_char(out, '-');
	tally_put_padded(out, date.month, 2);
	tally_put_char(out, '-');
	tally_put_padded(out, date.day, 2);
}

static void read(const tally_event *event, usage *usage) {
	const tally_slot *team = &event->slot[TEAM], *tokens = &event->slot[TOKENS];
	usage->fault.n = 0;
	usage->given = !tally_is_none(tokens);
	if (!tally_count(tokens, &usage->tokens)) {
		tally_add_reason(&usage->fault, TALLY_TEXT("tokens"), tally_uncounted(tokens));
		return;
	}
	tally_add_reason(&usage->fault, TALLY_TEXT("team"), tally_name_fault(team, TEAM_BYTES));
	if (usage->fault.n > 0)
		return;
	tally_out key = tally_out_new(64);
	put_day(&key, event->recorded_at);
	tally_put_char(&key, '/');
	if (!tally_is_none(team))
		tally_put(&key, team->text);
	usage->key = tally_out_text(&key);
}

/* Takes every event: no guard was asked about those that the log held before. */
int32_t view_fold(const tally_event *event) {
	usage usage;
	tally_decimal total;
	read(event, &usage);
	if (!usage.given)
		return TALLY_IGNORED;
	if (usage.fault.n > 0)
		return tally_note_uncounted(TALLY_TEXT("uncounted"), event->sequence, &usage.fault);
	if (!tally_load_totals(usage.key, around, &total, 1))
		return tally_fail_totals(usage.key);
	if (!tally_add(&total, &usage.tokens))
		return tally_fail_overflow(usage.key);
	tally_store_totals(usage.key, around, &total, 1);
	return TALLY_APPLIED;
}

/* ---- The guard ---- */

/* An answer: a member with a number, of an object that the caller ends. */
static tally_out answer_with(tally_text begin, const tally_decimal *number) {
	tally_out out = tally_out_new(256);
	tally_put(&out, begin);
	tally_put_decimal(&out, number);
	return out;
}

static void answer(tally_out *out) {
	tally_put_char(out, '}');
	tally_guard_answer(tally_out_text(out));
}

/* Refuses an event until the next day begins. */
static int32_t over_limit(int64_t now, const tally_decimal *used) {
	int64_t midnight = (tally_floor_divide(now, DAY) + 1) * DAY;
	tally_out out = answer_with(TALLY_TEXT("{\"limit\":"), &limit);
	tally_put(&out, TALLY_TEXT(",\"used\":"));
	tally_put_decimal(&out, used);
	tally_put(&out, TALLY_TEXT(",\"resets_at\":\""));
	put_day(&out, midnight);
	tally_put(&out, TALLY_TEXT("T00:00:00Z\""));
	answer(&out);
	tally_retry_after((midnight - now + SECOND - 1) / SECOND);
	return TALLY_TOO_MANY_REQUESTS;
}

/* Decides on an event before it is appended. It sees the state that view_fold made of all events before it. */
static int32_t guard(const tally_event *event) {
	usage usage;
	tally_decimal used, left;
	tally_out out;
	if (configure() < 0)
		return TALLY_FAILED;
	read(event, &usage);
	if (!usage.given)
		return TALLY_ADMITTED;
	if (usage.fault.n > 0) {
		out = tally_out_new(64);
		tally_put(&out, TALLY_TEXT("{\"reason\":"));
		tally_put_string(&out, usage.fault.reason[0]);
		answer(&out);
		return TALLY_CONFLICT;
	}
	if (tally_compare(&usage.tokens, &limit) > 0) {
		out = answer_with(TALLY_TEXT("{\"limit\":"), &limit);
		answer(&out);
		return TALLY_FORBIDDEN;
	}
	if (!tally_load_totals(usage.key, around, &used, 1))
		return tally_fail_totals(usage.key);
	left = usage.tokens;
	if (!tally_add(&left, &used) || tally_compare(&left, &limit) > 0)
		return over_limit(event->recorded_at, &used);
	if (!tally_is_zero(&left))
		left.negative = !left.negative;
	tally_add(&left, &limit);
	out = answer_with(TALLY_TEXT("{\"remaining\":"), &left);
	answer(&out);
	return TALLY_ADMITTED;
}

TALLY_GUARD(guard)

/* ---- Queries ---- */

int64_t view_query(tally_text query) {
	tally_text name, value, key, prefix = TALLY_TEXT("");
	while (tally_take_parameter(&query, &name, &value)) {
		int64_t time;
		tally_out begin = tally_out_new(32);
		if (!tally_equal(name, TALLY_TEXT("day")))
			return tally_fail_shown(TALLY_TEXT("unknown parameter "), name, TALLY_TEXT(": this view knows day=2025-03-01"));
		tally_put(&begin, value);
		tally_put(&begin, TALLY_TEXT("T00:00:00Z"));
		if (!tally_parse_time(tally_out_text(&begin), &time))
			return tally_fail_shown(TALLY_TEXT("day is "), value, TALLY_TEXT(", which is not a day like 2025-03-01"));
		prefix = (tally_text){begin.at, DAY_BYTES + 1};
		begin.at[DAY_BYTES] = '/';
	}
	tally_out out = tally_out_new(4096);
	tally_put_char(&out, '{');
	tally_scan scan = {.prefix = prefix, .page = SCAN_PAGE, .frugal = true};
	while (tally_scan_next(&scan, &key, &value)) {
		if (out.len > 1)
			tally_put_char(&out, ',');
		tally_put_exact_string(&out, key);
		tally_put_char(&out, ':');
		tally_put(&out, value);
		if (out.len >= ANSWER_BYTES)
			return tally_fail(TALLY_TEXT("the answer passes 1 MiB: ask for one day, or read the view's state page by page"));
	}
	tally_put_char(&out, '}');
	return tally_answer(tally_out_text(&out));
}
