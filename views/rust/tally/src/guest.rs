//! What a view is, and what the server's calls into it do.

/// A view: how events become state, and state becomes answers.
pub trait View: Sized + 'static {
    /// The members of an event that the view reads, as JSON Pointers (RFC 6901): `/tokens_in`, `/usage/tokens`. At most 64.
    /// [`Event::field`](crate::Event::field) counts them from 0.
    const FIELDS: &'static [&'static str] = &[];

    /// Makes the view from its configuration, which is `{}` if there was none. Failing refuses the deploy.
    ///
    /// This is called before the first event and again whenever the server has set memory back. What the view keeps
    /// must follow from the configuration alone.
    fn new(config: crate::Json) -> Result<Self, Failure>;

    /// For fields that depend on the configuration; in the place of FIELDS.
    fn fields(&self) -> Vec<String> {
        Self::FIELDS.iter().map(|field| field.to_string()).collect()
    }

    /// Folds one event into the state. Failing halts the view at this event and writes nothing for it: never do that
    /// for anything that an event may hold.
    fn fold(&self, event: &crate::Event, state: &mut crate::State) -> Result<Folded, Failure>;

    /// Answers a query. Failing refuses it, with the reason for the client.
    fn query(&self, query: &crate::Query, state: &crate::State) -> Result<Answer, Failure>;
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Folded {
    /// It counts.
    Applied,
    /// The view has no use for it.
    Ignored,
}

/// The reason for an error. The server shows the first 1,024 bytes of it: say what was found, what is allowed, and what
/// to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(String);

impl From<&str> for Failure {
    fn from(reason: &str) -> Failure {
        Failure(reason.to_string())
    }
}

impl From<String> for Failure {
    fn from(reason: String) -> Failure {
        Failure(reason)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a query answers: at most 1 MiB.
pub struct Answer(String);

/// The most bytes that an answer may have.
pub const ANSWER_BYTES: usize = 1 << 20;

impl Answer {
    /// Answers with JSON.
    pub fn json(text: String) -> Answer {
        Answer(text)
    }

    /// Answers with comma-separated values. Call this last in a query: the server learns of the type here.
    pub fn csv(text: String) -> Answer {
        crate::host::answer_type("text/csv");
        Answer(text)
    }

    /// Answers with plain text. Call this last in a query: the server learns of the type here.
    pub fn text(text: String) -> Answer {
        crate::host::answer_type("text/plain");
        Answer(text)
    }
}

/// Exports a type that implements [`View`] as this module's view. To be used once in a module.
///
/// A view with a guard is exported by [`guarded_view!`](crate::guarded_view) instead: here it does not compile, since no one
/// would ask its guard.
#[macro_export]
macro_rules! view {
    ($view:ty) => {
        $crate::export_view! { $view; }
        const _: fn() = || {
            // Ambiguous for a view with a guard, and so an error with this name in it.
            trait HasAGuardAndIsToBeExportedByGuardedView<Other> {
                fn found() {}
            }
            struct Guarded;
            impl<V> HasAGuardAndIsToBeExportedByGuardedView<()> for V {}
            impl<V: $crate::Guard> HasAGuardAndIsToBeExportedByGuardedView<Guarded> for V {}
            <$view as HasAGuardAndIsToBeExportedByGuardedView<_>>::found()
        };
    };
}

/// What both macros expand to; not for use by hand.
#[doc(hidden)]
#[macro_export]
macro_rules! export_view {
    ($view:ty; $($more:item)*) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            static GUEST: $crate::exports::Guest<$view> = $crate::exports::Guest::new();

            #[no_mangle]
            extern "C" fn _initialize() {
                GUEST.initialize()
            }

            #[no_mangle]
            extern "C" fn tally_alloc(n: usize) -> *mut u8 {
                $crate::exports::alloc(n)
            }

            #[no_mangle]
            extern "C" fn tally_event_room() -> i64 {
                $crate::exports::event_room()
            }

            #[no_mangle]
            extern "C" fn tally_fields() -> i64 {
                GUEST.fields()
            }

            #[no_mangle]
            unsafe extern "C" fn tally_fold(event: usize) -> i32 {
                GUEST.fold(event)
            }

            #[no_mangle]
            unsafe extern "C" fn tally_fold_batch(events: usize, n: usize) -> i32 {
                GUEST.fold_batch(events, n)
            }

            #[no_mangle]
            unsafe extern "C" fn tally_query(at: usize, len: usize) -> i64 {
                GUEST.query(at, len)
            }

            $($more)*
        };
        #[cfg(not(target_arch = "wasm32"))]
        const _: fn() = || {
            fn is_a_view<V: $crate::View>() {}
            is_a_view::<$view>()
        };
    };
}

#[cfg(target_arch = "wasm32")]
pub use exported::Guest;

#[cfg(target_arch = "wasm32")]
mod exported {
    use super::*;
    use crate::{arena, batch, host, Event, Guard, Json, Query, State};
    use std::cell::UnsafeCell;

    const APPLIED: i32 = 0;
    const IGNORED: i32 = 1;
    const FAILED: i32 = -1;

    /// The server's calls into a view.
    pub struct Guest<V> {
        view: UnsafeCell<Option<V>>,
        answer: UnsafeCell<String>, // is to be there until the next call
    }

    // A view's module has one thread.
    unsafe impl<V> Sync for Guest<V> {}

    impl<V: View> Guest<V> {
        /// A view that is not made yet.
        #[allow(clippy::new_without_default)]
        pub const fn new() -> Self {
            Guest { view: UnsafeCell::new(None), answer: UnsafeCell::new(String::new()) }
        }

        /// Makes panics report their message, and gives the heap its first page before the server takes the picture of memory that every
        /// batch starts from: so memory does not grow in an ordinary fold.
        pub fn initialize(&self) {
            std::panic::set_hook(Box::new(|panic| host::say(&panic.to_string())));
            unsafe { *self.answer.get() = String::with_capacity(1) };
        }

        /// The calls come one after the other, and none of them gives out what would outlive it.
        #[inline]
        fn view(&self) -> Result<&V, Failure> {
            let view = unsafe { &mut *self.view.get() };
            if view.is_none() {
                *view = Some(V::new(Json::of(host::configuration()))?);
            }
            view.as_ref().ok_or_else(|| Failure::from("there is no view"))
        }

        fn answer(&self, result: Result<String, Failure>) -> i64 {
            let packed = match result {
                Ok(text) => {
                    let answer = unsafe { &mut *self.answer.get() };
                    *answer = text;
                    ((answer.as_ptr() as u64) << 32 | answer.len() as u64) as i64
                }
                Err(failure) => i64::from(fail(failure)),
            };
            arena::release();
            packed
        }

        /// tally_fields
        pub fn fields(&self) -> i64 {
            self.answer(self.view().map(|view| view.fields().join("\n")))
        }

        /// tally_fold
        ///
        /// # Safety
        ///
        /// The event must be what the server wrote.
        #[inline]
        pub unsafe fn fold(&self, event: usize) -> i32 {
            let result = self.fold_one(event);
            arena::release();
            result
        }

        /// tally_fold_batch
        ///
        /// # Safety
        ///
        /// The events must be what the server wrote.
        #[inline]
        pub unsafe fn fold_batch(&self, events: usize, n: usize) -> i32 {
            let events = std::slice::from_raw_parts(events as *const u32, n);
            batch::fold(
                |i| {
                    let event = events[i] as usize;
                    let result = self.fold_one(event);
                    Event::say(event as *mut _, result);
                    result.min(APPLIED)
                },
                n,
            )
        }

        #[inline]
        unsafe fn fold_one(&self, event: usize) -> i32 {
            let event = Event::at(event as *const _);
            match self.view().and_then(|view| view.fold(&event, &mut State::of_call())) {
                Ok(Folded::Applied) => APPLIED,
                Ok(Folded::Ignored) => IGNORED,
                Err(failure) => fail(failure),
            }
        }

        /// tally_query
        ///
        /// # Safety
        ///
        /// The query must be what the server wrote.
        pub unsafe fn query(&self, at: usize, len: usize) -> i64 {
            let raw = if len == 0 { &[] } else { std::slice::from_raw_parts(at as *const u8, len) };
            self.answer(self.view().and_then(|view| view.query(&Query::new(raw), &State::of_call())).map(|answer| answer.0))
        }
    }

    impl<V: Guard> Guest<V> {
        /// tally_guard
        ///
        /// # Safety
        ///
        /// The event must be what the server wrote.
        pub unsafe fn guard(&self, event: usize) -> i32 {
            let event = Event::at(event as *const _);
            let result = match self.view().and_then(|view| view.guard(&event, &State::of_call())) {
                Ok(verdict) => verdict.say(),
                Err(failure) => fail(failure),
            };
            arena::release();
            result
        }
    }

    #[cold]
    fn fail(failure: Failure) -> i32 {
        host::say(&failure.0);
        FAILED
    }
}
