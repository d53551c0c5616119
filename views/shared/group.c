#include "group.h"

bool is_name(tally_text name) {
	if (name.len == 0 || name.len > MOST_NAME_BYTES)
		return false;
	for (uint32_t i = 0; i < name.len; i++) {
		char c = name.at[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '-' && c != '.')
			return false;
	}
	return true;
}

static bool refuse_name(tally_text name, tally_text why) {
	tally_out after = tally_out_new(256);
	tally_put(&after, TALLY_TEXT("; a name has 1 to 64 letters, digits, _, - and . and "));
	tally_put(&after, why);
	return refuse(TALLY_TEXT("config: group_by has the name "), name, tally_out_text(&after));
}

bool read_groups(field_list *fields, tally_text source, bool (*is_taken)(tally_text name), tally_text why, group_list *groups) {
	tally_text name, value;
	tally_members members = tally_object(source);
	groups->len = 0;
	while (tally_member_next(&members, &name, &value)) {
		if (groups->len == MOST_GROUPS)
			return refuse_member(TALLY_TEXT("group_by"), source, TALLY_TEXT(", which has more than 8 members"));
		if (!is_name(name) || is_taken(name))
			return refuse_name(name, why);
		for (uint32_t i = 0; i < groups->len; i++)
			if (tally_equal(groups->at[i].name, name))
				return refuse(TALLY_TEXT("config: group_by has the name "), name, TALLY_TEXT(" twice"));
		group *added = &groups->at[groups->len++];
		added->name = name;
		if (!add_field(fields, TALLY_TEXT("group_by"), value, &added->field))
			return false;
	}
	if (members.broken)
		return refuse_member(TALLY_TEXT("group_by"), source,
		                     TALLY_TEXT(", which is not an object of names and JSON Pointers like {\"model\":\"/model\"}"));
	return true;
}

bool put_groups(tally_out *out, const group_list *groups, const tally_event *event, uint32_t most, group_fault *fault) {
	uint32_t start = out->len;
	for (uint32_t i = 0; i < groups->len; i++) {
		fault->field = groups->at[i].field;
		value_fault found = put_value(out, &event->slot[fault->field]);
		if (found != VALUE_GOOD) {
			fault->reason = found == VALUE_VAST ? TALLY_TEXT("group_exponent_too_long") : TALLY_TEXT("group_not_text");
			return false;
		}
		tally_put_char(out, '/');
		if (out->len - start > most) {
			fault->reason = TALLY_TEXT("group_too_long");
			return false;
		}
	}
	return true;
}
