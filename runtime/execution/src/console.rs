//! What contracts print. It is no part of consensus and costs its sender nothing but time, so what a trace keeps of it is
//! bounded; nodeos keeps all of it.

use std::io;

/// Bytes that a transaction's trace keeps of what its contracts print; what comes after them is counted.
pub const CONSOLE_BYTES_MAX: usize = 1 << 20;
/// Bytes of these that stay with the block, once the transaction is answered.
pub const CONSOLE_BYTES_KEPT: usize = 64 << 10;

/// Bytes that the transaction's trace has room for.
#[derive(Debug)]
pub(crate) struct ConsoleBudget(usize);

impl Default for ConsoleBudget {
    fn default() -> Self {
        Self(CONSOLE_BYTES_MAX)
    }
}

/// What one run printed.
#[derive(Debug, Default)]
pub struct Console {
    text: Vec<u8>,
    omitted: usize,
}

impl Console {
    /// The text so far.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Adds what there is room for.
    pub(crate) fn add(&mut self, bytes: &[u8], budget: &mut ConsoleBudget) {
        let (kept, omitted) = bytes.split_at(bytes.len().min(budget.0));
        self.text.extend_from_slice(kept);
        self.omitted = self.omitted.saturating_add(omitted.len());
        budget.0 -= kept.len();
    }

    /// The text, with the number of bytes that it lacks; empty afterwards.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        let Self { mut text, omitted } = std::mem::take(self);
        note_omitted(&mut text, omitted);
        text
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.omitted = 0;
    }
}

/// Cuts a text to `max` bytes and says so.
pub(crate) fn shorten(text: &mut Vec<u8>, max: usize) {
    let omitted = text.len().saturating_sub(max);
    text.truncate(max);
    text.shrink_to_fit();
    note_omitted(text, omitted);
}

fn note_omitted(text: &mut Vec<u8>, omitted: usize) {
    if omitted > 0 {
        text.extend_from_slice(format!("... ({omitted} bytes more)").as_bytes());
    }
}

/// Prints to a console.
pub(crate) struct Printer<'a> {
    pub console: &'a mut Console,
    pub budget: &'a mut ConsoleBudget,
}

impl io::Write for Printer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.console.add(bytes, self.budget);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_room_is_counted() {
        let (mut first, mut second, mut budget) = (Console::default(), Console::default(), ConsoleBudget::default());
        first.add(&vec![b'x'; CONSOLE_BYTES_MAX - 3], &mut budget);
        first.add(b"", &mut budget);
        assert_eq!(first.take().len(), CONSOLE_BYTES_MAX - 3);
        second.add(b"abcde", &mut budget);
        second.add(b"fg", &mut budget);
        assert_eq!(second.text(), b"abc");
        assert_eq!(second.take(), b"abc... (4 bytes more)");
        assert_eq!(second.take(), b"", "it begins anew");
    }

    #[test]
    fn a_text_is_cut_once() {
        let mut text = b"abcdef".to_vec();
        shorten(&mut text, 6);
        assert_eq!(text, b"abcdef");
        shorten(&mut text, 2);
        assert_eq!(text, b"ab... (4 bytes more)");
    }
}
