//! The program as its users meet it: every test runs the real binary on a copy of a real package in a
//! repository of its own. One file a theme; each test's name is the sentence that it asserts.

mod basics;
mod support;
