/* Which events count: "where" is a list of conditions, which must all hold.
 *
 *     {"path":"/model","is":"gpt-4"}          or "not", "in":[...], "not_in":[...]
 *     {"path":"/tokens","at_least":1000}      or "above", "below", "at_most"
 *     {"path":"/error","exists":false}
 *
 * Several of them in one object must hold together. A field that is missing is
 * the same as null. Numbers are compared by their value, whatever their size,
 * and a string is equal to no number. */

#include "fields.h"
#include "number.h"

typedef enum {
	ABOVE,
	AT_LEAST,
	BELOW,
	AT_MOST,
	BOUNDS,
} bound;

typedef struct {
	uint32_t kind;
	tally_text text;
	number number;
} literal;

typedef struct {
	bool given;
	uint32_t len;
	literal *at;
} literal_list;

struct condition {
	int32_t field;
	literal_list in;
	literal_list not_in;
	bool tells_exists;
	bool exists;
	bool bounded[BOUNDS];
	number bounds[BOUNDS];
};

static const tally_text bound_names[BOUNDS] = {
	TALLY_STATIC_TEXT("above"), TALLY_STATIC_TEXT("at_least"), TALLY_STATIC_TEXT("below"), TALLY_STATIC_TEXT("at_most"),
};

/* ---- Reading ---- */

static bool refuse_condition(tally_text name, tally_text source, tally_text why) {
	tally_out before = tally_out_new(128);
	tally_put(&before, TALLY_TEXT("config: where has "));
	tally_put(&before, name);
	tally_put_char(&before, ' ');
	return refuse(tally_out_text(&before), source, why);
}

static bool read_literal(tally_text source, literal *read) {
	*read = (literal){.text = source};
	switch (source.at[0]) {
	case '"':
		read->kind = TALLY_STRING;
		return tally_string(source, &read->text);
	case 'n':
		read->kind = TALLY_NULL;
		return true;
	case 't':
		read->kind = TALLY_TRUE;
		return true;
	case 'f':
		read->kind = TALLY_FALSE;
		return true;
	default:
		read->kind = TALLY_NUMBER;
		return read_number(source, &read->number) && !read->number.vast;
	}
}

static bool read_one(tally_text name, tally_text source, literal_list *list) {
	*list = (literal_list){true, 1, tally_room(sizeof(literal))};
	return read_literal(source, list->at) ||
	       refuse_condition(name, source, TALLY_TEXT(", which is not a string, true, false, null or a number with an exponent of up to 18 "
	                                                 "digits"));
}

static bool read_list(tally_text name, tally_text source, literal_list *list) {
	tally_text element;
	bool read = true;
	*list = (literal_list){true, 0, tally_room(MOST_LISTED * sizeof(literal))};
	tally_members elements = tally_array(source);
	while (read && tally_element_next(&elements, &element))
		read = list->len < MOST_LISTED && read_literal(element, &list->at[list->len++]);
	return (read && !elements.broken) ||
	       refuse_condition(name, source, TALLY_TEXT(", which is not a list of up to 256 strings, true, false, null and "
	                                                 "numbers with exponents of up to 18 digits"));
}

static bool read_bound(bound which, tally_text source, condition *read) {
	read->bounded[which] = true;
	return (read_number(source, &read->bounds[which]) && !read->bounds[which].vast) ||
	       refuse_condition(bound_names[which], source, TALLY_TEXT(", which is not a number with an exponent of up to 18 digits"));
}

static bool read_exists(tally_text source, condition *read) {
	read->tells_exists = true;
	read->exists = tally_equal(source, TALLY_TEXT("true"));
	return read->exists || tally_equal(source, TALLY_TEXT("false")) ||
	       refuse_condition(TALLY_TEXT("exists"), source, TALLY_TEXT(", which is not true or false"));
}

static bool read_test(tally_text name, tally_text value, condition *read) {
	if (tally_equal(name, TALLY_TEXT("is")))
		return read_one(name, value, &read->in);
	if (tally_equal(name, TALLY_TEXT("in")))
		return read_list(name, value, &read->in);
	if (tally_equal(name, TALLY_TEXT("not")))
		return read_one(name, value, &read->not_in);
	if (tally_equal(name, TALLY_TEXT("not_in")))
		return read_list(name, value, &read->not_in);
	if (tally_equal(name, TALLY_TEXT("exists")))
		return read_exists(value, read);
	for (uint32_t i = 0; i < BOUNDS; i++)
		if (tally_equal(name, bound_names[i]))
			return read_bound((bound)i, value, read);
	return refuse(TALLY_TEXT("config: a condition of where has the unknown member "), name,
	              TALLY_TEXT(": it knows path, is, not, in, not_in, exists, above, at_least, below and at_most"));
}

static bool read_condition(field_list *fields, tally_text source, condition *read) {
	tally_text name, value;
	uint32_t tests = 0;
	*read = (condition){.field = NO_FIELD};
	tally_members members = tally_object(source);
	while (tally_member_next(&members, &name, &value)) {
		bool path = tally_equal(name, TALLY_TEXT("path"));
		if (path ? !add_field(fields, TALLY_TEXT("path in where"), value, &read->field) : !read_test(name, value, read))
			return false;
		tests += !path;
	}
	if (members.broken || read->field == NO_FIELD || tests == 0)
		return refuse(TALLY_TEXT("config: where has the condition "), source,
		              TALLY_TEXT(", which is not an object with a path and what it must be, like {\"path\":\"/model\",\"is\":\"gpt-4\"}"));
	return true;
}

bool read_conditions(field_list *fields, tally_text source, condition_list *conditions) {
	tally_text element;
	conditions->len = 0;
	tally_members elements = tally_array(source);
	while (tally_element_next(&elements, &element)) {
		if (conditions->len == MOST_CONDITIONS)
			return tally_fail(TALLY_TEXT("config: where has more than 16 conditions")) != TALLY_FAILED;
		condition *read = tally_room(sizeof *read);
		conditions->at[conditions->len++] = read;
		if (!read_condition(fields, element, read))
			return false;
	}
	return !elements.broken || refuse(TALLY_TEXT("config: where is "), source,
	                                  TALLY_TEXT(", which is not a list of conditions like [{\"path\":\"/model\",\"is\":\"gpt-4\"}]"));
}

/* ---- Testing ---- */

static bool is_null(const tally_slot *slot) {
	return slot->kind == TALLY_MISSING || slot->kind == TALLY_NULL;
}

static bool equals(const literal *literal, const tally_slot *slot) {
	number found;
	if (literal->kind == TALLY_NULL)
		return is_null(slot);
	if (literal->kind != slot->kind)
		return false;
	if (literal->kind == TALLY_STRING)
		return tally_equal(literal->text, slot->text);
	if (literal->kind == TALLY_NUMBER)
		return read_number(slot->text, &found) && compare_numbers(&found, &literal->number) == 0;
	return true;
}

static bool lists(const literal_list *list, const tally_slot *slot) {
	for (uint32_t i = 0; i < list->len; i++)
		if (equals(&list->at[i], slot))
			return true;
	return false;
}

static bool is_within(const condition *condition, const tally_slot *slot) {
	number found;
	bool is_number = false, is_read = false;
	for (uint32_t i = 0; i < BOUNDS; i++) {
		if (!condition->bounded[i])
			continue;
		if (!is_read)
			is_number = (slot->kind == TALLY_NUMBER || slot->kind == TALLY_STRING) && read_number(slot->text, &found);
		is_read = true;
		int order = is_number ? compare_numbers(&found, &condition->bounds[i]) : 0;
		bool good = i == ABOVE ? order > 0 : i == AT_LEAST ? order >= 0 : i == BELOW ? order < 0 : order <= 0;
		if (!is_number || !good)
			return false;
	}
	return true;
}

bool meets_conditions(const condition_list *conditions, const tally_event *event) {
	for (uint32_t i = 0; i < conditions->len; i++) {
		const condition *condition = conditions->at[i];
		const tally_slot *slot = &event->slot[condition->field];
		if ((condition->in.given && !lists(&condition->in, slot)) || lists(&condition->not_in, slot) ||
		    (condition->tells_exists && condition->exists == is_null(slot)) || !is_within(condition, slot))
			return false;
	}
	return true;
}
