#include "limit.h"
#include "reader.h"

/* The parts of a rolling window, and its length. */
static const struct {
	int64_t part;
	int64_t window;
} rolling_seconds[SPANS] = {
	[SPAN_MINUTE] = {1, MINUTE_SECONDS},
	[SPAN_HOUR] = {MINUTE_SECONDS, HOUR_SECONDS},
	[SPAN_DAY] = {30 * MINUTE_SECONDS, DAY_SECONDS},
	[SPAN_WEEK] = {3 * HOUR_SECONDS, 7 * DAY_SECONDS},
	[SPAN_MONTH] = {12 * HOUR_SECONDS, 30 * DAY_SECONDS},
	[SPAN_QUARTER] = {36 * HOUR_SECONDS, 90 * DAY_SECONDS},
	[SPAN_YEAR] = {6 * DAY_SECONDS, (int64_t)365 * DAY_SECONDS},
};

bool concerns(const configuration *config, const limit *limit, const tally_event *event) {
	if (limit->types.field == NO_FIELD ? kind_of(config, event) != EVENT_USAGE : !is_of_type(&limit->types, event))
		return false;
	return meets_conditions(&limit->conditions, event);
}

tally_text limit_key(const limit *limit, tally_text group) {
	return join(TALLY_TEXT("limit/"), limit->name, TALLY_TEXT("/"), group);
}

/* Until when an event counts that is recorded now. */
static int64_t counts_until(const limit *limit, int64_t now) {
	span span = limit->windows.span;
	if (!limit->rolling)
		return window_at(&limit->windows, now).end;
	int64_t part = rolling_seconds[span].part;
	return now - floor_remainder(now, part) + part + rolling_seconds[span].window;
}

/* ---- State ---- */

/* Reads the parts, but for those that count no more. */
static void take_parts(reader *r, int64_t now, usage *read) {
	for (uint32_t n = 0; !r->broken && !take(r, TALLY_TEXT("]")); n++) {
		part *next = &read->parts[read->len];
		expect(r, n > 0 ? TALLY_TEXT(",[") : TALLY_TEXT("["));
		next->until = take_integer(r);
		expect(r, TALLY_TEXT(","));
		take_total(r, &next->amount);
		expect(r, TALLY_TEXT("]"));
		if (n == MOST_PARTS)
			r->broken = true;
		if (next->until <= now)
			continue;
		tally_add(&read->used, &next->amount);
		read->len++;
	}
}

bool load_usage(tally_text key, int64_t now, usage *read) {
	enum { LEAST_BYTES = 8 }; /* of a part */
	tally_text value = {0};
	bool known = tally_get(key, &value);
	*read = (usage){.parts = tally_room((value.len / LEAST_BYTES + 2) * (uint32_t)sizeof(part))};
	tally_set_decimal(&read->used, 0);
	if (!known)
		return true;
	reader r = reader_of(value);
	tally_decimal stored;
	expect(&r, TALLY_TEXT("{\"used\":"));
	take_total(&r, &stored); /* of a time that is over: the parts say more */
	expect(&r, TALLY_TEXT(",\"over\":"));
	read->over = take_integer(&r);
	if (take(&r, TALLY_TEXT(",\"cursor\":")))
		read->cursor = take_string(&r);
	expect(&r, TALLY_TEXT(",\"parts\":["));
	take_parts(&r, now, read);
	expect(&r, TALLY_TEXT("}"));
	if (!is_done(&r))
		return tally_fail_totals(key) != TALLY_FAILED;
	if (read->len == 0)
		read->over = 0;
	return true;
}

static void store_usage(tally_text key, const usage *usage) {
	tally_out out = tally_out_new(64 + 32 * usage->len);
	tally_put(&out, TALLY_TEXT("{\"used\":"));
	tally_put_decimal(&out, &usage->used);
	put_integer(&out, TALLY_TEXT("over"), usage->over);
	if (usage->cursor.len > 0) {
		put_name(&out, TALLY_TEXT("cursor"));
		tally_put_string(&out, usage->cursor);
	}
	put_name(&out, TALLY_TEXT("parts"));
	tally_put_char(&out, '[');
	for (uint32_t i = 0; i < usage->len; i++) {
		tally_put(&out, i > 0 ? TALLY_TEXT(",[") : TALLY_TEXT("["));
		tally_put_padded(&out, (uint64_t)usage->parts[i].until, 1);
		tally_put_char(&out, ',');
		tally_put_decimal(&out, &usage->parts[i].amount);
		tally_put_char(&out, ']');
	}
	tally_put(&out, TALLY_TEXT("]}"));
	tally_set(key, tally_out_text(&out));
}

/* ---- Unique values ---- */

static bool read_unique(const limit *limit, const tally_event *event, int64_t now, charge *made, tally_text *reason) {
	const tally_slot *slot = &event->slot[limit->value];
	tally_text until;
	if (tally_is_none(slot)) {
		*reason = TALLY_TEXT("unique_missing");
		return false;
	}
	tally_out key = tally_out_new(256);
	tally_put(&key, join(TALLY_TEXT("seen/"), limit->name, TALLY_TEXT("/"), made->group));
	tally_put_char(&key, '='); /* so that the empty text has a key too */
	value_fault fault = put_value(&key, slot);
	if (fault != VALUE_GOOD || key.len > TALLY_KEY_BYTES) {
		*reason = fault == VALUE_VAST       ? TALLY_TEXT("unique_exponent_too_long")
		          : fault == VALUE_NOT_TEXT ? TALLY_TEXT("unique_not_text")
		                                    : TALLY_TEXT("unique_too_long");
		return false;
	}
	made->seen_key = tally_out_text(&key);
	if (tally_get(made->seen_key, &until) && (!read_integer(until, &made->seen_until) || made->seen_until <= now))
		made->seen_until = 0;
	tally_set_decimal(&made->added, made->seen_until == 0);
	return true;
}

/* Looks at the next values for some that count no more: so they never are many
 * more than those that do. */
static void sweep(const charge *made, usage *usage, int64_t now) {
	enum { LOOKS = 4 };
	tally_text key, value, after = {0};
	int64_t until;
	uint32_t seen = 0;
	tally_text prefix = join(TALLY_TEXT("seen/"), made->limit->name, TALLY_TEXT("/"), made->group);
	prefix = join(prefix, TALLY_TEXT("="), TALLY_TEXT(""), TALLY_TEXT(""));
	if (usage->cursor.len > 0)
		after = join(prefix, usage->cursor, TALLY_TEXT(""), TALLY_TEXT(""));
	tally_scan scan = {.prefix = prefix, .after = after, .page = LOOKS};
	while (seen < LOOKS && tally_scan_next(&scan, &key, &value)) {
		seen++;
		usage->cursor = (tally_text){key.at + prefix.len, key.len - prefix.len};
		if (read_integer(value, &until) && until <= now)
			tally_delete(key);
	}
	if (seen < LOOKS)
		usage->cursor = (tally_text){0};
}

/* ---- Events ---- */

charge_result make_charge(const limit *limit, const tally_event *event, charge *made, tally_text *reason) {
	int64_t now = tally_floor_divide(event->recorded_at, MICROSECONDS);
	group_fault fault;
	tally_out group = tally_out_new(64);
	*made = (charge){.limit = limit};
	tally_set_decimal(&made->added, 1);
	if (!put_groups(&group, &limit->groups, event, MOST_GROUP_BYTES, &fault)) {
		*reason = fault.reason;
		return CHARGE_BAD;
	}
	made->group = tally_out_text(&group);
	if (limit->measure == MEASURE_SUM && !read_amount(&event->slot[limit->value], TALLY_TEXT("value"), &made->added, reason))
		return CHARGE_BAD;
	if (limit->measure == MEASURE_UNIQUE && !read_unique(limit, event, now, made, reason))
		return CHARGE_BAD;
	made->key = limit_key(limit, made->group);
	if (!load_usage(made->key, now, &made->usage))
		return CHARGE_FAILED;
	made->until = counts_until(limit, now);
	tally_decimal total = made->usage.used;
	tally_add(&total, &made->added);
	made->never = tally_compare(&made->added, &limit->most) > 0;
	made->over = is_positive(&made->added) && tally_compare(&total, &limit->most) > 0;
	return CHARGE_GOOD;
}

/* Adds to the part that counts until then: the last or a new one, for times of recording do not decrease. */
static void add_part(usage *usage, int64_t until, const tally_decimal *amount) {
	tally_add(&usage->used, amount);
	if (usage->len > 0 && usage->parts[usage->len - 1].until >= until) {
		tally_add(&usage->parts[usage->len - 1].amount, amount);
		return;
	}
	usage->parts[usage->len++] = (part){until, *amount};
}

void apply_charge(const charge *made, int64_t now) {
	usage usage = made->usage;
	tally_decimal one;
	tally_set_decimal(&one, 1);
	if (made->seen_key.len > 0) {
		if (made->seen_until == made->until)
			return; /* counted already, and for as long */
		for (uint32_t i = 0; made->seen_until > 0 && i < usage.len; i++)
			if (usage.parts[i].until == made->seen_until) {
				subtract(&usage.parts[i].amount, &one);
				subtract(&usage.used, &one);
			}
		tally_out out = tally_out_new(32);
		tally_put_padded(&out, (uint64_t)made->until, 1);
		tally_set(made->seen_key, tally_out_text(&out));
		if (made->seen_until == 0)
			sweep(made, &usage, now);
		add_part(&usage, made->until, &one);
	} else {
		add_part(&usage, made->until, &made->added);
	}
	usage.over += made->over;
	store_usage(made->key, &usage);
}

/* ---- Answers ---- */

int64_t room_at(const limit *limit, const usage *usage, const tally_decimal *added, int64_t now) {
	tally_decimal total = usage->used;
	tally_add(&total, added);
	if (!limit->rolling)
		return window_at(&limit->windows, now).end;
	for (uint32_t i = 0; i < usage->len; i++) {
		subtract(&total, &usage->parts[i].amount);
		if (tally_compare(&total, &limit->most) <= 0)
			return usage->parts[i].until;
	}
	return counts_until(limit, now);
}

/* When what is used becomes less, or 0 where nothing is used of a rolling window. */
static int64_t resets_at(const limit *limit, const usage *usage, int64_t now) {
	if (!limit->rolling)
		return window_at(&limit->windows, now).end;
	for (uint32_t i = 0; i < usage->len; i++)
		if (is_positive(&usage->parts[i].amount))
			return usage->parts[i].until;
	return 0;
}

void put_limit(tally_out *out, const limit *limit, tally_text group, const usage *usage, int64_t now) {
	tally_decimal remaining = limit->most;
	int64_t reset = resets_at(limit, usage, now);
	subtract(&remaining, &usage->used);
	if (remaining.negative)
		tally_set_decimal(&remaining, 0);
	put_text(out, TALLY_TEXT("name"), limit->name);
	put_group(out, TALLY_TEXT("group"), &limit->groups, group);
	put_text(out, TALLY_TEXT("window"), span_names[limit->windows.span]);
	if (limit->rolling) {
		put_name(out, TALLY_TEXT("rolling"));
		tally_put(out, TALLY_TEXT("true"));
	}
	put_amount(out, TALLY_TEXT("limit"), &limit->most);
	put_amount(out, TALLY_TEXT("used"), &usage->used);
	put_amount(out, TALLY_TEXT("remaining"), &remaining);
	put_moment(out, TALLY_TEXT("resets_at"), reset == 0 ? NEVER : reset * MICROSECONDS);
}
