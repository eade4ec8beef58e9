//! Sections of a module that has been validated.

use anyhow::{Context, bail};

/// Bytes in front of a module's first section.
const PREAMBLE: usize = 8;
/// The section of functions' bodies.
const CODE: u8 = 10;
/// The subsection of functions' names.
const FUNCTION_NAMES: u8 = 1;

/// The content of the code section, and where in the module it begins.
///
/// # Errors
/// There is none.
pub fn code(module: &[u8]) -> anyhow::Result<(usize, &[u8])> {
    for section in sections(module)? {
        if section.0 == CODE {
            return Ok((section.1, section.2));
        }
    }
    bail!("the module has no code")
}

/// The content of a custom section; nothing where it is missing.
///
/// # Errors
/// The module cannot be read.
pub fn custom<'a>(module: &'a [u8], name: &str) -> anyhow::Result<&'a [u8]> {
    for (id, _, mut content) in sections(module)? {
        if id == 0 && text(&mut content)? == name.as_bytes() {
            return Ok(content);
        }
    }
    Ok(&[])
}

/// Names of functions by index, as they are in the name section.
///
/// # Errors
/// It cannot be read.
pub fn names(module: &[u8]) -> anyhow::Result<Vec<(u32, String)>> {
    let mut section = custom(module, "name")?;
    let mut names = Vec::new();
    while let Some((id, rest)) = section.split_first() {
        section = rest;
        let len = number(&mut section)? as usize;
        let (mut part, rest) = section.split_at_checked(len).context("a name section is cut short")?;
        section = rest;
        if *id == FUNCTION_NAMES {
            for _ in 0..number(&mut part)? {
                names.push((number(&mut part)?, String::from_utf8_lossy(text(&mut part)?).into_owned()));
            }
        }
    }
    Ok(names)
}

/// Where the instructions of each function begin in the content of a code section.
///
/// # Errors
/// It cannot be read.
pub fn first_instructions(code: &[u8]) -> anyhow::Result<Vec<u64>> {
    let mut rest = code;
    let mut firsts = Vec::new();
    for _ in 0..number(&mut rest)? {
        let len = number(&mut rest)? as usize;
        let (mut body, after) = rest.split_at_checked(len).context("a function is cut short")?;
        for _ in 0..number(&mut body)? {
            number(&mut body)?;
            body = body.get(1..).context("a function is cut short")?;
        }
        firsts.push((code.len() - after.len() - body.len()) as u64);
        rest = after;
    }
    Ok(firsts)
}

/// A section: its id, where its content begins, and that.
type Section<'a> = (u8, usize, &'a [u8]);

fn sections(module: &[u8]) -> anyhow::Result<Vec<Section<'_>>> {
    let mut rest = module.get(PREAMBLE..).context("a module is cut short")?;
    let mut sections = Vec::new();
    while let Some((id, after)) = rest.split_first() {
        rest = after;
        let len = number(&mut rest)? as usize;
        let at = module.len() - rest.len();
        let (content, after) = rest.split_at_checked(len).context("a module is cut short")?;
        sections.push((*id, at, content));
        rest = after;
    }
    Ok(sections)
}

/// A number in LEB128 form.
fn number(bytes: &mut &[u8]) -> anyhow::Result<u32> {
    let mut value = 0_u64;
    for shift in (0..35).step_by(7) {
        let (byte, rest) = bytes.split_first().context("a number is cut short")?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return u32::try_from(value).context("a number is too large");
        }
    }
    bail!("a number is too long")
}

fn text<'a>(bytes: &mut &'a [u8]) -> anyhow::Result<&'a [u8]> {
    let len = number(bytes)? as usize;
    let (text, rest) = bytes.split_at_checked(len).context("a text is cut short")?;
    *bytes = rest;
    Ok(text)
}
