//! Keeps a panic of a source, a codec or a user's function inside its task.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `body`; a panic comes back as its message.
pub(crate) fn contain<T>(body: impl FnOnce() -> T) -> Result<T, String> {
    // What the body was working on is dropped with its task, so nobody sees it half done.
    catch_unwind(AssertUnwindSafe(body)).map_err(|panic| message(&*panic))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::contain;

    #[test]
    fn a_panic_becomes_its_message() {
        assert_eq!(contain(|| 7), Ok(7));
        assert_eq!(contain(|| -> u8 { panic!("no {}", 1) }), Err("no 1".to_owned()));
        assert_eq!(contain(|| -> u8 { panic!("plain") }), Err("plain".to_owned()));
    }
}
