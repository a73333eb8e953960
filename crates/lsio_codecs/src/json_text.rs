//! JSON text that is checked and moved to the front of its own memory, value by value.

use std::ops::Range;

/// Most levels of lists and objects in one value.
const MOST_LEVELS: usize = 128;

/// Words that Python writes beside those of JSON.
const WORDS: [&[u8]; 6] = [b"null", b"true", b"false", b"NaN", b"Infinity", b"-Infinity"];

/// UTF-8 that is read from its start.
///
/// Grammar: RFC 8259, and the words `NaN`, `Infinity` and `-Infinity` of Python's `json` module.
pub(crate) struct JsonText<B> {
    bytes: B,
    at: usize,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> JsonText<B> {
    /// Takes a value and moves it to byte `to`, which is not behind it; gives where it ends then.
    pub(crate) fn move_value(&mut self, to: usize) -> Result<usize, &'static str> {
        let value = self.take_value()?;
        let len = value.len();
        self.bytes.as_mut().copy_within(value, to);
        Ok(to + len)
    }
}

impl<B: AsRef<[u8]>> JsonText<B> {
    /// The text in `bytes`, which must be UTF-8.
    pub(crate) fn new(bytes: B) -> Self {
        Self { bytes, at: 0 }
    }

    /// Where the next byte is.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// Takes one byte of punctuation, white space before it included.
    pub(crate) fn expect(&mut self, byte: u8) -> Result<(), &'static str> {
        self.skip_space();
        if self.peek() != Some(byte) {
            return Err("a list does not have as many values as the chunk has, or is no list");
        }
        self.at += 1;
        Ok(())
    }

    /// Takes the end.
    pub(crate) fn expect_end(&mut self) -> Result<(), &'static str> {
        self.skip_space();
        if self.at == self.bytes.as_ref().len() { Ok(()) } else { Err("more follows the document") }
    }

    /// Takes a text.
    pub(crate) fn expect_text(&mut self) -> Result<(), &'static str> {
        self.skip_space();
        self.text()
    }

    /// Takes an integer.
    pub(crate) fn number(&mut self) -> Result<u64, &'static str> {
        self.skip_space();
        let start = self.at;
        self.digits()?;
        let digits = std::str::from_utf8(&self.bytes.as_ref()[start..self.at]).ok();
        digits.and_then(|digits| digits.parse().ok()).ok_or("a length is too large")
    }

    /// Takes a value; gives where it is.
    pub(crate) fn take_value(&mut self) -> Result<Range<usize>, &'static str> {
        self.skip_space();
        let start = self.at;
        self.value(0)?;
        Ok(start..self.at)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.as_ref().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, level: usize) -> Result<(), &'static str> {
        if level > MOST_LEVELS {
            return Err("a value has too many levels");
        }
        self.skip_space();
        match self.peek() {
            Some(b'"') => self.text(),
            Some(b'[') => self.items(b']', |text| text.value(level + 1)),
            Some(b'{') => self.items(b'}', |text| {
                text.skip_space();
                text.text()?;
                text.skip_space();
                if text.peek() != Some(b':') {
                    return Err("a name has no value");
                }
                text.at += 1;
                text.value(level + 1)
            }),
            _ => {
                let rest = self.bytes.as_ref().get(self.at..).unwrap_or_default();
                match WORDS.iter().find(|word| rest.starts_with(word)) {
                    Some(word) => {
                        self.at += word.len();
                        Ok(())
                    }
                    None => self.decimal(),
                }
            }
        }
    }

    /// Takes what stands between brackets, separated by commas.
    fn items(
        &mut self,
        end: u8,
        item: impl Fn(&mut Self) -> Result<(), &'static str>,
    ) -> Result<(), &'static str> {
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(end) {
            self.at += 1;
            return Ok(());
        }
        loop {
            item(self)?;
            self.skip_space();
            let found = self.peek();
            self.at += 1;
            match found {
                Some(b',') => {}
                Some(found) if found == end => return Ok(()),
                _ => return Err("a list or an object does not end"),
            }
        }
    }

    fn text(&mut self) -> Result<(), &'static str> {
        if self.peek() != Some(b'"') {
            return Err("a text is missing");
        }
        loop {
            self.at += 1;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    self.at += 1;
                    match self.peek() {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {}
                        Some(b'u') => {
                            let hex = self.bytes.as_ref().get(self.at + 1..self.at + 5);
                            let is_hex = |hex: &[u8]| hex.iter().all(u8::is_ascii_hexdigit);
                            if !hex.is_some_and(is_hex) {
                                return Err("an escape is not valid");
                            }
                            self.at += 4;
                        }
                        _ => return Err("an escape is not valid"),
                    }
                }
                Some(0x20..) => {}
                Some(_) => return Err("a text has a control character"),
                None => return Err("a text does not end"),
            }
        }
    }

    fn decimal(&mut self) -> Result<(), &'static str> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), &'static str> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err("there is no value") }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// The value that a text starts with, and what follows it.
    fn value(text: &str) -> Result<(String, String), &'static str> {
        let mut bytes = text.as_bytes().to_vec();
        let mut json = JsonText::new(&mut bytes);
        let end = json.move_value(0)?;
        let at = json.position();
        let moved = String::from_utf8(bytes[..end].to_vec()).unwrap();
        Ok((moved, text[at..].to_owned()))
    }

    #[test]
    fn values_end_where_their_grammar_ends() {
        for (text, found, rest) in [
            (" 12,3", "12", ",3"),
            ("-0.5e+10]", "-0.5e+10", "]"),
            ("007", "0", "07"),
            ("NaN,", "NaN", ","),
            ("-Infinity", "-Infinity", ""),
            ("\"a\\\"]\\u00e9\" ,", "\"a\\\"]\\u00e9\"", " ,"),
            ("\"Gr\u{fc}\u{df}e\"", "\"Gr\u{fc}\u{df}e\"", ""),
            ("[1, {\"a\": []}, \"]\"]]", "[1, {\"a\": []}, \"]\"]", "]"),
            ("{ }x", "{ }", "x"),
        ] {
            assert_eq!(value(text), Ok((found.to_owned(), rest.to_owned())), "{text}");
        }
    }

    #[test]
    fn what_is_no_value_is_refused() {
        let deep = "[".repeat(100_000);
        for text in [
            "",
            " ",
            "x",
            "-",
            ".5",
            "1.",
            "1e",
            "+1",
            "\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\\u12",
            "\"a\nb\"",
            "[",
            "[1",
            "[1,",
            "[1 2]",
            "[,]",
            "{",
            "{1:2}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            deep.as_str(),
        ] {
            assert!(value(text).is_err(), "{text:.20}");
        }
    }
}
