//! The tokens of each model in each UTC month, exactly, and how many values could not be counted.
//!
//! Fields    /model, /tokens_in, /tokens_out
//! State     "2025-03/gpt-4": {"tokens_in":1482000,"tokens_out":3291000}
//!           "uncounted/2025-03/gpt-4": {"tokens_in_not_a_number":2,"last_sequence":17}
//! Query     month=2025-03   {"gpt-4":{"tokens_in":1482000,"tokens_out":3291000,"uncounted":2}}
//!           none            {"2025-03":{"gpt-4":{...}},...}
//!           uncounted       {"2025-03":{"gpt-4":{"tokens_in_not_a_number":2,"last_sequence":17}}}, with month= for one
//! Config    none
//!
//! The month is that of the event's time. Tokens are numbers, or strings that read as JSON numbers, of up to 45 digits
//! before the point and 27 after it. A field that is missing or null is no tokens; an event with neither field is
//! ignored. Any other value is left out and counted as such, by reason: tokens_in_not_a_number,
//! tokens_in_has_too_many_digits, and the same of tokens_out. A missing model or null is kept under "". One that cannot be
//! part of a key is counted there, its tokens left out: model_not_text (an array, an object), model_too_long (over 1,016
//! bytes), model_has_nul; so is an event whose year does not have four digits, as time_out_of_range of the month "". An
//! answer says "uncounted" of the models that have some.

use tally::{shown, Answer, Decimal, Event, Failure, Folded, Frame, Json, Month, Query, State, View, Writer};
use tally::{ANSWER_BYTES, KEY_BYTES};

const MODEL: usize = 0;
const TOKENS_IN: usize = 1;
const TOKENS_OUT: usize = 2;

const TOTALS: Frame<2> = tally::totals!["tokens_in", "tokens_out"];
const TOTAL_IN: usize = 0;
const TOTAL_OUT: usize = 1;

/// What models that have no totals are shown with.
const NO_TOTALS: &str = r#"{"tokens_in":0,"tokens_out":0}"#;

const UNCOUNTED: &str = "uncounted/";
const NAME_BYTES: usize = KEY_BYTES - "2025-03/".len();

struct MonthlyTotals;

impl View for MonthlyTotals {
    const FIELDS: &'static [&'static str] = &["/model", "/tokens_in", "/tokens_out"];

    fn new(_config: Json) -> Result<Self, Failure> {
        Ok(MonthlyTotals)
    }

    fn fold(&self, event: &Event, state: &mut State) -> Result<Folded, Failure> {
        let tokens_in = event.field(TOKENS_IN).decimal();
        let tokens_out = event.field(TOKENS_OUT).decimal();
        if tokens_in.is_none() && tokens_out.is_none() && !has_tokens(event) {
            return Ok(Folded::Ignored);
        }
        let key = match key_of(event, state) {
            Some(key) => key,
            None => return leave_out(event, state),
        };
        if tokens_in.is_some() || tokens_out.is_some() {
            let mut totals = TOTALS.load(state, key)?;
            if let Some(number) = &tokens_in {
                totals.add(TOTAL_IN, number)?;
            }
            if let Some(number) = &tokens_out {
                totals.add(TOTAL_OUT, number)?;
            }
            totals.store(state);
        }
        let left_out = |number: &Option<Decimal>, field| number.is_none() && event.field(field).is_given();
        if left_out(&tokens_in, TOKENS_IN) || left_out(&tokens_out, TOKENS_OUT) {
            return leave_out_tokens(event, key, state);
        }
        Ok(Folded::Applied)
    }

    fn query(&self, query: &Query, state: &State) -> Result<Answer, Failure> {
        answer(&Question::read(query)?, state)
    }
}

tally::view!(MonthlyTotals);

// ---- Folding ----

/// "2025-03/gpt-4"
fn key_of<'a>(event: &Event, state: &State<'a>) -> Option<&'a str> {
    let model = event.field(MODEL).label()?;
    let month = Month::of(event.time())?;
    state.key(&[month.as_str(), "/", model])
}

fn has_tokens(event: &Event) -> bool {
    event.field(TOKENS_IN).is_given() || event.field(TOKENS_OUT).is_given()
}

/// The model as part of a key, or why it cannot be one.
fn model_of<'a>(event: &Event<'a>) -> Result<&'a str, &'static str> {
    match event.field(MODEL).label() {
        None => Err("model_not_text"),
        Some(name) if name.len() > NAME_BYTES => Err("model_too_long"),
        Some(name) if name.contains('\0') => Err("model_has_nul"),
        Some(name) => Ok(name),
    }
}

/// Counts an event that has no key as one that was left out.
#[cold]
fn leave_out(event: &Event, state: &mut State) -> Result<Folded, Failure> {
    let model = model_of(event);
    match Month::of(event.time()) {
        None => note(event, "", model.unwrap_or(""), &[Some("time_out_of_range".to_string())], state),
        Some(month) => note(event, month.as_str(), "", &[model.err().map(str::to_string)], state),
    }
}

/// Counts the token fields of an event with that key that are there and no decimals.
#[cold]
fn leave_out_tokens(event: &Event, key: &str, state: &mut State) -> Result<Folded, Failure> {
    let reason = |field, name| event.field(field).uncounted().map(|why| format!("{}_{}", name, why));
    let (month, model) = key.split_once('/').unwrap_or((key, ""));
    note(event, month, model, &[reason(TOKENS_IN, "tokens_in"), reason(TOKENS_OUT, "tokens_out")], state)
}

/// Counts the reasons that there are. A model that is too long to stand behind "uncounted/" is counted under "".
fn note(event: &Event, month: &str, model: &str, reasons: &[Option<String>], state: &mut State) -> Result<Folded, Failure> {
    let reasons: Vec<&str> = reasons.iter().flatten().map(String::as_str).collect();
    let fits = UNCOUNTED.len() + month.len() + "/".len() + model.len() <= KEY_BYTES;
    if let Some(key) = state.key(&[UNCOUNTED, month, "/", if fits { model } else { "" }]) {
        state.note_uncounted(key, &reasons, event.sequence())?;
    }
    Ok(Folded::Applied)
}

// ---- Answering ----

struct Question {
    month: Option<Month>, // None: all of them
    uncounted: bool,      // by reason, and nothing else
}

impl Question {
    fn read(query: &Query) -> Result<Question, Failure> {
        let mut asked = Question { month: None, uncounted: false };
        for parameter in query.parameters() {
            match parameter.name.as_slice() {
                b"month" if asked.month.is_some() => return Err(twice("month")),
                b"month" => asked.month = Some(read_month(&parameter.value)?),
                b"uncounted" if asked.uncounted => return Err(twice("uncounted")),
                b"uncounted" => asked.uncounted = true,
                name => {
                    let name = shown(name);
                    return Err(Failure::from(format!("unknown parameter {}: this view knows month=2025-03 and uncounted", name)));
                }
            }
        }
        Ok(asked)
    }
}

fn twice(name: &str) -> Failure {
    Failure::from(format!("{} is given twice: give it once", name))
}

fn read_month(value: &[u8]) -> Result<Month, Failure> {
    Month::parse(value).ok_or_else(|| {
        Failure::from(format!("month is {}, which is not a year and a month like 2025-03", shown(value)))
    })
}

/// What is known of a month's model.
struct Group<'a> {
    place: &'a str, // 2025-03/gpt-4
    totals: Option<&'a str>,
    uncounted: Option<&'a str>,
}

/// The groups in the order of their places, from two scans: of the totals, and of what was left out of them.
fn groups<'a>(asked: &Question, state: &State<'a>) -> impl Iterator<Item = Group<'a>> {
    let prefix = asked.month.map_or(String::new(), |month| format!("{}/", month.as_str()));
    let totals = if asked.uncounted { None } else { Some(state.scan(&prefix)) };
    let mut totals = totals.into_iter().flatten().take_while(|(key, _)| !key.starts_with(UNCOUNTED)).peekable();
    let uncounted = state.scan(&[UNCOUNTED, &prefix].concat());
    let mut uncounted = uncounted.map(|(key, counts)| (&key[UNCOUNTED.len()..], counts)).peekable();
    std::iter::from_fn(move || {
        let place = match (totals.peek(), uncounted.peek()) {
            (Some(&(a, _)), Some(&(b, _))) => a.min(b),
            (Some(&(place, _)), None) | (None, Some(&(place, _))) => place,
            (None, None) => return None,
        };
        Some(Group {
            place,
            totals: totals.next_if(|&(key, _)| key == place).map(|(_, totals)| totals),
            uncounted: uncounted.next_if(|&(key, _)| key == place).map(|(_, counts)| counts),
        })
    })
}

/// {"gpt-4":{...},...} for a month, {"2025-03":{"gpt-4":{...},...},...} for all.
fn answer(asked: &Question, state: &State) -> Result<Answer, Failure> {
    let mut open = None; // the month whose object is not closed yet
    let mut out = Writer::new();
    out.begin_object();
    for group in groups(asked, state) {
        let (month, model) = group.place.split_once('/').unwrap_or((group.place, ""));
        if asked.month.is_none() && open != Some(month) {
            if open.is_some() {
                out.end_object();
            }
            out.name(month).begin_object();
            open = Some(month);
        }
        out.name(model);
        write_group(&group, asked, &mut out)?;
        check_size(&out)?;
    }
    if open.is_some() {
        out.end_object();
    }
    out.end_object();
    Ok(Answer::json(out.finish()))
}

/// {"tokens_in":1482000,"tokens_out":3291000}, with "uncounted" where something was left out; or the counts by reason.
fn write_group(group: &Group, asked: &Question, out: &mut Writer) -> Result<(), Failure> {
    let totals = group.totals.unwrap_or(NO_TOTALS);
    match group.uncounted {
        None => out.raw(totals),
        Some(counts) => {
            let n = tally::uncounted(counts).ok_or_else(|| Failure::foreign(&[UNCOUNTED, group.place].concat()))?;
            if asked.uncounted {
                out.raw(counts)
            } else {
                out.raw(&format!("{},\"uncounted\":{}}}", &totals[..totals.len() - 1], n))
            }
        }
    };
    Ok(())
}

/// Refuses an answer that leaves no room for the two brackets that may still be open.
fn check_size(out: &Writer) -> Result<(), Failure> {
    if out.len() > ANSWER_BYTES - 2 {
        return Err(Failure::from(
            "the answer passes 1 MiB: ask for one month, or for one name where the view takes one, or read the view's state page by page",
        ));
    }
    Ok(())
}
