//! Guards: views that decide on events before they are appended.

use crate::{Event, Failure, State, View};

/// A view with a guard. Export it by [`guarded_view!`](crate::guarded_view) in the place of [`view!`](crate::view).
pub trait Guard: View {
    /// Decides on an event before it is appended, on the state with every earlier event folded. The event has the sequence
    /// and the time of recording that it would get. What is refused leaves nothing.
    ///
    /// Failing, and a panic, halts the view. The fold must take any event all the same: no guard was asked about those
    /// that the log held before the view was deployed.
    fn guard(&self, event: &Event, state: &State) -> Result<Verdict, Failure>;
}

/// Why an event is refused: the HTTP status that the client is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Refusal {
    /// 402: credit is used up, a payment would help.
    PaymentRequired = 402,
    /// 403: it is never admitted.
    Forbidden = 403,
    /// 409: it does not fit what the log holds.
    Conflict = 409,
}

const TOO_MANY_REQUESTS: i32 = 429;

/// The longest that [`Verdict::refuse_for`] refuses an event for: 366 days.
pub const MOST_SECONDS: i64 = 366 * 24 * 60 * 60;

/// What a guard decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    status: i32,
    seconds: i32, // 0 where it is not for a while
    answer: Option<String>,
}

impl Verdict {
    /// Has the event appended.
    pub fn admit() -> Verdict {
        Verdict { status: 0, seconds: 0, answer: None }
    }

    /// Refuses the event.
    pub fn refuse(refusal: Refusal) -> Verdict {
        Verdict { status: refusal as i32, seconds: 0, answer: None }
    }

    /// Refuses the event for so many seconds, with the status 429: at least one, and at most [`MOST_SECONDS`].
    pub fn refuse_for(seconds: i64) -> Verdict {
        Verdict { status: TOO_MANY_REQUESTS, seconds: seconds.clamp(1, MOST_SECONDS) as i32, answer: None }
    }

    /// Tells the client something beside the verdict, of an event that is admitted, too: a JSON object of at most 4 KiB.
    pub fn answer(self, json: String) -> Verdict {
        Verdict { answer: Some(json), ..self }
    }

    /// The status of a refusal, and None of an event that is admitted.
    pub fn status(&self) -> Option<i32> {
        Some(self.status).filter(|&status| status != 0)
    }

    /// For how many seconds [`Verdict::refuse_for`] refuses the event.
    pub fn retry_after(&self) -> Option<i32> {
        Some(self.seconds).filter(|&seconds| seconds != 0)
    }

    /// What the client is told.
    pub fn told(&self) -> Option<&str> {
        self.answer.as_deref()
    }

    /// Tells the server, and returns what tally_guard does.
    #[cfg(target_arch = "wasm32")]
    pub(crate) fn say(&self) -> i32 {
        if let Some(answer) = &self.answer {
            crate::host::guard_answer(answer);
        }
        if self.seconds > 0 {
            crate::host::say_retry_after(self.seconds);
        }
        self.status
    }
}

/// Exports a type that implements [`Guard`] as this module's view. To be used once in a module.
#[macro_export]
macro_rules! guarded_view {
    ($view:ty) => {
        $crate::export_view! {
            $view;

            #[no_mangle]
            unsafe extern "C" fn tally_guard(event: usize) -> i32 {
                GUEST.guard(event)
            }
        }
        #[cfg(not(target_arch = "wasm32"))]
        const _: fn() = || {
            fn is_guarded<V: $crate::Guard>() {}
            is_guarded::<$view>()
        };
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        assert_eq!(Verdict::admit().status(), None);
        assert_eq!(Verdict::refuse(Refusal::Conflict).status(), Some(409));
        for (seconds, want) in [(i64::MIN, 1), (0, 1), (90, 90), (MOST_SECONDS, 31_622_400), (i64::MAX, 31_622_400)] {
            let verdict = Verdict::refuse_for(seconds);
            assert_eq!((verdict.status(), verdict.retry_after()), (Some(429), Some(want)));
        }
        let told = Verdict::admit().answer(r#"{"remaining":1}"#.to_string());
        assert_eq!((told.status(), told.told()), (None, Some(r#"{"remaining":1}"#)));
    }
}
