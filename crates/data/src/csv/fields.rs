//! Cutting bytes into fields, one at a time: a line of any length takes no memory.

use std::io::{ErrorKind, Read};

use super::CsvError;

/// Bytes that are read at a time.
const BUFFER: usize = 1 << 16;
/// Spreadsheets put it before the first field.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The fields of a table. Lines end in `\n`, `\r\n` or `\r`; blank ones are skipped. A field may stand in quotes, in
/// which two quotes are one, and have spaces around it and them.
pub(super) struct Fields<R> {
    reader: R,
    limit: u64,
    /// Bytes that may still come.
    left: u64,
    delimiter: u8,
    buffer: Vec<u8>,
    /// What is left of the buffer.
    start: usize,
    end: usize,
    /// From 1.
    line: u64,
    after_return: bool,
    field: Vec<u8>,
}

/// Where a field stands.
pub(super) enum Next {
    /// Others of its record follow it.
    Field,
    /// It is the last of its record.
    Record,
    /// Its quotes do not end, or do not end where the field does.
    Quotes,
}

impl<R: Read> Fields<R> {
    pub(super) fn new(reader: R, delimiter: u8, limit: u64) -> Result<Self, CsvError> {
        let mut fields = Fields {
            reader,
            limit,
            left: limit,
            delimiter,
            buffer: vec![0; BUFFER],
            start: 0,
            end: 0,
            line: 1,
            after_return: false,
            field: Vec::new(),
        };
        while fields.end < BYTE_ORDER_MARK.len() && fields.read_more()? {}
        if fields.buffer[..fields.end].starts_with(BYTE_ORDER_MARK) {
            fields.start = BYTE_ORDER_MARK.len();
        }
        Ok(fields)
    }

    /// The line on which the next record starts, or `None` if there is no more.
    pub(super) fn next_record(&mut self) -> Result<Option<u64>, CsvError> {
        loop {
            match self.peek()? {
                Some(b'\r' | b'\n') => self.skip(),
                Some(_) => return Ok(Some(self.line)),
                None => return Ok(None),
            }
        }
    }

    /// Reads the next field of the record: [`text`](Fields::text) is then what it says.
    pub(super) fn next(&mut self) -> Result<Next, CsvError> {
        self.field.clear();
        self.skip_spaces()?;
        if self.peek()? == Some(b'"') {
            if !self.quoted()? {
                return Ok(Next::Quotes);
            }
            self.skip_spaces()?;
        } else {
            self.unquoted()?;
        }
        match self.peek()? {
            Some(byte) if byte == self.delimiter => {
                self.skip();
                Ok(Next::Field)
            }
            Some(b'\r' | b'\n') => {
                self.skip();
                Ok(Next::Record)
            }
            None => Ok(Next::Record),
            Some(_) => Ok(Next::Quotes),
        }
    }

    /// The field, without quotes and the spaces around it.
    pub(super) fn text(&self) -> &[u8] {
        self.field.trim_ascii()
    }

    /// What stands in the quotes that come next; `false` if they do not end.
    fn quoted(&mut self) -> Result<bool, CsvError> {
        self.skip();
        while let Some(byte) = self.peek()? {
            self.skip();
            if byte == b'"' {
                if self.peek()? != Some(b'"') {
                    return Ok(true);
                }
                self.skip();
            }
            self.field.push(byte);
        }
        Ok(false)
    }

    fn unquoted(&mut self) -> Result<(), CsvError> {
        while self.peek()?.is_some() {
            let rest = &self.buffer[self.start..self.end];
            let ends = |&b: &u8| b == self.delimiter || b == b'\n' || b == b'\r';
            let length = rest.iter().position(ends).unwrap_or(rest.len());
            self.field.extend_from_slice(&rest[..length]);
            self.start += length;
            self.after_return = false;
            if self.start < self.end {
                break;
            }
        }
        Ok(())
    }

    fn skip_spaces(&mut self) -> Result<(), CsvError> {
        while self.peek()?.is_some_and(|b| (b == b' ' || b == b'\t') && b != self.delimiter) {
            self.skip();
        }
        Ok(())
    }

    /// The next byte, or `None` at the end.
    fn peek(&mut self) -> Result<Option<u8>, CsvError> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            if !self.read_more()? {
                return Ok(None);
            }
        }
        Ok(Some(self.buffer[self.start]))
    }

    /// Goes past the byte that was peeked at.
    fn skip(&mut self) {
        let byte = self.buffer[self.start];
        self.start += 1;
        // `\r\n` ends one line.
        self.line += u64::from(byte == b'\r' || byte == b'\n' && !self.after_return);
        self.after_return = byte == b'\r';
    }

    /// Reads into the rest of the buffer; `false` at the end of the data.
    fn read_more(&mut self) -> Result<bool, CsvError> {
        let room = self.buffer.len() - self.end;
        // One byte past the limit tells that there are more.
        let allowed = usize::try_from(self.left.saturating_add(1)).unwrap_or(usize::MAX).min(room);
        let found = loop {
            match self.reader.read(&mut self.buffer[self.end..self.end + allowed]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                found => break found.map_err(CsvError::Io)?,
            }
        };
        self.left = self.left.checked_sub(found as u64).ok_or(CsvError::TooLarge { limit: self.limit })?;
        self.end += found;
        Ok(found > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One byte at a time, the worst that a reader may do.
    struct Trickle<'a>(&'a [u8]);

    impl Read for Trickle<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let n = out.len().min(1);
            self.0.read(&mut out[..n])
        }
    }

    /// The line and the fields of every record.
    fn records(text: &str) -> Vec<(u64, Vec<String>)> {
        let mut fields = Fields::new(Trickle(text.as_bytes()), b',', 1 << 20).unwrap();
        let mut records = Vec::new();
        while let Some(line) = fields.next_record().unwrap() {
            let mut record = Vec::new();
            loop {
                let next = fields.next().unwrap();
                record.push(String::from_utf8(fields.text().to_vec()).unwrap());
                match next {
                    Next::Field => {}
                    Next::Record => break,
                    Next::Quotes => return vec![(line, vec!["QUOTES".into()])],
                }
            }
            records.push((line, record));
        }
        records
    }

    #[test]
    fn records_and_their_lines() {
        let text = "\u{feff}\"a\"\"b\", c ,\"d,\r\ne\"\r\n\r\n\n1,, \"2\" \r3\n,";
        let expected =
            [(1, vec!["a\"b", "c", "d,\r\ne"]), (5, vec!["1", "", "2"]), (6, vec!["3"]), (7, vec!["", ""])];
        let found = records(text);
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for ((line, record), (expected_line, fields)) in found.iter().zip(&expected) {
            assert_eq!((line, record), (expected_line, &fields.iter().map(|f| f.to_string()).collect()));
        }
        for empty in ["", "\n", "\r\n\r\n", "\u{feff}"] {
            assert!(records(empty).is_empty());
        }
        for bad in ["\"a", "\"a\"b", "\"a\"\"", "x,\"\n\n"] {
            assert_eq!(records(bad), [(1, vec!["QUOTES".to_string()])], "{bad}");
        }
    }
}
