//! Which cells of a column changed, told from two short sums and without the old cells.
//!
//! The sums are those of a Reed–Solomon code: a few changed cells are to them what a few flipped symbols
//! are to a code word, and are found in the same way.

use std::fmt;
use std::str::FromStr;

use xxhash_rust::xxh3::xxh3_64;

use super::short::unhex;

/// The prime 2⁶¹ − 1; all sums are modulo it.
const P: u64 = (1 << 61) - 1;

/// So many changed cells of a column are found, and no more.
pub const MOST: usize = 8;

/// Two sums for each cell that is to be found.
const SUMS: usize = 2 * MOST;

/// Tables of more cells have no locators: blocks narrow changes down there.
pub(super) const MOST_CELLS: u64 = 1 << 20;

/// The sums S₀ … S₁₅ of a column, each 16 hex digits: Sₖ = Σ hᵢ·(i+1)ᵏ modulo 2⁶¹−1 over its rows i from 0,
/// where hᵢ is XXH3-64 of the encoded cell modulo 2⁶¹−1.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Locator([u64; SUMS]);

impl Locator {
    /// Of no cells.
    pub(super) const NONE: Self = Self([0; SUMS]);

    /// The cell of this row, as it is encoded.
    pub(super) fn add(&mut self, powers: &Powers, encoded: &[u8]) {
        let hash = reduce(u128::from(xxh3_64(encoded)));
        for (sum, power) in self.0.iter_mut().zip(&powers.0) {
            *sum = add(*sum, multiply(hash, *power));
        }
    }

    /// The cells of both.
    pub(super) fn join(&mut self, other: &Self) {
        for (sum, more) in self.0.iter_mut().zip(&other.0) {
            *sum = add(*sum, *more);
        }
    }

    /// The rows whose cells are not the same in both columns, if these are among `rows`, which must not
    /// repeat, and are at most [`MOST`]. None if they are more. A wrong answer is as likely as a chance
    /// agreement of 61 bits.
    #[must_use]
    pub fn changed(&self, other: &Self, rows: impl Iterator<Item = u64>) -> Option<Vec<u64>> {
        let mut differences = [0; SUMS];
        for (difference, (new, old)) in differences.iter_mut().zip(other.0.iter().zip(&self.0)) {
            *difference = subtract(*new, *old);
        }
        let shortest = recurrence(&differences);
        let wanted = shortest.len() - 1;
        if wanted > MOST {
            return None;
        }
        // The recurrence 1, c₁, … of so many changes is the product of (1 − x·z) over their points x, so
        // turned round it is zero at these points.
        let is_root = |row: &u64| {
            let point = point(*row);
            shortest.iter().fold(0, |value, factor| add(multiply(value, point), *factor)) == 0
        };
        let found: Vec<u64> = if wanted == 0 {
            Vec::new()
        } else {
            rows.filter(is_root).take(wanted).collect()
        };
        (found.len() == wanted).then_some(found)
    }
}

/// The powers of a row's point, the same for all columns.
#[derive(Debug)]
pub(super) struct Powers([u64; SUMS]);

impl Powers {
    pub(super) fn of(row: u64) -> Self {
        let mut powers = [1; SUMS];
        for index in 1..SUMS {
            powers[index] = multiply(powers[index - 1], point(row));
        }
        Self(powers)
    }
}

fn point(row: u64) -> u64 {
    (row + 1) % P
}

/// The shortest linear recurrence 1, c₁, …, c_L that all the numbers follow (Berlekamp–Massey), where
/// n ≥ L gives Σ cⱼ·Sₙ₋ⱼ = 0.
fn recurrence(numbers: &[u64]) -> Vec<u64> {
    let mut current = vec![1];
    let mut before = vec![1];
    let mut length = 0;
    let mut gap = 1;
    let mut last = 1;
    for at in 0..numbers.len() {
        let off = (0..current.len().min(at + 1)).fold(0, |sum, j| add(sum, multiply(current[j], numbers[at - j])));
        if off == 0 {
            gap += 1;
            continue;
        }
        let factor = multiply(off, inverse(last));
        let mut next = current.clone();
        next.resize(next.len().max(before.len() + gap), 0);
        for (j, coefficient) in before.iter().enumerate() {
            next[j + gap] = subtract(next[j + gap], multiply(factor, *coefficient));
        }
        if 2 * length <= at {
            length = at + 1 - length;
            before = current;
            last = off;
            gap = 1;
        } else {
            gap += 1;
        }
        current = next;
    }
    current.resize(length + 1, 0);
    current
}

fn reduce(number: u128) -> u64 {
    let low = (number & u128::from(P)) as u64;
    let high = (number >> 61) as u64;
    add(low % P, high % P)
}

fn add(a: u64, b: u64) -> u64 {
    let sum = a + b;
    if sum >= P { sum - P } else { sum }
}

fn subtract(a: u64, b: u64) -> u64 {
    if a >= b { a - b } else { a + P - b }
}

fn multiply(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    let sum = (product & u128::from(P)) as u64 + (product >> 61) as u64;
    if sum >= P { sum - P } else { sum }
}

/// By Fermat: the power P − 2.
fn inverse(number: u64) -> u64 {
    let mut result = 1;
    let mut square = number;
    let mut exponent = P - 2;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = multiply(result, square);
        }
        square = multiply(square, square);
        exponent >>= 1;
    }
    result
}

impl fmt::Display for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|sum| write!(f, "{sum:016x}"))
    }
}

impl FromStr for Locator {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || format!("`{text}` is not a locator; one is {} lower-case hex digits", 16 * SUMS);
        let mut sums = [0; SUMS];
        if text.len() != 16 * SUMS || !text.is_ascii() {
            return Err(refuse());
        }
        for (at, sum) in sums.iter_mut().enumerate() {
            let number = unhex(&text[16 * at..16 * (at + 1)], 16).and_then(|number| u64::try_from(number).ok());
            *sum = number.filter(|number| *number < P).ok_or_else(refuse)?;
        }
        Ok(Self(sums))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn of(cells: &[String]) -> Locator {
        let mut locator = Locator::NONE;
        for (row, cell) in cells.iter().enumerate() {
            locator.add(&Powers::of(row as u64), cell.as_bytes());
        }
        locator
    }

    fn cells(rows: usize) -> Vec<String> {
        (0..rows).map(|row| (row * row % 97).to_string()).collect()
    }

    proptest! {
        #[test]
        fn the_changed_rows_are_found_and_no_others(
            rows in 1..2000usize,
            changes in proptest::collection::btree_map(0..2000u64, 0..9u8, 0..=MOST),
        ) {
            let old = cells(rows);
            let mut new = old.clone();
            let changes: BTreeMap<u64, u8> = changes.into_iter().filter(|(row, _)| *row < rows as u64).collect();
            for (row, value) in &changes {
                new[*row as usize] = format!("new {value}");
            }
            let expected: Vec<u64> = changes.keys().copied().collect();
            prop_assert_eq!(of(&old).changed(&of(&new), 0..rows as u64), Some(expected));
        }

        #[test]
        fn more_changes_are_not_mistaken_for_few(first in 0..900usize, more in MOST + 1..100) {
            let old = cells(1000);
            let mut new = old.clone();
            for cell in &mut new[first..first + more] {
                cell.push('x');
            }
            prop_assert_eq!(of(&old).changed(&of(&new), 0..1000), None);
        }

        #[test]
        fn a_locator_reads_back_from_its_text(cells: Vec<String>) {
            let locator = of(&cells);
            prop_assert_eq!(locator.to_string().parse::<Locator>(), Ok(locator));
        }
    }

    #[test]
    fn changes_elsewhere_than_in_the_given_rows_are_not_found() {
        let old = cells(100);
        let mut new = old.clone();
        new[50].push('x');
        assert_eq!(of(&old).changed(&of(&new), 0..50), None);
        assert_eq!(of(&old).changed(&of(&new), 40..60), Some(vec![50]));
    }
}
