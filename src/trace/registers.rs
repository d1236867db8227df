//! One step up a stack: what the unwind tables say of a frame, done to registers that may be unknown.

use gimli::{
    CfaRule, EhFrame, EvaluationResult, Location, Piece, Register, RegisterRule, UnwindExpression, UnwindTableRow,
    Value, X86_64,
};

use super::image::{Bytes, Unwind};
use super::stack_sample::StackSample;

/// An expression of the tables runs a handful of steps; a damaged one could run for ever.
const MOST_STEPS: u32 = 1000;

/// Registers that a function leaves as it found them, if its tables do not say where it keeps them.
const KEPT: [Register; 6] = [
    X86_64::RBX,
    X86_64::RBP,
    X86_64::R12,
    X86_64::R13,
    X86_64::R14,
    X86_64::R15,
];

/// The sixteen registers and the program counter, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registers([Option<u64>; 17]);

impl Registers {
    /// The three that walking a stack needs.
    #[must_use]
    pub fn new(pc: u64, sp: u64, bp: Option<u64>) -> Self {
        let mut registers = Self::default();
        registers.set(X86_64::RA, Some(pc));
        registers.set(X86_64::RSP, Some(sp));
        registers.set(X86_64::RBP, bp);
        registers
    }

    /// A register's value.
    #[must_use]
    pub fn get(&self, register: Register) -> Option<u64> {
        self.0.get(usize::from(register.0)).copied().flatten()
    }

    fn set(&mut self, register: Register, value: Option<u64>) {
        if let Some(place) = self.0.get_mut(usize::from(register.0)) {
            *place = value;
        }
    }
}

/// The copy of a stack.
#[derive(Clone, Copy)]
pub struct Stack<'a> {
    bottom: u64,
    bytes: &'a [u8],
}

impl<'a> Stack<'a> {
    /// The stack that was copied.
    #[must_use]
    pub fn of(sample: &'a StackSample) -> Self {
        Self {
            bottom: sample.sp,
            bytes: &sample.stack,
        }
    }

    /// Whether a frame with this top was not copied to its end. Its caller is further up, and whatever
    /// looks like one further down is not.
    #[must_use]
    pub fn ends_before(self, top: u64) -> bool {
        top > self.bottom.saturating_add(self.bytes.len() as u64)
    }

    /// The word at an address.
    #[must_use]
    pub fn word(self, address: u64) -> Option<u64> {
        let start = usize::try_from(address.checked_sub(self.bottom)?).ok()?;
        let bytes = self.bytes.get(start..start.checked_add(8)?)?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    }
}

/// What the unwind tables say of a frame, and what they say it of.
pub struct Row<'a> {
    /// The copy of the stack.
    pub stack: Stack<'a>,
    /// All tables of the file, in which expressions lie.
    pub tables: &'a EhFrame<Bytes>,
    /// The function's entry.
    pub unwind: &'a Unwind,
    /// The registers in this frame.
    pub registers: &'a Registers,
}

impl Row<'_> {
    /// The frame's top, where the caller's stack pointer will be after the return.
    #[must_use]
    pub fn top(&self, row: &UnwindTableRow<usize>) -> Option<u64> {
        match row.cfa() {
            CfaRule::RegisterAndOffset { register, offset } => {
                self.registers.get(*register)?.checked_add_signed(*offset)
            }
            CfaRule::Expression(expression) => self.evaluate(expression, None),
        }
    }

    /// The caller's registers, given the frame's top.
    #[must_use]
    pub fn caller(&self, row: &UnwindTableRow<usize>, top: u64) -> Registers {
        let mut caller = Registers::default();
        for number in 0..=X86_64::RA.0 {
            let register = Register(number);
            let value = match row.register(register) {
                Some(rule) => self.value(&rule, register, top),
                None if register == X86_64::RSP => Some(top),
                None if register == X86_64::RA => top.checked_sub(8).and_then(|address| self.stack.word(address)),
                None if KEPT.contains(&register) => self.registers.get(register),
                None => None,
            };
            caller.set(register, value);
        }
        caller
    }

    fn value(&self, rule: &RegisterRule<usize>, register: Register, top: u64) -> Option<u64> {
        match rule {
            RegisterRule::SameValue => self.registers.get(register),
            RegisterRule::Offset(offset) => self.stack.word(top.checked_add_signed(*offset)?),
            RegisterRule::ValOffset(offset) => top.checked_add_signed(*offset),
            RegisterRule::Register(other) => self.registers.get(*other),
            RegisterRule::Expression(expression) => self.stack.word(self.evaluate(expression, Some(top))?),
            RegisterRule::ValExpression(expression) => self.evaluate(expression, Some(top)),
            RegisterRule::Constant(value) => Some(*value),
            _ => None,
        }
    }

    fn evaluate(&self, expression: &UnwindExpression<usize>, first: Option<u64>) -> Option<u64> {
        let expression = expression.get(self.tables).ok()?;
        let mut evaluation = expression.evaluation(self.unwind.cie().encoding());
        evaluation.set_max_iterations(MOST_STEPS);
        if let Some(first) = first {
            evaluation.set_initial_value(first);
        }
        let mut state = evaluation.evaluate().ok()?;
        loop {
            state = match state {
                EvaluationResult::Complete => break,
                EvaluationResult::RequiresRegister { register, .. } => {
                    let value = self.registers.get(register)?;
                    evaluation.resume_with_register(Value::Generic(value)).ok()?
                }
                EvaluationResult::RequiresMemory { address, size: 8, .. } => {
                    let value = self.stack.word(address)?;
                    evaluation.resume_with_memory(Value::Generic(value)).ok()?
                }
                _ => return None,
            };
        }
        match evaluation.as_result() {
            [
                Piece {
                    location: Location::Address { address },
                    ..
                },
            ] => Some(*address),
            _ => None,
        }
    }
}
