/* What the filters of a query leave in. */

#include "key.h"
#include "query.h"

/* Of a name's several values one must be the group's. */
bool passes(const meter_query *q, tally_text group) {
	tally_text value;
	if (q->filters == 0)
		return true;
	for (uint32_t i = 0; take_value(&group, &value); i++) {
		bool filtered = false, met = false;
		for (const filter *filter = q->filters; filter != 0 && !met; filter = filter->next)
			if (filter->group == i) {
				filtered = true;
				met = tally_equal(filter->value, value);
			}
		if (filtered && !met)
			return false;
	}
	return true;
}

/* Sorts texts, each once. */
static void order_texts(text_list *list) {
	uint32_t len = 0;
	for (uint32_t i = 0; i < list->len; i++) {
		tally_text added = list->at[i];
		uint32_t at = len;
		while (at > 0 && tally_less(added, list->at[at - 1]))
			at--;
		if (at > 0 && tally_equal(added, list->at[at - 1]))
			continue;
		for (uint32_t j = len++; j > at; j--)
			list->at[j] = list->at[j - 1];
		list->at[at] = added;
	}
	list->len = len;
}

/* The texts that begin the keys of the groups which the filters of the first
 * groups leave in, in order. */
text_list filtered_starts(const configuration *config, const meter_query *q) {
	enum { MOST_STARTS = 256 };
	text_list starts = {tally_room(MOST_STARTS * sizeof(tally_text)), 1};
	starts.at[0] = TALLY_TEXT("");
	for (uint32_t group = 0; group < config->groups.len; group++) {
		text_list longer = {tally_room(MOST_STARTS * sizeof(tally_text)), 0};
		uint32_t values = 0;
		for (const filter *filter = q->filters; filter != 0; filter = filter->next)
			values += filter->group == group;
		if (values == 0 || values * starts.len > MOST_STARTS)
			break;
		for (const filter *filter = q->filters; filter != 0; filter = filter->next)
			for (uint32_t i = 0; filter->group == group && i < starts.len; i++) {
				tally_out out = tally_out_new(starts.at[i].len + filter->value.len + 1);
				tally_put(&out, starts.at[i]);
				tally_put(&out, filter->value);
				tally_put_char(&out, '/');
				if (out.len <= PLACE_BYTES && tally_is_utf8(filter->value)) /* else no key has it */
					longer.at[longer.len++] = tally_out_text(&out);
			}
		starts = longer;
	}
	order_texts(&starts);
	return starts;
}
