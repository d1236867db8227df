//! From the registers and the stack of a thread to the calls that it is in, by the unwind tables that
//! every Rust program carries, with or without debug information.
//!
//! A supervisor that does not trace sees no frame pointer, and the standard library addresses its frames
//! by it. So the first such frame is measured by what its function's first instructions push; the frame
//! pointers of those who called are on the stack then. Where nothing else helps, the stack is searched
//! for addresses after a call. One that calls the very function is believed, any other is a guess.

use std::rc::Rc;

use gimli::{CfaRule, RegisterRule, UnwindContext, UnwindTableRow, X86_64};
use object::Architecture;

use super::code::{self, Call, LONGEST_CALL};
use super::image::{Image, Images, Place, Unwind};
use super::registers::{Registers, Row, Stack};
use super::stack_sample::StackSample;

/// No walk is longer, whatever the tables say.
const MOST_STEPS: usize = 512;

/// How far up the stack a call of the very function is looked for when another is there already.
const NEAR: u64 = 16 * 1024;

/// Where the thread stopped, or a call that had not returned.
#[derive(Clone)]
pub struct Step {
    /// The instruction, if a file is mapped there.
    pub place: Option<Place>,
    /// Whether it, or what it follows from, was found by search and may have been left behind by a
    /// call that was over.
    pub guessed: bool,
}

/// Where the thread stopped, and the calls that it is in, the innermost first.
#[must_use]
pub fn walk(sample: &StackSample, images: &mut Images<'_>) -> Vec<Step> {
    Walk {
        sample,
        images,
        registers: Registers::new(sample.pc, sample.sp, sample.bp),
        exact: true,
        guessed: false,
    }
    .run()
}

struct Walk<'a, 'b> {
    sample: &'a StackSample,
    images: &'a mut Images<'b>,
    registers: Registers,
    /// Whether the program counter is at the instruction itself, and not after it.
    exact: bool,
    guessed: bool,
}

enum Caller {
    /// The walk is there now.
    Found,
    /// The thread began here, or the stack was copied no further.
    Nobody,
    Unknown,
}

impl Walk<'_, '_> {
    fn run(mut self) -> Vec<Step> {
        let mut steps = Vec::new();
        while steps.len() < MOST_STEPS {
            let Some(pc) = self.registers.get(X86_64::RA) else {
                break;
            };
            let place = self.place(pc);
            let caller = place.as_ref().map_or(Caller::Unknown, |place| self.by_tables(place));
            let here = place.clone();
            steps.push(Step {
                place,
                guessed: self.guessed,
            });
            match caller {
                Caller::Nobody => break,
                Caller::Found => {}
                Caller::Unknown => {
                    let Some((registers, guessed)) = self.by_search(here.as_ref()) else {
                        break;
                    };
                    (self.registers, self.exact) = (registers, false);
                    self.guessed |= guessed;
                }
            }
        }
        steps
    }

    /// The instruction that runs or has called. After a call, or on the way into the kernel, the program
    /// counter is one further, and that may be another line or another function.
    fn place(&mut self, pc: u64) -> Option<Place> {
        let mut place = self.images.place(&self.sample.maps, pc)?;
        let before = place.address.saturating_sub(2)..place.address;
        if !self.exact || code::enters_kernel(place.image.code(before)) {
            place.address = place.address.checked_sub(1)?;
        }
        Some(place)
    }

    fn by_tables(&mut self, place: &Place) -> Caller {
        if place.image.architecture() != Architecture::X86_64 {
            return Caller::Unknown;
        }
        self.up(place).unwrap_or(Caller::Unknown)
    }

    fn up(&mut self, place: &Place) -> Option<Caller> {
        let unwind = place.image.unwind(place.address)?;
        let (tables, bases) = place.image.tables();
        let mut context = UnwindContext::new();
        let row = unwind.unwind_info_for_address(tables, bases, &mut context, place.address).ok()?;
        if row.register(X86_64::RA) == Some(RegisterRule::Undefined) {
            return Some(Caller::Nobody);
        }
        let registers = self.registers.clone();
        let frame = Row {
            stack: Stack::of(self.sample),
            tables,
            unwind: &unwind,
            registers: &registers,
        };
        let top = frame.top(row).or_else(|| self.measured(place, &unwind, row))?;
        let caller = frame.caller(row, top);
        if frame.stack.ends_before(top) {
            return Some(Caller::Nobody);
        }
        let pc = caller.get(X86_64::RA)?;
        if pc == 0 {
            return Some(Caller::Nobody);
        }
        // A signal's handler may run on a stack of its own; any other caller's frame is further up.
        let exact = unwind.is_signal_trampoline();
        (exact || top > registers.get(X86_64::RSP)?).then_some(())?;
        self.images.place(&self.sample.maps, pc)?;
        (self.registers, self.exact) = (caller, exact);
        Some(Caller::Found)
    }

    /// The top of a frame that is addressed by a frame pointer nobody knows: the stack pointer, and what
    /// the function has pushed since it set the frame pointer. Believed if a return address is there.
    fn measured(&mut self, place: &Place, unwind: &Unwind, row: &UnwindTableRow<usize>) -> Option<u64> {
        let CfaRule::RegisterAndOffset {
            register: X86_64::RBP,
            offset,
        } = row.cfa()
        else {
            return None;
        };
        let set = frame_pointer_set(&place.image, unwind)?;
        let grown = code::growth(place.image.code(set..place.address))?;
        let top = self.registers.get(X86_64::RSP)?.checked_add(grown)?.checked_add_signed(*offset)?;
        let back = Stack::of(self.sample).word(top.checked_sub(8)?)?;
        self.call_before(back)?;
        Some(top)
    }

    /// The registers of whoever called, if a word on the stack looks like a return address, and whether
    /// that is a guess.
    fn by_search(&mut self, here: Option<&Place>) -> Option<(Registers, bool)> {
        let stack = Stack::of(self.sample);
        let bottom = self.registers.get(X86_64::RSP)?.checked_add(7)? & !7;
        let start = here.and_then(|place| place.image.start(place.address));
        let mut likely = None;
        for slot in (bottom..u64::MAX - 8).step_by(8) {
            let Some(back) = stack.word(slot) else { break };
            if likely.is_some() && (start.is_none() || slot - bottom > NEAR) {
                break;
            }
            let Some((caller, call)) = self.call_before(back) else {
                continue;
            };
            let registers = Registers::new(back, slot + 8, None);
            if here.is_some_and(|here| start.is_some() && goes_to(&caller, call, &here.image) == start) {
                return Some((registers, false));
            }
            likely = likely.or(Some((registers, true)));
        }
        likely
    }

    /// The call in front of an address, if there is code with one.
    fn call_before(&mut self, back: u64) -> Option<(Place, Call)> {
        let place = self.images.place(&self.sample.maps, back)?;
        place.image.start(place.address.checked_sub(1)?)?;
        let code = place.image.code(place.address.saturating_sub(LONGEST_CALL)..place.address);
        let call = code::call_before(code, place.address)?;
        Some((place, call))
    }
}

/// Where a call in the file goes, in that file's numbering.
fn goes_to(caller: &Place, call: Call, image: &Rc<Image>) -> Option<u64> {
    Rc::ptr_eq(&caller.image, image).then_some(())?;
    match call {
        Call::To(target) => Some(target),
        Call::Through(slot) => image.slot(slot),
        Call::Elsewhere => None,
    }
}

/// The address after the instruction by which the function sets its frame pointer.
fn frame_pointer_set(image: &Image, unwind: &Unwind) -> Option<u64> {
    let (tables, bases) = image.tables();
    let mut context = UnwindContext::new();
    let mut rows = unwind.rows(tables, bases, &mut context).ok()?;
    while let Ok(Some(row)) = rows.next_row() {
        let start = row.start_address();
        let by_frame_pointer = matches!(
            row.cfa(),
            CfaRule::RegisterAndOffset {
                register: X86_64::RBP,
                ..
            }
        );
        if by_frame_pointer && code::sets_frame_pointer(image.code(start.saturating_sub(3)..start)) {
            return Some(start);
        }
    }
    None
}
