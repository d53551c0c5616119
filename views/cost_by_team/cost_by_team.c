/* cost_by_team: what each team used and what it costs in each UTC month.
 *
 * Fields    /team, /model, /tokens_in, /tokens_out
 * Config    {"prices":{"gpt-4":{"tokens_in":"0.00003","tokens_out":"0.00006"},
 *                      "*":{"tokens_in":"0.00001","tokens_out":"0.00001"}}}
 *           The price of one token, as a string or a number; "*" is for models
 *           that are not listed. Both prices are needed for each model. No
 *           "prices" means that nothing has a price.
 * State     "2025-03/search": {"requests":2,"tokens_in":300,"tokens_out":840,
 *                              "cost":"0.0594","unpriced":0}
 *           "uncounted/2025-03/search": {"tokens_in_not_a_number":2,"last_sequence":17}
 * Query     month=2025-03   {"search":{...}}, with ,"uncounted":2 at the end of a team
 *                           of which anything is left out
 *           team=search     only that team; none: {"2025-03":{"search":{...}},...}
 *           uncounted       {"2025-03":{"search":{"tokens_in_not_a_number":2,"last_sequence":17}},...},
 *                           with month= and team= too
 *
 * The month is that of the event's time. Tokens and prices are numbers, or
 * strings that read as JSON numbers: tokens of up to 45 digits before the point
 * and 27 after it, prices of up to 27 and 27; their products and sums are exact.
 * A request whose model has no price is counted under `unpriced`: its tokens
 * count, its cost does not. A missing team or null is kept under "". An event
 * without tokens_in and tokens_out, or with null for both, is ignored.
 *
 * What is in no total is counted, by reason:
 *   tokens_in_not_a_number, tokens_in_has_too_many_digits, the same of
 *       tokens_out: the field counts 0, the other one as it is; where neither
 *       counts, nor does the request;
 *   team_not_text (an array, an object), team_too_long (over 1,016 bytes),
 *       team_has_nul: the request, under the team "";
 *   time_out_of_range: the request, under the month "", where the year of its
 *       time has not four digits.
 * What is left out of a team of over 1,006 bytes is counted under the team "",
 * since its key would be too long. */

#include "../c/month.h"

enum {
	TEAM,
	MODEL,
	TOKENS_IN,
	TOKENS_OUT,
};

enum {
	TOTAL_REQUESTS,
	TOTAL_IN,
	TOTAL_OUT,
	TOTAL_COST,
	TOTAL_UNPRICED,
	TOTALS,
};

static const tally_text around[TOTALS + 1] = {
	TALLY_STATIC_TEXT("{\"requests\":"),
	TALLY_STATIC_TEXT(",\"tokens_in\":"),
	TALLY_STATIC_TEXT(",\"tokens_out\":"),
	TALLY_STATIC_TEXT(",\"cost\":\""),
	TALLY_STATIC_TEXT("\",\"unpriced\":"),
	TALLY_STATIC_TEXT("}"),
};

/* ---- Prices, read once for as long as the instance's memory lives ---- */

typedef struct price price;

struct price {
	price *next;
	tally_text model;
	tally_decimal in;
	tally_decimal out;
};

static struct {
	bool loaded;
	price *listed;
	price *other; /* "*"; 0 if there is none */
} prices;

/* A price may have as many digits before the point as behind it: then 10^18 of
 * the largest costs can be added before the sum overflows, and no log gets there. */
static bool is_price(const tally_decimal *number) {
	tally_decimal most, least;
	tally_parse_input(TALLY_TEXT("1e27"), &most);
	tally_parse_input(TALLY_TEXT("-1e27"), &least);
	return tally_compare(number, &most) < 0 && tally_compare(number, &least) > 0;
}

static bool fail_price(tally_text before, tally_text shown, tally_text after) {
	tally_fail_shown(before, shown, after);
	return false;
}

static bool read_price(tally_text model, tally_text which, tally_text source, tally_decimal *number) {
	tally_text text = source;
	if ((tally_string(source, &text) || source.at[0] != '"') && tally_parse_input(text, number) && is_price(number))
		return true;
	tally_out before = tally_out_new(256);
	tally_put(&before, TALLY_TEXT("config: the price "));
	tally_put(&before, which);
	tally_put(&before, TALLY_TEXT(" of model "));
	tally_put_shown(&before, model);
	tally_put(&before, TALLY_TEXT(" is "));
	return fail_price(tally_out_text(&before), text,
	                  TALLY_TEXT(", which is not a number of up to 27 digits before the point and 27 after it, like \"0.00003\""));
}

static bool read_model(tally_text model, tally_text source, price *read) {
	bool has_in = false, has_out = false;
	tally_text name, value;
	tally_members members = tally_object(source);
	while (tally_member_next(&members, &name, &value)) {
		bool in = tally_equal(name, TALLY_TEXT("tokens_in"));
		if (!in && !tally_equal(name, TALLY_TEXT("tokens_out")))
			return fail_price(TALLY_TEXT("config: a price of model "), model,
			                  TALLY_TEXT(" has a name other than tokens_in and tokens_out"));
		if (!read_price(model, name, value, in ? &read->in : &read->out))
			return false;
		has_in = has_in || in;
		has_out = has_out || !in;
	}
	if (members.broken || !has_in || !has_out)
		return fail_price(TALLY_TEXT("config: the prices of model "), model,
		                  TALLY_TEXT(" are not an object with tokens_in and tokens_out, like "
		                             "{\"tokens_in\":\"0.00003\",\"tokens_out\":\"0.00006\"}"));
	return true;
}

static bool read_models(tally_text source) {
	tally_text name, value;
	tally_members members = tally_object(source);
	while (tally_member_next(&members, &name, &value)) {
		price *read = tally_room(sizeof *read);
		tally_text quoted = {name.at - 1, name.len + 2};
		if (!tally_string(quoted, &read->model))
			return fail_price(TALLY_TEXT("config: the model "), name, TALLY_TEXT(" is not a JSON string"));
		if (!read_model(read->model, value, read))
			return false;
		if (tally_equal(read->model, TALLY_TEXT("*"))) {
			prices.other = read;
			continue;
		}
		read->next = prices.listed; /* ahead of an earlier one of its name: the last counts */
		prices.listed = read;
	}
	if (members.broken)
		return fail_price(TALLY_TEXT("config: prices is "), source,
		                  TALLY_TEXT(", which is not an object of models, like "
		                             "{\"gpt-4\":{\"tokens_in\":\"0.00003\",\"tokens_out\":\"0.00006\"}}"));
	return true;
}

/* False if tally_fail has been called. */
static bool load_prices(void) {
	tally_text name, value;
	if (prices.loaded)
		return true;
	tally_text config = tally_config();
	tally_members members = tally_object(config);
	while (tally_member_next(&members, &name, &value)) {
		if (!tally_equal(name, TALLY_TEXT("prices")))
			return fail_price(TALLY_TEXT("config: unknown member "), name, TALLY_TEXT(": this view knows prices"));
		prices.listed = prices.other = 0; /* of a name given twice, the last counts */
		if (!read_models(value))
			return false;
	}
	if (members.broken)
		return tally_fail(TALLY_TEXT("config is not an object like {\"prices\":{}}")) == TALLY_APPLIED;
	prices.loaded = true;
	tally_keep();
	return true;
}

/* The price of a model, or 0; only a string names one. */
static const price *price_of(const tally_slot *model) {
	if (model->kind == TALLY_STRING)
		for (price *listed = prices.listed; listed != 0; listed = listed->next)
			if (tally_equal(listed->model, model->text))
				return listed;
	return prices.other;
}

/* ---- The view ---- */

static const month_view view = {
	.name = TEAM,
	.tokens_in = TOKENS_IN,
	.tokens_out = TOKENS_OUT,
	.name_field = TALLY_STATIC_TEXT("team"),
	.name_parameter = TALLY_STATIC_TEXT("team"),
	.no_totals = TALLY_STATIC_TEXT("{\"requests\":0,\"tokens_in\":0,\"tokens_out\":0,\"cost\":\"0\",\"unpriced\":0}"),
};

int64_t view_fields(void) {
	if (!load_prices())
		return TALLY_FAILED;
	return tally_answer(TALLY_TEXT("/team\n/model\n/tokens_in\n/tokens_out"));
}

static bool add_cost(tally_decimal *cost, const tally_decimal *tokens, const tally_decimal *each) {
	tally_decimal product;
	tally_multiply(&product, tokens, each);
	return tally_add(cost, &product);
}

static inline int32_t add(const tally_event *event, tally_text key, const tally_decimal *in, const tally_decimal *out) {
	tally_decimal one, totals[TOTALS];
	if (!load_prices())
		return TALLY_FAILED;
	if (!tally_load_totals(key, around, totals, TOTALS))
		return tally_fail_totals(key);
	tally_set_decimal(&one, 1);
	const price *each = price_of(&event->slot[MODEL]);
	bool fits = tally_add(&totals[TOTAL_REQUESTS], &one) && tally_add(&totals[TOTAL_IN], in) &&
	            tally_add(&totals[TOTAL_OUT], out);
	if (each == 0)
		fits = fits && tally_add(&totals[TOTAL_UNPRICED], &one);
	else
		fits = fits && add_cost(&totals[TOTAL_COST], in, &each->in) && add_cost(&totals[TOTAL_COST], out, &each->out);
	if (!fits)
		return tally_fail_overflow(key);
	tally_store_totals(key, around, totals, TOTALS);
	return TALLY_APPLIED;
}

/* The totals are added at one place, for the compiler to put all of it there. */
int32_t view_fold(const tally_event *event) {
	tally_decimal in, out;
	tally_text key;
	month_part part;
	bool counts_in = tally_count(&event->slot[TOKENS_IN], &in);
	bool counts_out = tally_count(&event->slot[TOKENS_OUT], &out);
	bool in_full = counts_in ? counts_out || tally_is_none(&event->slot[TOKENS_OUT]) : counts_out && tally_is_none(&event->slot[TOKENS_IN]);
	in_full = month_key(event->time, &event->slot[TEAM], &key) && in_full;
	if (!in_full && !month_take_part(&view, event, counts_in, counts_out, &part))
		return TALLY_IGNORED;
	if ((in_full || part.counts) && add(event, key, &in, &out) != TALLY_APPLIED)
		return TALLY_FAILED;
	return in_full ? TALLY_APPLIED : month_leave_out(event, &part);
}

int64_t view_query(tally_text query) {
	return month_query(&view, query);
}
