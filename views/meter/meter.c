/* meter: counts, sums, extremes, averages, latest and unique values and
 * percentiles of events, by groups and windows of time, as a configuration says.
 *
 * docs/meter.md is its reference: configuration, queries, limits. */

#include "page.h"
#include "../shared/number.h"

int64_t view_fields(void) {
	const configuration *config = load_configuration();
	return config == 0 ? TALLY_FAILED : tally_answer(config->fields.lines);
}

/* Reads the event's value; false, and why, where it cannot be counted. */
static bool read_value(const configuration *config, const tally_event *event, tally_decimal *value, trouble *trouble) {
	const tally_slot *slot = &event->slot[config->value];
	number beyond;
	if (tally_count(slot, value))
		return true;
	trouble->field = config->value;
	if (slot->kind == TALLY_MISSING)
		trouble->reason = TALLY_TEXT("value_missing");
	else if (slot->kind == TALLY_NULL)
		trouble->reason = TALLY_TEXT("value_null");
	else if (slot->kind == TALLY_NUMBER || (slot->kind == TALLY_STRING && read_number(slot->text, &beyond)))
		trouble->reason = TALLY_TEXT("value_has_too_many_digits");
	else
		trouble->reason = TALLY_TEXT("value_not_a_number");
	return false;
}

/* Remembers the event's unique value, or says why that cannot be. */
static void take_unique(const configuration *config, const tally_event *event, tally_text place, trouble *trouble) {
	const tally_slot *slot = &event->slot[config->unique];
	tally_text encoded = {0}, key, known;
	struct trouble found = {.field = config->unique};
	if (slot->kind == TALLY_MISSING || slot->kind == TALLY_NULL) {
		found.reason = TALLY_TEXT("unique_missing");
	} else {
		tally_out out = tally_out_new(slot->text.len + 4);
		tally_put_char(&out, '='); /* so that the empty text has a key too */
		value_fault fault = put_value(&out, slot);
		encoded = tally_out_text(&out);
		if (fault != VALUE_GOOD)
			found.reason = fault == VALUE_VAST ? TALLY_TEXT("unique_exponent_too_long") : TALLY_TEXT("unique_not_text");
		else if (PREFIX_BYTES + place.len + 1 + encoded.len > TALLY_KEY_BYTES)
			found.reason = TALLY_TEXT("unique_too_long");
	}
	if (found.reason.at != 0) {
		if (trouble->reason.at == 0)
			*trouble = found;
		return;
	}
	key = key_of(TALLY_TEXT("unique/"), place, encoded);
	if (!tally_get(key, &known))
		tally_set(key, TALLY_TEXT("1"));
}

/* Adds a value to the totals that are kept. */
static bool add_value(const configuration *config, const tally_event *event, const tally_decimal *value, tally_decimal *totals) {
	const int32_t *place = config->place;
	tally_decimal one, time;
	tally_decimal *values = &totals[place[TOTAL_VALUES]];
	bool first = tally_is_zero(values);
	tally_set_decimal(&one, 1);
	if (place[TOTAL_MIN] >= 0 && (first || tally_compare(value, &totals[place[TOTAL_MIN]]) < 0))
		totals[place[TOTAL_MIN]] = *value;
	if (place[TOTAL_MAX] >= 0 && (first || tally_compare(value, &totals[place[TOTAL_MAX]]) > 0))
		totals[place[TOTAL_MAX]] = *value;
	if (place[TOTAL_LATEST] >= 0) {
		tally_set_integer(&time, event->time);
		if (first || tally_compare(&time, &totals[place[TOTAL_LATEST_TIME]]) >= 0) {
			totals[place[TOTAL_LATEST]] = *value;
			totals[place[TOTAL_LATEST_TIME]] = time;
			tally_set_integer(&totals[place[TOTAL_LATEST_SEQUENCE]], event->sequence);
		}
	}
	return tally_add(values, &one) && (place[TOTAL_SUM] < 0 || tally_add(&totals[place[TOTAL_SUM]], value));
}

int32_t view_fold(const tally_event *event) {
	const configuration *config = load_configuration();
	trouble trouble = {.field = NO_FIELD};
	tally_decimal one, value, totals[TOTALS];
	tally_text key, place;
	if (config == 0)
		return TALLY_FAILED;
	if (!is_of_type(&config->types, event) || !meets_conditions(&config->conditions, event))
		return TALLY_IGNORED;
	if (!total_key(config, event, &key, &place, &trouble)) {
		note_uncounted(config, event, (tally_text){0}, trouble);
		return TALLY_APPLIED;
	}
	if (!tally_load_totals(key, config->around, totals, config->totals_len))
		return tally_fail_totals(key);
	tally_set_decimal(&one, 1);
	bool fits = tally_add(&totals[0], &one);
	if (config->value != NO_FIELD && read_value(config, event, &value, &trouble)) {
		fits = fits && add_value(config, event, &value, totals);
		if (config->sketch && !count_in_sketch(place, &value))
			return TALLY_FAILED;
	}
	if (!fits)
		return tally_fail_overflow(key);
	tally_store_totals(key, config->around, totals, config->totals_len);
	if (config->unique != NO_FIELD)
		take_unique(config, event, place, &trouble);
	if (trouble.reason.at != 0)
		note_uncounted(config, event, place, trouble);
	return TALLY_APPLIED;
}

int64_t view_query(tally_text query) {
	const configuration *config = load_configuration();
	meter_query q;
	if (config == 0 || !read_query(config, query, &q))
		return TALLY_FAILED;
	if (q.uncounted)
		return answer_uncounted();
	return answer(config, &q);
}
