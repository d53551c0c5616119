#include "month.h"

enum {
	MONTH_BYTES = 7,                  /* 2025-03 */
	PREFIX_BYTES = MONTH_BYTES + 1,   /* 2025-03/ */
	NAME_BYTES = TALLY_KEY_BYTES - PREFIX_BYTES,
	SCAN_PAGE = 1000,                 /* keys; about 100 KB of totals */
	ANSWER_BYTES = 1 << 20,           /* docs/abi.md; the server traps beyond */
};

static const int64_t DAY_MICROSECONDS = 86400000000;

static const tally_text uncounted = TALLY_STATIC_TEXT("uncounted/"); /* begins keys */

static bool may_be_name(tally_text name) {
	if (name.len > NAME_BYTES)
		return false;
	for (uint32_t i = 0; i < name.len; i++)
		if (name.at[i] == 0)
			return false;
	return true;
}

/* Writes "2025-03/" for a time; false if its year has not four digits. The
 * last day's prefix is remembered, since most events follow one of their day. */
static inline __attribute__((always_inline)) bool put_prefix(tally_out *out, int64_t time) {
	static int64_t day_start, day_end; /* no time is between them at first */
	static char prefix[PREFIX_BYTES];
	if (time < day_start || time >= day_end) {
		int64_t day = tally_floor_divide(time, DAY_MICROSECONDS);
		tally_date date = tally_date_of(day);
		if (date.year < 0 || date.year > 9999)
			return false;
		tally_out fresh = {prefix, 0, PREFIX_BYTES};
		tally_put_padded(&fresh, (uint64_t)date.year, 4);
		tally_put_char(&fresh, '-');
		tally_put_padded(&fresh, date.month, 2);
		tally_put_char(&fresh, '/');
		day_start = day * DAY_MICROSECONDS;
		day_end = day_start + DAY_MICROSECONDS;
	}
	tally_put(out, (tally_text){prefix, PREFIX_BYTES});
	return true;
}

/* Part of every fold: a call would be felt. */
__attribute__((always_inline)) bool month_key(int64_t time, const tally_slot *slot, tally_text *key) {
	tally_text name = slot->text;
	if (slot->kind == TALLY_ARRAY || slot->kind == TALLY_OBJECT)
		return false;
	if (tally_is_none(slot))
		name.len = 0;
	if (!may_be_name(name))
		return false;
	tally_out out = tally_out_new(PREFIX_BYTES + name.len);
	if (!put_prefix(&out, time))
		return false;
	tally_put(&out, name);
	*key = tally_out_text(&out);
	return true;
}

/* ---- What is left out ---- */

/* "uncounted/2025-03/<name>"; of a name that makes this key too long, or that
 * is none, "uncounted/2025-03/". Without a month where its year has not four
 * digits; false then. */
static bool left_out_key(int64_t time, const tally_slot *slot, tally_text *key) {
	tally_out out = tally_out_new(TALLY_KEY_BYTES);
	tally_put(&out, uncounted);
	bool has_month = put_prefix(&out, time);
	if (!has_month)
		tally_put_char(&out, '/');
	if (!tally_is_none(slot) && tally_name_fault(slot, TALLY_KEY_BYTES - out.len).len == 0)
		tally_put(&out, slot->text);
	*key = tally_out_text(&out);
	return has_month;
}

__attribute__((noinline)) bool month_take_part(const month_view *view, const tally_event *event, bool counts_in,
                                               bool counts_out, month_part *part) {
	const tally_slot *name = &event->slot[view->name], *in = &event->slot[view->tokens_in], *out = &event->slot[view->tokens_out];
	*part = (month_part){0};
	if (tally_is_none(in) && tally_is_none(out))
		return false;
	if (!left_out_key(event->time, name, &part->key)) {
		tally_add_reason(&part->reasons, TALLY_TEXT(""), TALLY_TEXT("time_out_of_range"));
		return true;
	}
	tally_add_reason(&part->reasons, view->name_field, tally_name_fault(name, NAME_BYTES));
	if (part->reasons.n > 0)
		return true;
	part->counts = counts_in || counts_out;
	if (!counts_in)
		tally_add_reason(&part->reasons, TALLY_TEXT("tokens_in"), tally_uncounted(in));
	if (!counts_out)
		tally_add_reason(&part->reasons, TALLY_TEXT("tokens_out"), tally_uncounted(out));
	return true;
}

__attribute__((noinline)) int32_t month_leave_out(const tally_event *event, const month_part *part) {
	return part->reasons.n == 0 ? TALLY_APPLIED : tally_note_uncounted(part->key, event->sequence, &part->reasons);
}

/* ---- Queries ---- */

/* One month or all, one name or all; an empty `at` means all. */
typedef struct {
	tally_text month;
	tally_text name;
	bool uncounted; /* the counts by reason are asked for */
} question;

static bool is_month(tally_text text) {
	uint32_t year, month;
	return tally_take_digits(&text, 4, &year) && tally_take_char(&text, '-') &&
	       tally_take_digits(&text, 2, &month) && text.len == 0 && month >= 1 && month <= 12;
}

static bool refuse_parameter(const month_view *view, tally_text name) {
	tally_out out = tally_out_new(256);
	tally_put(&out, TALLY_TEXT("unknown parameter "));
	tally_put_shown(&out, name);
	tally_put(&out, TALLY_TEXT(": this view knows month=2025-03"));
	if (view->name_parameter.len > 0) {
		tally_put(&out, TALLY_TEXT(", "));
		tally_put(&out, view->name_parameter);
		tally_put(&out, TALLY_TEXT("=<name>"));
	}
	tally_put(&out, TALLY_TEXT(" and uncounted"));
	tally_fail(tally_out_text(&out));
	return false;
}

/* False if tally_fail has been called. */
static bool take_parameter(const month_view *view, tally_text name, tally_text value, question *asked) {
	bool is_uncounted = tally_equal(name, TALLY_TEXT("uncounted"));
	bool is_name = view->name_parameter.len > 0 && tally_equal(name, view->name_parameter);
	if (!is_uncounted && !is_name && !tally_equal(name, TALLY_TEXT("month")))
		return refuse_parameter(view, name);
	if (is_uncounted ? asked->uncounted : is_name ? asked->name.at != 0 : asked->month.at != 0)
		return tally_fail_repeated(name) == TALLY_APPLIED;
	if (is_uncounted) {
		asked->uncounted = true;
	} else if (is_name) {
		asked->name = value;
	} else if (is_month(value)) {
		asked->month = value;
	} else {
		tally_fail_shown(TALLY_TEXT("month is "), value, TALLY_TEXT(", which is not a year and a month like 2025-03"));
		return false;
	}
	return true;
}

/* ---- Answers ---- */

/* A walk over the keys of totals, or of what is left out of them. */
typedef struct {
	tally_scan scan;
	bool has;        /* there is an entry */
	tally_text key;  /* "2025-03/<name>" */
	tally_text whole_key;
	tally_text value;
} side;

static bool starts_with(tally_text text, tally_text start) {
	return text.len >= start.len && tally_equal((tally_text){text.at, start.len}, start);
}

/* What is left out comes after all totals, since a month is of digits. */
static void next_counted(side *counted) {
	counted->has = tally_scan_next(&counted->scan, &counted->key, &counted->value) && !starts_with(counted->key, uncounted);
}

static void next_left(side *left) {
	left->has = tally_scan_next(&left->scan, &left->whole_key, &left->value);
	left->key = (tally_text){left->whole_key.at + uncounted.len, left->whole_key.len - uncounted.len};
}

static tally_text prefix_of(const question *asked, tally_text start) {
	tally_out out = tally_out_new(start.len + PREFIX_BYTES);
	tally_put(&out, start);
	if (asked->month.at != 0) {
		tally_put(&out, asked->month);
		tally_put_char(&out, '/');
	}
	return tally_out_text(&out);
}

/* An answer that is being written: {"<name>":{...},...} or, by month,
 * {"2025-03":{"<name>":{...},...},...}. */
typedef struct {
	tally_out out;
	bool by_month;
	bool has_month; /* `month` is one; "" is where no time had a month */
	bool has_name;
	tally_text month;
} answer;

static void put_name(tally_out *out, bool first, tally_text name) {
	if (!first)
		tally_put_char(out, ',');
	tally_put_string(out, name);
	tally_put_char(out, ':');
}

static void begin_entry(answer *answer, tally_text month, tally_text name) {
	if (answer->by_month && (!answer->has_month || !tally_equal(month, answer->month))) {
		if (answer->has_month)
			tally_put_char(&answer->out, '}');
		put_name(&answer->out, !answer->has_month, month);
		tally_put_char(&answer->out, '{');
		answer->month = month;
		answer->has_month = true;
		answer->has_name = false;
	}
	put_name(&answer->out, !answer->has_name, name);
	answer->has_name = true;
}

static bool put_uncounted(answer *answer, tally_text totals, const side *left) {
	uint64_t n;
	if (!tally_sum_uncounted(left->value, &n)) {
		tally_fail_totals(left->whole_key);
		return false;
	}
	if (totals.len == 0)
		tally_put(&answer->out, left->value);
	else
		tally_put_uncounted(&answer->out, totals, n);
	return true;
}

static int64_t end_answer(answer *answer) {
	if (answer->has_month)
		tally_put_char(&answer->out, '}');
	tally_put_char(&answer->out, '}');
	return tally_answer(tally_out_text(&answer->out));
}

/* Walks totals and what is left out of them side by side. */
static int64_t answer_question(const month_view *view, const question *asked) {
	answer answer = {.out = tally_out_new(4096), .by_month = asked->month.at == 0};
	side counted = {.scan = {.prefix = prefix_of(asked, TALLY_TEXT("")), .page = SCAN_PAGE}};
	side left = {.scan = {.prefix = prefix_of(asked, uncounted), .page = SCAN_PAGE}};
	tally_put_char(&answer.out, '{');
	if (!asked->uncounted)
		next_counted(&counted);
	next_left(&left);
	while (counted.has || left.has) {
		bool has_left = left.has && (!counted.has || !tally_less(counted.key, left.key));
		bool has_counted = counted.has && (!has_left || tally_equal(counted.key, left.key));
		tally_text key = has_counted ? counted.key : left.key, month = {key.at, 0};
		while (month.at[month.len] != '/')
			month.len++;
		tally_text name = {key.at + month.len + 1, key.len - month.len - 1};
		if (asked->name.at == 0 || tally_equal(name, asked->name)) {
			begin_entry(&answer, month, name);
			tally_text totals = asked->uncounted ? (tally_text){0} : has_counted ? counted.value : view->no_totals;
			if (!has_left)
				tally_put(&answer.out, totals);
			else if (!put_uncounted(&answer, totals, &left))
				return TALLY_FAILED;
		}
		if (answer.out.len > ANSWER_BYTES - 2) /* two braces to come */
			return tally_fail(TALLY_TEXT("the answer passes 1 MiB: ask for one month, or for one name where the view takes one, "
			                             "or read the view's state page by page"));
		if (has_counted)
			next_counted(&counted);
		if (has_left)
			next_left(&left);
	}
	return end_answer(&answer);
}

/* Reads the key of a start, a month and a name, where there can be such a key. */
static bool get_one(const question *asked, tally_text start, tally_text *key, tally_text *value) {
	tally_out out = tally_out_new(TALLY_KEY_BYTES);
	tally_put(&out, prefix_of(asked, start));
	if (asked->name.len > TALLY_KEY_BYTES - out.len)
		return false;
	tally_put(&out, asked->name);
	*key = tally_out_text(&out);
	return tally_get(*key, value);
}

/* One month and one name: two keys are all there is to read. */
static int64_t answer_one(const month_view *view, const question *asked) {
	answer answer = {.out = tally_out_new(4096)};
	side counted = {0}, left = {0};
	tally_put_char(&answer.out, '{');
	/* A name that no key can hold was never counted. */
	if (may_be_name(asked->name) && tally_is_utf8(asked->name)) {
		counted.has = !asked->uncounted && get_one(asked, TALLY_TEXT(""), &counted.key, &counted.value);
		left.has = get_one(asked, uncounted, &left.whole_key, &left.value);
	}
	if (counted.has || left.has) {
		begin_entry(&answer, asked->month, asked->name);
		tally_text totals = asked->uncounted ? (tally_text){0} : counted.has ? counted.value : view->no_totals;
		if (!left.has)
			tally_put(&answer.out, totals);
		else if (!put_uncounted(&answer, totals, &left))
			return TALLY_FAILED;
	}
	return end_answer(&answer);
}

int64_t month_query(const month_view *view, tally_text query) {
	question asked = {0};
	tally_text name, value;
	while (tally_take_parameter(&query, &name, &value))
		if (!take_parameter(view, name, value, &asked))
			return TALLY_FAILED;
	if (asked.month.at != 0 && asked.name.at != 0)
		return answer_one(view, &asked);
	return answer_question(view, &asked);
}
