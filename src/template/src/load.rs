//! Step 1: reads the wine table, and refuses it unless every cell is what the training expects.
//!
//! A table that was quietly misread costs more than an error does, so nothing is skipped, guessed
//! or filled in here.

use std::{fs, path::Path};

use csv::{ReaderBuilder, StringRecord};
use serde::Serialize;

use crate::Result;

/// The measured columns, in the order of the file. The last column, the target, follows them.
pub const FEATURES: [&str; 11] = [
    "fixed acidity",
    "volatile acidity",
    "citric acid",
    "residual sugar",
    "chlorides",
    "free sulfur dioxide",
    "total sulfur dioxide",
    "density",
    "pH",
    "sulphates",
    "alcohol",
];
pub const TARGET: &str = "quality";
pub const COLUMNS: usize = FEATURES.len() + 1;

/// The measurements of one wine, in the order of [`FEATURES`].
pub type Features = [f64; FEATURES.len()];

/// One entry of `features` and one of `labels` for each wine.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Table {
    pub features: Vec<Features>,
    pub labels: Vec<usize>,
}

impl Table {
    pub fn rows(&self) -> usize {
        self.labels.len()
    }

    /// The given rows, in the given order.
    pub fn select(&self, rows: &[usize]) -> Table {
        Table {
            features: rows.iter().map(|&row| self.features[row]).collect(),
            labels: rows.iter().map(|&row| self.labels[row]).collect(),
        }
    }
}

pub fn load(path: &Path) -> Result<Table> {
    let text = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    parse(&text).map_err(|error| format!("{}: {error}", path.display()).into())
}

fn parse(text: &[u8]) -> Result<Table> {
    // `flexible`: a row of the wrong length is then ours to report, in the words of every other
    // fault.
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(text);
    check_header(reader.headers()?)?;

    let mut table = Table::default();
    for record in reader.records() {
        let record = record?;
        let (features, label) = parse_row(&record).map_err(|fault| {
            // Both ways of counting: rows are the wines from 1, lines are what an editor shows.
            let (row, line) = (table.rows() + 1, line_of(&record, text));
            format!("row {row} (line {line}): {fault}")
        })?;
        table.features.push(features);
        table.labels.push(label);
    }
    if table.rows() == 0 {
        return Err("no rows below the header".into());
    }
    Ok(table)
}

/// The line that a record begins on. Counted here, because the reader's own count starts at the
/// line ends and blank lines before the record.
fn line_of(record: &StringRecord, text: &[u8]) -> usize {
    let start = record
        .position()
        .map_or(0, |position| position.byte() as usize);
    let gap = text[start..]
        .iter()
        .take_while(|byte| b"\r\n".contains(byte))
        .count();
    1 + text[..start + gap]
        .iter()
        .filter(|&&byte| byte == b'\n')
        .count()
}

fn check_header(header: &StringRecord) -> Result<()> {
    if header.len() != COLUMNS {
        return Err(format!("header has {} columns, expected {COLUMNS}", header.len()).into());
    }
    let expected = FEATURES.into_iter().chain([TARGET]);
    for (number, (found, expected)) in header.iter().zip(expected).enumerate() {
        if found != expected {
            let number = number + 1;
            return Err(format!("column {number} is `{found}`, expected `{expected}`").into());
        }
    }
    Ok(())
}

fn parse_row(record: &StringRecord) -> std::result::Result<(Features, usize), String> {
    if record.len() != COLUMNS {
        return Err(format!("{} columns, expected {COLUMNS}", record.len()));
    }
    let mut features = Features::default();
    for ((value, cell), column) in features.iter_mut().zip(record).zip(FEATURES) {
        *value = parse_number(cell).map_err(|fault| format!("column `{column}`: {fault}"))?;
    }
    let label =
        parse_label(&record[COLUMNS - 1]).map_err(|fault| format!("column `{TARGET}`: {fault}"))?;
    Ok((features, label))
}

fn parse_number(cell: &str) -> std::result::Result<f64, String> {
    if cell.is_empty() {
        return Err("the value is missing".to_owned());
    }
    let number: f64 = cell
        .parse()
        .map_err(|_| format!("`{cell}` is not a number"))?;
    // "NaN", "inf" and "1e999" all parse as an f64.
    if !number.is_finite() {
        return Err(format!("`{cell}` is not a finite number"));
    }
    Ok(number)
}

fn parse_label(cell: &str) -> std::result::Result<usize, String> {
    if cell.is_empty() {
        return Err("the value is missing".to_owned());
    }
    cell.parse()
        .map_err(|_| format!("`{cell}` is not a whole number from 0 up"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "\"fixed acidity\",\"volatile acidity\",\"citric acid\",\"residual sugar\",\
        \"chlorides\",\"free sulfur dioxide\",\"total sulfur dioxide\",\"density\",\"pH\",\"sulphates\",\
        \"alcohol\",\"quality\"\n";
    const WINE: &str = "7.4,0.7,0,1.9,0.076,11,34,0.9978,3.51,0.56,9.4,5\n";

    fn fault(csv: &str) -> String {
        parse(csv.as_bytes()).unwrap_err().to_string()
    }

    /// What is said of a table whose second wine has `cell` in place of its pH.
    fn fault_of_ph(cell: &str) -> String {
        fault(&format!("{HEADER}{WINE}{}", WINE.replace("3.51", cell)))
    }

    #[test]
    fn the_table_that_ships_with_the_package_loads() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/winequality-red.csv");
        let table = load(&path).unwrap();
        assert_eq!((table.features.len(), table.labels.len()), (1599, 1599));
        assert_eq!(
            table.features[0],
            [
                7.4, 0.7, 0.0, 1.9, 0.076, 11.0, 34.0, 0.9978, 3.51, 0.56, 9.4
            ]
        );
        assert_eq!(table.labels[..5], [5, 5, 5, 6, 5]);
    }

    #[test]
    fn a_bad_cell_is_named_by_row_line_and_column() {
        let place = "row 2 (line 3): column `pH`: ";
        assert_eq!(fault_of_ph(""), format!("{place}the value is missing"));
        assert_eq!(
            fault_of_ph("3,51"),
            "row 2 (line 3): 13 columns, expected 12"
        );
        assert_eq!(
            fault_of_ph("sour"),
            format!("{place}`sour` is not a number")
        );
        assert_eq!(
            fault_of_ph(" 3.51"),
            format!("{place}` 3.51` is not a number")
        );
        for cell in ["NaN", "inf", "-inf", "1e999"] {
            assert_eq!(
                fault_of_ph(cell),
                format!("{place}`{cell}` is not a finite number")
            );
        }
    }

    #[test]
    fn the_target_is_a_whole_number() {
        let place = "row 1 (line 2): column `quality`: ";
        for cell in ["5.5", "good", "-1", "5.0"] {
            let wine = WINE.replace(",5\n", &format!(",{cell}\n"));
            let expected = format!("{place}`{cell}` is not a whole number from 0 up");
            assert_eq!(fault(&format!("{HEADER}{wine}")), expected);
        }
        let wine = WINE.replace(",5\n", ",\n");
        assert_eq!(
            fault(&format!("{HEADER}{wine}")),
            format!("{place}the value is missing")
        );
    }

    #[test]
    fn the_line_is_right_after_blank_lines_and_with_crlf() {
        let csv = format!("{HEADER}\n\n{WINE}\n{}", WINE.replace("3.51", "?"));
        let expected = "row 2 (line 6): column `pH`: `?` is not a number";
        assert_eq!(fault(&csv), expected);
        assert_eq!(fault(&csv.replace('\n', "\r\n")), expected);
        assert_eq!(fault(csv.trim_end()), expected);
    }

    #[test]
    fn another_header_or_no_rows_is_an_error() {
        assert_eq!(fault(""), "header has 0 columns, expected 12");
        assert_eq!(fault(HEADER), "no rows below the header");
        assert_eq!(fault(WINE), "column 1 is `7.4`, expected `fixed acidity`");
        let swapped = HEADER.replace("\"pH\",\"sulphates\"", "\"sulphates\",\"pH\"");
        assert_eq!(fault(&swapped), "column 9 is `sulphates`, expected `pH`");
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = load(Path::new("no/such/wine.csv")).unwrap_err().to_string();
        assert!(error.starts_with("no/such/wine.csv: "), "{error}");
    }
}
