#include "decision.h"


tally_out begin_answer(tally_text reason) {
	tally_out out = tally_out_new(512);
	tally_put_char(&out, '{');
	put_text(&out, TALLY_TEXT("reason"), reason);
	return out;
}

void refuse_event(decision *made, int32_t status, tally_text answer) {
	if (made->status != TALLY_ADMITTED)
		return;
	made->status = status;
	made->answer = answer;
}

void refuse_uncounted(decision *made, tally_text reason) {
	tally_out out = begin_answer(reason);
	tally_put_char(&out, '}');
	add_reason(&made->reasons, reason);
	refuse_event(made, TALLY_CONFLICT, tally_out_text(&out));
}

static tally_text limit_answer(const charge *charge, tally_text reason, int64_t now) {
	tally_out out = begin_answer(reason);
	put_limit(&out, charge->limit, charge->group, &charge->usage, now);
	put_amount(&out, TALLY_TEXT("amount"), &charge->added);
	tally_put_char(&out, '}');
	return tally_out_text(&out);
}

/* Admits, and marks, what passes a soft limit; as far as there is room for marks. */
static void mark_over(decision *made, const charge *charge, int64_t now) {
	tally_text answer = limit_answer(charge, TALLY_TEXT("limit_reached"), now);
	if (made->marks.len + answer.len + SPARE_BYTES > TALLY_GUARD_ANSWER_BYTES)
		return;
	if (made->marks.len == 0) {
		made->marks = tally_out_new(512);
		tally_put(&made->marks, TALLY_TEXT("{\"over\":["));
	} else {
		tally_put_char(&made->marks, ',');
	}
	tally_put(&made->marks, answer);
}

static void judge_charge(decision *made, const charge *charge, int64_t now) {
	if (!charge->over)
		return;
	if (charge->limit->soft) {
		mark_over(made, charge, now);
	} else if (charge->never) {
		refuse_event(made, TALLY_FORBIDDEN, limit_answer(charge, TALLY_TEXT("over_limit_alone"), now));
	} else if (made->status == TALLY_ADMITTED) {
		refuse_event(made, TALLY_TOO_MANY_REQUESTS, limit_answer(charge, TALLY_TEXT("limit_reached"), now));
		made->retry_after = room_at(charge->limit, &charge->usage, &charge->added, now) - now;
	}
}

static bool decide_limits(decision *made, int64_t now) {
	for (uint32_t i = 0; i < made->config->limits_len; i++) {
		const limit *limit = &made->config->limits[i];
		charge *charge = &made->charges[made->charges_len];
		tally_text reason;
		if (!concerns(made->config, limit, made->event))
			continue;
		made->concerned = true;
		switch (make_charge(limit, made->event, charge, &reason)) {
		case CHARGE_FAILED:
			return false;
		case CHARGE_BAD:
			refuse_uncounted(made, reason);
			break;
		case CHARGE_GOOD:
			judge_charge(made, charge, now);
			made->charges_len++;
			break;
		}
	}
	if (made->marks.len > 0)
		tally_put_char(&made->marks, ']');
	return true;
}

bool decide(const configuration *config, const tally_event *event, decision *made) {
	int64_t now = tally_floor_divide(event->recorded_at, MICROSECONDS);
	__builtin_memset(made, 0, sizeof *made);
	made->config = config;
	made->event = event;
	if (now < 0 || !is_countable(now)) {
		made->concerned = true;
		refuse_uncounted(made, TALLY_TEXT("time_out_of_range"));
		return true;
	}
	return decide_limits(made, now) && (!config->has_credits || decide_credits(made));
}
