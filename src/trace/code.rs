//! What machine code of x86-64 says of a stack where the unwind tables do not: whether an address lies
//! after a call, and how far a function's beginning has moved the stack pointer.

use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};

/// The longest call has a prefix, an opcode, two bytes for the operand and four for an offset.
pub const LONGEST_CALL: u64 = 8;

/// Where a call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// To this address.
    To(u64),
    /// To the address that stands in this slot.
    Through(u64),
    /// To what was computed.
    Elsewhere,
}

/// The call whose last byte is the last of `code`, which ends at the address `end`. Bytes can often be
/// read as more than one call; the likeliest is taken.
#[must_use]
pub fn call_before(code: &[u8], end: u64) -> Option<Call> {
    [5, 6, 2, 3, 7, 4, 8].into_iter().find_map(|length| {
        let start = code.len().checked_sub(length)?;
        let instruction = decode(&code[start..], end.wrapping_sub(length as u64));
        (instruction.mnemonic() == Mnemonic::Call && instruction.len() == length).then(|| target(&instruction))
    })
}

fn target(call: &Instruction) -> Call {
    match call.op0_kind() {
        OpKind::NearBranch64 => Call::To(call.near_branch_target()),
        OpKind::Memory if call.is_ip_rel_memory_operand() => Call::Through(call.ip_rel_memory_address()),
        _ => Call::Elsewhere,
    }
}

fn decode(code: &[u8], address: u64) -> Instruction {
    Decoder::with_ip(64, code, address, DecoderOptions::NONE).decode()
}

/// How many bytes the instructions have grown the stack by, up to the first that may go elsewhere. None
/// where it cannot be told, as when the stack pointer is rounded down.
#[must_use]
pub fn growth(code: &[u8]) -> Option<u64> {
    let mut grown: u64 = 0;
    for instruction in Decoder::with_ip(64, code, 0, DecoderOptions::NONE).iter() {
        let on_stack_pointer =
            instruction.op0_kind() == OpKind::Register && instruction.op0_register() == Register::RSP;
        match instruction.mnemonic() {
            Mnemonic::Push => grown += 8,
            Mnemonic::Sub if on_stack_pointer => grown = grown.checked_add(constant(&instruction)?)?,
            // LLVM adds -128, since that has a shorter form than subtracting 128.
            Mnemonic::Add if on_stack_pointer => {
                grown = grown.checked_add_signed(constant(&instruction)?.cast_signed().checked_neg()?)?;
            }
            Mnemonic::Cmp | Mnemonic::Test => {}
            _ if on_stack_pointer => return None,
            _ if leaves(&instruction) => break,
            _ => {}
        }
    }
    Some(grown)
}

fn constant(instruction: &Instruction) -> Option<u64> {
    matches!(
        instruction.op1_kind(),
        OpKind::Immediate8 | OpKind::Immediate8to64 | OpKind::Immediate32to64 | OpKind::Immediate32
    )
    .then(|| instruction.immediate(1))
}

fn leaves(instruction: &Instruction) -> bool {
    matches!(instruction.op0_kind(), OpKind::NearBranch64)
        || matches!(
            instruction.mnemonic(),
            Mnemonic::Call | Mnemonic::Jmp | Mnemonic::Ret | Mnemonic::Ud2 | Mnemonic::Pop | Mnemonic::Leave
        )
        || instruction.is_invalid()
}

/// Whether the code ends with the instruction that makes the stack pointer the frame pointer.
#[must_use]
pub fn sets_frame_pointer(code: &[u8]) -> bool {
    code.ends_with(&[0x48, 0x89, 0xe5]) || code.ends_with(&[0x48, 0x8b, 0xec])
}

/// Whether the code ends with the instruction that enters the kernel.
#[must_use]
pub fn enters_kernel(code: &[u8]) -> bool {
    code.ends_with(&[0x0f, 0x05])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn calls_of_every_form_are_seen() {
        let to = |code: &[u8]| call_before(code, 0x1000);
        assert_eq!(to(&[0x90, 0xe8, 0, 1, 0, 0]), Some(Call::To(0x1100)));
        assert_eq!(to(&[0xff, 0x15, 0, 1, 0, 0]), Some(Call::Through(0x1100)));
        assert_eq!(to(&[0xff, 0xd0]), Some(Call::Elsewhere)); // call rax
        assert_eq!(to(&[0x41, 0xff, 0xd0]), Some(Call::Elsewhere)); // call r8
        assert_eq!(to(&[0xff, 0x50, 0x18]), Some(Call::Elsewhere)); // call [rax+24]
        assert_eq!(to(&[0xff, 0x94, 0x24, 0, 1, 0, 0]), Some(Call::Elsewhere)); // call [rsp+256]
        assert_eq!(to(&[0x48, 0x89, 0xe5]), None);
        assert_eq!(to(&[]), None);
    }

    #[test]
    fn a_prologue_is_measured() {
        // push r15; push r14; push r13; push r12; push rbx; sub rsp, 0x1c8; mov r15d, edx; test al, al; je
        let std_getrandom = [
            0x41, 0x57, 0x41, 0x56, 0x41, 0x55, 0x41, 0x54, 0x53, 0x48, 0x81, 0xec, 0xc8, 0x01, 0x00, 0x00, 0x41, 0x89,
            0xd7, 0x84, 0xc0, 0x74, 0x10, 0x50,
        ];
        assert_eq!(growth(&std_getrandom), Some(5 * 8 + 0x1c8));
        assert_eq!(growth(&[0x48, 0x83, 0xc4, 0x80]), Some(128)); // add rsp, -128
        assert_eq!(growth(&[0x48, 0x83, 0xe4, 0xe0]), None); // and rsp, -32
        assert_eq!(growth(&[]), Some(0));
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(code: Vec<u8>, address: u64) {
            let _ = call_before(&code, address);
            let _ = growth(&code);
        }
    }
}
