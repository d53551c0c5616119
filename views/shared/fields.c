/* What configurations have in common. Each refusal names the member, what it is
 * and what would do. */

#include "fields.h"

bool refuse(tally_text before, tally_text shown, tally_text after) {
	return tally_fail_shown(before, shown, after) != TALLY_FAILED;
}

bool refuse_member(tally_text member, tally_text source, tally_text why) {
	tally_out before = tally_out_new(256);
	tally_put(&before, TALLY_TEXT("config: "));
	tally_put(&before, member);
	tally_put(&before, TALLY_TEXT(" is "));
	return refuse(tally_out_text(&before), source, why);
}

/* ---- Fields ---- */

static bool is_pointer(tally_text text) {
	enum { MOST_POINTER_BYTES = 1024 }; /* docs/abi.md */
	if (text.len == 0 || text.len > MOST_POINTER_BYTES || text.at[0] != '/')
		return false;
	for (uint32_t i = 0; i < text.len; i++) {
		char next = i + 1 < text.len ? text.at[i + 1] : 0;
		if (text.at[i] == '\n' || (text.at[i] == '~' && next != '0' && next != '1'))
			return false;
	}
	return true;
}

bool add_field(field_list *fields, tally_text member, tally_text source, int32_t *field) {
	tally_text pointer;
	if (!tally_string(source, &pointer) || !is_pointer(pointer))
		return refuse_member(member, source, TALLY_TEXT(", which is not a JSON Pointer like \"/tokens\" or \"/data/tokens\""));
	for (*field = 0; *field < (int32_t)fields->len; ++*field)
		if (tally_equal(fields->at[*field], pointer))
			return true;
	if (fields->len == MOST_FIELDS)
		return refuse_member(member, source, TALLY_TEXT(", which is one field more than the 64 that a view may read"));
	tally_out lines = tally_out_new(fields->lines.len + 1 + pointer.len);
	tally_put(&lines, fields->lines);
	if (fields->lines.len > 0)
		tally_put_char(&lines, '\n');
	tally_put(&lines, pointer);
	fields->lines = tally_out_text(&lines);
	fields->at[fields->len++] = pointer;
	return true;
}

/* ---- Types ---- */

static const char not_types[] = ", which is not a type like \"api.call\" or a list of up to 256 of them";

static bool add_type(type_list *types, tally_text source) {
	if (types->len == MOST_LISTED || !tally_string(source, &types->at[types->len]))
		return false;
	types->len++;
	return true;
}

bool read_types(field_list *fields, tally_text source, type_list *types) {
	tally_text one;
	bool read = true;
	*types = (type_list){tally_room(MOST_LISTED * sizeof *types->at), 0, NO_FIELD};
	if (source.at[0] == '[') {
		tally_members list = tally_array(source);
		while (read && tally_element_next(&list, &one))
			read = add_type(types, one);
	} else {
		read = add_type(types, source);
	}
	if (!read || types->len == 0)
		return refuse_member(TALLY_TEXT("type"), source, TALLY_TEXT(not_types));
	return add_field(fields, TALLY_TEXT("type"), TALLY_TEXT("\"/type\""), &types->field);
}

bool is_of_type(const type_list *types, const tally_event *event) {
	if (types->field == NO_FIELD)
		return true;
	const tally_slot *type = &event->slot[types->field];
	for (uint32_t i = 0; i < types->len; i++)
		if (type->kind == TALLY_STRING && tally_equal(type->text, types->at[i]))
			return true;
	return false;
}
