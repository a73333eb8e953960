//! Puts the bytes of elements together again, a register of each plane at a time, for any instruction set
//! that is a [`Simd`].
//!
//! A plane holds the bytes of equal significance of all elements. To interleave `T` planes is to
//! interleave the first half of the planes with the second half, byte by byte, `log2 T` times. Where
//! bits were shuffled, a plane is made first of its eight rows of bits: a matrix of 8 by 8 bits is
//! transposed by exchanging ever smaller squares across its diagonal, in all columns of eight registers
//! at once, and the eight registers are interleaved like planes.

#![expect(
    clippy::inline_always,
    reason = "only inside a function compiled for an instruction set do its instructions become inline"
)]

/// An instruction set. A value of an implementing type is proof that this CPU has it.
pub(crate) trait Simd: Copy {
    /// A register of one or more lanes of [`LANE`] bytes.
    type Register: Copy;

    /// Bytes of a register.
    const LEN: usize;

    /// The first [`Simd::LEN`] bytes.
    fn load(self, bytes: &[u8]) -> Self::Register;

    /// Writes lane `i` to the [`LANE`] bytes from `i * apart`.
    fn store(self, register: Self::Register, bytes: &mut [u8], apart: usize);

    /// The first halves of each lane of `a` and `b`, byte by byte in turn.
    fn interleave_low(self, a: Self::Register, b: Self::Register) -> Self::Register;

    /// The second halves of each lane of `a` and `b`, byte by byte in turn.
    fn interleave_high(self, a: Self::Register, b: Self::Register) -> Self::Register;

    /// Exchanges, in every byte, the bits of `b` under `mask` and those of `a` that stand `SHIFT`
    /// places higher.
    fn exchange_bits<const SHIFT: i32>(
        self,
        a: Self::Register,
        b: Self::Register,
        mask: u8,
    ) -> (Self::Register, Self::Register);
}

/// Bytes of a lane.
pub(crate) const LANE: usize = 16;

/// Interleaves the first `block.len() / T` bytes of each plane into `block`. `T` is a power of two. Answers
/// `false`, and writes nothing, where that is less than a register.
#[inline(always)]
pub(crate) fn interleave_planes<S: Simd, const T: usize>(
    simd: S,
    planes: [&[u8]; T],
    block: &mut [u8],
) -> bool {
    let Some(starts) = RegisterStarts::new::<S>(block.len() / T) else { return false };
    for start in starts {
        let mut registers = [simd.load(&planes[0][start..]); T];
        for (register, plane) in registers.iter_mut().zip(planes).skip(1) {
            *register = simd.load(&plane[start..]);
        }
        let interleaved = interleave(simd, registers);
        let target = &mut block[start * T..][..S::LEN * T];
        for (index, register) in interleaved.into_iter().enumerate() {
            simd.store(register, &mut target[index * LANE..], LANE * T);
        }
    }
    true
}

/// Makes `T` planes, each given as its eight rows of bits that begin `row_len` bytes apart, to elements in
/// `block`: as many columns of the rows as there is room for. `T` is a power of two and `8 * T` divides the
/// length of `block`. Answers `false`, and writes nothing, where that is less than a register.
#[inline(always)]
pub(crate) fn interleave_bit_planes<S: Simd, const T: usize>(
    simd: S,
    planes: [&[u8]; T],
    row_len: usize,
    block: &mut [u8],
) -> bool {
    let Some(starts) = RegisterStarts::new::<S>(block.len() / T / 8) else { return false };
    // Before the loop, which overwrites all of it: what it begins with is written once.
    let mut bytes = [[simd.load(planes[0]); 8]; T];
    for start in starts {
        for (bytes, plane) in bytes.iter_mut().zip(planes) {
            *bytes = plane_of_rows(simd, plane, row_len, start);
        }
        let target = &mut block[start * 8 * T..][..S::LEN * 8 * T];
        for part in 0..8 {
            let mut registers = [bytes[0][part]; T];
            for (register, bytes) in registers.iter_mut().zip(&bytes).skip(1) {
                *register = bytes[part];
            }
            let target = &mut target[part * LANE * T..];
            for (index, register) in interleave(simd, registers).into_iter().enumerate() {
                simd.store(register, &mut target[index * LANE..], LANE * 8 * T);
            }
        }
    }
    true
}

/// Makes the columns from `start`, as many as a register holds, of eight rows of bits to bytes: the first
/// lanes of the eight registers, one after the other, then the second lanes.
#[inline(always)]
fn plane_of_rows<S: Simd>(simd: S, rows: &[u8], row_len: usize, start: usize) -> [S::Register; 8] {
    let mut registers = [simd.load(&rows[start..]); 8];
    for (index, register) in registers.iter_mut().enumerate().skip(1) {
        *register = simd.load(&rows[index * row_len + start..]);
    }
    for i in [0, 1, 2, 3] {
        (registers[i], registers[i + 4]) =
            simd.exchange_bits::<4>(registers[i], registers[i + 4], 0x0f);
    }
    for i in [0, 1, 4, 5] {
        (registers[i], registers[i + 2]) =
            simd.exchange_bits::<2>(registers[i], registers[i + 2], 0x33);
    }
    for i in [0, 2, 4, 6] {
        (registers[i], registers[i + 1]) =
            simd.exchange_bits::<1>(registers[i], registers[i + 1], 0x55);
    }
    interleave(simd, registers)
}

/// The lanes of the registers, read one after the other, byte by byte in turn.
#[inline(always)]
fn interleave<S: Simd, const T: usize>(
    simd: S,
    mut registers: [S::Register; T],
) -> [S::Register; T] {
    for _ in 0..T.ilog2() {
        let before = registers;
        for index in 0..T / 2 {
            let (a, b) = (before[index], before[index + T / 2]);
            registers[2 * index] = simd.interleave_low(a, b);
            registers[2 * index + 1] = simd.interleave_high(a, b);
        }
    }
    registers
}

/// Starts that cover `len` bytes by whole registers, of which the last may begin within the one before.
/// A plain iterator that is always inlined: what is called with closures may be compiled for the baseline
/// CPU, and then calls a function for each instruction.
struct RegisterStarts {
    next: Option<usize>,
    last: usize,
    step: usize,
}

impl RegisterStarts {
    /// `None` where there is not one whole register.
    #[inline(always)]
    fn new<S: Simd>(len: usize) -> Option<Self> {
        Some(Self { next: Some(0), last: len.checked_sub(S::LEN)?, step: S::LEN })
    }
}

impl Iterator for RegisterStarts {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        let start = self.next?;
        self.next = (start < self.last).then(|| (start + self.step).min(self.last));
        Some(start)
    }
}
