#include "question.h"

static const tally_text show_names[SHOWS] = {
	TALLY_STATIC_TEXT("balance"),      TALLY_STATIC_TEXT("limits"),  TALLY_STATIC_TEXT("grants"),
	TALLY_STATIC_TEXT("reservations"), TALLY_STATIC_TEXT("history"), TALLY_STATIC_TEXT("uncounted"),
};

static bool refuse_parameter(tally_text name, tally_text value, tally_text why) {
	return refuse(join(name, TALLY_TEXT(" is "), TALLY_TEXT(""), TALLY_TEXT("")), value, why);
}

/* ---- Values ---- */

/* A parameter has no types: 12 stands for the string and for the number, true for
 * the string and the boolean. */
static asked_value value_asked(tally_text text) {
	asked_value asked = {.given = true};
	tally_out string = tally_out_new(text.len + 8), other = tally_out_new(text.len + 8);
	put_string_value(&string, text);
	asked.as[asked.len++] = tally_out_text(&string);
	if (tally_equal(text, TALLY_TEXT("true")) || tally_equal(text, TALLY_TEXT("false")))
		tally_put(&other, text.at[0] == 't' ? TALLY_TEXT("~t") : TALLY_TEXT("~f"));
	else if (!tally_is_number(text) || !put_number_value(&other, text))
		return asked;
	asked.as[asked.len++] = tally_out_text(&other);
	return asked;
}

static asked_value no_value(void) {
	return (asked_value){.given = true, .as = {TALLY_TEXT("~")}, .len = 1};
}

const asked_value *asked_of(const question *q, tally_text name) {
	static const asked_value nothing;
	for (uint32_t i = 0; i < q->groups_len; i++)
		if (tally_equal(q->groups[i].name, name))
			return &q->groups[i].value;
	return &nothing;
}

bool find_place(const question *q, const group_list *groups, tally_text family, tally_text rest, tally_text *place) {
	uint32_t ways = 1;
	tally_text value;
	for (uint32_t i = 0; i < groups->len; i++) {
		const asked_value *asked = asked_of(q, groups->at[i].name);
		if (!asked->given)
			return false;
		ways *= asked->len;
	}
	for (uint32_t way = ways; way-- > 0;) {
		tally_out out = tally_out_new(256);
		uint32_t choice = way;
		for (uint32_t i = 0; i < groups->len; i++) {
			const asked_value *asked = asked_of(q, groups->at[i].name);
			tally_put(&out, asked->as[choice % asked->len]);
			tally_put_char(&out, '/');
			choice /= asked->len;
		}
		*place = tally_out_text(&out);
		tally_text key = join(family, *place, rest, TALLY_TEXT(""));
		if (way == 0 || (key.len <= TALLY_KEY_BYTES && tally_is_utf8(key) && tally_get(key, &value)))
			break;
	}
	return true;
}

bool matches(const question *q, const group_list *groups, tally_text values) {
	tally_text value;
	for (uint32_t i = 0; i < groups->len && take_value(&values, &value); i++) {
		const asked_value *asked = asked_of(q, groups->at[i].name);
		bool met = !asked->given;
		for (uint32_t way = 0; way < asked->len; way++)
			met = met || tally_equal(asked->as[way], value);
		if (!met)
			return false;
	}
	return true;
}

/* ---- Parameters ---- */

static bool is_group_of(const group_list *groups, tally_text name) {
	for (uint32_t i = 0; i < groups->len; i++)
		if (tally_equal(groups->at[i].name, name))
			return true;
	return false;
}

static bool is_group(const configuration *config, tally_text name) {
	if (config->has_credits && is_group_of(&config->credits.groups, name))
		return true;
	for (uint32_t i = 0; i < config->limits_len; i++)
		if (is_group_of(&config->limits[i].groups, name))
			return true;
	return false;
}

static bool add_group(question *q, tally_text name, asked_value value) {
	if (asked_of(q, name)->given)
		return tally_fail_repeated(name) != TALLY_FAILED;
	if (q->groups_len == sizeof q->groups / sizeof *q->groups)
		return tally_fail(TALLY_TEXT("a question may have at most 24 groups")) != TALLY_FAILED;
	q->groups[q->groups_len++] = (asked_group){name, value};
	return true;
}

static bool read_missing(const configuration *config, tally_text list, question *q) {
	while (list.len > 0) {
		tally_text name = {list.at, 0};
		while (name.len < list.len && name.at[name.len] != ',')
			name.len++;
		list.at += name.len;
		list.len -= name.len;
		tally_take_char(&list, ',');
		if (!is_group(config, name))
			return refuse_parameter(TALLY_TEXT("missing"), name, TALLY_TEXT(", which is no name of a group"));
		if (!add_group(q, name, no_value()))
			return false;
	}
	return true;
}

static bool read_show(const configuration *config, tally_text value, question *q) {
	for (uint32_t i = 0; i < SHOWS; i++)
		if (tally_equal(value, show_names[i])) {
			bool of_credits = i != SHOW_LIMITS && i != SHOW_UNCOUNTED;
			q->show = (show)i;
			if (of_credits ? config->has_credits : i != SHOW_LIMITS || config->limits_len > 0)
				return true;
			return refuse_parameter(TALLY_TEXT("show"), value,
			                        of_credits ? TALLY_TEXT(", but there are no credits in the configuration")
			                                   : TALLY_TEXT(", but there are no limits in the configuration"));
		}
	return refuse_parameter(TALLY_TEXT("show"), value,
	                        TALLY_TEXT(", which is not balance, limits, grants, reservations, history or uncounted"));
}

static bool read_at(tally_text value, question *q) {
	return (tally_parse_time(value, &q->at) && q->at >= 0 && is_countable(tally_floor_divide(q->at, MICROSECONDS))) ||
	       refuse_parameter(TALLY_TEXT("at"), value, TALLY_TEXT(", which is not a time from 1970 on like 2025-03-01T10:05:30Z"));
}

static bool read_limit(tally_text value, question *q) {
	int64_t n;
	if (!read_integer(value, &n) || n < 1 || n > MOST_PAGE)
		return refuse_parameter(TALLY_TEXT("limit"), value, TALLY_TEXT(", which is not a number of rows from 1 to 1000"));
	q->limit = (uint32_t)n;
	return true;
}

static bool read_parameter(const configuration *config, tally_text name, tally_text value, question *q) {
	if (tally_equal(name, TALLY_TEXT("show")))
		return read_show(config, value, q);
	if (tally_equal(name, TALLY_TEXT("at")))
		return read_at(value, q);
	if (tally_equal(name, TALLY_TEXT("limit")))
		return read_limit(value, q);
	if (tally_equal(name, TALLY_TEXT("missing")))
		return read_missing(config, value, q);
	if (tally_equal(name, TALLY_TEXT("name")))
		q->name = value;
	else if (tally_equal(name, TALLY_TEXT("grant")))
		q->grant = value_asked(value);
	else if (tally_equal(name, TALLY_TEXT("scope")))
		q->scope = value_asked(value);
	else if (tally_equal(name, TALLY_TEXT("closed")))
		q->closed = true;
	else if (tally_equal(name, TALLY_TEXT("after")))
		q->after = value;
	else if (is_group(config, name))
		return add_group(q, name, value_asked(value));
	else
		return refuse(TALLY_TEXT("unknown parameter "), name,
		              TALLY_TEXT(": this view knows show, at, name, grant, scope, closed, limit, after, missing and the names of its "
		                         "groups"));
	return true;
}

/* The time of the last event that was counted. */
static int64_t last_time(void) {
	tally_text value, name, source;
	int64_t time = 0;
	if (!tally_get(TALLY_TEXT("clock"), &value))
		return 0;
	tally_members members = tally_object(value);
	while (tally_member_next(&members, &name, &source))
		if (tally_equal(name, TALLY_TEXT("recorded_at")))
			read_integer(source, &time);
	return time;
}

bool read_question(const configuration *config, tally_text query, question *q) {
	tally_text name, value;
	__builtin_memset(q, 0, sizeof *q);
	q->show = config->has_credits ? SHOW_BALANCE : SHOW_LIMITS;
	q->limit = DEFAULT_PAGE;
	q->at = last_time();
	while (tally_take_parameter(&query, &name, &value)) {
		if (!read_parameter(config, name, value, q))
			return false;
		if (tally_has_parameter(query, name))
			return tally_fail_repeated(name) != TALLY_FAILED;
	}
	if ((q->show == SHOW_HISTORY) != q->grant.given)
		return tally_fail(TALLY_TEXT("show=history needs grant, the name of one, and grant needs show=history")) != TALLY_FAILED;
	if (!tally_is_utf8(q->after) || q->after.len > TALLY_KEY_BYTES)
		return refuse_parameter(TALLY_TEXT("after"), q->after, TALLY_TEXT(", which is not what an answer gave as next"));
	return true;
}

/* ---- Answers ---- */

tally_out begin_page(const question *q) {
	tally_out out = tally_out_new(4096);
	tally_put_char(&out, '{');
	put_moment(&out, TALLY_TEXT("at"), q->at);
	return out;
}

int64_t end_page(tally_out *out, tally_text next) {
	tally_put_char(out, ']');
	if (next.len > 0)
		put_text(out, TALLY_TEXT("next"), next);
	tally_put_char(out, '}');
	return tally_answer(tally_out_text(out));
}

static int64_t answer_uncounted(void) {
	tally_text value;
	return tally_answer(tally_get(TALLY_TEXT("uncounted"), &value) ? value : TALLY_TEXT("{}"));
}

int64_t view_query(tally_text query) {
	const configuration *config = load_configuration();
	question *q = tally_room(sizeof *q);
	if (config == 0 || !read_question(config, query, q))
		return TALLY_FAILED;
	if (q->show == SHOW_UNCOUNTED)
		return answer_uncounted();
	return q->show == SHOW_LIMITS ? answer_limits(config, q) : answer_credits(config, q);
}
