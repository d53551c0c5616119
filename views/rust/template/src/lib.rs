//! The tokens of each model in each UTC month, exactly.
//!
//! Fields    /model, /tokens_in, /tokens_out
//! State     "2025-03/gpt-4": {"tokens_in":1482000,"tokens_out":3291000}
//! Question  month=2025-03   {"gpt-4":{"tokens_in":1482000,"tokens_out":3291000}}
//!           none            {"2025-03":{"gpt-4":{...}},...}
//! Config    none
//!
//! The month is that of the event's time. Tokens are numbers, or strings that read as JSON numbers, of up to 18 digits
//! before the point and 27 after it. An event is ignored when neither of its token fields is such a number, or when its
//! model cannot be part of a key (an array, an object, over 1,016 bytes, with NUL); one field that is not a number
//! counts 0 beside one that is. A missing model or null is kept under "".

use tally::{shown, Answer, Event, Failure, Folded, Frame, Json, Month, Query, State, View, Writer, ANSWER_BYTES};

const MODEL: usize = 0;
const TOKENS_IN: usize = 1;
const TOKENS_OUT: usize = 2;

const TOTALS: Frame<2> = tally::totals!["tokens_in", "tokens_out"];
const TOTAL_IN: usize = 0;
const TOTAL_OUT: usize = 1;

struct MonthlyTotals;

impl View for MonthlyTotals {
    const FIELDS: &'static [&'static str] = &["/model", "/tokens_in", "/tokens_out"];

    fn new(_config: Json) -> Result<Self, Failure> {
        Ok(MonthlyTotals)
    }

    fn fold(&self, event: &Event, state: &mut State) -> Result<Folded, Failure> {
        let tokens_in = event.field(TOKENS_IN).decimal();
        let tokens_out = event.field(TOKENS_OUT).decimal();
        if tokens_in.is_none() && tokens_out.is_none() {
            return Ok(Folded::Ignored);
        }
        let key = match key_of(event, state) {
            Some(key) => key,
            None => return Ok(Folded::Ignored),
        };
        let mut totals = TOTALS.load(state, key)?;
        if let Some(number) = &tokens_in {
            totals.add(TOTAL_IN, number)?;
        }
        if let Some(number) = &tokens_out {
            totals.add(TOTAL_OUT, number)?;
        }
        totals.store(state);
        Ok(Folded::Applied)
    }

    fn query(&self, query: &Query, state: &State) -> Result<Answer, Failure> {
        match month_asked(query)? {
            Some(month) => one_month(month, state),
            None => all_months(state),
        }
    }
}

tally::view!(MonthlyTotals);

/// "2025-03/gpt-4"
fn key_of<'a>(event: &Event, state: &State<'a>) -> Option<&'a str> {
    let model = event.field(MODEL).label()?;
    let month = Month::of(event.time())?;
    state.key(&[month.as_str(), "/", model])
}

/// The last month= of the question, None where it has none.
fn month_asked(query: &Query) -> Result<Option<Month>, Failure> {
    let mut month = None;
    for parameter in query.parameters() {
        if parameter.name != b"month" {
            let name = shown(&parameter.name);
            return Err(Failure::from(format!("unknown parameter {}: this view knows month=2025-03", name)));
        }
        month = Month::parse(&parameter.value);
        if month.is_none() {
            let value = shown(&parameter.value);
            return Err(Failure::from(format!("month is {}, which is not a year and a month like 2025-03", value)));
        }
    }
    Ok(month)
}

/// {"gpt-4":{...},...}
fn one_month(month: Month, state: &State) -> Result<Answer, Failure> {
    let prefix = format!("{}/", month.as_str());
    let mut out = Writer::new();
    out.begin_object();
    for (key, totals) in state.scan(&prefix) {
        out.name(&key[prefix.len()..]).raw(totals);
        check_size(&out)?;
    }
    out.end_object();
    Ok(Answer::json(out.finish()))
}

/// {"2025-03":{"gpt-4":{...},...},...}
fn all_months(state: &State) -> Result<Answer, Failure> {
    let mut open = ""; // the month whose object is not closed yet
    let mut out = Writer::new();
    out.begin_object();
    for (key, totals) in state.scan("") {
        let (month, model) = key.split_once('/').unwrap_or((key, ""));
        if month != open {
            if !open.is_empty() {
                out.end_object();
            }
            out.name(month).begin_object();
            open = month;
        }
        out.name(model).raw(totals);
        check_size(&out)?;
    }
    if !open.is_empty() {
        out.end_object();
    }
    out.end_object();
    Ok(Answer::json(out.finish()))
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
