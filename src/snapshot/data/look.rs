//! What the found files hold: their digests, on all cores, from the cache where their stat data is the same;
//! then those with tables, one after another, since each keeps the cores busy by itself.

use std::os::fd::AsFd as _;
use std::path::Path;
use std::sync::Arc;

use rayon::iter::{
    IndexedParallelIterator as _, IntoParallelIterator as _, IntoParallelRefIterator as _, ParallelIterator as _,
};
use rustix::fs::{CWD, Mode, OFlags, openat};

use super::content::{self, Place};
use super::find::Group;
use super::{DataFile, sample};
use crate::cache::Cache;
use crate::cache::stat::StatData;
use crate::cache::stat_cache::Directory;
use crate::digest::Digest;
use crate::error::{Error, IoContext as _, Result};
use crate::os::env;
use crate::progress::Progress;
use crate::project::manifest::{Declared, Extent, Tables};
use crate::table::{self, Format, NotATable};

/// Entries of more files than this have no tables in the lock: it is to be read by people.
const MOST_TABLES: usize = 100;

/// Names that one thread takes at a time: looking at one is a microsecond's work.
const STRETCH: usize = 64;

/// How to look.
struct Manner<'a> {
    extent: Extent,
    tables: Tables,
    progress: &'a Progress,
}

/// What was seen of a file.
struct Seen {
    stat: StatData,
    /// None where reading its table will tell.
    digest: Option<Digest>,
    sampled: bool,
    /// What that is to the index.
    news: News,
}

/// What the index has to learn of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum News {
    /// Nothing: it comes from there, or is nothing for it.
    None,
    /// Its stat data and digest.
    Keep,
    /// That its stat data is not to be believed.
    Forget,
}

/// Every file with its digest, by its declared path.
pub(super) fn files(
    groups: &[Group],
    declared: &Declared,
    cache: &mut Cache,
    progress: &Progress,
) -> Result<Vec<(String, DataFile)>> {
    let count: usize = groups.iter().map(|group| group.names.len()).sum();
    progress.expect(count as u64);
    let manner = Manner {
        extent: declared.extent,
        tables: if count > MOST_TABLES {
            Tables::Off
        } else {
            declared.tables
        },
        progress,
    };
    let index = &cache.files;
    let look = |group: &Group| manner.look_at(group, index.directory(&group.directory));
    // One file alone needs no pool of threads.
    let seen: Vec<Vec<Seen>> = match groups {
        [only] => vec![look(only)?],
        many => many.par_iter().map(look).collect::<Result<_>>()?,
    };
    for (group, seen) in groups.iter().zip(&seen) {
        let news = group.names.iter().zip(seen).filter(|(_, seen)| seen.news != News::None);
        let known = |seen: &Seen| seen.digest.filter(|_| seen.news == News::Keep).map(|digest| (seen.stat, digest));
        cache.files.keep_all(&group.directory, news.map(|(name, seen)| (&**name, known(seen))));
    }
    if count > MOST_TABLES {
        return Ok(plain(groups, &seen));
    }
    let mut files = Vec::with_capacity(count);
    for (group, seen) in groups.iter().zip(seen) {
        for (name, seen) in group.names.iter().zip(seen) {
            let file = match manner.format(name) {
                Some(format) => manner.with_table(&group.directory.join(&**name), format, &seen, cache)?,
                None => DataFile::new(seen.digest.expect("only a table's file comes without"), seen.stat.size),
            };
            let sampled = seen.sampled;
            files.push(([&group.prefix, &**name].concat(), DataFile { sampled, ..file }));
        }
    }
    Ok(files)
}

/// The files of all groups, none of which has a table.
fn plain(groups: &[Group], seen: &[Vec<Seen>]) -> Vec<(String, DataFile)> {
    // Of each group, the number of its first file.
    let mut starts = Vec::with_capacity(groups.len());
    let mut count = 0;
    for group in groups {
        starts.push(count);
        count += group.names.len();
    }
    let file = |number: usize| {
        let at = starts.partition_point(|start| *start <= number) - 1;
        let (group, within) = (&groups[at], number - starts[at]);
        let seen = &seen[at][within];
        let digest = seen.digest.expect("only a table's file comes without");
        let sampled = seen.sampled;
        let path = [&group.prefix, &*group.names[within]].concat();
        (
            path,
            DataFile {
                sampled,
                ..DataFile::new(digest, seen.stat.size)
            },
        )
    };
    (0..count).into_par_iter().with_min_len(STRETCH).map(file).collect()
}

impl Manner<'_> {
    fn format(&self, name: &str) -> Option<Format> {
        match self.tables {
            Tables::ByExtension => Format::of(Path::new(name)),
            Tables::As(format) => Some(format),
            Tables::Off => None,
        }
    }

    fn look_at(&self, group: &Group, known: Option<&Directory>) -> Result<Vec<Seen>> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = openat(CWD, &group.directory, flags, Mode::empty())
            .map_err(std::io::Error::from)
            .at("open the directory", &group.directory)?;
        let look = |buffer: &mut Vec<u8>, (position, name): (usize, &Arc<str>)| {
            let place = Place {
                directory: directory.as_fd(),
                parent: &group.directory,
                name,
            };
            let then = known.and_then(|known| known.entry_near(position, name)).and_then(|entry| entry.seen);
            let seen = self.look_at_file(place, then, buffer);
            self.progress.finish_file();
            seen
        };
        if group.names.len() <= STRETCH {
            let mut buffer = Vec::new();
            return group.names.iter().enumerate().map(|named| look(&mut buffer, named)).collect();
        }
        group
            .names
            .par_iter()
            .enumerate()
            .with_min_len(STRETCH)
            .map_init(Vec::new, look)
            .collect()
    }

    fn look_at_file(&self, place: Place<'_>, then: Option<(StatData, Digest)>, buffer: &mut Vec<u8>) -> Result<Seen> {
        let seen = |stat, digest, sampled, news| Seen {
            stat,
            digest,
            sampled,
            news,
        };
        if let Some((stat, digest)) = then
            && place.stat()? == stat
            && !self.samples(stat)
        {
            self.progress.meet(0);
            return Ok(seen(stat, Some(digest), false, News::None));
        }
        let opened = place.open()?;
        let stat = opened.stat;
        if self.samples(stat) {
            // The index knows digests of whole files only.
            self.progress.meet(sample::READ);
            let digest = sample::digest(&place.path(), stat.size, self.progress)?;
            refuse_changed(&place.path(), stat)?;
            return Ok(seen(stat, Some(digest), true, News::None));
        }
        self.progress.meet(stat.size);
        if self.format(place.name).is_some() {
            opened.refuse_small_pointer()?;
            return Ok(seen(stat, None, false, News::None));
        }
        let (digest, believed) = opened.digest(buffer, self.progress)?;
        let news = if believed { News::Keep } else { News::Forget };
        Ok(seen(stat, Some(digest), false, news))
    }

    fn samples(&self, stat: StatData) -> bool {
        self.extent == Extent::Sample && stat.size > sample::SMALL
    }

    /// A file that should hold a table, with the table or the reason why it holds none.
    fn with_table(&self, path: &Path, format: Format, seen: &Seen, cache: &mut Cache) -> Result<DataFile> {
        let known = seen.digest.and_then(|digest| cache.table(digest, format).map(|table| (digest, table)));
        let (digest, table) = match (known, seen.digest) {
            (Some(known), _) => known,
            (None, Some(digest)) if seen.sampled => (digest, table::read_first(path, format, sample::ROWS)?),
            (None, before) => {
                let read_at = env::now_ns();
                let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
                let reading = table::read(path, format, threads, self.progress)?;
                refuse_changed(path, seen.stat)?;
                if before.is_none() {
                    let believed = Some(seen.stat).filter(|stat| !stat.is_racy(read_at));
                    cache.files.keep(path, believed.map(|stat| (stat, reading.digest)));
                }
                (reading.digest, reading.table)
            }
        };
        cache.keep_table(digest, format, &table);
        let mut file = DataFile::new(digest, seen.stat.size);
        match table {
            Ok(table) => file.table = Some(Box::new(table)),
            Err(NotATable(why)) => file.no_table = Some(why.into()),
        }
        Ok(file)
    }
}

fn refuse_changed(path: &Path, before: StatData) -> Result<()> {
    match StatData::of(path) {
        Some(after) if after == before => Ok(()),
        Some(after) => Err(content::changed(path, before, after)),
        None => Err(Error::new(format!("the data {} vanished while it was read", path.display()))
            .hint("see that nothing writes to the data, then run again")),
    }
}
