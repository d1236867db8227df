//! D01 to D20: data, parameters, and what a program takes from outside.

use crate::row::{Row, contained, drift, explained, fails, noted, refused, varies};

const TRAIN: &str = "data/train.csv";

pub fn rows() -> Vec<Row> {
    [declared(), undeclared(), settings()].concat()
}

fn declared() -> Vec<Row> {
    let changed = |name, id| drift(id, name).must(&["data-changed data.train"]);
    vec![
        changed("a byte flipped", "D01")
            .plant(|it| {
                let mut bytes = it.read(TRAIN).into_bytes();
                bytes[100] = if bytes[100] == b'7' { b'8' } else { b'7' };
                it.write(TRAIN, &String::from_utf8(bytes).unwrap());
            })
            .says(&["1 cell of column", "f2", "row 13"]),
        changed("rows reordered", "D02").plant(|it| {
            let text = it.read(TRAIN);
            let (head, rows) = text.split_once('\n').unwrap();
            let rows: Vec<&str> = rows.lines().rev().collect();
            it.write(TRAIN, &format!("{head}\n{}\n", rows.join("\n")));
        })
        .says(&["the same rows in another order"]),
        changed("a row appended", "D03").plant(|it| {
            let last = it.read(TRAIN).lines().last().unwrap().to_owned();
            it.append(TRAIN, &format!("{last}\n"));
        })
        .says(&["1 row appended", "as locked"]),
        changed("truncated", "D04").plant(|it| {
            let text = it.read(TRAIN);
            it.write(TRAIN, &text[..text.len() - 100]);
        }),
        changed("line ends of Windows", "D05").plant(|it| {
            it.write(TRAIN, &it.read(TRAIN).replace('\n', "\r\n"));
        })
        .says(&["the same lines with other line ends"]),
        changed("committed", "D01").plant(|it| {
            it.append(TRAIN, "6,1.5\n");
            it.commit("more data");
        }),
        drift("D06", "gone")
            .plant(|it| it.remove(TRAIN))
            .must(&["data-missing data.train"])
            .may(&["source-dirty"]),
        changed("a link to another file", "D07")
            .prepare(|it| {
                it.write("data/other.csv", "f1,f2\n0,2.5\n");
                it.link("data/current.csv", "train.csv");
                it.edit("repro.toml", TRAIN, "data/current.csv");
            })
            .plant(|it| it.link("data/current.csv", "other.csv"))
            .may(&["source-dirty"]),
        drift("D08", "one file more in a directory")
            .program("shards")
            .prepare(|it| it.data("shards = \"data/shards\""))
            .plant(|it| it.write("data/shards/part-99.csv", "1.5\n"))
            .must(&["data-added data.shards"]),
        contained("D09", "touched").plant(|it| {
            for path in [TRAIN, "src/bin/sum.rs", "repro.toml", "repro.lock", "model.json"] {
                it.write(path, &it.read(path));
            }
        }),
        changed("packed anew", "D14")
            .program("bytes")
            .prepare(|it| {
                it.pack("data/train.gz", &it.read(TRAIN), 1);
                it.edit("repro.toml", TRAIN, "data/train.gz");
            })
            .plant(|it| it.pack("data/train.gz", &it.read(TRAIN), 9)),
        changed("line ends that git converts", "D15")
            .plant(|it| {
                it.write(".gitattributes", "*.csv text eol=crlf\n");
                it.remove(TRAIN);
                it.git(&["checkout", "--quiet", "--", TRAIN]);
                assert!(it.read(TRAIN).contains("\r\n"), "git did not convert it");
            })
            .may(&["source-dirty"]),
        fails("D15", "a pointer of LFS in its place", &["verify"], 1)
            .plant(|it| {
                it.write(
                    TRAIN,
                    "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22e\nsize 12\n",
                );
            })
            .says(&["is a Git LFS pointer, not the data itself"]),
    ]
}

fn undeclared() -> Vec<Row> {
    vec![
        refused("D10", "a file outside the repository")
            .program("reads-file")
            .prepare(|it| {
                std::fs::write(it.beside("extra.csv"), "1.5\n").unwrap();
                it.args(&[it.beside("extra.csv").to_str().unwrap()]);
            })
            .must(&["causes/undeclared-read one/extra.csv"]),
        explained("D10", "a file outside that only warns")
            .program("reads-file")
            .prepare(|it| {
                let file = it.outside("extra.csv");
                std::fs::write(&file, "1.5\n").unwrap();
                it.args(&[file.to_str().unwrap()]);
                it.manifest("[isolation]\nreads = \"warn\"");
            })
            .recorded(&["notes/undeclared-read extra.csv"])
            .plant(|it| std::fs::write(it.outside("extra.csv"), "2.5\n").unwrap())
            .must(&["causes/undeclared-read extra.csv"]),
        drift("D10", "a committed file that nobody declared")
            .program("reads-file")
            .prepare(|it| {
                it.write("extra.csv", "1.5\n");
                it.args(&["extra.csv"]);
            })
            .recorded(&["notes/undeclared-read extra.csv"])
            .plant(|it| {
                it.write("extra.csv", "2.5\n");
                it.commit("more");
            })
            .must(&["source-changed extra.csv"]),
        noted("D10", "a file that is not there")
            .program("reads-file")
            .prepare(|it| it.args(&["extra.csv"]))
            .must(&["notes/undeclared-read extra.csv"]),
        contained("D11", "configuration in the home")
            .program("reads-home")
            .ready(|it| {
                std::fs::create_dir(it.beside("home")).unwrap();
                std::fs::write(it.beside("home/.trainrc"), "7\n").unwrap();
                it.with("HOME", it.beside("home").to_str().unwrap());
            })
            .recorded(&["notes/undeclared-read .trainrc"])
            .plant(|it| std::fs::write(it.beside("home/.trainrc"), "8\n").unwrap()),
        refused("D11", "configuration in the home by its path")
            .program("reads-file")
            .prepare(|it| {
                std::fs::create_dir(it.beside("home")).unwrap();
                std::fs::write(it.beside("home/.trainrc"), "7\n").unwrap();
                it.args(&[it.beside("home/.trainrc").to_str().unwrap()]);
            })
            .must(&["causes/undeclared-read home/.trainrc"]),
        // An address that nobody has (RFC 5737): the run's own 127.0.0.1 is no network.
        refused("D12", "a server elsewhere")
            .program("connects")
            .prepare(|it| it.args(&["192.0.2.1:80"]))
            .must(&["causes/network 192.0.2.1:80"]),
        noted("D12", "a server, which only warns")
            .program("connects")
            .prepare(|it| {
                it.args(&[&it.server()]);
                it.manifest("[isolation]\nnetwork = \"warn\"");
            })
            .must(&["notes/network 127.0.0.1:"]),
        contained("D13", "stdin")
            .program("reads-stdin")
            .ready(|it| it.stdin("1\n2\n3\n"))
            .plant(|it| it.stdin("1\n2\n")),
    ]
}

fn settings() -> Vec<Row> {
    vec![
        drift("D16", "the seed")
            .plant(|it| {
                it.edit("repro.toml", "seed = 42", "seed = 43");
                it.commit("another seed");
            })
            .must(&["seed-changed seed"]),
        drift("D17", "a parameter")
            .plant(|it| {
                it.edit("repro.toml", "depth = 3", "depth = 4");
                it.commit("deeper");
            })
            .must(&["params-changed params.depth"]),
        drift("D18", "an argument")
            .prepare(|it| it.args(&["--fast"]))
            .plant(|it| {
                it.edit("repro.toml", "--fast", "--slow");
                it.commit("slower");
            })
            .must(&["manifest-changed stage.train.args"]),
        drift("D19", "a variable that passes")
            .program("reads-variable")
            .prepare(|it| {
                it.args(&["LR"]);
                it.manifest("[environment]\npass = [\"LR\"]");
            })
            .plant(|it| it.with("LR", "0.2"))
            .must(&["environment-changed LR"]),
        contained("D19", "a variable that nobody declared")
            .program("reads-variable")
            .prepare(|it| it.args(&["LR"]))
            .plant(|it| it.with("LR", "0.2")),
        varies("D19", "the whole environment")
            .program("whole-environment")
            .must(&["environment"])
            // Variables also say where it runs, who runs it and what its language is.
            .may(&[
                "working-directory",
                "home",
                "locale",
                "timezone",
                "user",
                "thread-count",
                "cpu-features",
            ]),
        drift("D20", "a kernel chosen by a variable")
            .program("reads-variable")
            .prepare(|it| {
                it.args(&["OPENBLAS_CORETYPE"]);
                it.manifest("[environment]\npass = [\"OPENBLAS_CORETYPE\"]");
            })
            .ready(|it| it.with("OPENBLAS_CORETYPE", "Haswell"))
            .plant(|it| it.with("OPENBLAS_CORETYPE", "SkylakeX"))
            .must(&["environment-changed OPENBLAS_CORETYPE"]),
        contained("D20", "kernels and memory by variables that nobody declared")
            .program("reads-variable")
            .prepare(|it| it.args(&["OPENBLAS_CORETYPE"]))
            .plant(|it| {
                it.with("OPENBLAS_CORETYPE", "SkylakeX");
                it.with("CANDLE_NUM_THREADS", "3");
                it.with("MALLOC_PERTURB_", "85");
            }),
    ]
}
