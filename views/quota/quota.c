#include "decision.h"
#include "question.h"

int64_t view_fields(void) {
	const configuration *config = load_configuration();
	return config == 0 ? TALLY_FAILED : tally_answer(config->fields.lines);
}

static int32_t view_guard(const tally_event *event) {
	const configuration *config = load_configuration();
	decision *made = tally_room(sizeof *made);
	if (config == 0 || !decide(config, event, made))
		return TALLY_FAILED;
	if (made->status == TALLY_TOO_MANY_REQUESTS)
		tally_retry_after(made->retry_after);
	if (made->status != TALLY_ADMITTED) {
		tally_guard_answer(made->answer);
	} else if (made->marks.len > 0) {
		tally_put_char(&made->marks, '}');
		tally_guard_answer(tally_out_text(&made->marks));
	}
	return made->status;
}

TALLY_GUARD(view_guard)

/* Writes what has become of credits. */
static void write_credits(decision *made) {
	account *account = &made->account;
	switch (made->write) {
	case WRITE_NOTHING:
		return;
	case WRITE_GRANT:
		tally_set(account_key(TALLY_TEXT("grant/"), account, made->grant), TALLY_TEXT("1"));
		break;
	case WRITE_RESERVATION:
		store_reservation(account, &made->reservation);
		break;
	case WRITE_CLOSED:
		close_reservation(account, &made->reservation, made->how);
		break;
	default:
		break;
	}
	store_account(account);
}

static void write_clock(const tally_event *event) {
	tally_out out = tally_out_new(64);
	tally_put_char(&out, '{');
	put_integer(&out, TALLY_TEXT("recorded_at"), event->recorded_at);
	put_integer(&out, TALLY_TEXT("sequence"), event->sequence);
	tally_put_char(&out, '}');
	tally_set(TALLY_TEXT("clock"), tally_out_text(&out));
}

int32_t view_fold(const tally_event *event) {
	const configuration *config = load_configuration();
	decision *made = tally_room(sizeof *made);
	if (config == 0 || !decide(config, event, made))
		return TALLY_FAILED;
	if (!made->concerned)
		return TALLY_IGNORED;
	for (uint32_t i = 0; i < made->charges_len; i++)
		apply_charge(&made->charges[i], tally_floor_divide(event->recorded_at, MICROSECONDS));
	write_credits(made);
	write_clock(event);
	if (made->reasons.list.n > 0)
		return tally_note_uncounted(TALLY_TEXT("uncounted"), event->sequence, &made->reasons.list);
	return TALLY_APPLIED;
}
