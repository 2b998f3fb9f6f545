//! Embeds the mappings and alias tables of `formats/` in the binary, with an index of their headers, so that a run parses
//! only the mappings that it needs.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let formats = root.join("formats");
    println!("cargo::rerun-if-changed={}", formats.display());
    let mut files = Vec::new();
    collect(&formats, &mut files);
    files.sort();
    let mut code = String::from("pub static MAPPINGS: &[Embedded] = &[\n");
    let mut tables = String::from("pub static ALIAS_TABLES: &[(&str, &str)] = &[\n");
    for file in &files {
        println!("cargo::rerun-if-changed={}", file.display());
        let inside = file
            .strip_prefix(&formats)
            .expect("it was found there")
            .with_extension("");
        let id = inside
            .to_str()
            .expect("names of mappings are plain")
            .replace('\\', "/");
        let path = file.display().to_string();
        if let Some(name) = id.strip_prefix("assets/") {
            writeln!(tables, "    ({name:?}, include_str!({path:?})),").expect("a string takes it");
        } else {
            writeln!(
                code,
                "    Embedded {{ id: {id:?}, text: include_str!({path:?}), headers: &[{}] }},",
                required_headers(file)
            )
            .expect("a string takes it");
        }
    }
    code.push_str("];\n");
    tables.push_str("];\n");
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it")).join("embedded.rs");
    fs::write(out, code + &tables).expect("the build folder can be written");
    embed_targets(&root);
}

/// The targets of `targets/`, and the codes of the money of states.
fn embed_targets(root: &Path) {
    let folder = root.join("targets");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            println!("cargo::rerun-if-changed={}", path.display());
            files.push(path);
        }
    }
    files.sort();
    let mut code = String::from("pub static TARGETS: &[(&str, &str)] = &[\n");
    for file in &files {
        let id = file
            .file_stem()
            .and_then(|stem| stem.to_str())
            .expect("names of targets are plain");
        let path = file.display().to_string();
        writeln!(code, "    ({id:?}, include_str!({path:?})),").expect("a string takes it");
    }
    let fiat = folder
        .join("assets")
        .join("fiat.toml")
        .display()
        .to_string();
    println!("cargo::rerun-if-changed={fiat}");
    writeln!(code, "];\nstatic FIAT: &str = include_str!({fiat:?});").expect("a string takes it");
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it")).join("targets.rs");
    fs::write(out, code).expect("the build folder can be written");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            println!("cargo::rerun-if-changed={}", path.display());
            collect(&path, files);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            files.push(path);
        }
    }
}

/// For each column that is not optional, its header spellings: one of each must stand in a file of this report. A column
/// that is found in another way (by position, as a family) is left out. A mapping that cannot be read gets an empty
/// list: it is then always compiled, and says itself what is wrong.
fn required_headers(file: &Path) -> String {
    let Ok(text) = fs::read_to_string(file) else {
        return String::new();
    };
    let Ok(table) = text.parse::<toml::Table>() else {
        return String::new();
    };
    let Some(columns) = table.get("columns").and_then(toml::Value::as_table) else {
        return String::new();
    };
    let mut required = String::new();
    for column in columns.values() {
        let spellings: Vec<&str> = match column {
            toml::Value::String(text) => vec![text],
            toml::Value::Array(list) => list.iter().filter_map(toml::Value::as_str).collect(),
            toml::Value::Table(keys) => {
                let on = |key: &str| keys.get(key).and_then(toml::Value::as_bool) == Some(true);
                if on("optional") || on("family") {
                    continue;
                }
                match keys.get("header") {
                    Some(toml::Value::String(text)) => vec![text.as_str()],
                    Some(toml::Value::Array(list)) => {
                        list.iter().filter_map(toml::Value::as_str).collect()
                    }
                    _ => continue,
                }
            }
            _ => continue,
        };
        if spellings.iter().any(|text| text.trim().is_empty()) {
            continue;
        }
        let list: Vec<String> = spellings.iter().map(|text| format!("{text:?}")).collect();
        let is_plain = spellings.iter().all(|text| is_plain(text));
        write!(required, "(&[{}], {is_plain}), ", list.join(", ")).expect("a string takes it");
    }
    required
}

/// Whether a spelling is just the text of a header as it is compared: without captures and unusual blanks.
fn is_plain(spelling: &str) -> bool {
    !spelling.is_empty()
        && !spelling.contains('{')
        && spelling.split(' ').all(|word| {
            !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || c == '\u{feff}')
        })
}
