//! Where rows end, and so where leaves do. It must agree with the crate csv on what a quote means, and
//! looks at nothing else.

/// Where a leaf ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    /// Behind its last byte.
    pub(super) end: usize,
    /// Its rows.
    pub(super) rows: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Outside of quotes.
    Plain,
    /// Within.
    Quoted,
    /// Behind a quote that ends these, unless another one follows.
    Closing,
}

/// Finds the ends of leaves in bytes that come piece by piece. A position is one in the buffer, which
/// begins with a leaf.
#[derive(Debug)]
pub(super) struct Scanner {
    delimiter: u8,
    /// Rows of a leaf.
    leaf_rows: u64,
    /// Rows still wanted.
    wanted: u64,
    state: State,
    /// Where the current row begins.
    row: usize,
    /// Rows of the current leaf so far.
    rows: u64,
    /// How far the buffer was looked at.
    at: usize,
}

impl Scanner {
    pub(super) fn new(delimiter: u8, leaf_rows: u64, wanted: u64) -> Self {
        Self {
            delimiter,
            leaf_rows,
            wanted,
            state: State::Plain,
            row: 0,
            rows: 0,
            at: 0,
        }
    }

    /// Whether every row that is wanted was found.
    pub(super) fn has_enough(&self) -> bool {
        self.wanted == 0
    }

    /// Whether a quote is open.
    pub(super) fn is_quoted(&self) -> bool {
        self.state == State::Quoted
    }

    /// Looks at what is new in the buffer.
    pub(super) fn scan(&mut self, buffer: &[u8], cuts: &mut Vec<Cut>) {
        while self.at < buffer.len() && !self.has_enough() {
            match self.state {
                State::Plain => self.plain(buffer, cuts),
                State::Quoted => match memchr::memchr(b'"', &buffer[self.at..]) {
                    Some(quote) => {
                        self.at += quote + 1;
                        self.state = State::Closing;
                    }
                    None => self.at = buffer.len(),
                },
                State::Closing if buffer[self.at] == b'"' => {
                    self.at += 1;
                    self.state = State::Quoted;
                }
                State::Closing => self.state = State::Plain,
            }
        }
    }

    /// Up to the next opening quote, or as far as there is something.
    fn plain(&mut self, buffer: &[u8], cuts: &mut Vec<Cut>) {
        let from = self.at;
        for found in memchr::memchr3_iter(b'\n', b'\r', b'"', &buffer[from..]) {
            let at = from + found;
            if buffer[at] == b'"' {
                // Only the first byte of a cell opens quotes.
                if at == self.row || buffer[at - 1] == self.delimiter {
                    self.at = at + 1;
                    self.state = State::Quoted;
                    return;
                }
                continue;
            }
            let is_blank = at == self.row;
            self.row = at + 1;
            if !is_blank {
                self.end_row(at + 1, cuts);
                if self.has_enough() {
                    self.at = at + 1;
                    return;
                }
            }
        }
        self.at = buffer.len();
    }

    fn end_row(&mut self, end: usize, cuts: &mut Vec<Cut>) {
        self.rows += 1;
        self.wanted -= 1;
        if self.rows == self.leaf_rows || self.has_enough() {
            cuts.push(Cut { end, rows: self.rows });
            self.rows = 0;
        }
    }

    /// The file has ended: so does the row, and the leaf.
    pub(super) fn end(&mut self, buffer: &[u8], cuts: &mut Vec<Cut>) {
        if self.row < buffer.len() && !self.has_enough() {
            self.row = buffer.len();
            self.end_row(buffer.len(), cuts);
        }
        if self.rows > 0 {
            cuts.push(Cut {
                end: buffer.len(),
                rows: self.rows,
            });
            self.rows = 0;
        }
    }

    /// So many bytes are taken from the front of the buffer.
    pub(super) fn shift(&mut self, bytes: usize) {
        self.row -= bytes;
        self.at -= bytes;
    }
}
