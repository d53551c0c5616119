//! Write [Tallystick](https://github.com/tallystick/tallystick) views in Rust.
//!
//! A view folds the events of a log into keyed state and answers queries from that state. Implement [`View`], name the
//! type in [`view!`], build for `wasm32-unknown-unknown`, and upload the module:
//!
//! ```
//! use tally::{Answer, Event, Failure, Folded, Json, Query, State, View};
//!
//! /// Counts the events of each type.
//! struct CountByType;
//!
//! impl View for CountByType {
//!     const FIELDS: &'static [&'static str] = &["/type"];
//!
//!     fn new(_config: Json) -> Result<Self, Failure> {
//!         Ok(CountByType)
//!     }
//!
//!     fn fold(&self, event: &Event, state: &mut State) -> Result<Folded, Failure> {
//!         let key = match event.field(0).label().and_then(|name| state.key(&["type/", name])) {
//!             Some(key) => key,
//!             None => return Ok(Folded::Ignored),
//!         };
//!         let mut totals = tally::totals!["count"].load(state, key)?;
//!         totals.add(0, &tally::Decimal::from(1))?;
//!         totals.store(state);
//!         Ok(Folded::Applied)
//!     }
//!
//!     fn query(&self, _query: &Query, state: &State) -> Result<Answer, Failure> {
//!         let mut out = tally::Writer::new();
//!         out.begin_object();
//!         for (key, value) in state.scan("type/") {
//!             out.name(&key["type/".len()..]);
//!             out.raw(value);
//!         }
//!         out.end_object();
//!         Ok(Answer::json(out.finish()))
//!     }
//! }
//!
//! tally::view!(CountByType);
//! ```
//!
//! What a view may rest on:
//!
//! - State is all that lasts. The server sets the module's memory back between batches of events; it calls
//!   [`View::new`] again whenever it has.
//! - There is no clock, no randomness, no file and no network; the times of the event are the only ones.
//! - A [`Failure`] in [`View::fold`], a panic too, halts the view at that event until someone resumes it or deploys a
//!   better one: never fail for anything that an event may hold. Answer [`Folded::Ignored`] for what is none of the
//!   view's business, and count what should have counted and cannot with [`State::note_uncounted`].
//!
//! A view that implements [`Guard`], too, decides on events before they are appended; [`guarded_view!`] exports it.
//!
//! Outside of a server only what needs no state works, such as decimals, times and JSON, so that these can be tested
//! with `cargo test`. A whole view is tested with golden folders: see `tally view test`.

#![warn(missing_docs)]
#![cfg_attr(not(target_arch = "wasm32"), allow(dead_code))] // nothing calls into a view there

mod arena;
mod batch;
mod decimal;
mod digits;
mod event;
mod guard;
mod guest;
mod host;
mod json;
mod query;
mod state;
mod text;
mod time;
mod totals;
mod uncounted;
mod writer;

pub use decimal::Decimal;
pub use event::{Event, Field, Kind};
pub use guard::{Guard, Refusal, Verdict, MOST_SECONDS};
pub use guest::{Answer, Failure, Folded, View, ANSWER_BYTES};
pub use json::{Elements, Json, Members};
pub use query::{Parameter, Parameters, Query};
pub use state::{Scan, State, KEY_BYTES};
pub use text::shown;
pub use time::{parse_time, Date, Month};
pub use totals::{Frame, Totals};
pub use uncounted::uncounted;
pub use writer::Writer;

/// What [`view!`] expands to; not for use by hand.
#[doc(hidden)]
#[cfg(target_arch = "wasm32")]
pub mod exports {
    pub use crate::arena::{alloc, event_room};
    pub use crate::guest::Guest;
}
