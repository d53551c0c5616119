//! A limit of the tokens of each team in each UTC day: an event that would bring its team over it is not appended.
//!
//! Fields    /team, /tokens
//! Config    {"limit":1000}, of a team in a day; 100000 unless it is given
//! State     "2025-03-01/search": {"tokens":900}
//!           "uncounted": {"tokens_not_a_number":2,"last_sequence":17}
//! Query     none             {"2025-03-01/search":{"tokens":900},...}
//!           day=2025-03-01   the same of one day
//! Guard     admits           {"remaining":100}
//!           429              {"limit":1000,"used":900,"resets_at":"2025-03-02T00:00:00Z"}, until then
//!           403              {"limit":1000}, for more tokens than that in one event: it never fits
//!           409              {"reason":"tokens_not_a_number"}, for what could not be counted
//!
//! The day is that of recording: the event's own time is up to who sends it. An event without tokens is ignored, and admitted.

use tally::{parse_time, shown, Answer, Date, Decimal, Event, Failure, Folded, Frame, Guard, Json, Kind, Query, Refusal};
use tally::{State, Verdict, View, Writer, ANSWER_BYTES, KEY_BYTES};

const TEAM: usize = 0;
const TOKENS: usize = 1;

const TOTALS: Frame<1> = tally::totals!["tokens"];
const DEFAULT_LIMIT: u32 = 100_000;

const SECOND: i64 = 1_000_000; // times are in microseconds
const DAY: i64 = 86_400 * SECOND;

struct DailyLimit {
    limit: Decimal, // of a team in a day
}

/// What the view counts of an event.
enum Usage<'a> {
    /// It has no tokens.
    None,
    /// They cannot be counted, for this reason.
    Uncounted(String),
    /// Tokens, and the key of the team's day in the state.
    Tokens(Decimal, &'a str),
}

impl View for DailyLimit {
    const FIELDS: &'static [&'static str] = &["/team", "/tokens"];

    fn new(config: Json) -> Result<Self, Failure> {
        let mut limit = Decimal::from(DEFAULT_LIMIT);
        for (name, value) in config.members().into_iter().flatten() {
            if name != "limit" {
                return Err(Failure::from(format!("unknown member {}: this view knows limit", shown(name.as_bytes()))));
            }
            limit = match value.decimal() {
                Some(number) if value.kind() == Kind::Number && !number.is_negative() => number,
                _ => return Err(Failure::from("limit must be a number of tokens, 0 or more")),
            };
        }
        Ok(DailyLimit { limit })
    }

    /// Takes every event: no guard was asked about those that the log held before.
    fn fold(&self, event: &Event, state: &mut State) -> Result<Folded, Failure> {
        match usage(event, state) {
            Usage::None => return Ok(Folded::Ignored),
            Usage::Uncounted(reason) => state.note_uncounted("uncounted", &[&reason], event.sequence())?,
            Usage::Tokens(tokens, key) => {
                let mut totals = TOTALS.load(state, key)?;
                totals.add(0, &tokens)?;
                totals.store(state);
            }
        }
        Ok(Folded::Applied)
    }

    fn query(&self, query: &Query, state: &State) -> Result<Answer, Failure> {
        let mut prefix = String::new();
        for parameter in query.parameters() {
            if parameter.name != b"day" {
                let name = shown(&parameter.name);
                return Err(Failure::from(format!("unknown parameter {}: this view knows day=2025-03-01", name)));
            }
            prefix = match parameter.text() {
                Some(day) if parse_time(format!("{}T00:00:00Z", day).as_bytes()).is_some() => format!("{}/", day),
                _ => {
                    let day = shown(&parameter.value);
                    return Err(Failure::from(format!("day is {}, which is not a day like 2025-03-01", day)));
                }
            };
        }
        let mut out = Writer::new();
        out.begin_object();
        for (key, value) in state.scan(&prefix) {
            out.name(key).raw(value);
            if out.len() >= ANSWER_BYTES {
                return Err(Failure::from("the answer passes 1 MiB: ask for one day, or read the view's state page by page"));
            }
        }
        out.end_object();
        Ok(Answer::json(out.finish()))
    }
}

impl Guard for DailyLimit {
    /// Sees the state that fold made of all events before this one.
    fn guard(&self, event: &Event, state: &State) -> Result<Verdict, Failure> {
        let mut out = Writer::new();
        out.begin_object();
        let verdict = match usage(event, state) {
            Usage::None => return Ok(Verdict::admit()),
            Usage::Uncounted(reason) => {
                out.name("reason").string(&reason);
                Verdict::refuse(Refusal::Conflict)
            }
            Usage::Tokens(tokens, _) if tokens > self.limit => {
                out.name("limit").decimal(&self.limit);
                Verdict::refuse(Refusal::Forbidden)
            }
            Usage::Tokens(tokens, key) => self.decide(&tokens, TOTALS.load(state, key)?.get(0), event.recorded_at(), &mut out),
        };
        out.end_object();
        Ok(verdict.answer(out.finish()))
    }
}

impl DailyLimit {
    /// Decides on tokens beside those that were used already, until the next day begins.
    fn decide(&self, tokens: &Decimal, used: &Decimal, now: i64, out: &mut Writer) -> Verdict {
        let left = self.limit.plus(&used.negated()).and_then(|left| left.plus(&tokens.negated()));
        if let Some(left) = left.filter(|left| !left.is_negative()) {
            out.name("remaining").decimal(&left);
            return Verdict::admit();
        }
        let midnight = (now.div_euclid(DAY) + 1) * DAY;
        out.name("limit").decimal(&self.limit);
        out.name("used").decimal(used);
        out.name("resets_at").string(&format!("{}T00:00:00Z", day(midnight)));
        Verdict::refuse_for((midnight - now + SECOND - 1) / SECOND)
    }
}

/// 2025-03-01
fn day(time: i64) -> String {
    let date = Date::of(time);
    format!("{:04}-{:02}-{:02}", date.year, date.month, date.day)
}

fn usage<'a>(event: &Event, state: &State<'a>) -> Usage<'a> {
    let field = event.field(TOKENS);
    if !field.is_given() {
        return Usage::None;
    }
    let tokens = match (field.decimal(), field.uncounted()) {
        (Some(tokens), _) => tokens,
        (None, reason) => return Usage::Uncounted(format!("tokens_{}", reason.unwrap_or("not_a_number"))),
    };
    let team = match event.field(TEAM).label() {
        Some(team) => team,
        None => return Usage::Uncounted("team_not_text".to_string()),
    };
    let day = day(event.recorded_at());
    if day.len() + "/".len() + team.len() > KEY_BYTES {
        return Usage::Uncounted("team_too_long".to_string());
    }
    match state.key(&[&day, "/", team]) {
        Some(key) => Usage::Tokens(tokens, key),
        None => Usage::Uncounted("team_has_nul".to_string()),
    }
}

tally::guarded_view!(DailyLimit);
