//! nodeos' floats in Rust: what the hardware does, but for which NaN comes out (see `rewrite::float`, whose rules these
//! are).

/// What the operations need of both widths.
pub trait Float: Copy + PartialEq + PartialOrd {
    /// From the low bits of a slot.
    fn of(slot: u64) -> Self;
    /// As a slot.
    fn slot(self) -> u64;
    /// Whether it is a NaN.
    fn is_nan(self) -> bool;
    /// The slot of the first NaN made quiet, else of the negative default NaN.
    fn nan(left: Self, right: Self) -> u64;
}

impl Float for f32 {
    fn is_nan(self) -> bool {
        f32::is_nan(self)
    }
    fn of(slot: u64) -> Self {
        Self::from_bits(slot as u32)
    }
    fn slot(self) -> u64 {
        u64::from(self.to_bits())
    }
    fn nan(left: Self, right: Self) -> u64 {
        const QUIET: u32 = 0x0040_0000;
        let bits = match (left.is_nan(), right.is_nan()) {
            (true, _) => left.to_bits() | QUIET,
            (false, true) => right.to_bits() | QUIET,
            (false, false) => 0xffc0_0000,
        };
        u64::from(bits)
    }
}

impl Float for f64 {
    fn is_nan(self) -> bool {
        f64::is_nan(self)
    }
    fn of(slot: u64) -> Self {
        Self::from_bits(slot)
    }
    fn slot(self) -> u64 {
        self.to_bits()
    }
    fn nan(left: Self, right: Self) -> u64 {
        const QUIET: u64 = 0x0008_0000_0000_0000;
        match (left.is_nan(), right.is_nan()) {
            (true, _) => left.to_bits() | QUIET,
            (false, true) => right.to_bits() | QUIET,
            (false, false) => 0xfff8_0000_0000_0000,
        }
    }
}

/// Arithmetic on two operands.
pub fn binary<F: Float>(left: F, right: F, operation: impl Fn(F, F) -> F) -> u64 {
    let result = operation(left, right);
    if result.is_nan() { F::nan(left, right) } else { result.slot() }
}

/// `min`, or `max` where `greatest`: a NaN operand comes out as it is, the first one first; -0 is less than 0.
pub fn select<F: Float>(left: F, right: F, greatest: bool) -> u64 {
    if left.is_nan() {
        return left.slot();
    }
    if right.is_nan() {
        return right.slot();
    }
    if left == right {
        // Equal numbers differ in their sign at most.
        return if greatest { left.slot() & right.slot() } else { left.slot() | right.slot() };
    }
    if (left < right) == greatest { right.slot() } else { left.slot() }
}

/// Rounding: a NaN comes out as it is.
pub fn round<F: Float>(operand: F, operation: impl Fn(F) -> F) -> u64 {
    if operand.is_nan() { operand.slot() } else { operation(operand).slot() }
}

/// Square root: a NaN is made quiet, a negative number gives the default NaN.
pub fn sqrt<F: Float>(operand: F, operation: impl Fn(F) -> F) -> u64 {
    let result = operation(operand);
    if result.is_nan() { F::nan(operand, operand) } else { result.slot() }
}

/// `f64.promote_f32`: a NaN keeps its sign and payload and is made quiet.
pub fn promote(operand: f32) -> u64 {
    if !operand.is_nan() {
        return f64::from(operand).slot();
    }
    let bits = u64::from(operand.to_bits());
    0x7ff8_0000_0000_0000 | (bits & 0x8000_0000) << 32 | (bits & 0x007f_ffff) << 29
}

/// `f32.demote_f64`: a NaN keeps its sign and the upper bits of its payload and is made quiet.
pub fn demote(operand: f64) -> u64 {
    if !operand.is_nan() {
        return (operand as f32).slot();
    }
    let bits = operand.to_bits();
    let narrow = 0x7fc0_0000 | ((bits >> 32) as u32 & 0x8000_0000) | ((bits >> 29) as u32 & 0x007f_ffff);
    u64::from(narrow)
}
