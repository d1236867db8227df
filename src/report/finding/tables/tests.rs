//! What is said of a change, from the two tables.

use std::path::Path;

use super::*;
use crate::compare::table::change;
use crate::progress::Progress;
use crate::table::{Format, Table, beginning, read};

/// Rows of four columns, which a change may change.
fn rows(many: usize) -> Vec<Vec<String>> {
    let row = |row: usize| {
        let texts = [
            row.to_string(),
            format!("{}.5", row * 7 % 100),
            format!("{}", row * row % 23),
            "x".to_owned(),
        ];
        texts.to_vec()
    };
    (0..many).map(row).collect()
}

fn text(names: &str, rows: &[Vec<String>]) -> String {
    let lines: Vec<String> = rows.iter().map(|row| row.join(",")).collect();
    format!("{names}\n{}\n", lines.join("\n"))
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

fn table(path: &Path) -> Table {
    read(path, Format::Csv, 2, &Progress::default()).unwrap().table.unwrap()
}

fn told(old: &str, new: &str) -> String {
    sentence(&changed(old, new))
}

fn changed(old: &str, new: &str) -> TableChange {
    let (old, new) = (file(old), file(new));
    let (locked, found) = (table(old.path()), table(new.path()));
    let beginning = beginning(new.path(), &locked, &found).unwrap();
    change(&locked, &found, beginning.as_ref())
}

const NAMES: &str = "id,pH,count,word";

#[test]
fn few_cells_are_told_with_their_rows() {
    let old = rows(1599);
    let mut new = old.clone();
    for row in [1030, 1100, 1533] {
        new[row][1] = "99.5".to_owned();
    }
    let (old, new) = (text(NAMES, &old), text(NAMES, &new));
    assert_eq!(
        told(&old, &new),
        "3 cells of column \"pH\" changed, in rows 1024–1535 (rows 1030, 1100 and 1533); other columns as locked (rows count from 0)"
    );
}

#[test]
fn several_columns_types_and_missing_cells_are_told() {
    let old = rows(1599);
    let mut new = old.clone();
    new[3][1] = "high".to_owned();
    new[1598][0] = String::new();
    let (old, new) = (text(NAMES, &old), text(NAMES, &new));
    assert_eq!(
        told(&old, &new),
        "1 cell of column \"id\" and 1 cell of column \"pH\" changed, in rows 0–511 and 1536–1598 (rows 3 and 1598); \
         \"id\" has 1 missing, had 0; \"pH\" is text now, was float; other columns as locked (rows count from 0)"
    );
}

#[test]
fn many_cells_are_told_as_many() {
    let old = rows(1599);
    let mut new = old.clone();
    for row in &mut new[600..700] {
        row[2] = "-1".to_owned();
    }
    assert_eq!(
        told(&text(NAMES, &old), &text(NAMES, &new)),
        "more than 8 cells of column \"count\" changed, in rows 512–1023; other columns as locked (rows count from 0)"
    );
}

#[test]
fn large_tables_are_told_in_blocks() {
    let line = |row: usize| format!("{row},{}\n", row % 7);
    let old: String = (0..600_000).map(line).collect();
    let new = old.replace("\n300000,", "\n300000,9");
    let told = told(&format!("a,b\n{old}"), &format!("a,b\n{new}"));
    assert_eq!(
        told,
        "cells of column \"b\" changed, in rows 294912–311295; the other column as locked (rows count from 0)"
    );
}

#[test]
fn the_same_table_in_other_bytes_is_the_same() {
    let old = text(NAMES, &rows(700));
    assert_eq!(told(&old, &old.replace('\n', "\r\n")), "the bytes differ, the table does not");
}

#[test]
fn another_order_is_told() {
    let old = rows(1599);
    let mut new = old.clone();
    new.reverse();
    assert_eq!(told(&text(NAMES, &old), &text(NAMES, &new)), "the same rows in another order");
}

#[test]
fn rows_behind_and_before_the_end_are_told() {
    let all = rows(1716);
    let (old, new) = (text(NAMES, &all[..1599]), text(NAMES, &all));
    assert_eq!(told(&old, &new), "117 rows appended, the first 1,599 as locked");
    let mut edited = all.clone();
    edited[5][3] = "y".to_owned();
    assert_eq!(
        told(&old, &text(NAMES, &edited)),
        "1 cell of column \"word\" changed, in rows 0–511 (row 5); other columns as locked; 117 rows appended (rows count from 0)"
    );
    let mut between = all[..1599].to_vec();
    between.splice(700..700, rows(2));
    assert_eq!(
        told(&old, &text(NAMES, &between)),
        "2 rows more than the 1,599 locked; the first 512 as locked, and others after these"
    );
}

#[test]
fn rows_that_are_gone_are_told_as_far_as_they_can_be() {
    let all = rows(1599);
    let of = |left: &[Vec<String>]| told(&text(NAMES, &all), &text(NAMES, left));
    assert_eq!(of(&all[..1594]), "the last 5 rows are gone, the first 1,594 as locked");
    assert_eq!(of(&all[..1598]), "the last row is gone, the first 1,598 as locked");
    assert_eq!(of(&all[..1024]), "the last 575 rows are gone, the first 1,024 as locked");
    assert_eq!(
        of(&all[..1500]),
        "99 rows fewer than the 1,599 locked; the first 1,024 as locked, of those after these it cannot be told"
    );
    assert_eq!(of(&all[1..]), "1 row fewer than the 1,599 locked, and others from the first block of rows on");
    assert_eq!(of(&[]), "no row is left of 1,599");
}

#[test]
fn columns_are_told_by_name() {
    let all = rows(600);
    let old = text(NAMES, &all);
    let others = "; the cells of all other columns as locked";
    assert_eq!(
        told(&old, &text("id,acidity,count,word", &all)),
        format!("column \"pH\" is called \"acidity\" now{others}")
    );
    let without: Vec<Vec<String>> = all.iter().map(|row| row[..3].to_vec()).collect();
    assert_eq!(told(&old, &text("id,pH,count", &without)), format!("column \"word\" is gone{others}"));
    assert_eq!(told(&text("id,pH,count", &without), &old), format!("column \"word\" is new{others}"));
    let turned: Vec<Vec<String>> = all.iter().map(|row| row.iter().rev().cloned().collect()).collect();
    assert_eq!(told(&old, &text("word,count,pH,id", &turned)), format!("columns are in another order{others}"));
    assert_eq!(told(&old, &text("id,pH,count", &without[..599])), "column \"word\" is gone; 599 rows, were 600");
}

#[test]
fn what_cannot_be_compared_is_not() {
    let locked = table(file("a\n1\n").path());
    let newer = Table {
        rules: 2,
        ..locked.clone()
    };
    assert!(sentence(&change(&locked, &newer, None)).ends_with("so they cannot be compared"));
    let sampled = Table {
        first: Some(5000),
        ..locked.clone()
    };
    assert_eq!(
        sentence(&change(&sampled, &locked, None)),
        "all rows are looked at now, were the first 5,000 rows, so they cannot be compared"
    );
    assert_eq!(
        sentence(&change(&sampled, &sampled, None)),
        "the first 5,000 rows are as locked; what follows was not looked at"
    );
    let typed = Table {
        format: Format::Parquet,
        ..locked.clone()
    };
    assert_eq!(
        sentence(&change(&locked, &typed, None)),
        "it is read as parquet now, was csv, so cells cannot be compared"
    );
}

#[test]
fn long_lists_are_cut() {
    let old = rows(20 * 512);
    let mut new = old.clone();
    for row in (0..20 * 512).step_by(1024) {
        new[row].fill("7.25".to_owned());
    }
    assert_eq!(
        told(&text(NAMES, &old), &text(NAMES, &new)),
        "more than 8 cells of column \"id\", more than 8 cells of column \"pH\", more than 8 cells of column \"count\" \
         and 1 more columns changed, in rows 0–511, 1024–1535, 2048–2559 and 7 more stretches; \
         \"id\" is float now, was integer; \"count\" is float now, was integer (rows count from 0)"
    );
}
