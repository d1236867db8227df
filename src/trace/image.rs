//! An ELF file as far as a stack and its names need it: where its bytes lie in memory, its functions
//! with the unwind tables, its symbols and its debug information. Damage in a file makes parts of it
//! missing, never more.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::ops::{Bound, Range};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use gimli::{BaseAddresses, CieOrFde, EhFrame, EhFrameOffset, EndianArcSlice, LittleEndian, UnwindSection as _};
use object::read::elf::ElfFile64;
use object::{
    Architecture, CompressionFormat, Object, ObjectSection, ObjectSegment, ObjectSymbol, RelocationFlags, SectionKind,
    SymbolKind,
};

use super::stack_sample::Mapping;

use crate::os::bounded;

/// Bytes of a file, shared.
pub type Bytes = EndianArcSlice<LittleEndian>;

/// A function's entry in the unwind tables.
pub type Unwind = gimli::FrameDescriptionEntry<Bytes>;

type Elf<'data> = ElfFile64<'data, object::LittleEndian>;

/// Larger files are not read: they would not fit beside the program that is being looked at.
const LARGEST: u64 = 1 << 30;

/// A function, or what looks like one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// Where it begins.
    pub start: u64,
    /// The address after it.
    pub end: u64,
    /// Its name, still mangled; empty where only the unwind tables know of it.
    pub name: String,
}

/// A file, read once.
pub struct Image {
    data: Arc<[u8]>,
    architecture: Architecture,
    segments: Vec<Segment>,
    code: Vec<Range<u64>>,
    symbols: Vec<Symbol>,
    eh_frame: EhFrame<Bytes>,
    bases: BaseAddresses,
    entries: BTreeMap<u64, (u64, EhFrameOffset)>,
    slots: BTreeMap<u64, u64>,
    debug: OnceCell<Option<addr2line::Context<Bytes>>>,
}

struct Segment {
    address: u64,
    file: Range<u64>,
    executable: bool,
}

impl Image {
    /// Reads the file; none if it is no ELF file of a 64-bit little-endian machine.
    #[must_use]
    pub fn open(path: &Path) -> Option<Self> {
        Self::parse(bounded::bytes(path, LARGEST).ok()?)
    }

    /// Reads the bytes of a file.
    #[must_use]
    pub fn parse(data: Vec<u8>) -> Option<Self> {
        let data: Arc<[u8]> = data.into();
        let elf = Elf::parse(&*data).ok()?;
        let (eh_frame, bases) = eh_frame(&elf, &data);
        let entries = entries(&eh_frame, &bases);
        Some(Self {
            architecture: elf.architecture(),
            segments: elf.segments().map(|segment| Segment::of(&segment)).collect(),
            code: elf
                .sections()
                .filter(|section| section.kind() == SectionKind::Text)
                .map(|section| range(&section))
                .collect(),
            symbols: symbols(&elf),
            slots: slots(&elf),
            data: Arc::clone(&data),
            eh_frame,
            bases,
            entries,
            debug: OnceCell::new(),
        })
    }

    /// The machine it is for.
    #[must_use]
    pub const fn architecture(&self) -> Architecture {
        self.architecture
    }

    /// The function of the symbol table that holds the address.
    #[must_use]
    pub fn symbol(&self, address: u64) -> Option<&Symbol> {
        let next = self.symbols.partition_point(|symbol| symbol.start <= address);
        // Of several at one address, any that is long enough; of nested ones the innermost.
        self.symbols[..next].iter().rev().take(8).find(|symbol| address < symbol.end)
    }

    /// Where the functions begin whose name has this in it.
    #[must_use]
    pub fn named(&self, part: &str) -> Vec<u64> {
        let named = self.symbols.iter().filter(|symbol| symbol.name.contains(part));
        named.map(|symbol| symbol.start).collect()
    }

    /// The unwind table's entry for the function that holds the address.
    #[must_use]
    pub fn unwind(&self, address: u64) -> Option<Unwind> {
        let (_, (end, offset)) = self.entries.range(..=address).next_back()?;
        (address < *end).then_some(())?;
        self.eh_frame.fde_from_offset(&self.bases, *offset, EhFrame::cie_from_offset).ok()
    }

    /// The unwind tables and what their addresses are relative to.
    #[must_use]
    pub const fn tables(&self) -> (&EhFrame<Bytes>, &BaseAddresses) {
        (&self.eh_frame, &self.bases)
    }

    /// Where the function that holds the address begins.
    #[must_use]
    pub fn start(&self, address: u64) -> Option<u64> {
        let (start, (end, _)) = self.entries.range(..=address).next_back()?;
        if address < *end {
            return Some(*start);
        }
        self.symbol(address).map(|symbol| symbol.start)
    }

    /// The address in the global offset table's slot, where this file alone decides it.
    #[must_use]
    pub fn slot(&self, address: u64) -> Option<u64> {
        self.slots.get(&address).copied()
    }

    /// The bytes of code from an address, up to the end of what is mapped there or to `end`.
    #[must_use]
    pub fn code(&self, range: Range<u64>) -> &[u8] {
        let bytes = || {
            let segment = self.segments.iter().find(|segment| segment.executable && segment.has(range.start))?;
            let start = usize::try_from(segment.file.start + (range.start - segment.address)).ok()?;
            let length = range.end.checked_sub(range.start)?;
            let end = segment.file.end.min((start as u64).saturating_add(length));
            self.data.get(start..usize::try_from(end).ok()?)
        };
        bytes().unwrap_or_default()
    }

    /// The sections of code, cut where functions begin: an instruction begins there too.
    #[must_use]
    pub fn functions(&self) -> Vec<Range<u64>> {
        let by_name = self.symbols.iter().map(|symbol| symbol.start);
        let starts: BTreeSet<u64> = by_name.chain(self.entries.keys().copied()).collect();
        let mut functions = Vec::new();
        for code in self.code.iter().filter(|code| code.start < code.end) {
            let mut start = code.start;
            let inner = (Bound::Excluded(code.start), Bound::Excluded(code.end));
            for end in starts.range(inner).copied().chain([code.end]) {
                functions.push(start..end);
                start = end;
            }
        }
        functions
    }

    /// The address in the file's own numbering of a place in memory.
    #[must_use]
    pub fn address(&self, mapping: &Mapping, pc: u64) -> Option<u64> {
        let place = pc.checked_sub(mapping.start)?.checked_add(mapping.offset)?;
        let segment = self.segments.iter().find(|segment| segment.file.contains(&place))?;
        segment.address.checked_add(place - segment.file.start)
    }

    /// The debug information; read when it is first asked for.
    pub fn debug(&self) -> Option<&addr2line::Context<Bytes>> {
        self.debug.get_or_init(|| debug(&self.data)).as_ref()
    }
}

impl Segment {
    fn of<'data>(segment: &impl ObjectSegment<'data>) -> Self {
        let (start, length) = segment.file_range();
        Self {
            address: segment.address(),
            file: start..start.saturating_add(length),
            executable: segment.permissions().executable(),
        }
    }

    const fn end(&self) -> u64 {
        self.address.saturating_add(self.file.end - self.file.start)
    }

    const fn has(&self, address: u64) -> bool {
        self.address <= address && address < self.end()
    }
}

fn range<'data>(section: &impl ObjectSection<'data>) -> Range<u64> {
    section.address()..section.address().saturating_add(section.size())
}

fn eh_frame(elf: &Elf<'_>, data: &Arc<[u8]>) -> (EhFrame<Bytes>, BaseAddresses) {
    let address = |name| elf.section_by_name(name).map_or(0, |section| section.address());
    let bases = BaseAddresses::default()
        .set_eh_frame(address(".eh_frame"))
        .set_eh_frame_hdr(address(".eh_frame_hdr"))
        .set_text(address(".text"))
        .set_got(address(".got"));
    let mut eh_frame = EhFrame::from(section(elf, data, ".eh_frame"));
    eh_frame.set_address_size(8);
    (eh_frame, bases)
}

fn entries(eh_frame: &EhFrame<Bytes>, bases: &BaseAddresses) -> BTreeMap<u64, (u64, EhFrameOffset)> {
    let mut found = BTreeMap::new();
    let mut entries = eh_frame.entries(bases);
    while let Ok(Some(entry)) = entries.next() {
        if let CieOrFde::Fde(partial) = entry
            && let Ok(entry) = partial.parse(EhFrame::cie_from_offset)
        {
            let place = (entry.end_address(), EhFrameOffset(entry.offset()));
            found.insert(entry.initial_address(), place);
        }
    }
    found
}

fn symbols(elf: &Elf<'_>) -> Vec<Symbol> {
    let mut symbols: Vec<Symbol> = elf
        .symbols()
        .chain(elf.dynamic_symbols())
        .filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.is_definition() && symbol.size() > 0)
        .filter_map(|symbol| {
            let (start, name) = (symbol.address(), symbol.name().ok()?.to_owned());
            let end = start.saturating_add(symbol.size());
            Some(Symbol { start, end, name })
        })
        .collect();
    symbols.sort_by(|one, other| (one.start, &one.name).cmp(&(other.start, &other.name)));
    symbols.dedup();
    symbols
}

/// Slots of tables through which code calls: position-independent files fill them when they are loaded.
fn slots(elf: &Elf<'_>) -> BTreeMap<u64, u64> {
    let relative = |flags| match flags {
        RelocationFlags::Elf { r_type } => r_type == object::elf::R_X86_64_RELATIVE,
        _ => false,
    };
    elf.dynamic_relocations()
        .into_iter()
        .flatten()
        .filter(|(_, relocation)| relative(relocation.flags()))
        .map(|(slot, relocation)| (slot, relocation.addend().cast_unsigned()))
        .collect()
}

fn debug(data: &Arc<[u8]>) -> Option<addr2line::Context<Bytes>> {
    let elf = Elf::parse(&**data).ok()?;
    elf.section_by_name(".debug_info").or_else(|| elf.section_by_name(".zdebug_info"))?;
    let load = |id: gimli::SectionId| Ok::<_, gimli::Error>(section(&elf, data, id.name()));
    let dwarf = gimli::Dwarf::load(load).ok()?;
    addr2line::Context::from_dwarf(dwarf).ok()
}

/// A section's bytes, none if it is not there or packed in a way that is not known here.
fn section(elf: &Elf<'_>, data: &Arc<[u8]>, name: &str) -> Bytes {
    let bytes = || {
        let range = elf.section_by_name(name)?.compressed_file_range().ok()?;
        let start = usize::try_from(range.offset).ok()?;
        let place = start..start.checked_add(usize::try_from(range.compressed_size).ok()?)?;
        let packed = data.get(place.clone())?;
        match range.format {
            CompressionFormat::None => Some(Bytes::new(Arc::clone(data), LittleEndian).range(place)),
            CompressionFormat::Zlib if range.uncompressed_size <= LARGEST => {
                let reader = flate2::read::ZlibDecoder::new(packed).take(range.uncompressed_size);
                let plain = bounded::rest(reader, LARGEST, range.uncompressed_size).ok()?;
                Some(Bytes::new(plain.into(), LittleEndian))
            }
            _ => None,
        }
    };
    bytes().unwrap_or_else(|| Bytes::new(Arc::from([]), LittleEndian))
}

/// The files that are mapped, each read when it is first asked for.
pub struct Images<'a> {
    readable: Box<dyn Fn(&str) -> PathBuf + 'a>,
    images: BTreeMap<String, Option<Rc<Image>>>,
}

/// A place in the code of a file.
#[derive(Clone)]
pub struct Place {
    /// The file.
    pub image: Rc<Image>,
    /// Its path, as the process names it.
    pub path: String,
    /// The address in the file's own numbering.
    pub address: u64,
}

impl<'a> Images<'a> {
    /// `readable` gives the path under which a file of the process can be read here.
    pub fn new(readable: impl Fn(&str) -> PathBuf + 'a) -> Self {
        Self {
            readable: Box::new(readable),
            images: BTreeMap::new(),
        }
    }

    /// Files that are not on disk.
    #[cfg(test)]
    pub fn of(files: impl IntoIterator<Item = (String, Image)>) -> Images<'static> {
        Images {
            readable: Box::new(|path| path.into()),
            images: files.into_iter().map(|(path, image)| (path, Some(Rc::new(image)))).collect(),
        }
    }

    /// The file at a path, as the process names it.
    pub fn image(&mut self, path: &str) -> Option<Rc<Image>> {
        let Self { readable, images } = self;
        if !images.contains_key(path) {
            images.insert(path.to_owned(), Image::open(&readable(path)).map(Rc::new));
        }
        images.get(path).cloned().flatten()
    }

    /// What code runs at an address of the process.
    pub fn place(&mut self, maps: &[Mapping], pc: u64) -> Option<Place> {
        let mapping = maps.iter().find(|mapping| mapping.contains(pc))?;
        let path = mapping.file().filter(|_| mapping.executable)?;
        let image = self.image(path)?;
        let address = image.address(mapping, pc)?;
        Some(Place {
            image,
            path: path.to_owned(),
            address,
        })
    }
}
