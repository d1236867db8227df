//! D58 to D67: the machine and the user around a run. Isolation keeps each of them out, so that another machine
//! reproduces; and `vary`, which lets each of them in, names it.

use crate::bench::{program, two_processors};
use crate::row::{Row, contained, explained, held, left_out, noted, varies};

const UNSHARE: [&str; 3] = ["unshare", "-ru", "true"];

pub fn rows() -> Vec<Row> {
    vec![
        held("D58", "the machine's name").program("hostname").must(&["hostname"]),
        contained("D58", "a machine of another name")
            .program("hostname")
            .lacks(|| program(&UNSHARE))
            .plant(|it| it.under(&["unshare", "-ru", "sh", "-c", "hostname elsewhere; exec \"$0\" \"$@\""])),
        held("D59", "the locale").program("locale").must(&["locale"]),
        contained("D59", "a user of another language").program("locale").plant(|it| {
            it.with("LC_ALL", "de_DE.UTF-8");
            it.with("LANG", "de_DE.UTF-8");
        }),
        held("D60", "the time zone").program("timezone").must(&["timezone"]),
        contained("D60", "a user in another zone")
            .program("timezone")
            .plant(|it| it.with("TZ", "Asia/Tokyo")),
        held("D61", "the number of processors").program("thread-count").must(&["thread-count"]),
        explained("D61", "fewer processors than were recorded with")
            .program("thread-count")
            .lacks(|| two_processors().or_else(|| program(&["taskset", "-c", "0", "true"])))
            .plant(|it| it.under(&["taskset", "-c", "0"]))
            .must(&["thread-count"]),
        held("D62", "the working directory")
            .program("working-directory")
            .must(&["working-directory"]),
        contained("D62", "started from another directory")
            .program("working-directory")
            .plant(|it| {
                it.clone_to("elsewhere", &[]);
                let source = it.beside("elsewhere").join("src");
                it.inside(source);
            }),
        held("D63", "the user").program("user").must(&["user"]),
        held("D63", "the home").program("home").must(&["home"]),
        contained("D63", "another user").program("user").plant(|it| {
            it.with("USER", "somebody");
            it.with("LOGNAME", "somebody");
            it.with("HOME", "/home/somebody");
        }),
        held("D64", "the umask").program("umask").must(&["umask"]),
        contained("D64", "a user of another umask")
            .program("umask")
            .plant(|it| it.under(&["sh", "-c", "umask 077; exec \"$0\" \"$@\""])),
        noted("D65", "free memory")
            .program("free-memory")
            .must(&["notes/undeclared-read /proc/meminfo"]),
        left_out("D65", "limits of resources are neither fixed nor varied, and no kind is theirs"),
        contained("D66", "another path of the program")
            .program("build-place")
            .plant(|it| it.clone_to("elsewhere", &[])),
        varies("D67", "the order of a directory")
            .program("directory-order")
            .prepare(|it| it.data("shards = \"data/shards\""))
            .must(&["directory-order"]),
    ]
}
