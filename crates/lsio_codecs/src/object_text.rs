//! JSON text that elements of varying length are made of, one after the other.

use lsio_array::VariableChunk;

/// The text of the elements so far, and where each ends.
#[derive(Debug, Default)]
pub(crate) struct ObjectText {
    text: Vec<u8>,
    offsets: Vec<u64>,
}

impl ObjectText {
    /// Appends what stands in JSON as it is: a bracket, a comma, a word, an integer.
    pub(crate) fn push(&mut self, text: impl AsRef<[u8]>) {
        self.text.extend_from_slice(text.as_ref());
    }

    /// Appends a number; `NaN` and infinities are the words of Python's `json` module.
    pub(crate) fn push_float(&mut self, number: f64) {
        if number.is_nan() {
            self.push("NaN");
        } else if number.is_infinite() {
            self.push(if number > 0.0 { "Infinity" } else { "-Infinity" });
        } else {
            // The shortest digits that read as this number, at most 24 with sign and exponent.
            self.push(format!("{number:?}"));
        }
    }

    /// Appends a text in quotes.
    pub(crate) fn push_text(&mut self, text: &str) {
        self.text.push(b'"');
        for byte in text.bytes() {
            match byte {
                b'"' | b'\\' => self.text.extend_from_slice(&[b'\\', byte]),
                0..0x20 => self.push(format!("\\u{byte:04x}")),
                _ => self.text.push(byte),
            }
        }
        self.text.push(b'"');
    }

    /// All of the text.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Forgets the text.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
    }

    /// Ends an element.
    pub(crate) fn end_element(&mut self) {
        self.offsets.push(self.text.len() as u64);
    }

    /// Gives the elements to a chunk.
    pub(crate) fn finish(self, chunk: &mut VariableChunk) {
        chunk.offsets.clear();
        chunk.offsets.push(0);
        chunk.offsets.extend(self.offsets);
        chunk.bytes = self.text;
    }
}
