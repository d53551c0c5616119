//! A view for the kit's tests: its events' keys say in one letter how the rest of them is read and written.

use tally::{Answer, Decimal, Event, Failure, Folded, Frame, Json, Query, State, View};

const TOTALS: Frame<1> = tally::totals!["n"];
static OTHER: Frame<1> = Frame { before: ["{\"n\":"], end: "}" };

struct Probe;

impl View for Probe {
    const FIELDS: &'static [&'static str] = &["/do", "/key"];

    fn new(_config: Json) -> Result<Self, Failure> {
        Ok(Probe)
    }

    fn fold(&self, event: &Event, state: &mut State) -> Result<Folded, Failure> {
        let name = event.field(1).label().unwrap_or("?");
        let key = match state.key(&[&name[1..]]) {
            Some(key) => key,
            None => "none",
        };
        match name.as_bytes()[0] {
            b'a' => count(&TOTALS, key, state, true)?,
            b'b' => count(&OTHER, key, state, true)?,
            b'c' => {
                let on_stack = Frame { before: TOTALS.before, end: OTHER.end };
                count(&on_stack, key, state, true)?
            }
            b'n' => count(&TOTALS, key, state, false)?,
            b'g' => state.set("got", state.get(key).unwrap_or("null")),
            b's' => state.set(key, "{\"n\":70}"),
            b'd' => state.delete(key),
            b'l' => {
                let seen: String = state.scan("k").map(|(key, value)| format!("{}{}", key, value.len())).collect();
                state.set("seen", &format!("\"{}\"", seen))
            }
            b'm' => {
                for c in 'a'..='z' {
                    count(&TOTALS, &c.to_string(), state, true)?
                }
            }
            _ => return Ok(Folded::Ignored),
        }
        Ok(Folded::Applied)
    }

    fn query(&self, _query: &Query, _state: &State) -> Result<Answer, Failure> {
        Ok(Answer::json("null".to_string()))
    }
}

tally::view!(Probe);

fn count(frame: &Frame<1>, key: &str, state: &mut State, stores: bool) -> Result<(), Failure> {
    let mut totals = frame.load(state, key)?;
    totals.add(0, &Decimal::from(1u32))?;
    if stores {
        totals.store(state);
    }
    Ok(())
}
