//! Every mistake that a manifest can have, shown at its line as rustc shows one.

use crate::support::Project;

const HEAD: &str = "version = 1\nseed = 42\n";
/// A key that can be read.
const KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEyEoOk5egFDrq0PkZsggT93EZZ4zICWXjM7OlRYZ/bujzd7AHwd3KE0Idgy1sjPzMX+7rAqTWwHa5W9KG2IwrLg==";
const STAGE: &str = "[stage.train]\nbin = \"steady\"\n";

/// What is wrong, and the manifest: `HEAD` and `STAGE` stand for the parts that are right.
const BROKEN: &[(&str, &str)] = &[
    ("an empty file", ""),
    ("not TOML", "HEAD[stage.train\nbin = \"steady\"\n"),
    ("cut off in a string", "HEAD[stage.train]\nbin = \"stea"),
    (
        "a conflict marker",
        "version = 1\n<<<<<<< ours\nseed = 42\n=======\nseed = 43\n>>>>>>> theirs\nSTAGE",
    ),
    ("a key twice", "HEADseed = 43\nSTAGE"),
    ("no version", "seed = 42\nSTAGE"),
    ("a version as text", "version = \"1\"\nseed = 42\nSTAGE"),
    ("version 0", "version = 0\nseed = 42\nSTAGE"),
    ("a newer version, with keys that nobody knows yet", "version = 2\nseed = 42\nmagic = true\nSTAGE"),
    ("no seed", "version = 1\nSTAGE"),
    ("a negative seed", "version = 1\nseed = -1\nSTAGE"),
    ("a seed that is no whole number", "version = 1\nseed = 4.2\nSTAGE"),
    ("a seed beyond every number", "version = 1\nseed = 99999999999999999999\nSTAGE"),
    ("an unknown key", "HEADsead = 43\nSTAGE"),
    ("an unknown table", "HEADSTAGE[paramz]\ndepth = 3\n"),
    ("an unknown key of a stage", "HEADSTAGEartefacts = [\"model.json\"]\n"),
    ("an unknown key of the build", "HEADSTAGE[build]\noptimise = true\n"),
    ("an unknown key of the environment", "HEADSTAGE[environment]\nlet = [\"A\"]\n"),
    ("an unknown key of determinism", "HEADSTAGE[determinism]\ntime = \"system\"\n"),
    ("an unknown key of the gate", "HEADSTAGE[gate]\ntag = \"v*\"\n"),
    ("tags that are a number", "HEADSTAGE[gate]\ntags = 1\n"),
    ("tags of which one is a number", "HEADSTAGE[gate]\ntags = [\"v*\", 1]\n"),
    ("a pattern that is none", "HEADSTAGE[gate]\ntags = \"v[\"\n"),
    ("an empty pattern", "HEADSTAGE[gate]\ntags = [\"v*\", \"\"]\n"),
    ("a signer without a key", "HEADSTAGE[gate]\nsigners = [\"alice\"]\n"),
    ("signers that are one text", "HEADSTAGE[gate]\nsigners = \"alice ssh-ed25519 AAAA\"\n"),
    (
        "a signer with options",
        "HEADSTAGE[gate]\nsigners = [\n    \"alice cert-authority ssh-ed25519 AAAA\",\n]\n",
    ),
    (
        "a signer of two lines",
        "HEADSTAGE[gate]\nsigners = [\"a ssh-ed25519 AAAA\\nb ssh-ed25519 BBBB\"]\n",
    ),
    ("a fingerprint that is cut off", "HEADSTAGE[gate]\nsigners = [\"gpg:0123ABCD\"]\n"),
    ("a version that stands nowhere", "HEADSTAGE[gate]\nversion = \"v1\"\n"),
    ("a version that stands there twice", "HEADSTAGE[gate]\nversion = \"{version}-{version}\"\n"),
    ("a lock that nobody trained", "HEADSTAGE[gate]\nconfirmed = 0\n"),
    ("a lock that is confirmed by a word", "HEADSTAGE[gate]\nconfirmed = \"twice\"\n"),
    ("fewer attestations than none", "HEADSTAGE[gate]\nrequire = -1\n"),
    ("more attestations than keys", "HEADSTAGE[gate]\nrequire = 2\n[gate.keys]\nalice = \"KEY\"\n"),
    (
        "more attestations than keys that count",
        "HEADSTAGE[gate]\nrequire = 1\n[gate.keys]\nci = { key = \"KEY\", counts = false }\n",
    ),
    (
        "more attestations than different keys",
        "HEADSTAGE[gate]\nrequire = 2\n[gate.keys]\nalice = \"KEY\"\nbob = \"KEY\"\n",
    ),
    ("a key that is none", "HEADSTAGE[gate.keys]\nalice = \"AAAA\"\n"),
    ("a key that is a number", "HEADSTAGE[gate.keys]\nalice = 1\n"),
    ("a table without a key", "HEADSTAGE[gate.keys]\nalice = { counts = false }\n"),
    (
        "a key in a table that is none",
        "HEADSTAGE[gate.keys]\nalice = { key = \"AAAA\", counts = false }\n",
    ),
    ("a key that counts perhaps", "HEADSTAGE[gate.keys]\nalice = { key = \"KEY\", counts = \"no\" }\n"),
    ("an unknown key of a key", "HEADSTAGE[gate.keys]\nalice = { key = \"KEY\", count = false }\n"),
    ("an age without a unit", "HEADSTAGE[gate]\nmax-age = \"30\"\n"),
    ("an age that is a number", "HEADSTAGE[gate]\nmax-age = 30\n"),
    ("an age of nothing", "HEADSTAGE[gate]\nmax-age = \"0s\"\n"),
    ("distinct classes by number", "HEADSTAGE[gate]\ndistinct-classes = 2\n"),
    ("params that are no table", "HEADparams = 3\nSTAGE"),
    ("a parameter that is a list", "HEAD[params]\ndepths = [1, 2]\nSTAGE"),
    ("a parameter that is a table", "HEAD[params]\ntree = { depth = 3 }\nSTAGE"),
    ("a parameter that is a date", "HEAD[params]\nsince = 2026-01-01\nSTAGE"),
    ("a parameter of two lines", "HEAD[params]\nnote = \"one\\ntwo\"\nSTAGE"),
    ("a parameter with a name that no variable can have", "HEAD[params]\n\"max depth\" = 3\nSTAGE"),
    ("two parameters that become one variable", "HEAD[params]\nmax-depth = 3\nmax_depth = 4\nSTAGE"),
    ("data that is a number", "HEAD[data]\nwine = 3\nSTAGE"),
    ("data without a path", "HEAD[data]\nwine = []\nSTAGE"),
    ("data with an empty path", "HEAD[data]\nwine = [\"a.csv\", \"\"]\nSTAGE"),
    ("data with an odd name", "HEAD[data]\n\"größe\" = \"a.csv\"\nSTAGE"),
    ("data without a path among its keys", "HEAD[data.wine]\ntable = \"csv\"\nSTAGE"),
    ("data with an unknown key", "HEAD[data]\nwine = { path = \"a.csv\", hash = \"md5\" }\nSTAGE"),
    ("data by half", "HEAD[data.wine]\npath = \"a.csv\"\ndigest = \"half\"\nSTAGE"),
    ("data of a format that nobody reads", "HEAD[data.wine]\npath = \"a.xls\"\ntable = \"xls\"\nSTAGE"),
    ("data whose table is a number", "HEAD[data]\nwine = { path = \"a.csv\", table = 1 }\nSTAGE"),
    ("two data that become one variable", "HEAD[data]\nred-wine = \"a\"\n\"red.wine\" = \"b\"\nSTAGE"),
    ("no stage", "HEAD"),
    ("a stage with an odd name", "HEAD[stage.\"train it\"]\nbin = \"steady\"\n"),
    ("a stage that runs nothing", "HEAD[stage.train]\nartifacts = [\"model.json\"]\n"),
    ("a stage that runs two things", "HEADSTAGEcommand = [\"sh\"]\n"),
    ("a command without a program", "HEAD[stage.train]\ncommand = []\n"),
    ("a command whose program has no name", "HEAD[stage.train]\ncommand = [\"\", \"x\"]\n"),
    ("a command that is text", "HEAD[stage.train]\ncommand = \"sh train.sh\"\n"),
    ("a bin that is a list", "HEAD[stage.train]\nbin = [\"steady\"]\n"),
    (
        "a placeholder in the command that names nothing",
        "HEAD[stage.train]\ncommand = [\"sh\", \"{depht}\"]\n",
    ),
    ("a placeholder in the arguments that names nothing", "HEADSTAGEargs = [\"--seed\", \"{sed}\"]\n"),
    ("a brace that stands alone", "HEADSTAGEargs = [\"{seed\"]\n"),
    ("data that is not declared", "HEAD[data]\nwine = \"a\"\nSTAGEdata = [\"wine\", \"beer\"]\n"),
    ("a need that is no stage", "HEADSTAGEneeds = [\"prepare\"]\n"),
    ("a stage that needs itself", "HEADSTAGEneeds = [\"train\"]\n"),
    (
        "stages that need each other",
        "HEAD[stage.a]\nbin = \"a\"\nneeds = [\"b\"]\n[stage.b]\nbin = \"b\"\nneeds = [\"a\"]\n",
    ),
    ("an absolute artifact", "HEADSTAGEartifacts = [\"/tmp/model.json\"]\n"),
    ("an artifact outside", "HEADSTAGEartifacts = [\"../model.json\"]\n"),
    ("an artifact that is a directory", "HEADSTAGEartifacts = [\"model/\"]\n"),
    ("an artifact without a name", "HEADSTAGEartifacts = [\"\"]\n"),
    ("an artifact that is the lock", "HEADSTAGEartifacts = [\"repro.lock\"]\n"),
    ("metrics that are the manifest", "HEADSTAGEmetrics = \"repro.toml\"\n"),
    ("an artifact declared twice", "HEADSTAGEartifacts = [\"a\", \"a\"]\n"),
    ("an artifact that is the metrics, too", "HEADSTAGEartifacts = [\"a\"]\nmetrics = \"a\"\n"),
    (
        "an artifact of two stages",
        "HEAD[stage.a]\nbin = \"a\"\nartifacts = [\"m\"]\n[stage.b]\nbin = \"b\"\nartifacts = [\"m\"]\n",
    ),
    ("a timeout that is a number", "HEADSTAGEtimeout = 90\n"),
    ("a timeout that is no time", "HEADSTAGEtimeout = \"soon\"\n"),
    ("a timeout of nothing", "HEADSTAGEtimeout = \"0s\"\n"),
    ("an empty variable", "HEADSTAGE[environment]\nset = { \"\" = \"1\" }\n"),
    ("a variable with a sign", "HEADSTAGE[environment]\npass = [\"A=B\"]\n"),
    ("a variable of our own", "HEADSTAGE[environment]\nset = { REPRO_SEED = \"1\" }\n"),
    ("a variable that is set and passed", "HEADSTAGE[environment]\nset = { A = \"1\" }\npass = [\"A\"]\n"),
    ("a variable whose value is a number", "HEADSTAGE[environment]\nset = { A = 1 }\n"),
    ("entropy from nowhere", "HEADSTAGE[determinism]\nentropy = \"dice\"\n"),
    ("a clock that is none", "HEADSTAGE[determinism]\nclock = \"sundial\"\n"),
    ("reads that are let through in silence", "HEADSTAGE[isolation]\nreads = \"allow\"\n"),
    ("a network that is true", "HEADSTAGE[isolation]\nnetwork = true\n"),
    ("isolation from nothing we know", "HEADSTAGE[isolation]\nwrites = \"warn\"\n"),
    (
        "a mistake after letters of several bytes",
        "HEAD[params]\nname = \"größe 数据\"\nbad = [\"ü\"]\nSTAGE",
    ),
];

#[test]
fn every_mistake_is_shown_at_its_line() {
    let project = Project::fixture("steady");
    let mut shown = String::new();
    for (what, manifest) in BROKEN {
        project.write("repro.toml", &manifest.replace("HEAD", HEAD).replace("STAGE", STAGE).replace("KEY", KEY));
        let answer = project.repro(&["status"]);
        answer.code(1);
        assert_eq!(answer.stdout, "", "{what}");
        shown += &format!("## {what}\n{}\n", answer.redact(&answer.stderr));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn every_command_refuses_a_broken_manifest_in_the_same_words() {
    let project = Project::fixture("steady");
    project.record();
    let lock = project.read("repro.lock");
    project.edit("repro.toml", "seed = 42", "seed = -1");
    for args in [&["record"][..], &["record", "--allow-dirty"], &["verify"], &["status"]] {
        let answer = project.repro(args);
        answer.code(1);
        assert!(answer.stderr.contains("error: repro.toml:2: a seed is not negative"), "{}", answer.stderr);
        let answer = project.json(args);
        answer.code(1);
        let error = &answer.verdict()["error"];
        assert_eq!(error["message"], "repro.toml:2: a seed is not negative");
        assert!(error["context"].as_str().unwrap().contains("^^ must be 0 or more"), "{error}");
    }
    assert_eq!(project.read("repro.lock"), lock);
}

#[test]
fn a_manifest_that_is_not_utf8_is_refused() {
    let project = Project::fixture("steady");
    std::fs::write(project.root.join("repro.toml"), b"version = 1\nseed = 42 # \xff\n").unwrap();
    let answer = project.repro(&["status"]);
    answer.code(1);
    assert!(answer.stderr.contains("repro.toml is not UTF-8"), "{}", answer.stderr);
}

#[test]
fn a_manifest_that_is_a_directory_is_refused() {
    let project = Project::fixture("steady");
    project.remove("repro.toml").write("repro.toml/x", "");
    let answer = project.repro(&["status"]);
    answer.code(1);
    assert!(
        answer.stderr.contains("could not read") && answer.stderr.contains("repro.toml"),
        "{}",
        answer.stderr
    );
}

#[test]
fn a_manifest_with_line_ends_of_windows_and_a_byte_order_mark_is_read() {
    let project = Project::fixture("steady");
    let text = project.read("repro.toml").replace('\n', "\r\n");
    project.write("repro.toml", &format!("\u{feff}{text}")).commit("windows").record();
    project.repro(&["verify"]).code(0);
}

/// Numbers that look random and are the same every time (`SplitMix64`), so that a failure can be had again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).unwrap()
    }
}

#[test]
fn whatever_bytes_are_in_it_the_manifest_gives_an_error_and_never_a_crash() {
    let project = Project::fixture("steady");
    let whole = project.read("repro.toml").into_bytes();
    let mut dice = Dice(1);
    for round in 0..150 {
        let mut bytes = whole.clone();
        match round % 5 {
            // Nothing but noise.
            0 => bytes = (0..dice.below(200)).map(|_| dice.below(256) as u8).collect(),
            // Cut off.
            1 => bytes.truncate(dice.below(whole.len())),
            // A byte replaced.
            2 => {
                let at = dice.below(bytes.len());
                bytes[at] = dice.below(256) as u8;
            }
            // A part doubled.
            3 => {
                let (from, to) = (dice.below(bytes.len()), dice.below(bytes.len()));
                let part = bytes[from.min(to)..from.max(to)].to_vec();
                let at = dice.below(bytes.len());
                bytes.splice(at..at, part);
            }
            // Signs that mean something, in the wrong place.
            _ => {
                let signs = [
                    "[",
                    "]",
                    "\"",
                    "'''",
                    "{",
                    "}",
                    "=",
                    "\n",
                    "\0",
                    "é",
                    "{seed}",
                    "99999999999999999999",
                    "nan",
                ];
                let at = dice.below(bytes.len());
                bytes.splice(at..at, signs[dice.below(signs.len())].bytes());
            }
        }
        std::fs::write(project.root.join("repro.toml"), &bytes).unwrap();
        let answer = project.repro(&["status"]);
        // What is still a manifest has no lock yet, which is the same code.
        assert_eq!(answer.code, Some(1), "{:?}\n{}", String::from_utf8_lossy(&bytes), answer.stderr);
        assert!(answer.stderr.contains("error: "), "{:?}\n{}", String::from_utf8_lossy(&bytes), answer.stderr);
    }
}
